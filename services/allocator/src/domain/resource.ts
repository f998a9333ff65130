import { unreachable, type HostAccess, type LaunchFault, type Refusal, type ResourceEvent } from '@berth/contracts';

export type ResourceInfo = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];

/** slot -> lease */
export type Claims = ReadonlyMap<number, string>;

/** What keeps a resource from being leased for a while, whatever else it does. */
export interface Flags {
  quarantined?: { until: string; reason: string };
  /** quarantines in a row: each lasts twice as long as the one before */
  quarantines: number;
  held?: { until: string; reason: string };
  draining?: string;
  /** an exclusive lease that is next, or has it: no other gets a slot */
  reserved?: { lease: string; owner: string };
  /** failed checks of its health in a row */
  failures: number;
}

interface Exists {
  info: ResourceInfo;
  claims: Claims;
  flags: Flags;
  /** its blueprint's bookkeeping */
  facts: Readonly<Record<string, unknown>>;
  /** claims so far */
  uses: number;
}

/** A resource, tagged by what it is doing. */
export type Resource =
  | { status: 'none' }
  /** being created */
  | ({ status: 'pending' } & Exists)
  | ({ status: 'active'; path?: string; commit?: string; port?: number; uri?: string; /** why it can't be reached now */ unreachable?: string } & Exists)
  /** no new claims; destroyed once the last one is gone */
  | ({ status: 'released'; reason: string } & Exists)
  | ({ status: 'broken'; error: string; fault?: LaunchFault } & Exists)
  | { status: 'destroyed'; info: ResourceInfo };

export type LiveResource = Exclude<Resource, { status: 'none' | 'destroyed' }>;

export interface SlotClaim {
  lease: string;
  owner: string;
  affinity?: string;
}

export type ResourceCommand =
  | { type: 'Create'; info: ResourceInfo; activate: boolean; claim?: SlotClaim }
  | { type: 'Keep'; facts: Record<string, unknown> }
  | { type: 'Activate'; attributes?: Record<string, string>; path?: string; commit?: string; host?: HostAccess; port?: number; uri?: string }
  | { type: 'Break'; error: string; fault?: LaunchFault }
  | { type: 'Report'; reachable: boolean; error: string }
  | { type: 'Health'; failed?: string }
  /** until `until`, or for 10 s doubling with each time in a row up to 1 h from `now` */
  | { type: 'Quarantine'; until?: string; now: string; reason: string }
  | { type: 'EndQuarantine'; reason: string; /** only one that is over by then */ over?: string; /** the next one starts short again */ forgive: boolean }
  | { type: 'Hold'; until: string; reason: string }
  | { type: 'EndHold'; /** only one that is over by then */ over?: string }
  | { type: 'Drain'; reason: string }
  | { type: 'EndDrain' }
  /** Claims that were planned and frees that are due, together: one commit for all. What no longer fits is left out. */
  | { type: 'Slots'; claim: readonly SlotClaim[]; free: readonly string[] }
  /** An exclusive lease is next. The first to come stays it until it is over. */
  | { type: 'Reserve'; lease: string; owner: string }
  | { type: 'Unreserve'; lease: string }
  /** The exclusive lease that it is reserved for takes the whole of it, whatever its state; `despite`: leases that have ended, whose remains wait for the host */
  | { type: 'TakeOver'; lease: string; owner: string; despite: readonly string[] }
  | { type: 'Release'; reason: string; /** only while nobody has a slot */ idle?: boolean }
  /** It is gone from the host: frees what it still held. */
  | { type: 'Destroy' };

const FIRST_QUARANTINE_MS = 10_000;
const LONGEST_QUARANTINE_MS = 3_600_000;
const nothing: readonly ResourceEvent[] = [];

/** May its slots be claimed? The one place where that is said. */
export const claimable = (resource: Resource): boolean =>
  resource.status === 'active' && resource.unreachable === undefined && !resource.flags.quarantined && !resource.flags.held && resource.flags.draining === undefined && !resource.flags.reserved;

/** Was it launched, and not found? The blueprint that could say so may be gone. */
export const isLaunched = ({ info }: LiveResource): boolean => info.type === 'host' && info.machine === undefined && info.wanted !== undefined;

/** Is it ending, and still in use? Its provider is asked how it is as long as that lasts. */
export const isInLastUse = (state: LiveResource): boolean => state.status === 'released' && state.claims.size > 0 && isLaunched(state);

/** How far something that is being made is, where its blueprint keeps that. */
export function stageOf({ status, facts }: LiveResource): string | undefined {
  const stage = facts['stage'] ?? facts['phase'];
  return status === 'pending' && typeof stage === 'string' ? stage : undefined;
}

/** Pure. A resource is written by allocators alone, so there is nobody to refuse: what can't be any more is left out. */
export function decide(command: ResourceCommand, state: Resource): readonly ResourceEvent[] | Refusal {
  if (command.type === 'Create') {
    if (state.status !== 'none') return nothing;
    const events: ResourceEvent[] = [{ type: 'ResourceCreated', data: command.info }];
    if (command.activate) events.push({ type: 'ResourceActivated', data: {} });
    if (command.claim) events.push({ type: 'SlotClaimed', data: { slot: 0, ...command.claim } });
    return events;
  }
  if (state.status === 'none' || state.status === 'destroyed') return nothing;
  switch (command.type) {
    case 'Keep':
      return changed(state.facts, command.facts) ? [{ type: 'FactsKept', data: { facts: command.facts } }] : nothing;
    case 'Activate': {
      if (state.status !== 'pending') return nothing;
      const { type: _, ...data } = command;
      return [{ type: 'ResourceActivated', data }];
    }
    case 'Break': {
      const { type: _, ...data } = command;
      // What ends with its last lease may be lost before, and that lease with it.
      return state.status === 'pending' || state.status === 'active' || isInLastUse(state) ? [{ type: 'ResourceBroken', data }] : nothing;
    }
    case 'Report':
      if (state.status !== 'active') return nothing;
      if (command.reachable) return state.unreachable === undefined ? nothing : [{ type: 'ResourceReachable', data: {} }];
      return state.unreachable === command.error ? nothing : [{ type: 'ResourceUnreachable', data: { error: command.error } }];
    case 'Slots':
      return slots(command, state);
    case 'Reserve':
      return state.flags.reserved ? nothing : [{ type: 'ResourceReserved', data: { lease: command.lease, owner: command.owner } }];
    case 'Unreserve':
      return state.flags.reserved?.lease === command.lease ? [{ type: 'ReservationEnded', data: { lease: command.lease } }] : nothing;
    case 'TakeOver':
      return takeOver(command, state);
    case 'Release':
      if (state.status === 'released' || (command.idle && state.claims.size > 0)) return nothing;
      return [{ type: 'ResourceReleased', data: { reason: command.reason } }];
    case 'Destroy':
      return [...[...state.claims].map(([slot, lease]): ResourceEvent => ({ type: 'SlotFreed', data: { slot, lease } })), { type: 'ResourceDestroyed', data: {} }];
    default:
      return flag(command, state);
  }
}

type FlagCommand = Extract<ResourceCommand, { type: 'Health' | 'Quarantine' | 'EndQuarantine' | 'Hold' | 'EndHold' | 'Drain' | 'EndDrain' }>;

function flag(command: FlagCommand, state: LiveResource): readonly ResourceEvent[] {
  const { flags } = state;
  const over = (until: string, by: string | undefined) => by === undefined || Date.parse(until) <= Date.parse(by);
  switch (command.type) {
    case 'Health':
      if (command.failed !== undefined) return [{ type: 'HealthFailed', data: { error: command.failed, failures: flags.failures + 1 } }];
      return flags.failures > 0 ? [{ type: 'HealthPassed', data: {} }] : nothing;
    case 'Quarantine': {
      const count = flags.quarantines + 1;
      const until = command.until ?? new Date(Date.parse(command.now) + Math.min(FIRST_QUARANTINE_MS * 2 ** (count - 1), LONGEST_QUARANTINE_MS)).toISOString();
      if (flags.quarantined?.until === until) return nothing;
      return [{ type: 'ResourceQuarantined', data: { until, reason: command.reason, count } }];
    }
    case 'EndQuarantine': {
      if (!flags.quarantined || !over(flags.quarantined.until, command.over)) return nothing;
      const end: ResourceEvent = { type: 'QuarantineEnded', data: { reason: command.reason } };
      return command.forgive && flags.failures + flags.quarantines > 0 ? [end, { type: 'HealthPassed', data: {} }] : [end];
    }
    case 'Hold':
      return flags.held?.until === command.until ? nothing : [{ type: 'ResourceHeld', data: { until: command.until, reason: command.reason } }];
    case 'EndHold':
      return flags.held && over(flags.held.until, command.over) ? [{ type: 'HoldEnded', data: {} }] : nothing;
    case 'Drain':
      return flags.draining === command.reason ? nothing : [{ type: 'DrainBegan', data: { reason: command.reason } }];
    case 'EndDrain':
      return flags.draining === undefined ? nothing : [{ type: 'DrainEnded', data: {} }];
    default:
      return unreachable(command);
  }
}

function slots(command: Extract<ResourceCommand, { type: 'Slots' }>, state: LiveResource): ResourceEvent[] {
  const events: ResourceEvent[] = [];
  const taken = new Map(state.claims);
  const holders = new Map([...taken].map(([slot, lease]) => [lease, slot]));
  for (const lease of command.free) {
    const slot = holders.get(lease);
    if (slot === undefined) continue;
    taken.delete(slot);
    holders.delete(lease);
    events.push({ type: 'SlotFreed', data: { slot, lease } });
    if (state.flags.reserved?.lease === lease) events.push({ type: 'ReservationEnded', data: { lease } });
  }
  if (!claimable(state)) return events;
  let slot = 0;
  for (const claim of command.claim) {
    if (holders.has(claim.lease)) continue;
    while (taken.has(slot)) slot++;
    if (slot >= state.info.slots) break;
    taken.set(slot, claim.lease);
    holders.set(claim.lease, slot);
    events.push({ type: 'SlotClaimed', data: { slot, ...claim } });
  }
  return events;
}

/** It stands beside the slots: those may still belong to leases that are over, until the host can be cleaned up. */
function takeOver({ lease, owner, despite }: Extract<ResourceCommand, { type: 'TakeOver' }>, state: LiveResource): readonly ResourceEvent[] {
  if (state.status !== 'active' || state.flags.reserved?.lease !== lease) return nothing;
  const holders = [...state.claims.values()];
  if (holders.includes(lease) || !holders.every((holder) => despite.includes(holder))) return nothing;
  return [{ type: 'SlotClaimed', data: { slot: Math.max(state.info.slots, ...[...state.claims.keys()].map((slot) => slot + 1)), lease, owner } }];
}

const changed = (facts: Readonly<Record<string, unknown>>, by: Record<string, unknown>) =>
  Object.entries(by).some(([key, value]) => JSON.stringify(facts[key] ?? null) !== JSON.stringify(value ?? null));

/** Pure. @throws when the event can't follow from the state */
export function evolve(state: Resource, event: ResourceEvent): Resource {
  if (event.type === 'ResourceCreated') {
    if (state.status !== 'none') throw new Error(`a resource that is ${state.status} can't be created`);
    return { status: 'pending', info: event.data, claims: new Map(), flags: { quarantines: 0, failures: 0 }, facts: {}, uses: 0 };
  }
  if (state.status === 'none' || state.status === 'destroyed') throw new Error(`a resource that is ${state.status} can't have ${event.type}`);
  const { info, claims, flags, facts, uses } = state;
  const exists: Exists = { info, claims, flags, facts, uses };
  const flagged = (change: Partial<Flags>, without?: 'quarantined' | 'held' | 'draining' | 'reserved'): Resource => {
    const next = { ...flags, ...change };
    if (without) delete next[without];
    return { ...state, flags: next };
  };
  switch (event.type) {
    case 'FactsKept': {
      const kept = Object.entries({ ...facts, ...event.data.facts }).filter(([, value]) => value !== null);
      return { ...state, facts: Object.fromEntries(kept) };
    }
    case 'ResourceActivated': {
      const { attributes, host, ...found } = event.data;
      // What the blueprint says of its resources goes before what was found on this one.
      const known = { ...info, ...(attributes && { attributes: { ...attributes, ...info.attributes } }), ...(host && { host }) };
      const { path, commit, port, uri } = found;
      return { status: 'active', ...exists, info: known, ...(path !== undefined && { path }), ...(commit !== undefined && { commit }), ...(port !== undefined && { port }), ...(uri !== undefined && { uri }) };
    }
    case 'ResourceBroken':
      return { status: 'broken', ...exists, error: event.data.error, ...(event.data.fault && { fault: event.data.fault }) };
    case 'ResourceUnreachable':
      return state.status === 'active' ? { ...state, unreachable: event.data.error } : state;
    case 'ResourceReachable': {
      if (state.status !== 'active') return state;
      const { unreachable: _, ...reachable } = state;
      return reachable;
    }
    case 'HealthFailed':
      return flagged({ failures: event.data.failures });
    case 'HealthPassed':
      return flagged({ failures: 0, quarantines: 0 });
    case 'ResourceQuarantined':
      return flagged({ quarantined: { until: event.data.until, reason: event.data.reason }, quarantines: event.data.count });
    case 'QuarantineEnded':
      return flagged({}, 'quarantined');
    case 'ResourceHeld':
      return flagged({ held: event.data });
    case 'HoldEnded':
      return flagged({}, 'held');
    case 'DrainBegan':
      return flagged({ draining: event.data.reason });
    case 'DrainEnded':
      return flagged({}, 'draining');
    case 'ResourceReserved':
      return flagged({ reserved: { lease: event.data.lease, owner: event.data.owner } });
    case 'ReservationEnded':
      return flagged({}, 'reserved');
    case 'SlotClaimed':
      if (claims.has(event.data.slot)) throw new Error(`slot ${event.data.slot} was claimed twice`);
      return { ...state, claims: new Map(claims).set(event.data.slot, event.data.lease), uses: uses + 1 };
    case 'SlotFreed': {
      const left = new Map(claims);
      left.delete(event.data.slot);
      return { ...state, claims: left };
    }
    case 'ResourceReleased':
      return { status: 'released', ...exists, reason: event.data.reason };
    case 'ResourceDestroyed':
      return { status: 'destroyed', info };
    default:
      return unreachable(event);
  }
}

export const resourceDecider = { initial: { status: 'none' } as Resource, decide, evolve, ended: (state: Resource) => state.status === 'destroyed' };
