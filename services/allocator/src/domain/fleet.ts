import { rejected, unreachable, type FleetEvent, type Quota, type Refusal } from '@berth/contracts';

/** A lease that wants, or has, room under the limits. */
export interface SlotRoom {
  lease: string;
  owner: string;
  blueprint: string;
  /** hosts count against the limits across blueprints; what stands on them does not count twice */
  host: boolean;
}
export interface LaunchRoom {
  resource: string;
  blueprint: string;
  /** counts against the quota of launched resources; what is made on a leased host does not */
  launched: boolean;
}

/** Limits of the blueprints that a reservation is about; they are saved with the blueprints, and only looked at here. */
export type BlueprintLimits = Readonly<Record<string, { resources?: number | undefined; leases?: number | undefined; leasesPerOwner?: number | undefined }>>;

/**
 * What the whole fleet has in common. Room under a limit is set aside here before it is used: one stream, so that of two
 * allocators that would both fill the last place, one is refused.
 */
export interface Fleet {
  installation?: string;
  quota: Quota;
  slots: ReadonlyMap<string, Omit<SlotRoom, 'lease'>>;
  launches: ReadonlyMap<string, Omit<LaunchRoom, 'resource'>>;
}

export type FleetCommand =
  | { type: 'Found'; installation: string }
  /** `inUse`: slots of hosts that are claimed, and resources that were launched, whether a limit applied to them or not */
  | { type: 'SetQuota'; quota: Quota; inUse: { hosts: number; resources: number } }
  /** Sets room aside for as much as fits, in this order, after giving back what is named. */
  | { type: 'Reserve'; slots: readonly SlotRoom[]; launches: readonly LaunchRoom[]; limits: BlueprintLimits; give?: { slots: readonly string[]; launches: readonly string[] } }
  /** Notes what is in use already, whatever the limits: they may be newer than it. */
  | { type: 'Adopt'; slots: readonly SlotRoom[]; launches: readonly LaunchRoom[] }
  | { type: 'Return'; slots: readonly string[]; launches: readonly string[] }
  | { type: 'NoteOrphan'; event: Extract<FleetEvent, { type: 'OrphanFound' | 'OrphanDestroyed' }> };

const nothing: readonly FleetEvent[] = [];

/** Pure. Over a limit there is nobody to refuse: who is not in the events has no room, and asks again later. */
export function decide(command: FleetCommand, state: Fleet): readonly FleetEvent[] | Refusal {
  switch (command.type) {
    case 'Found':
      return state.installation === undefined ? [{ type: 'FleetFounded', data: { installation: command.installation } }] : nothing;
    case 'SetQuota':
      return tooLow(command, state) ?? (JSON.stringify(state.quota) === JSON.stringify(command.quota) ? nothing : [{ type: 'QuotaSet', data: command.quota }]);
    case 'Adopt':
      return reserved(
        command.slots.filter((s) => !state.slots.has(s.lease)),
        command.launches.filter((l) => !state.launches.has(l.resource)),
      );
    case 'Return':
      return returned(state, command);
    case 'Reserve': {
      const back = command.give ? returned(state, command.give) : nothing;
      const left = back.reduce(evolve, state);
      return [...back, ...reserve(command, left)];
    }
    case 'NoteOrphan':
      return [command.event];
    default:
      return unreachable(command);
  }
}

function returned(state: Fleet, give: { slots: readonly string[]; launches: readonly string[] }): readonly FleetEvent[] {
  const slots = give.slots.filter((lease) => state.slots.has(lease));
  const launches = give.launches.filter((resource) => state.launches.has(resource));
  return slots.length + launches.length > 0 ? [{ type: 'Returned', data: { slots, launches } }] : nothing;
}

function reserved(slots: readonly SlotRoom[], launches: readonly LaunchRoom[]): readonly FleetEvent[] {
  return slots.length + launches.length > 0 ? [{ type: 'Reserved', data: { slots: [...slots], launches: [...launches] } }] : nothing;
}

/** Decided here, where room is set aside: what was set aside and is not used yet counts as well. */
function tooLow({ quota, inUse }: Extract<FleetCommand, { type: 'SetQuota' }>, state: Fleet): Refusal | undefined {
  const counts = used(state);
  const there = { hosts: Math.max(inUse.hosts, counts.get('hosts') ?? 0), resources: Math.max(inUse.resources, counts.get('launches') ?? 0) };
  for (const what of ['hosts', 'resources'] as const) {
    const limit = quota[what];
    if (limit === undefined || limit >= there[what] || limit === state.quota[what]) continue;
    return rejected('limit-in-use', `The quota is not set: ${there[what]} ${what} are in use, more than ${limit}.`, [{ field: `data.${what}`, message: `is below the ${there[what]} in use: wait until enough are given back, or give at least ${there[what]}` }]);
  }
  return undefined;
}

/** How much is set aside, by everything that a limit can be about. */
export function used(state: Fleet) {
  const counts = new Map<string, number>();
  const add = (key: string) => counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { owner, blueprint, host } of state.slots.values()) for (const key of slotKeys(owner, blueprint, host)) add(key);
  for (const { blueprint, launched } of state.launches.values()) for (const key of launchKeys(blueprint, launched)) add(key);
  return counts;
}
const slotKeys = (owner: string, blueprint: string, host: boolean) => [...(host ? ['hosts', `owner ${owner}`] : []), `leases ${blueprint}`, `leases ${blueprint} ${owner}`];
const launchKeys = (blueprint: string, launched: boolean) => [...(launched ? ['launches'] : []), `resources ${blueprint}`];

/** How many host slots an owner may hold; undefined = any number. */
export const ownerLimit = (quota: Quota, owner: string): number | undefined => (Object.hasOwn(quota.owners, owner) ? quota.owners[owner] : quota.hostsPerOwner);

function reserve({ slots, launches, limits }: Extract<FleetCommand, { type: 'Reserve' }>, state: Fleet): readonly FleetEvent[] {
  const counts = used(state);
  const { quota } = state;
  const limitOf = (key: string, owner: string, blueprint: string): number | undefined => {
    const of = limits[blueprint] ?? {};
    if (key === 'hosts') return quota.hosts;
    if (key === 'launches') return quota.resources;
    if (key === `owner ${owner}`) return ownerLimit(quota, owner);
    if (key === `leases ${blueprint}`) return of.leases;
    if (key === `resources ${blueprint}`) return of.resources;
    return of.leasesPerOwner;
  };
  const take = (keys: readonly string[], owner: string, blueprint: string): boolean => {
    if (keys.some((key) => (counts.get(key) ?? 0) >= (limitOf(key, owner, blueprint) ?? Number.POSITIVE_INFINITY))) return false;
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    return true;
  };
  return reserved(
    slots.filter((s) => !state.slots.has(s.lease) && take(slotKeys(s.owner, s.blueprint, s.host), s.owner, s.blueprint)),
    launches.filter((l) => !state.launches.has(l.resource) && take(launchKeys(l.blueprint, l.launched), '', l.blueprint)),
  );
}

/** Pure. */
export function evolve(state: Fleet, event: FleetEvent): Fleet {
  switch (event.type) {
    case 'FleetFounded':
      return { ...state, installation: event.data.installation };
    case 'QuotaSet':
      return { ...state, quota: event.data };
    case 'Reserved': {
      const slots = new Map(state.slots);
      for (const { lease, ...room } of event.data.slots) slots.set(lease, room);
      const launches = new Map(state.launches);
      for (const { resource, ...room } of event.data.launches) launches.set(resource, room);
      return { ...state, slots, launches };
    }
    case 'Returned': {
      const slots = new Map(state.slots);
      for (const lease of event.data.slots) slots.delete(lease);
      const launches = new Map(state.launches);
      for (const resource of event.data.launches) launches.delete(resource);
      return { ...state, slots, launches };
    }
    case 'OrphanFound':
    case 'OrphanDestroyed':
      return state;
    default:
      return unreachable(event);
  }
}

/** Id of the one fleet. */
export const FLEET = 'fleet';
export const fleetDecider = { initial: { quota: { owners: {} }, slots: new Map(), launches: new Map() } as Fleet, decide, evolve, ended: () => false, says: ({ type }: FleetEvent) => (type === 'QuotaSet' ? 'quota' : undefined) };
