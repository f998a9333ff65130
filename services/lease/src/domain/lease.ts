import { rejected, unreachable, type Explanation, type LeaseEvent, type LeaseRequest, type Refusal } from '@berth/contracts';
import { deadline, later, spanText, type Times } from './deadline.js';

/** Where a lease was granted, and the fencing token of the grant. */
export interface Grant {
  resource: string;
  blueprint: string;
  slot: number;
  token: number;
}

interface Asked {
  request: LeaseRequest;
}
interface Live extends Asked {
  /** its holder must be heard of before; of a lease with a ttl */
  alive?: string;
}

/** A lease, tagged by what it is doing. */
export type Lease =
  | { status: 'none' }
  /** asked for; no resource has been found yet */
  | (Live & { status: 'pending'; reason?: string; explanation?: Explanation })
  /** it has a slot; the resource is still being made ready */
  | (Live & { status: 'acquired'; grant: Grant })
  /** it can be used */
  | (Live & { status: 'active'; grant: Grant })
  /** over; the resource is being cleaned up and its slot given back */
  | (Asked & { status: 'released'; grant: Grant; reason: string; expired: boolean })
  /** over, because the resource failed; cleaned up like a released one */
  | (Asked & { status: 'broken'; grant: Grant; error: string })
  /** nothing is left of it; `refused`: it never had anything */
  | (Asked & { status: 'destroyed'; how: 'released' | 'expired' | 'broken' | 'refused'; detail: string });

/** What a lease can be told; times are RFC 3339. */
export type LeaseCommand =
  | { type: 'Request'; request: LeaseRequest; now: string }
  | { type: 'Renew'; until: string; now: string }
  /** its holder lives */
  | { type: 'Beat'; now: string }
  | { type: 'ChangePriority'; priority: number }
  | { type: 'Release'; reason: string }
  /** an instant has come at which it may end by itself */
  | ({ type: 'Expire'; now: string } & Times)
  | { type: 'Explain'; explanation: Explanation }
  | { type: 'Refuse'; explanation: Explanation }
  /** the allocator committed a claim for it */
  | { type: 'Claim'; grant: Grant; ready: boolean }
  /** the claimed resource became active */
  | { type: 'Ready'; resource: string }
  | { type: 'Break'; resource: string; error: string }
  /** its machine was taken by force */
  | { type: 'Evict'; reason: string }
  /** the allocator gave the slot back */
  | { type: 'Freed'; token: number };

type LiveLease = Extract<Lease, Live & { status: 'pending' | 'acquired' | 'active' }>;

const unknownLease = (): Refusal => rejected('unknown-lease', 'There is no such lease.', [{ field: 'data.lease', message: 'is not the id of a lease: see `berth lease list`' }]);
const ended = (lease: Lease): Refusal =>
  rejected('lease-ended', `The lease is ${lease.status}: request a new one.`, [{ field: 'data.lease', message: `is ${lease.status} and can't be changed any more` }]);
const isLive = (lease: Lease): lease is LiveLease => lease.status === 'pending' || lease.status === 'acquired' || lease.status === 'active';
const isLater = (a: string, b: string) => Date.parse(a) > Date.parse(b);

/** Pure. A refusal is for the asker; no events means that the command has had its effect. */
export function decide(command: LeaseCommand, lease: Lease): readonly LeaseEvent[] | Refusal {
  switch (command.type) {
    case 'Request':
      return lease.status === 'none' ? [{ type: 'LeaseRequested', data: command.request }, ...beats(command.request, undefined, command.now)] : [];
    case 'Renew':
      if (lease.status === 'none') return unknownLease();
      if (!isLive(lease)) return ended(lease);
      if (!isLater(command.until, command.now)) return rejected('invalid-data', 'The lease is not renewed: until is in the past.', [{ field: 'data.until', message: 'must be in the future' }]);
      // Whoever renews a lease lives.
      return [...(lease.request.until === command.until ? [] : [{ type: 'LeaseRenewed', data: { until: command.until } } as const]), ...beats(lease.request, lease.alive, command.now)];
    case 'Beat':
      if (lease.status === 'none') return unknownLease();
      if (!isLive(lease)) return ended(lease);
      if (lease.request.ttl === undefined) return rejected('invalid-data', 'The lease has no ttl: its holder need not be heard of.', [{ field: 'data.lease', message: 'was requested without a ttl: give it one next time, or renew it' }]);
      return beats(lease.request, lease.alive, command.now);
    case 'ChangePriority':
      if (lease.status === 'none') return unknownLease();
      if (!isLive(lease)) return ended(lease);
      if (lease.status !== 'pending') return rejected('invalid-data', 'The priority is not changed: the lease has its resource already.', [{ field: 'data.lease', message: `is ${lease.status}: it has its resource already` }]);
      return lease.request.priority === command.priority ? [] : [{ type: 'PriorityChanged', data: { priority: command.priority } }];
    case 'Release':
      return lease.status === 'none' ? unknownLease() : end(lease, command.reason, false);
    case 'Expire':
      return expire(command, lease);
    case 'Explain':
      return lease.status === 'pending' && !isExplained(lease, command.explanation) ? [{ type: 'LeaseWaiting', data: { reason: command.explanation.reason, explanation: command.explanation } }] : [];
    case 'Refuse':
      return lease.status === 'pending' ? refused(command.explanation.reason, command.explanation) : [];
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
    case 'Evict':
      if (lease.status === 'none') return unknownLease();
      return lease.status === 'acquired' || lease.status === 'active' ? [{ type: 'LeaseBroken', data: { error: command.reason, evicted: true } }] : [];
    case 'Freed':
      return (lease.status === 'released' || lease.status === 'broken') && lease.grant.token === command.token ? [{ type: 'LeaseDestroyed', data: {} }] : [];
    default:
      return unreachable(command);
  }
}

/** Its holder was heard of. Stored only when a third of the ttl has gone by: however often a holder beats, it costs few commits. */
function beats({ ttl }: LeaseRequest, alive: string | undefined, now: string): readonly LeaseEvent[] {
  if (ttl === undefined) return [];
  const left = alive === undefined ? 0 : Date.parse(alive) - Date.parse(now);
  return left * 3 < ttl * 2 ? [{ type: 'LeaseBeat', data: { alive: later(now, ttl) } }] : [];
}

/** The list of what was looked at changes all the time; a new reason, a new outlook or another next thing is news. */
const isExplained = ({ reason, explanation }: Extract<Lease, { status: 'pending' }>, news: Explanation): boolean =>
  reason === news.reason && explanation?.verdict === news.verdict && explanation.next === news.next;

/** Nothing was ever held, so nothing is left to clean up: over in one commit. */
const refused = (reason: string, explanation: Explanation | undefined): readonly LeaseEvent[] => [
  { type: 'LeaseRefused', data: { reason, ...(explanation && { explanation }) } },
  { type: 'LeaseDestroyed', data: {} },
];

function expire(command: Extract<LeaseCommand, { type: 'Expire' }>, lease: Lease): readonly LeaseEvent[] {
  const due = deadline(lease, command);
  if (!isLive(lease) || !due || due.at > Date.parse(command.now)) return [];
  const { until, ttl, waitAtMost } = lease.request;
  switch (due.what) {
    case 'until':
      return end(lease, `its time was up at ${until}`, true);
    case 'ttl':
      return end(lease, `its holder was not heard of for ${spanText(ttl ?? 0)}`, true);
    case 'wait': {
      const { reason, explanation } = lease.status === 'pending' ? lease : {};
      return refused(`it waited for ${spanText(waitAtMost ?? 0)}${reason === undefined ? '' : `: ${reason}`}`, explanation);
    }
    default:
      return unreachable(due.what);
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

/** What requests meant that were stored before they could say so: nothing preferred, and nobody was ever refused. */
const unsaid = { prefer: [], wait: 'always' } satisfies Partial<LeaseRequest>;

/** Pure. @throws when the event can't follow from the state, which only a foreign writer can cause. */
export function evolve(lease: Lease, event: LeaseEvent): Lease {
  if (event.type === 'LeaseRequested') return lease.status === 'none' ? { status: 'pending', request: { ...unsaid, ...event.data } } : impossible(lease, event);
  if (lease.status === 'none') return impossible(lease, event);
  const { request } = lease;
  switch (event.type) {
    case 'LeaseWaiting': {
      if (lease.status !== 'pending') return impossible(lease, event);
      const { explanation: _before, ...rest } = lease;
      return { ...rest, reason: event.data.reason, ...(event.data.explanation && { explanation: event.data.explanation }) };
    }
    case 'PriorityChanged':
      return lease.status === 'pending' ? { ...lease, request: { ...request, priority: event.data.priority } } : impossible(lease, event);
    case 'LeaseAcquired':
      return lease.status === 'pending' ? { status: 'acquired', request, grant: event.data, ...aliveOf(lease) } : impossible(lease, event);
    case 'LeaseActivated':
      return lease.status === 'acquired' ? { status: 'active', request, grant: lease.grant, ...aliveOf(lease) } : impossible(lease, event);
    case 'LeaseRenewed':
      return { ...lease, request: { ...request, until: event.data.until } };
    case 'LeaseBeat':
      return isLive(lease) ? { ...lease, alive: event.data.alive } : impossible(lease, event);
    case 'LeaseRefused':
      return lease.status === 'pending' ? { status: 'destroyed', request, how: 'refused', detail: event.data.reason } : impossible(lease, event);
    case 'LeaseReleased': {
      const { reason, expired } = event.data;
      if (lease.status === 'pending') return { status: 'destroyed', request, how: expired ? 'expired' : 'released', detail: reason };
      return lease.status === 'acquired' || lease.status === 'active' ? { status: 'released', request, grant: lease.grant, reason, expired } : impossible(lease, event);
    }
    case 'LeaseBroken':
      return lease.status === 'acquired' || lease.status === 'active' ? { status: 'broken', request, grant: lease.grant, error: event.data.error } : impossible(lease, event);
    case 'LeaseDestroyed':
      if (lease.status === 'destroyed') return lease; // released or refused while pending: both events stand in one commit
      if (lease.status === 'released') return { status: 'destroyed', request, how: lease.expired ? 'expired' : 'released', detail: lease.reason };
      return lease.status === 'broken' ? { status: 'destroyed', request, how: 'broken', detail: lease.error } : impossible(lease, event);
    default:
      return unreachable(event);
  }
}

const aliveOf = ({ alive }: Live) => (alive === undefined ? {} : { alive });

export const leaseDecider = { initial: { status: 'none' } as Lease, decide, evolve, ended: (lease: Lease) => lease.status === 'destroyed' };
