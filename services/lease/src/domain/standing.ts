import { rejected, type LeaseRequest, type Refusal, type ResourceType } from '@berth/contracts';
import type { Lease } from './lease.js';

/** What each type may stand on when its request names a lease. */
const stands: Record<ResourceType, readonly ResourceType[]> = { host: [], 'working-copy': ['host'], service: ['host', 'working-copy'], composite: [] };

/**
 * Pure: is what a request says of the lease it stands on, and of a working copy, in order? `on`: that lease, when there is
 * one. A working copy or a service that names none is: its resource leases a host for itself.
 */
export function checkStanding(request: LeaseRequest, on: Lease | undefined): Refusal | undefined {
  const { type, host, workingCopy, exclusive } = request;
  const able = stands[type];
  if (exclusive && type !== 'host') return refused('invalid-data', 'only a host is had as a whole.', 'data.exclusive', 'goes with type host');
  if (workingCopy && type !== 'working-copy') return refused('invalid-data', 'only a working copy is made from repositories.', 'data.workingCopy', 'goes with type working-copy');
  if (!host) return undefined;
  if (able.length === 0) return refused('invalid-data', 'only a working copy or a service stands on another lease.', 'data.host', 'goes with type working-copy or service');
  const field = 'data.host.lease';
  const wanted = able.join(' or ');
  if (!on || on.status === 'none') return refused('unknown-lease', `there is no such ${wanted} lease.`, field, 'is not the id of a lease');
  if (!able.includes(on.request.type)) return refused('invalid-data', `that lease is not on a ${wanted}.`, field, `is a lease of type ${on.request.type}, not ${wanted}`);
  if (on.status !== 'active') return refused('lease-not-active', `the ${on.request.type} lease is ${on.status}.`, field, `is ${on.status}; it must be active`);
  return undefined;
}

const refused = (code: Parameters<typeof rejected>[0], why: string, field: string, message: string): Refusal => rejected(code, `RequestLease is refused: ${why}`, [{ field, message }]);
