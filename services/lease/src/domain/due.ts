import { unreachable } from '@berth/contracts';
import type { Grant, Lease, LeaseCommand } from './lease.js';

/** What a lease sees of everything else. */
export interface Surroundings {
  /** its live claims, in the order of all events */
  claims: readonly Grant[];
  /** the resource behind its grant */
  resource: { active: boolean; error?: string } | undefined;
  isActive(resource: string): boolean;
  /** the lease that its request stands on is over */
  groundless: string | undefined;
  /** other leases stand on it */
  carries: boolean;
}

/** Pure: the one command that a lease is due by what the feed has shown. */
export function dueFor(lease: Lease, { claims, resource, isActive, groundless, carries }: Surroundings): LeaseCommand | undefined {
  switch (lease.status) {
    case 'pending': {
      if (groundless !== undefined) return { type: 'Release', reason: groundless };
      const first = claims[0];
      return first && { type: 'Claim', grant: first, ready: isActive(first.resource) };
    }
    case 'acquired':
    case 'active': {
      const { grant } = lease;
      if (resource?.error !== undefined) return { type: 'Break', resource: grant.resource, error: resource.error };
      // Given back while its grant was being stored: somebody else may have the slot by now.
      if (!claims.some(({ token }) => token === grant.token)) return { type: 'Break', resource: grant.resource, error: 'its slot was given back' };
      if (groundless !== undefined) return { type: 'Release', reason: groundless };
      return lease.status === 'acquired' && resource?.active ? { type: 'Ready', resource: grant.resource } : undefined;
    }
    case 'released':
    case 'broken':
      // Leaf first: what stands on it is gone before it is. Other claims on its name are for their allocators to give back.
      return carries || claims.some(({ token }) => token === lease.grant.token) ? undefined : { type: 'Freed', token: lease.grant.token };
    case 'none':
    case 'destroyed':
      return undefined;
    default:
      return unreachable(lease);
  }
}
