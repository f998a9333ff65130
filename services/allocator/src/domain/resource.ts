import { unreachable, type Refusal, type ResourceEvent } from '@berth/contracts';

export type ResourceInfo = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];

/** slot -> lease */
export type Claims = ReadonlyMap<number, string>;

interface Exists {
  info: ResourceInfo;
  claims: Claims;
}

/** A resource, tagged by what it is doing. */
export type Resource =
  | { status: 'none' }
  /** being created */
  | ({ status: 'pending' } & Exists)
  | ({ status: 'active'; path?: string; commit?: string; /** why it can't be reached now */ unreachable?: string } & Exists)
  /** no new claims; destroyed once the last one is gone */
  | ({ status: 'released'; reason: string } & Exists)
  | ({ status: 'broken'; error: string } & Exists)
  | { status: 'destroyed'; info: ResourceInfo };

export type ResourceCommand =
  | { type: 'Create'; info: ResourceInfo; activate: boolean; claim?: { lease: string; owner: string } }
  | { type: 'Activate'; path?: string; commit?: string }
  | { type: 'Break'; error: string }
  | { type: 'Report'; reachable: boolean; error: string }
  /** Claims that were planned and frees that are due, together: one commit for all. What no longer fits is left out. */
  | { type: 'Slots'; claim: readonly { lease: string; owner: string }[]; free: readonly string[] }
  | { type: 'Release'; reason: string }
  /** It is gone from the host: frees what it still held. */
  | { type: 'Destroy' };

const nothing: readonly ResourceEvent[] = [];

/** Pure. A resource is written by its allocator alone, so there is nobody to refuse: what can't be any more is left out. */
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
    case 'Activate':
      if (state.status !== 'pending') return nothing;
      return [{ type: 'ResourceActivated', data: { ...(command.path !== undefined && { path: command.path }), ...(command.commit !== undefined && { commit: command.commit }) } }];
    case 'Break':
      return state.status === 'pending' || state.status === 'active' ? [{ type: 'ResourceBroken', data: { error: command.error } }] : nothing;
    case 'Report':
      if (state.status !== 'active') return nothing;
      if (command.reachable) return state.unreachable === undefined ? nothing : [{ type: 'ResourceReachable', data: {} }];
      return state.unreachable === command.error ? nothing : [{ type: 'ResourceUnreachable', data: { error: command.error } }];
    case 'Slots':
      return slots(command, state);
    case 'Release':
      return state.status === 'released' ? nothing : [{ type: 'ResourceReleased', data: { reason: command.reason } }];
    case 'Destroy':
      return [...[...state.claims].map(([slot, lease]): ResourceEvent => ({ type: 'SlotFreed', data: { slot, lease } })), { type: 'ResourceDestroyed', data: {} }];
    default:
      return unreachable(command);
  }
}

function slots(command: Extract<ResourceCommand, { type: 'Slots' }>, state: Exclude<Resource, { status: 'none' | 'destroyed' }>): ResourceEvent[] {
  const events: ResourceEvent[] = [];
  const taken = new Map(state.claims);
  const holders = new Map([...taken].map(([slot, lease]) => [lease, slot]));
  for (const lease of command.free) {
    const slot = holders.get(lease);
    if (slot === undefined) continue;
    taken.delete(slot);
    holders.delete(lease);
    events.push({ type: 'SlotFreed', data: { slot, lease } });
  }
  if (state.status !== 'active' || state.unreachable !== undefined) return events;
  let slot = 0;
  for (const { lease, owner } of command.claim) {
    if (holders.has(lease)) continue;
    while (taken.has(slot)) slot++;
    if (slot >= state.info.slots) break;
    taken.set(slot, lease);
    holders.set(lease, slot);
    events.push({ type: 'SlotClaimed', data: { slot, lease, owner } });
  }
  return events;
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(state: Resource, event: ResourceEvent): Resource {
  if (event.type === 'ResourceCreated') {
    if (state.status !== 'none') throw new Error(`a resource that is ${state.status} can't be created`);
    return { status: 'pending', info: event.data, claims: new Map() };
  }
  if (state.status === 'none' || state.status === 'destroyed') throw new Error(`a resource that is ${state.status} can't have ${event.type}`);
  const { info, claims } = state;
  switch (event.type) {
    case 'ResourceActivated': {
      const { attributes, path, commit } = event.data;
      return { status: 'active', info: attributes ? { ...info, attributes: { ...info.attributes, ...attributes } } : info, claims, ...(path !== undefined && { path }), ...(commit !== undefined && { commit }) };
    }
    case 'ResourceBroken':
      return { status: 'broken', info, claims, error: event.data.error };
    case 'ResourceUnreachable':
      return state.status === 'active' ? { ...state, unreachable: event.data.error } : state;
    case 'ResourceReachable': {
      if (state.status !== 'active') return state;
      const { unreachable: _, ...reachable } = state;
      return reachable;
    }
    case 'SlotClaimed':
      if (claims.has(event.data.slot)) throw new Error(`slot ${event.data.slot} was claimed twice`);
      return { ...state, claims: new Map(claims).set(event.data.slot, event.data.lease) };
    case 'SlotFreed': {
      const left = new Map(claims);
      left.delete(event.data.slot);
      return { ...state, claims: left };
    }
    case 'ResourceReleased':
      return { status: 'released', info, claims, reason: event.data.reason };
    case 'ResourceDestroyed':
      return { status: 'destroyed', info };
    default:
      return unreachable(event);
  }
}

export const resourceDecider = { initial: { status: 'none' } as Resource, decide, evolve, ended: (state: Resource) => state.status === 'destroyed' };
