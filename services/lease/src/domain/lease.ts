import { rejected, unreachable, type BlueprintName, type LeaseEvent, type LeaseRequest, type Refusal } from '@berth/contracts';

/** Where a lease was granted, and the fencing token of the grant. */
export interface Grant {
  resource: string;
  blueprint: BlueprintName;
  slot: number;
  token: number;
}

/** A lease, tagged by what it is doing. */
export type Lease =
  | { status: 'none' }
  /** asked for; no resource has been found yet */
  | { status: 'pending'; request: LeaseRequest; reason?: string }
  /** it has a slot; the resource is still being made ready */
  | { status: 'acquired'; request: LeaseRequest; grant: Grant }
  /** it can be used */
  | { status: 'active'; request: LeaseRequest; grant: Grant }
  /** over; the resource is being cleaned up and its slot given back */
  | { status: 'released'; request: LeaseRequest; grant: Grant; reason: string; expired: boolean }
  /** over, because the resource failed; cleaned up like a released one */
  | { status: 'broken'; request: LeaseRequest; grant: Grant; error: string }
  /** nothing is left of it */
  | { status: 'destroyed'; request: LeaseRequest; how: 'released' | 'expired' | 'broken'; detail: string };

/** What a lease can be told; times are RFC 3339. */
export type LeaseCommand =
  | { type: 'Request'; request: LeaseRequest }
  | { type: 'Renew'; until: string; now: string }
  | { type: 'Release'; reason: string }
  | { type: 'Expire'; now: string }
  | { type: 'Explain'; reason: string }
  /** the allocator committed a claim for it */
  | { type: 'Claim'; grant: Grant; ready: boolean }
  /** the claimed resource became active */
  | { type: 'Ready'; resource: string }
  | { type: 'Break'; resource: string; error: string }
  /** the allocator gave the slot back */
  | { type: 'Freed'; token: number };

const unknownLease = (): Refusal => rejected('unknown-lease', 'There is no such lease.', [{ field: 'data.lease', message: 'is not the id of a lease: see `berth lease list`' }]);
const ended = (lease: Lease): Refusal =>
  rejected('lease-ended', `The lease is ${lease.status}: request a new one.`, [{ field: 'data.lease', message: `is ${lease.status} and can't be changed any more` }]);
const isLater = (a: string, b: string) => Date.parse(a) > Date.parse(b);

/** Pure. A refusal is for the asker; no events means that the command has had its effect. */
export function decide(command: LeaseCommand, lease: Lease): readonly LeaseEvent[] | Refusal {
  switch (command.type) {
    case 'Request':
      return lease.status === 'none' ? [{ type: 'LeaseRequested', data: command.request }] : [];
    case 'Renew': {
      if (lease.status === 'none') return unknownLease();
      if (lease.status === 'released' || lease.status === 'broken' || lease.status === 'destroyed') return ended(lease);
      if (!isLater(command.until, command.now)) return rejected('invalid-data', 'The lease is not renewed: until is in the past.', [{ field: 'data.until', message: 'must be in the future' }]);
      return lease.request.until === command.until ? [] : [{ type: 'LeaseRenewed', data: { until: command.until } }];
    }
    case 'Release':
      if (lease.status === 'none') return unknownLease();
      return end(lease, command.reason, false);
    case 'Expire': {
      if (lease.status === 'none') return [];
      const { until } = lease.request;
      return until && !isLater(until, command.now) ? end(lease, `its time was up at ${until}`, true) : [];
    }
    case 'Explain':
      return lease.status === 'pending' && lease.reason !== command.reason ? [{ type: 'LeaseWaiting', data: { reason: command.reason } }] : [];
    case 'Claim': {
      if (lease.status !== 'pending') return [];
      const acquired: LeaseEvent = { type: 'LeaseAcquired', data: command.grant };
      return command.ready ? [acquired, { type: 'LeaseActivated', data: {} }] : [acquired];
    }
    case 'Ready':
      return lease.status === 'acquired' && lease.grant.resource === command.resource ? [{ type: 'LeaseActivated', data: {} }] : [];
    case 'Break':
      if ((lease.status !== 'acquired' && lease.status !== 'active') || lease.grant.resource !== command.resource) return [];
      return [{ type: 'LeaseBroken', data: { error: command.error } }];
    case 'Freed':
      return (lease.status === 'released' || lease.status === 'broken') && lease.grant.token === command.token ? [{ type: 'LeaseDestroyed', data: {} }] : [];
    default:
      return unreachable(command);
  }
}

/** Releasing twice is releasing once; what never had a slot leaves nothing to clean up. */
function end(lease: Exclude<Lease, { status: 'none' }>, reason: string, expired: boolean): readonly LeaseEvent[] {
  switch (lease.status) {
    case 'pending':
      return [{ type: 'LeaseReleased', data: { reason, expired } }, { type: 'LeaseDestroyed', data: {} }];
    case 'acquired':
    case 'active':
      return [{ type: 'LeaseReleased', data: { reason, expired } }];
    case 'released':
    case 'broken':
    case 'destroyed':
      return [];
    default:
      return unreachable(lease);
  }
}

const impossible = (lease: Lease, event: LeaseEvent): never => {
  throw new Error(`a lease that is ${lease.status} can't have ${event.type}`);
};

/** Pure. @throws when the event can't follow from the state, which only a foreign writer can cause. */
export function evolve(lease: Lease, event: LeaseEvent): Lease {
  if (event.type === 'LeaseRequested') return lease.status === 'none' ? { status: 'pending', request: event.data } : impossible(lease, event);
  if (lease.status === 'none') return impossible(lease, event);
  const { request } = lease;
  switch (event.type) {
    case 'LeaseWaiting':
      return lease.status === 'pending' ? { ...lease, reason: event.data.reason } : impossible(lease, event);
    case 'LeaseAcquired':
      return lease.status === 'pending' ? { status: 'acquired', request, grant: event.data } : impossible(lease, event);
    case 'LeaseActivated':
      return lease.status === 'acquired' ? { status: 'active', request, grant: lease.grant } : impossible(lease, event);
    case 'LeaseRenewed':
      return { ...lease, request: { ...request, until: event.data.until } };
    case 'LeaseReleased': {
      const { reason, expired } = event.data;
      if (lease.status === 'pending') return { status: 'destroyed', request, how: expired ? 'expired' : 'released', detail: reason };
      return lease.status === 'acquired' || lease.status === 'active' ? { status: 'released', request, grant: lease.grant, reason, expired } : impossible(lease, event);
    }
    case 'LeaseBroken':
      return lease.status === 'acquired' || lease.status === 'active' ? { status: 'broken', request, grant: lease.grant, error: event.data.error } : impossible(lease, event);
    case 'LeaseDestroyed':
      if (lease.status === 'destroyed') return lease; // released while pending: both events stand in one commit
      if (lease.status === 'released') return { status: 'destroyed', request, how: lease.expired ? 'expired' : 'released', detail: lease.reason };
      return lease.status === 'broken' ? { status: 'destroyed', request, how: 'broken', detail: lease.error } : impossible(lease, event);
    default:
      return unreachable(event);
  }
}

export const leaseDecider = { initial: { status: 'none' } as Lease, decide, evolve, ended: (lease: Lease) => lease.status === 'destroyed' };
