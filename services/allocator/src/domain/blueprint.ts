import { rejected, unreachable, type BlueprintEvent, type BlueprintSpec, type LaunchFault, type Refusal } from '@berth/contracts';

/** Why launches of a blueprint stand still. */
export interface Breaker {
  until: string;
  reason: string;
  /** times in a row: each lasts twice as long */
  count: number;
}

/** What a refused offer costs: it is not asked for until then. */
export interface RefusedOffer {
  until: string;
  fault: LaunchFault;
  error: string;
}

interface Exists {
  spec: BlueprintSpec;
  /** 0: built in, never saved */
  version: number;
  /** why it serves no requests */
  disabled?: string;
  /** failed launches in a row */
  failures: number;
  breaker?: Breaker;
  refused: ReadonlyMap<string, RefusedOffer>;
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
  | { type: 'Launched'; resource: string }
  | { type: 'LaunchFailed'; resource: string; fault: LaunchFault; error: string; offer?: string; now: string }
  | { type: 'Refuse'; resource: string; offer: string; fault: LaunchFault; error: string; until: string }
);

/** So many failed launches in a row, and no more are made for a while. */
const FAILURES = 3;
/** These will fail again whatever is launched: one is enough. */
const certain: ReadonlySet<LaunchFault> = new Set(['image', 'credentials', 'configuration']);
/** These say nothing about the blueprint: what is not to be had is remembered offer by offer instead. */
const elsewhere: ReadonlySet<LaunchFault> = new Set(['capacity', 'quota']);
/** So long an offer is left alone of which an instance was given and ended for lack of room before it was up. */
const REFUSED_MS = 5 * 60_000;
const FIRST_BREAK_MS = 30_000;
const LONGEST_BREAK_MS = 3_600_000;
const KEEP_NOTED = 100;

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
      if (state.noted.includes(command.resource)) return nothing;
      const done: BlueprintEvent = { type: 'LaunchSucceeded', data: { resource: command.resource } };
      return state.breaker ? [done, { type: 'BreakerClosed', data: {} }] : [done];
    }
    case 'LaunchFailed':
      return failed(command, state);
    case 'Refuse': {
      const { type: _, ...data } = command;
      const known = state.refused.get(command.offer);
      return known && Date.parse(known.until) >= Date.parse(command.until) ? nothing : [{ type: 'OfferRefused', data }];
    }
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

function failed(command: Extract<BlueprintCommand, { type: 'LaunchFailed' }>, state: LiveBlueprint): readonly BlueprintEvent[] {
  const { resource, fault, error, offer, now } = command;
  if (state.noted.includes(resource)) return nothing;
  const events: BlueprintEvent[] = [{ type: 'LaunchFailed', data: { resource, fault, error, ...(offer !== undefined && { offer }) } }];
  if (elsewhere.has(fault)) return offer === undefined || isRefused(state, offer, now) ? events : [...events, refusal(command, offer)];
  const failures = state.failures + 1;
  if (failures < FAILURES && !certain.has(fault) && !state.breaker) return events;
  const count = (state.breaker?.count ?? 0) + 1;
  const until = new Date(Date.parse(now) + Math.min(FIRST_BREAK_MS * 2 ** (count - 1), LONGEST_BREAK_MS)).toISOString();
  return [...events, { type: 'BreakerOpened', data: { until, reason: error, failures } }];
}

const isRefused = ({ refused }: LiveBlueprint, offer: string, now: string): boolean => Date.parse(refused.get(offer)?.until ?? '1970-01-01') > Date.parse(now);

/** Without it the same offer would be launched again at once, for as long as there is no room. */
function refusal({ resource, fault, error, now }: Extract<BlueprintCommand, { type: 'LaunchFailed' }>, offer: string): BlueprintEvent {
  return { type: 'OfferRefused', data: { resource, offer, fault, error, until: new Date(Date.parse(now) + REFUSED_MS).toISOString() } };
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(state: Blueprint, event: BlueprintEvent): Blueprint {
  if (event.type === 'BlueprintSaved') {
    const { spec, version } = event.data;
    const before = state.status === 'there' ? state : undefined;
    return { status: 'there', spec, version, failures: 0, refused: new Map(), noted: before?.noted ?? [], ...(before?.disabled !== undefined && { disabled: before.disabled }), ...(before?.breaker && { breaker: before.breaker }) };
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
    case 'LaunchSucceeded':
      return { ...state, failures: 0, noted: noted(event.data.resource) };
    case 'LaunchFailed':
      return { ...state, failures: elsewhere.has(event.data.fault) ? state.failures : state.failures + 1, noted: noted(event.data.resource) };
    case 'OfferRefused': {
      const { offer, until, fault, error } = event.data;
      return { ...state, refused: new Map(state.refused).set(offer, { until, fault, error }) };
    }
    case 'BreakerOpened':
      return { ...state, breaker: { until: event.data.until, reason: event.data.reason, count: (state.breaker?.count ?? 0) + 1 } };
    case 'BreakerClosed': {
      const { breaker: _, ...closed } = state;
      return { ...closed, failures: 0 };
    }
    default:
      return unreachable(event);
  }
}

/** A blueprint may come back under its name, so it never ends for good. */
export const blueprintDecider = { initial: { status: 'none', version: 0 } as Blueprint, decide, evolve, ended: () => false };
