import { unreachable, type StatusEvent } from '@berth/contracts';
import type { Lease } from './lease.js';

/** What frontends are told of a lease. */
export function leaseStatus(id: string, lease: Exclude<Lease, { status: 'none' }>): { name: string; data: StatusEvent['data'] } {
  const { type, owner, until } = lease.request;
  const grant = 'grant' in lease ? { resource: lease.grant.resource, blueprint: lease.grant.blueprint, token: lease.grant.token } : {};
  return {
    name: `dev.berth.lease.${lease.status}`,
    data: { id, status: lease.status, percent: percent(lease), activity: activity(lease), error: problem(lease), type, owner, until: until ?? null, ...grant },
  };
}

function percent(lease: Lease): number {
  if (lease.status === 'none' || lease.status === 'pending') return 0;
  return lease.status === 'acquired' ? 50 : 100;
}

function activity(lease: Exclude<Lease, { status: 'none' }>): string {
  switch (lease.status) {
    case 'pending':
      return lease.reason ? `waiting: ${lease.reason}` : 'looking for a resource';
    case 'acquired':
      return 'preparing the resource';
    case 'active':
      return 'in use';
    case 'released':
      return `cleaning up: ${lease.reason}`;
    case 'broken':
      return 'cleaning up after a failure';
    case 'destroyed':
      return lease.how;
    default:
      return unreachable(lease);
  }
}

function problem(lease: Lease): string | null {
  if (lease.status === 'broken') return lease.error;
  return lease.status === 'destroyed' && (lease.how === 'broken' || lease.how === 'refused') ? lease.detail : null;
}
