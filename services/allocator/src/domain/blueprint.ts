import { rejected, unreachable, type BlueprintEvent, type BlueprintSpec, type LaunchFault, type Refusal } from '@berth/contracts';

/** Why launches of a blueprint stand still. */
export interface Breaker {
  until: string;
  reason: string;
  /** times in a row: each lasts twice as long */
  count: number;
  /** the version of its image whose hosts failed every time */
  blames?: string;
}

/** What a refused offer costs: it is not asked for until then. */
export interface RefusedOffer {
  offer: string;
  /** of the image that was to be booted: another one may be taken */
  version?: string | undefined;
  until: string;
  fault: LaunchFault;
  error: string;
}

/** A version that is not the one of the channel fails for itself. */
export interface Apart {
  failures: number;
  /** it is launched again then */
  again: string;
  error: string;
}

interface Exists {
  spec: BlueprintSpec;
  /** 0: built in, never saved */
  version: number;
  /** why it serves no requests */
  disabled?: string;
  /** failed launches in a row, all of the version `failing` of its image where it has one that Berth knows */
  failures: number;
  failing?: string;
  /** those of them, the last ones in a row, that a host is at fault for */
  hostFailures: number;
  breaker?: Breaker;
  refused: readonly RefusedOffer[];
  /** by version */
  apart: ReadonlyMap<string, Apart>;
  /** launches that were noted last, so that noting one again has no second effect */
  noted: readonly string[];
}

export type Blueprint = { status: 'none'; version: number } | ({ status: 'there' } & Exists) | { status: 'removed'; version: number };
export type LiveBlueprint = Extract<Blueprint, { status: 'there' }>;

/** `builtIn`: the blueprint of that name that is there from the start, when there is one; it is written down with its first change. */
export type BlueprintCommand = { builtIn?: BlueprintSpec } & (
  | { type: 'Save'; spec: BlueprintSpec; /** what is there now, against the new limits */ used: { resources: number; leases: number } }
  | { type: 'Enable' }
  | { type: 'Disable'; reason: string }
  | { type: 'Remove'; resources: number }
  | ({ type: 'Launched'; resource: string } & Of)
  | ({ type: 'LaunchFailed'; resource: string; fault: LaunchFault; error: string; offer?: string; now: string } & Of)
  | ({ type: 'Refuse'; resource: string; offer: string; fault: LaunchFault; error: string; until: string } & Pick<Of, 'version'>)
  /** what it launches is not any more what its breaker was opened for */
  | { type: 'Moved' }
);

/** The version that a launch was of, and the one that the channel points at. */
interface Of {
  version?: string;
  current?: string;
}

/** So many failed launches in a row, and no more are made for a while. */
const FAILURES = 3;
/** These will fail again whatever is launched: one is enough. */
const certain: ReadonlySet<LaunchFault> = new Set(['image', 'credentials', 'configuration']);
/** These say nothing about the blueprint: what is not to be had is remembered offer by offer instead. */
const elsewhere: ReadonlySet<LaunchFault> = new Set(['capacity', 'quota']);
/** These are put down to what was booted. */
const ofHosts: ReadonlySet<LaunchFault> = new Set(['timeout', 'not-ready', 'lost']);
/** So long an offer is left alone of which an instance was given and ended for lack of room before it was up. */
const REFUSED_MS = 5 * 60_000;
const FIRST_BREAK_MS = 30_000;
const LONGEST_BREAK_MS = 3_600_000;
const KEEP_NOTED = 100;
/** Versions whose own failures are remembered; tests of more at a time are not to be expected. */
const KEEP_APART = 20;

const unknownBlueprint = (): Refusal => rejected('unknown-blueprint', 'There is no such blueprint.', [{ field: 'data.name', message: 'is not the name of a blueprint: see `berth blueprint list`' }]);
const nothing: readonly BlueprintEvent[] = [];

/** Pure. */
export function decide(command: BlueprintCommand, state: Blueprint): readonly BlueprintEvent[] | Refusal {
  if (state.status !== 'there' && command.builtIn) {
    const first: BlueprintEvent = { type: 'BlueprintSaved', data: { version: state.version + 1, spec: command.builtIn } };
    const rest = decide(command, evolve(state, first));
    return 'accepted' in rest || rest.length === 0 ? rest : [first, ...rest];
  }
  if (command.type === 'Save') return save(command, state);
  if (state.status !== 'there') return unknownBlueprint();
  switch (command.type) {
    case 'Enable':
      return state.disabled === undefined ? nothing : [{ type: 'BlueprintEnabled', data: {} }];
    case 'Disable':
      return state.disabled === command.reason ? nothing : [{ type: 'BlueprintDisabled', data: { reason: command.reason } }];
    case 'Remove':
      if (command.builtIn) return rejected('built-in', `${state.spec.name} is built in and can't be removed: disable it instead.`, [{ field: 'data.name', message: `is built in: berth blueprint disable ${state.spec.name}` }]);
      if (command.resources > 0) {
        return rejected('blueprint-in-use', `${state.spec.name} has ${command.resources} resources: disable it, and remove it when they are gone.`, [{ field: 'data.name', message: `has ${command.resources} resources: see berth resource list --blueprint ${state.spec.name}` }]);
      }
      return [{ type: 'BlueprintRemoved', data: {} }];
    case 'Launched': {
      const { resource, version } = command;
      if (state.noted.includes(resource)) return nothing;
      const apart = isApart(command);
      const done: BlueprintEvent = { type: 'LaunchSucceeded', data: { resource, ...(version !== undefined && { version }), ...(apart && { apart }) } };
      return state.breaker && !apart ? [done, { type: 'BreakerClosed', data: {} }] : [done];
    }
    case 'LaunchFailed':
      return failed(command, state);
    case 'Refuse': {
      const { type: _, ...data } = command;
      const known = refusalOf(state, command);
      return known && Date.parse(known.until) >= Date.parse(command.until) ? nothing : [{ type: 'OfferRefused', data }];
    }
    case 'Moved':
      return state.breaker ? [{ type: 'BreakerClosed', data: {} }] : nothing;
    default:
      return unreachable(command);
  }
}

function save({ spec, used }: Extract<BlueprintCommand, { type: 'Save' }>, state: Blueprint): readonly BlueprintEvent[] | Refusal {
  if (state.status === 'there') {
    if (state.spec.kind !== spec.kind) {
      return rejected('invalid-data', `${spec.name} is of kind ${state.spec.kind}: that can't be changed.`, [{ field: 'data.spec.kind', message: `must stay ${state.spec.kind}: choose another name, or remove it first (berth blueprint remove ${spec.name})` }]);
    }
    if (JSON.stringify(state.spec) === JSON.stringify(spec)) return nothing;
    for (const what of ['resources', 'leases'] as const) {
      const limit = spec.limits[what];
      if (limit !== undefined && limit < used[what] && limit !== state.spec.limits[what]) {
        return rejected('limit-in-use', `${spec.name} is not saved: ${used[what]} ${what} are in use, more than the new limit of ${limit}.`, [
          { field: `data.spec.limits.${what}`, message: `is below the ${used[what]} in use: disable the blueprint until enough are gone, or give at least ${used[what]}` },
        ]);
      }
    }
  }
  const saved: BlueprintEvent = { type: 'BlueprintSaved', data: { version: state.version + 1, spec } };
  // What was wrong with the old one says nothing about the new one.
  return state.status === 'there' && state.breaker ? [saved, { type: 'BreakerClosed', data: {} }] : [saved];
}

/** It is not what others are launched from: a test of another version, or one from before the channel moved. */
const isApart = ({ version, current }: Of): boolean => version !== undefined && version !== current;

function failed(command: Extract<BlueprintCommand, { type: 'LaunchFailed' }>, state: LiveBlueprint): readonly BlueprintEvent[] {
  const { resource, fault, error, offer, now, version } = command;
  if (state.noted.includes(resource)) return nothing;
  const data = { resource, fault, error, ...(offer !== undefined && { offer }), ...(version !== undefined && { version }) };
  if (elsewhere.has(fault)) return offer === undefined || isRefused(state, { offer, version }, now) ? [{ type: 'LaunchFailed', data }] : [{ type: 'LaunchFailed', data }, refusal(command, offer)];
  if (version !== undefined && isApart(command)) {
    const failures = (state.apart.get(version)?.failures ?? 0) + 1;
    return [{ type: 'LaunchFailed', data: { ...data, again: failures < FAILURES && !certain.has(fault) ? now : breakUntil(now, failures - FAILURES) } }];
  }
  // What was wrong with another version says nothing about this one.
  if (state.breaker && state.failing !== version) {
    const closed: BlueprintEvent = { type: 'BreakerClosed', data: {} };
    return [closed, ...failed(command, evolve(state, closed) as LiveBlueprint)];
  }
  const events: BlueprintEvent[] = [{ type: 'LaunchFailed', data }];
  const { failures, hostFailures } = counted(state, data);
  if (failures < FAILURES && !certain.has(fault) && !state.breaker) return events;
  const blames = version !== undefined && hostFailures >= FAILURES ? { blames: version } : {};
  return [...events, { type: 'BreakerOpened', data: { until: breakUntil(now, state.breaker?.count ?? 0), reason: error, failures, ...blames } }];
}

const breakUntil = (now: string, before: number): string => new Date(Date.parse(now) + Math.min(FIRST_BREAK_MS * 2 ** Math.max(0, before), LONGEST_BREAK_MS)).toISOString();

/** Failures in a row with one more. */
function counted(state: LiveBlueprint, { fault, version }: { fault: LaunchFault; version?: string | undefined }): Pick<LiveBlueprint, 'failures' | 'hostFailures'> {
  const same = state.failing === version;
  return { failures: (same ? state.failures : 0) + 1, hostFailures: ofHosts.has(fault) ? (same ? state.hostFailures : 0) + 1 : 0 };
}

/** Refusals that hold for a version of its image, by offer; for what has none, those of what has none. */
export const refusedOf = ({ refused }: Pick<LiveBlueprint, 'refused'>, version: string | undefined): ReadonlyMap<string, RefusedOffer> => new Map(refused.filter((one) => one.version === version).map((one) => [one.offer, one]));

const refusalOf = ({ refused }: LiveBlueprint, { offer, version }: { offer: string; version?: string | undefined }): RefusedOffer | undefined => refused.find((one) => one.offer === offer && one.version === version);

const isRefused = (state: LiveBlueprint, one: { offer: string; version?: string | undefined }, now: string): boolean => Date.parse(refusalOf(state, one)?.until ?? '1970-01-01') > Date.parse(now);

/** Without it the same offer would be launched again at once, for as long as there is no room. */
function refusal({ resource, fault, error, now, version }: Extract<BlueprintCommand, { type: 'LaunchFailed' }>, offer: string): BlueprintEvent {
  return { type: 'OfferRefused', data: { resource, offer, fault, error, until: new Date(Date.parse(now) + REFUSED_MS).toISOString(), ...(version !== undefined && { version }) } };
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(state: Blueprint, event: BlueprintEvent): Blueprint {
  if (event.type === 'BlueprintSaved') {
    const { spec, version } = event.data;
    const before = state.status === 'there' ? state : undefined;
    return { status: 'there', spec, version, failures: 0, hostFailures: 0, refused: [], apart: new Map(), noted: before?.noted ?? [], ...(before?.disabled !== undefined && { disabled: before.disabled }), ...(before?.breaker && { breaker: before.breaker }) };
  }
  if (state.status !== 'there') throw new Error(`a blueprint that is ${state.status === 'none' ? 'not there' : 'removed'} can't have ${event.type}`);
  const noted = (resource: string) => [...state.noted.slice(-KEEP_NOTED + 1), resource];
  switch (event.type) {
    case 'BlueprintEnabled': {
      const { disabled: _, ...enabled } = state;
      return enabled;
    }
    case 'BlueprintDisabled':
      return { ...state, disabled: event.data.reason };
    case 'BlueprintRemoved':
      return { status: 'removed', version: state.version };
    case 'LaunchSucceeded': {
      const { resource, version, apart } = event.data;
      if (apart) return { ...state, apart: without(state.apart, version), noted: noted(resource) };
      const { failing: _, ...fine } = state;
      return { ...fine, failures: 0, hostFailures: 0, noted: noted(resource) };
    }
    case 'LaunchFailed': {
      const { resource, fault, error, version, again } = event.data;
      if (version !== undefined && again !== undefined) {
        const failures = (state.apart.get(version)?.failures ?? 0) + 1;
        return { ...state, apart: new Map([...[...without(state.apart, version)].slice(-KEEP_APART + 1), [version, { failures, again, error }]]), noted: noted(resource) };
      }
      if (elsewhere.has(fault)) return { ...state, noted: noted(resource) };
      const { failing: _, ...before } = state;
      return { ...before, ...counted(state, event.data), ...(version !== undefined && { failing: version }), noted: noted(resource) };
    }
    case 'OfferRefused': {
      const { resource: _, ...refused } = event.data;
      return { ...state, refused: [...state.refused.filter(({ offer, version }) => offer !== refused.offer || version !== refused.version), refused] };
    }
    case 'BreakerOpened': {
      const { until, reason, blames } = event.data;
      return { ...state, breaker: { until, reason, count: (state.breaker?.count ?? 0) + 1, ...(blames !== undefined && { blames }) } };
    }
    case 'BreakerClosed': {
      const { breaker: _, failing: __, ...closed } = state;
      return { ...closed, failures: 0, hostFailures: 0 };
    }
    default:
      return unreachable(event);
  }
}

const without = (apart: ReadonlyMap<string, Apart>, version: string | undefined): ReadonlyMap<string, Apart> => new Map([...apart].filter(([id]) => id !== version));

/** A blueprint may come back under its name, so it never ends for good. */
export const blueprintDecider = { initial: { status: 'none', version: 0 } as Blueprint, decide, evolve, ended: () => false, says: ({ type }: BlueprintEvent) => (type === 'BlueprintSaved' || type === 'BlueprintRemoved' ? 'blueprint' : undefined) };
