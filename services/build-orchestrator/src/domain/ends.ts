import type { LeaseEnd, LeaseView, View } from './view.js';

/** How the gateway and the allocator mark a fault of the host or of the way to it. */
const HOST_FAULT = 'host unreachable:';
export const isHostFault = (error: string): boolean => error.startsWith(HOST_FAULT);

const words = { released: 'was released', expired: 'expired', broken: 'broke' } as const satisfies Record<LeaseEnd['how'], string>;
export const ending = (what: string, { how, detail }: LeaseEnd): string => `${what} ${words[how]}: ${detail}`;

export function endOf(lease: LeaseView | undefined, what: string): { end: LeaseEnd; why: string } | undefined {
  return lease?.status === 'ending' || lease?.status === 'destroyed' ? { end: lease.end, why: ending(what, lease.end) } : undefined;
}

/**
 * The end of the host behind a lease, when it is gone for good. A lease of a host breaks because its resource did, and the
 * resource says so first, or because its machine was taken by force: with both looked at, it doesn't matter which of its
 * leases and actions has told of its end by now.
 */
export function goneHost(lease: LeaseView | undefined, view: View): { end: LeaseEnd; why: string } | undefined {
  const what = 'the host lease';
  if (lease?.status === 'acquired' || lease?.status === 'active') {
    const broken = view.host(lease.resource)?.broken;
    const end = broken && ({ how: 'broken', detail: broken.error, at: broken.at } as const);
    return end && { end, why: ending(what, end) };
  }
  const ended = endOf(lease, what);
  return ended?.end.how === 'broken' ? ended : undefined;
}
