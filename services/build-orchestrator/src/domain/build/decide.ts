import { rejected, unreachable, type ArtifactType, type BuildEvent, type KeptFile, type Refusal, type SavedPlan } from '@berth/contracts';
import { ids } from '../ids.js';
import type { Verdict } from '../steps/kind.js';
import { kindNameOf, runsOnHost } from '../steps/names.js';
import { advance, hasBegunOnHost, hostNameOf, named } from './advance.js';
import { evolve, keptSteps } from './evolve.js';
import { closure, isFine } from './graph.js';
import { isLive, isOver, stepIdOf, type Build, type EndingBuild, type LiveBuild } from './state.js';

type Requested = Extract<BuildEvent, { type: 'BuildRequested' }>['data'];
type Messaged = Extract<BuildEvent, { type: 'BuildMessaged' }>['data'];

/** How steps ended that did not come to their own verdict. `durations`: milliseconds, by action. */
export interface Interrupted {
  outcome: 'lost' | 'cancelled';
  error: string;
  /** the one that it is about; the others end as cancelled. All of them when absent */
  action?: string;
  durations: Readonly<Record<string, number>>;
}

/** What a build can be told. `attempt` names the attempt that was decided on: whatever comes late for another has no effect. */
export type BuildCommand =
  | ({ type: 'Request'; build: string } & Requested)
  /** others of its group are over, or those that it made way for have what they need */
  | { type: 'Admit'; build: string }
  | { type: 'Abort'; reason: string; by?: string; durations: Readonly<Record<string, number>> }
  | { type: 'Pause'; reason: string; by?: string }
  | { type: 'Resume'; build: string; by?: string }
  /** `before`: the state before it was cleaned up, when that has left memory */
  | { type: 'Restart'; build: string; where: 'any' | 'same' | 'other'; reason: string; by?: string; before?: EndingBuild; weights?: number[]; step?: string; durations: Readonly<Record<string, number>> }
  | { type: 'Rerun'; build: string; step: string; reason: string }
  | { type: 'Message'; step: string; message: Omit<Messaged, 'step'> }
  | { type: 'AddArtifact'; name: string; kind: ArtifactType; uri?: string; file?: Omit<KeptFile, 'name'>; by?: string; known?: { uri?: string; sha256?: string } }
  | { type: 'PinArtifact'; name: string; pinned: boolean; known: { pinned: boolean } | undefined }
  | { type: 'ReleaseArtifact'; name: string; reason: string; known: { pinned: boolean } | undefined }
  /** whatever follows from the state by itself: for states that another version has left behind */
  | { type: 'Advance'; build: string }
  | { type: 'RequestWorkingCopy'; build: string; attempt: number; host: string }
  | { type: 'Wait'; activity: string }
  | { type: 'Start'; build: string; attempt: number; host: string; path: string; commit: string | undefined; machine: string | undefined }
  | { type: 'FinishStep'; build: string; action: string; verdict: Verdict; durationMs: number }
  /** the host failed us: another one is asked for, until the retries are used up */
  | { type: 'Retry'; build: string; attempt: number; error: string; interrupted: Interrupted }
  /** two builds that each hold what the other waits for: the younger makes way */
  | { type: 'Yield'; build: string; attempt: number; to: string; durations: Readonly<Record<string, number>> }
  | { type: 'GiveUp'; attempt: number; error: string; interrupted: Interrupted }
  /** it has taken longer than its plan allows */
  | { type: 'TimeOut'; error: string; durations: Readonly<Record<string, number>> }
  /** the hold of its hosts was answered */
  | { type: 'NoteHold'; activity: string }
  | { type: 'CleanUp' };

/** How many hosts failed, and why: each reason once. */
export function hostFailures(failures: readonly string[]): string {
  const times = new Map<string, number>();
  for (const failure of failures) times.set(failure, (times.get(failure) ?? 0) + 1);
  const reasons = [...times].map(([reason, count]) => (count === 1 ? reason : `${reason} (${count} times)`));
  return `${failures.length} ${failures.length === 1 ? 'host' : 'hosts'} failed: ${reasons.join('; ')}`;
}

const YIELDED = 'gave its hosts back for an older build';
const noBuild = () => rejected('unknown-build', 'There is no such build.', [{ field: 'data.build', message: 'is not the id of a build: see `berth build list`' }]);
const overAlready = ({ status }: Build, what: string) => rejected('build-ended', `The build is over: ${status}.`, [{ field: 'data.build', message: `is ${status} and can't be ${what} any more` }]);
const optional = <T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };

/** Pure. A refusal is for the asker; no events means that the command has had its effect, or has come too late for one. */
export function decide(command: BuildCommand, build: Build): readonly BuildEvent[] | Refusal {
  switch (command.type) {
    case 'Request': {
      if (build.status !== 'none') return [];
      const { type: _type, build: id, ...data } = command;
      // In one commit: the host lease's id is known, so nothing is to be waited for in between.
      return andOn(id, build, [{ type: 'BuildRequested', data }]);
    }
    case 'Admit':
      return build.status === 'pending' && build.queued ? andOn(command.build, build, [{ type: 'BuildAdmitted', data: {} }]) : [];
    case 'Advance':
      return advance(command.build, build);
    case 'Abort': {
      if (build.status === 'none') return noBuild();
      if (build.status === 'aborted') return [];
      if (!isLive(build)) return overAlready(build, 'aborted');
      const { reason, by, durations } = command;
      return [...interrupted(build, { outcome: 'cancelled', error: reason, durations }), { type: 'BuildAborted', data: { reason, ...optional({ by }) } }];
    }
    case 'Pause': {
      if (build.status === 'none') return noBuild();
      if (!isLive(build)) return overAlready(build, 'paused');
      const { reason, by } = command;
      return build.paused === undefined ? [{ type: 'BuildPaused', data: { reason, ...optional({ by }) } }] : [];
    }
    case 'Resume': {
      if (build.status === 'none') return noBuild();
      if (!isLive(build)) return overAlready(build, 'resumed');
      return build.paused === undefined ? [] : andOn(command.build, build, [{ type: 'BuildResumed', data: optional({ by: command.by }) }]);
    }
    case 'Restart':
      return restart(command, build);
    case 'Rerun':
      return rerun(command, build);
    case 'Message':
      return messaged(command, build);
    case 'AddArtifact':
      return addArtifact(command, build);
    case 'PinArtifact': {
      if (build.status === 'none') return noBuild();
      const { name, pinned, known } = command;
      if (!known) return noArtifact(name);
      return known.pinned === pinned ? [] : [{ type: 'ArtifactPinned', data: { name, pinned } }];
    }
    case 'ReleaseArtifact':
      if (build.status === 'none') return noBuild();
      return command.known ? [{ type: 'ArtifactReleased', data: { name: command.name, reason: command.reason } }] : [];
    case 'RequestWorkingCopy': {
      const place = isLive(build) ? build.places[command.host] : undefined;
      if (!isLive(build) || place?.attempt !== command.attempt || place.workingCopyLease !== undefined) return [];
      return [{ type: 'BuildWorkingCopyRequested', data: { workingCopyLease: ids.workingCopyLease(place.hostLease), ...named(build, command.host) } }];
    }
    case 'Wait':
      return isLive(build) && build.waiting !== command.activity ? [{ type: 'BuildWaiting', data: { activity: command.activity } }] : [];
    case 'Start': {
      const place = isLive(build) ? build.places[command.host] : undefined;
      if (!isLive(build) || place?.attempt !== command.attempt || place.workingCopyLease === undefined || place.path !== undefined) return [];
      const { path, commit, machine } = command;
      return andOn(command.build, build, [{ type: 'BuildStarted', data: { path, ...optional({ commit, machine }), ...named(build, command.host) } }]);
    }
    case 'FinishStep':
      return finishStep(command, build);
    case 'Retry': {
      if (!isLive(build) || build.status === 'pending' || build.attempt !== command.attempt) return [];
      const { error } = command;
      const failures = [...build.failures, error];
      if (failures.length > build.about.retries) return [...interrupted(build, command.interrupted), { type: 'BuildErrored', data: { error: `no other host is tried: ${hostFailures(failures)}` } }];
      return andOn(command.build, build, [...interrupted(build, command.interrupted, keptSteps(build)), { type: 'BuildRetried', data: { error } }]);
    }
    case 'Yield':
      // A step on a host may have begun since this was decided on: then all hosts are there, and nothing is waited for.
      if (!isLive(build) || build.status === 'pending' || build.attempt !== command.attempt || hasBegunOnHost(build)) return [];
      return [...interrupted(build, { outcome: 'cancelled', error: YIELDED, durations: command.durations }, keptSteps(build)), { type: 'BuildRetried', data: { error: YIELDED, yieldedTo: command.to } }];
    case 'GiveUp':
      if (!isLive(build) || build.status === 'pending' || build.attempt !== command.attempt) return [];
      return [...interrupted(build, command.interrupted), { type: 'BuildErrored', data: { error: command.error } }];
    case 'TimeOut':
      if (!isLive(build)) return [];
      return [...interrupted(build, { outcome: 'cancelled', error: command.error, durations: command.durations }), { type: 'BuildFailed', data: { error: command.error } }];
    case 'NoteHold':
      return (build.status === 'failed' || build.status === 'error') && build.held === undefined && !build.cleaned ? [{ type: 'BuildWaiting', data: { activity: command.activity } }] : [];
    case 'CleanUp':
      return build.status === 'none' || isLive(build) || build.cleaned ? [] : [{ type: 'BuildCleanedUp', data: {} }];
    default:
      return unreachable(command);
  }
}

/** Events, and all that follows from them. */
function andOn(id: string, build: Build, events: readonly BuildEvent[]): BuildEvent[] {
  let next = build;
  for (const event of events) next = evolve(next, event);
  return [...events, ...advance(id, next)];
}

/** The end of a step and what follows from it, in one commit. */
function finishStep({ build: id, action, verdict, durationMs }: Extract<BuildCommand, { type: 'FinishStep' }>, build: Build): readonly BuildEvent[] {
  if (!isLive(build)) return [];
  const index = build.steps.findIndex((step) => step.status === 'running' && step.action === action);
  const step = build.steps[index];
  if (step?.status !== 'running') return [];
  const { exitCode, outputs, artifacts = [], report } = verdict;
  const found = optional({ exitCode, outputs: outputs && Object.keys(outputs).length > 0 ? outputs : undefined });
  const events: BuildEvent[] = [];
  if (verdict.outcome === 'failed') {
    const again = step.tries <= (build.plan.steps[index]!.retries ?? 0);
    events.push({ type: 'StepFinished', data: { step: index, outcome: 'failed', error: verdict.error, ...found, ...optional({ tail: verdict.tail }), ...(again && { again }), durationMs } });
  } else events.push({ type: 'StepFinished', data: { step: index, outcome: 'passed', ...found, durationMs } });
  for (const artifact of artifacts) events.push({ type: 'ArtifactKept', data: { ...artifact, ...(build.generation > 1 && { generation: build.generation }) } });
  if (report) events.push({ type: 'ReportPublished', data: { step: index, report } });
  return andOn(id, build, events);
}

/** A step that runs is never left without an end, unless it goes on in the next attempt. */
function interrupted(build: LiveBuild, { outcome, error, action, durations }: Interrupted, goesOn: ReadonlySet<number> = new Set()): BuildEvent[] {
  return build.steps.flatMap((step, index): BuildEvent[] => {
    if (step.status !== 'running' || goesOn.has(index)) return [];
    const its = action === undefined || action === step.action ? outcome : 'cancelled';
    return [{ type: 'StepFinished', data: { step: index, outcome: its, error, durationMs: durations[step.action] ?? 0 } }];
  });
}

// --- from outside ---

function stepIndex(plan: SavedPlan, id: string): number | Refusal {
  const index = plan.steps.findIndex((_, at) => stepIdOf(plan, at) === id);
  if (index >= 0) return index;
  const known = plan.steps.map((_, at) => stepIdOf(plan, at));
  return rejected('unknown-step', `The build has no step ${id}.`, [{ field: 'data.step', message: `is none of its steps: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}` }]);
}

function messaged({ step: id, message }: Extract<BuildCommand, { type: 'Message' }>, build: Build): readonly BuildEvent[] | Refusal {
  if (build.status === 'none') return noBuild();
  if (!isLive(build)) return overAlready(build, 'reported on');
  const index = stepIndex(build.plan, id);
  if (typeof index !== 'number') return index;
  const planned = build.plan.steps[index]!;
  const kind = kindNameOf(planned);
  if (kind !== 'wait-for-message' && kind !== 'wait-for-approval') {
    const waits = build.plan.steps.flatMap((step, at) => (['wait-for-message', 'wait-for-approval'].includes(kindNameOf(step)) ? [stepIdOf(build.plan, at)] : []));
    return rejected('invalid-data', `Step ${id} waits for nobody.`, [{ field: 'data.step', message: `is of kind ${kind}; ${waits.length > 0 ? `those that wait for a message are ${waits.join(', ')}` : 'no step of this build waits for a message'}` }]);
  }
  if (isOver(build.steps[index]!)) return rejected('step-ended', `Step ${id} is over: ${build.steps[index]!.status}.`, [{ field: 'data.step', message: `is ${build.steps[index]!.status}: what is reported now comes too late` }]);
  if (kind === 'wait-for-approval') {
    const { by } = (planned.with ?? {}) as { by?: string[] };
    if (message.type === 'work') return rejected('invalid-data', 'An approval is given or refused.', [{ field: 'data.type', message: 'must be pass or fail for a step that waits for an approval' }]);
    if (by && !(message.by !== undefined && by.includes(message.by))) return rejected('not-allowed', `${message.by ?? 'Somebody without a name'} may not decide on step ${id}.`, [{ field: 'data.by', message: `is none of those who may: ${by.join(', ')}` }]);
  }
  const known = build.messages[index];
  // The first decision counts; news of the work may come as often as there are any.
  if (known && known.type !== 'work') return known.type === message.type ? [] : rejected('step-ended', `Step ${id} was decided on already: ${known.type}.`, [{ field: 'data.type', message: `was ${known.type} before${known.by === undefined ? '' : `, by ${known.by}`}` }]);
  return [{ type: 'BuildMessaged', data: { step: index, ...message } }];
}

const noArtifact = (name: string) => rejected('not-found', `The build has no artifact ${name}.`, [{ field: 'data.name', message: 'is none of its artifacts: see `berth build artifacts ID`' }]);

function addArtifact({ name, kind, uri, file, by, known }: Extract<BuildCommand, { type: 'AddArtifact' }>, build: Build): readonly BuildEvent[] | Refusal {
  if (build.status === 'none') return noBuild();
  if (known) {
    const same = uri === undefined ? known.sha256 === file?.sha256 : known.uri === uri;
    return same ? [] : rejected('name-taken', `The build has another artifact ${name}.`, [{ field: 'data.name', message: 'is taken: choose another, or release that one first' }]);
  }
  const generation = build.generation > 1 ? { generation: build.generation } : {};
  if (uri !== undefined) return [{ type: 'LinkAdded', data: { name, type: kind, uri, ...optional({ by }), ...generation } }];
  return file ? [{ type: 'ArtifactKept', data: { name, ...file, type: kind, ...optional({ by }), ...generation } }] : [];
}

// --- once more ---

function restart(command: Extract<BuildCommand, { type: 'Restart' }>, build: Build): readonly BuildEvent[] | Refusal {
  if (build.status === 'none') return noBuild();
  const { where, reason, by, weights, durations, step } = command;
  const from = isLive(build) ? build : 'plan' in build ? build : command.before;
  if (!from) return rejected('unavailable', 'What the build was made from is not known yet: try again.');
  const { about, plan } = from;
  const { restartable = 'always' } = plan;
  if (restartable === 'never' || (restartable === 'if-failed' && build.status === 'passed')) {
    return rejected('not-restartable', `Builds of plan ${about.plan} ${restartable === 'never' ? 'are not' : 'that passed are not'} run again.`, [{ field: 'data.build', message: `its plan says restartable: ${restartable}; request a new build instead` }]);
  }
  let kept: Extract<BuildEvent, { type: 'BuildRestarted' }>['data']['kept'];
  if (step !== undefined) {
    const index = stepIndex(plan, step);
    if (typeof index !== 'number') return index;
    kept = keptOf(from, index);
  }
  const places = 'past' in from ? Object.values(from.places) : from.places;
  const machines = Object.fromEntries(places.flatMap(({ host, machine }) => (machine === undefined ? [] : [[host, machine]])));
  const before = isLive(build) ? interrupted(build, { outcome: 'cancelled', error: reason, durations }) : [];
  const { plan: name, planVersion, initiator, project, priority, holdOnFailure, parent, group, url } = about;
  const data = {
    plan, planVersion, variables: { ...from.variables }, initiator,
    ...optional({ project, priority, holdOnFailure, parent, group, url, weights, by, kept, artifacts: kept && from.artifacts.length > 0 ? [...from.artifacts] : undefined }),
    generation: build.generation + 1, attempt: from.attempt + 1, reason,
    // Others of its group may be under way by now.
    ...(group !== undefined && { queued: true }),
    ...(where !== 'any' && { where, machines }),
  };
  return name === plan.name ? andOn(command.build, build, [...before, { type: 'BuildRestarted', data }]) : [];
}

/**
 * What is kept when one step is run again in a new generation: steps that are fine and neither build on anything that is run
 * nor share a host with it, for the working copy of that host is a new one. A further lease went with its generation.
 */
function keptOf({ plan, steps, about }: Pick<EndingBuild, 'plan' | 'steps' | 'about'>, index: number): Record<string, { outcome: 'passed' | 'failed' | 'skipped'; outputs?: Record<string, string> }> {
  const gone = (at: number) => at === index || !isFine(steps[at]!) || kindNameOf(plan.steps[at]!) === 'lease';
  const again = new Set(steps.flatMap((_, at) => (gone(at) ? closure(plan, at) : [])));
  for (let before = 0; before !== again.size; ) {
    before = again.size;
    const hosts = new Set([...again].flatMap((at) => (runsOnHost(plan.steps[at]!) ? [hostNameOf({ about, plan }, at)] : [])));
    for (const [at, step] of plan.steps.entries()) if (runsOnHost(step) && hosts.has(hostNameOf({ about, plan }, at))) for (const more of closure(plan, at)) again.add(more);
  }
  return Object.fromEntries(
    steps.flatMap((step, at) => {
      if (again.has(at) || (step.status !== 'passed' && step.status !== 'skipped' && step.status !== 'failed')) return [];
      return [[String(at), { outcome: step.status, ...('outputs' in step && step.outputs && { outputs: step.outputs }) }]];
    }),
  );
}

/** While the build is under way the same working copy serves; afterwards the handler asks for a restart from there instead. */
function rerun({ build: id, step, reason }: Extract<BuildCommand, { type: 'Rerun' }>, build: Build): readonly BuildEvent[] | Refusal {
  if (build.status === 'none') return noBuild();
  if (!isLive(build)) return overAlready(build, 'gone on with');
  const index = stepIndex(build.plan, step);
  if (typeof index !== 'number') return index;
  if (!isOver(build.steps[index]!)) return rejected('step-not-over', `Step ${step} is ${build.steps[index]!.status}.`, [{ field: 'data.step', message: `is ${build.steps[index]!.status}: only a step that is over can be run again` }]);
  const again = closure(build.plan, index);
  const running = again.find((at) => build.steps[at]!.status === 'running');
  if (running !== undefined) return rejected('step-not-over', `Step ${stepIdOf(build.plan, running)} builds on ${step} and runs.`, [{ field: 'data.step', message: `is built on by step ${stepIdOf(build.plan, running)}, which runs: wait for its end` }]);
  return andOn(id, build, [{ type: 'StepsReset', data: { steps: again.filter((at) => isOver(build.steps[at]!)), reason } }]);
}
