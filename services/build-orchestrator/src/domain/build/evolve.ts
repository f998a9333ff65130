import { unreachable, type BuildEvent } from '@berth/contracts';
import { kindNameOf, runsOnHost } from '../steps/names.js';
import { isFine, needsOf } from './graph.js';
import { isLive, isOver, type About, type Build, type Cleaned, type EndingBuild, type LiveBuild, type Place, type StepAt } from './state.js';

type Data<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>['data'];

const impossible = (build: Build, event: BuildEvent): never => {
  throw new Error(`a build that is ${build.status} can't have ${event.type}`);
};

/** What plans that were stored without a number of retries had. */
const RETRIES_BEFORE = 2;

/** Pure. @throws when the event can't follow from the state, which only a foreign writer can cause. */
export function evolve(build: Build, event: BuildEvent): Build {
  if (event.type === 'BuildRequested') return build.status === 'none' ? requested(event.data) : impossible(build, event);
  // Self-contained: the generation before may have left memory.
  if (event.type === 'BuildRestarted') return restarted(build, event.data);
  if (build.status === 'none') return impossible(build, event);
  if (!isLive(build)) return afterwards(build, event);
  switch (event.type) {
    case 'BuildAdmitted': {
      const { yieldedTo: _over, waiting: _reason, ...rest } = build;
      return rest.status === 'pending' ? { ...rest, queued: false } : impossible(build, event);
    }
    case 'BuildPreparing': {
      const { attempt, hostLease } = event.data;
      const host = event.data.host ?? first(build);
      if (build.places[host]) return impossible(build, event);
      const places = { ...build.places, [host]: { host, attempt, hostLease } };
      if (build.status !== 'pending') return { ...build, places };
      const { queued: _over, ...rest } = build;
      return { ...rest, status: 'preparing', attempt, places };
    }
    case 'BuildWorkingCopyRequested': {
      const place = build.places[event.data.host ?? first(build)];
      if (!place) return impossible(build, event);
      const { waiting: _over, ...rest } = build;
      return withPercent({ ...rest, places: { ...build.places, [place.host]: { ...place, workingCopyLease: event.data.workingCopyLease } } });
    }
    case 'BuildWaiting':
      return { ...build, waiting: event.data.activity };
    case 'BuildStarted': {
      const { path, commit, machine } = event.data;
      const place = build.places[event.data.host ?? first(build)];
      if (place?.workingCopyLease === undefined) return impossible(build, event);
      const ready: Place = { ...place, path, ...(commit !== undefined && { commit }), ...(machine !== undefined && { machine }) };
      const { waiting: _over, ...rest } = begun(build);
      return withPercent({ ...rest, places: { ...build.places, [place.host]: ready } });
    }
    case 'BuildHostReleased': {
      const { [event.data.host]: place, ...places } = build.places;
      return place ? { ...build, places, past: [...build.past, place] } : impossible(build, event);
    }
    case 'BuildPaused':
      return { ...build, paused: event.data.reason };
    case 'BuildResumed': {
      const { paused: _over, ...rest } = build;
      return rest;
    }
    case 'BuildMessaged': {
      const { step, type, text, outputs, by } = event.data;
      const message = { type, ...(text !== undefined && { text }), ...(outputs && { outputs }), ...(by !== undefined && { by }) };
      return { ...build, messages: { ...build.messages, [step]: message } };
    }
    case 'StepStarted': {
      const { step, action, attempt = 1 } = event.data;
      const planned = build.plan.steps[step];
      if (!planned || build.steps[step]?.status !== 'waiting' || !needsOf(planned, step).every((need) => isOver(build.steps[need]!))) return impossible(build, event);
      const extras = kindNameOf(planned) === 'lease' ? [...build.extras, { lease: action, step }] : build.extras;
      return { ...begun(build), extras, steps: replaced(build.steps, step, { status: 'running', tries: attempt, action }) };
    }
    case 'StepFinished':
      return stepFinished(build, event.data) ?? impossible(build, event);
    case 'StepsReset': {
      const again = new Set(event.data.steps);
      const { failed: _before, ...rest } = build;
      const steps = build.steps.map((step, index): StepAt => (again.has(index) ? { status: 'waiting', tries: step.tries } : step));
      // What was reported on a step counts for the run that it was reported on.
      const messages = Object.fromEntries(Object.entries(build.messages).filter(([index]) => !again.has(Number(index))));
      const still = firstFailure({ ...build, steps });
      return { ...rest, steps, messages, ...(still && { failed: still }) };
    }
    case 'ReportPublished':
    case 'LinkAdded':
    case 'ArtifactPinned':
      return build; // it stands in the history; nothing is decided on it
    case 'ArtifactKept':
      return { ...build, artifacts: [...build.artifacts.filter(({ name }) => name !== event.data.name), event.data] };
    case 'ArtifactReleased':
      return { ...build, artifacts: build.artifacts.filter(({ name }) => name !== event.data.name) };
    case 'BuildRetried':
      return retried(build, event.data) ?? impossible(build, event);
    case 'BuildPassed':
      return build.steps.every(isOver) ? { ...over(build), percent: 100, status: 'passed' } : impossible(build, event);
    case 'BuildFailed':
      return { ...over(build), status: 'failed', error: event.data.error, ...(event.data.failure && { failure: event.data.failure }) };
    case 'BuildAborted':
      return { ...over(build), status: 'aborted', reason: event.data.reason };
    case 'BuildErrored':
      return { ...over(build), status: 'error', error: event.data.error };
    case 'BuildCleanedUp':
      return impossible(build, event);
    default:
      return unreachable(event);
  }
}

/** After the verdict a build waits for nothing but the end of a hold; what it has kept can still be added to. */
function afterwards(build: Exclude<Build, LiveBuild | { status: 'none' }>, event: BuildEvent): Build {
  switch (event.type) {
    case 'BuildCleanedUp': {
      const { about, generation, percent } = build;
      const cleaned = { about, generation, percent, cleaned: true, last: 'stray' in build ? lastOf(build) : build.last } as const;
      switch (build.status) {
        case 'passed':
          return { ...cleaned, status: 'passed' };
        case 'aborted':
          return { ...cleaned, status: 'aborted', reason: build.reason };
        case 'failed':
          return { ...cleaned, status: 'failed', error: build.error, ...(build.failure && { failure: build.failure }), ...(build.held !== undefined && { held: build.held }) };
        case 'error':
          return { ...cleaned, status: 'error', error: build.error, ...(build.held !== undefined && { held: build.held }) };
        default:
          return unreachable(build);
      }
    }
    case 'BuildWaiting':
      return build.status === 'failed' || build.status === 'error' ? { ...build, held: event.data.activity } : impossible(build, event);
    case 'ArtifactKept':
      return 'artifacts' in build ? { ...build, artifacts: [...build.artifacts.filter(({ name }) => name !== event.data.name), event.data] } : build;
    case 'ArtifactReleased':
      return 'artifacts' in build ? { ...build, artifacts: build.artifacts.filter(({ name }) => name !== event.data.name) } : build;
    case 'LinkAdded':
    case 'ArtifactPinned':
      return build;
    default:
      return impossible(build, event);
  }
}

function lastOf({ places, attempt, steps, plan }: EndingBuild): Cleaned['last'] {
  const place = places.findLast((one) => one.attempt === attempt) ?? places.at(-1);
  const step = steps.findLastIndex((one) => one.tries > 0);
  return {
    ...(place && { hostLease: place.hostLease }),
    ...(place?.workingCopyLease !== undefined && { workingCopyLease: place.workingCopyLease }),
    ...(step >= 0 && { step: { step, name: plan.steps[step]!.name } }),
  };
}

function requested(data: Data<'BuildRequested'>): LiveBuild {
  const { plan, variables, weights, queued = false } = data;
  return {
    status: 'pending', queued, about: aboutOf(data), generation: 1, percent: 0, plan, variables, attempt: 1,
    steps: plan.steps.map((): StepAt => ({ status: 'waiting', tries: 0 })),
    failures: [], places: {}, past: [], extras: [], messages: {}, artifacts: [],
    ...(weights && { weights }),
  };
}

function restarted(build: Build, data: Data<'BuildRestarted'>): LiveBuild {
  const { plan, generation, attempt, kept = {}, artifacts = [], machines, where } = data;
  const fresh = requested(data);
  const steps = fresh.steps.map((step, index): StepAt => {
    const before = kept[String(index)];
    if (!before) return step;
    if (before.outcome === 'passed') return { status: 'passed', tries: 1, ...(before.outputs && { outputs: before.outputs }) };
    if (before.outcome === 'failed') return { status: 'failed', tries: 1, allowed: plan.steps[index]?.continueOnError ?? false, error: 'in the generation before', ...(before.outputs && { outputs: before.outputs }) };
    return { status: 'skipped', tries: 0, because: 'condition' };
  });
  const before = where === 'same' || where === 'other' ? { before: { machines: machines ?? {}, where } } : {};
  return { ...fresh, generation, attempt, steps, artifacts, past: placesOf(build), extras: 'extras' in build ? build.extras : [], ...before };
}

/** Every host that a build has asked for and may still have. */
const placesOf = (build: Build): readonly Place[] => (build.status === 'none' || !('places' in build) ? [] : isLive(build) ? [...build.past, ...Object.values(build.places)] : build.places);

function retried(build: LiveBuild, { error, yieldedTo }: Data<'BuildRetried'>): LiveBuild | undefined {
  if (build.status === 'pending') return undefined;
  const { waiting: _waiting, failed: _failed, ...rest } = build;
  const kept = keptSteps(build);
  return {
    ...rest,
    status: 'pending',
    queued: yieldedTo !== undefined,
    steps: build.steps.map((step, index): StepAt => (kept.has(index) ? step : { status: 'waiting', tries: 0 })),
    failures: yieldedTo === undefined ? [...build.failures, error] : build.failures,
    // What was reported on a step counts for the run that it was reported on; what came early is still to come.
    messages: Object.fromEntries(Object.entries(build.messages).filter(([index]) => kept.has(Number(index)) || build.steps[Number(index)]?.tries === 0)),
    past: [...build.past, ...Object.values(build.places)],
    places: {},
    attempt: build.attempt + 1,
    ...(yieldedTo !== undefined && { yieldedTo }),
  };
}

/** What runs or has run without a host, on nothing that ran on one, goes on in the next attempt as if nothing had happened. */
export function keptSteps({ plan, steps }: Pick<LiveBuild, 'plan' | 'steps'>): ReadonlySet<number> {
  const kept = new Set<number>();
  // Those that it needs may stand after it, so until nothing changes.
  for (let before = -1; before !== kept.size; ) {
    before = kept.size;
    for (const [index, step] of steps.entries()) {
      const planned = plan.steps[index]!;
      // A further lease may stand on a host that is given up.
      const elsewhere = !runsOnHost(planned) && !(kindNameOf(planned) === 'lease' && planned.with?.['on'] !== undefined);
      if (step.status !== 'waiting' && elsewhere && needsOf(planned, index).every((need) => kept.has(need))) kept.add(index);
    }
  }
  return kept;
}

function stepFinished(build: LiveBuild, { step: index, outcome, error = '', exitCode, outputs, tail, again, because = 'condition' }: Data<'StepFinished'>): LiveBuild | undefined {
  const step = build.steps[index];
  if (!step || isOver(step) || (step.status === 'waiting' && outcome !== 'skipped')) return undefined;
  const { tries } = step;
  const found = { ...(outputs && { outputs }), ...(exitCode !== undefined && { exitCode }) };
  const set = (next: StepAt): LiveBuild => withPercent({ ...build, steps: replaced(build.steps, index, next) });
  switch (outcome) {
    case 'passed':
      return set({ status: 'passed', tries, ...found });
    case 'skipped':
      return set({ status: 'skipped', tries, because });
    case 'lost':
    case 'cancelled':
      return set({ status: outcome, tries, error, ...('action' in step && { action: step.action }) });
    case 'failed': {
      if (again) {
        // What was reported counts for the try that it was reported on.
        const { [index]: _told, ...messages } = build.messages;
        return { ...set({ status: 'waiting', tries }), messages };
      }
      const planned = build.plan.steps[index]!;
      const allowed = planned.continueOnError ?? false;
      const next = set({ status: 'failed', tries, allowed, error, ...found });
      if (allowed || build.failed) return next;
      const failure = { step: planned.name, ...(planned.run !== undefined && { command: firstLine(planned.run) }), ...(exitCode !== undefined && { exitCode }), ...(tail !== undefined && { tail }) };
      return { ...next, failed: { error: `step ${planned.name} failed: ${error}`, failure } };
    }
    default:
      return unreachable(outcome);
  }
}

function firstFailure({ plan, steps }: Pick<LiveBuild, 'plan' | 'steps'>): LiveBuild['failed'] {
  for (const [index, step] of steps.entries()) if (step.status === 'failed' && !step.allowed) return { error: `step ${plan.steps[index]!.name} failed: ${step.error}`, failure: { step: plan.steps[index]!.name } };
  return undefined;
}

/** Of a script so much that people recognise it. */
const firstLine = (script: string): string => script.trim().split('\n', 1)[0]!.slice(0, 256);

const first = ({ about }: Pick<LiveBuild, 'about'>): string => Object.keys(about.hosts)[0]!;
const replaced = (steps: readonly StepAt[], index: number, next: StepAt): StepAt[] => steps.map((step, at) => (at === index ? next : step));

function begun(build: LiveBuild): LiveBuild & { status: 'building' } {
  if (build.status !== 'pending') return { ...build, status: 'building' };
  const { queued: _over, ...rest } = build;
  return { ...rest, status: 'building' };
}

/** A host that has been asked for and its working copy count as a step each where there are any, and every step as what it took before where that is known. */
function withPercent<B extends LiveBuild>(build: B): B {
  const { plan, weights, steps, places, percent } = build;
  const of = (part: number) => weights?.[part] ?? 1;
  const all = Object.values(places);
  let done = 0;
  if (all.some((place) => place.workingCopyLease !== undefined)) done += of(0);
  if (all.some((place) => place.path !== undefined)) done += of(1);
  let total = plan.steps.some(runsOnHost) ? of(0) + of(1) : 0;
  for (const [index, step] of steps.entries()) {
    total += of(index + 2);
    if (isFine(step)) done += of(index + 2);
  }
  return { ...build, percent: Math.max(percent, Math.min(99, Math.floor((100 * done) / total))) };
}

function aboutOf(data: Data<'BuildRequested'>): About {
  const { plan, planVersion, initiator, project, priority, holdOnFailure = plan.holdOnFailure, group, parent, url } = data;
  const { workingCopy, infrastructureRetries: retries = RETRIES_BEFORE, queueTimeout, timeout, artifacts: keep } = plan;
  const optional = { project, priority, holdOnFailure, group, parent, url, queueTimeout, timeout, keep };
  return {
    plan: plan.name, planVersion, initiator, steps: plan.steps.length, hosts: plan.hosts ?? { main: plan.host }, workingCopy, retries,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<About>),
  };
}

/** With the verdict. What ran then is known until it is ended. */
function over(build: LiveBuild): Omit<EndingBuild, 'status' | 'error' | 'reason' | 'held' | 'failure'> {
  const { about, generation, percent, plan, variables, steps, artifacts, extras, attempt, past, places } = build;
  return {
    about, generation, percent, plan, variables, steps, artifacts, extras, attempt,
    places: [...past, ...Object.values(places)],
    stray: stray(build),
    cleaned: false,
  };
}

/** What was begun and has no end of its own when the verdict falls. */
const stray = (build: LiveBuild): EndingBuild['stray'] => build.steps.flatMap((step, index) => ('action' in step && step.action !== undefined ? [{ step: index, action: step.action }] : []));
