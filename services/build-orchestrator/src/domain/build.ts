import { rejected, unreachable, type BuildEvent, type Refusal } from '@berth/contracts';
import { ids } from './ids.js';
import type { SavedPlan } from './plan.js';
import type { Verdict } from './steps/kind.js';

/** What stays known of a build when its plan has left memory; with `host` and `workingCopy` its leases are asked for. */
export interface About extends Pick<SavedPlan, 'host' | 'workingCopy'> {
  plan: string;
  planVersion: number;
  initiator: string;
  project?: string;
  priority?: number;
  steps: number;
  /** how many hosts that failed are replaced */
  retries: number;
  /** milliseconds that the host of a failed build is kept */
  holdOnFailure?: number;
}

/** One try on one host, and the leases asked for in it. `attempt` counts from 1. */
export interface Attempt {
  attempt: number;
  hostLease: string;
  workingCopyLease?: string;
}

/** The step that a build has come to. */
export interface StepAt {
  index: number;
  name: string;
  action: string;
  running: boolean;
}

interface Live {
  about: About;
  plan: SavedPlan;
  variables: Record<string, string>;
  /** attempts given up: their leases are given back while the build goes on elsewhere */
  past: Attempt[];
  /** why each of them was */
  failures: string[];
  /** never goes back, whatever is tried again */
  percent: number;
}

interface Over {
  about: About;
  /** all attempts: their leases are given back */
  attempts: Attempt[];
  percent: number;
  step?: StepAt;
  /** every lease is destroyed: nothing of the build is left on a host */
  cleaned: boolean;
}

interface Held {
  /** what became of the hold of its host; absent until that is known, and when none was asked for */
  held?: string;
}

/** A build, tagged by what it is doing. */
export type Build =
  | { status: 'none' }
  /** asked for; this attempt has asked for no host yet */
  | (Live & { status: 'pending'; attempt: number })
  /** it waits for its leases: the host, then the working copy on it. No step has run in this attempt */
  | (Live & { status: 'preparing'; current: Attempt; waiting?: string })
  /** its steps run, one after the other */
  | (Live & { status: 'building'; current: Required<Attempt>; path: string; commit?: string; step?: StepAt })
  | (Over & { status: 'passed' })
  /** a step says that the code is at fault */
  | (Over & Held & { status: 'failed'; error: string })
  | (Over & { status: 'aborted'; reason: string })
  /** it could not be carried out: nothing is said about the code */
  | (Over & Held & { status: 'error'; error: string });

export type LiveBuild = Extract<Build, Live>;
export type EndedBuild = Extract<Build, Over>;

/** How a step ended that did not come to its own verdict. */
export interface Interrupted {
  outcome: 'lost' | 'cancelled';
  error: string;
  durationMs: number;
}

/** What a build can be told. `attempt` names the attempt that was decided on: whatever comes late for another has no effect. */
export type BuildCommand =
  | { type: 'Request'; build: string; planName: string; plan: { version: number; plan: SavedPlan } | undefined; variables: Record<string, string>; initiator: string; project?: string | undefined; priority?: number | undefined; holdOnFailure?: number | undefined }
  | { type: 'Abort'; reason: string; stepMs: number }
  | { type: 'Prepare'; build: string }
  | { type: 'RequestWorkingCopy'; build: string; attempt: number }
  | { type: 'Wait'; attempt: number; activity: string }
  | { type: 'Start'; build: string; attempt: number; path: string; commit: string | undefined }
  | { type: 'FinishStep'; build: string; action: string; verdict: Verdict; durationMs: number }
  /** the host failed us: another one is asked for, until the retries are used up */
  | { type: 'Retry'; build: string; attempt: number; error: string; step?: Interrupted }
  | { type: 'GiveUp'; attempt: number; error: string; step?: Interrupted }
  /** the hold of its host was answered */
  | { type: 'NoteHold'; activity: string }
  | { type: 'CleanUp' };

/** What plans that were stored without a number of retries had. */
const RETRIES_BEFORE = 2;

/** How many hosts failed, and why: each reason once. */
export function hostFailures(failures: readonly string[]): string {
  const times = new Map<string, number>();
  for (const failure of failures) times.set(failure, (times.get(failure) ?? 0) + 1);
  const reasons = [...times].map(([reason, count]) => (count === 1 ? reason : `${reason} (${count} times)`));
  return `${failures.length} ${failures.length === 1 ? 'host' : 'hosts'} failed: ${reasons.join('; ')}`;
}

const preparing = (build: string, attempt: number): BuildEvent => ({ type: 'BuildPreparing', data: { attempt, hostLease: ids.hostLease(build, attempt) } });
const isLive = (build: Build): build is LiveBuild => build.status === 'pending' || build.status === 'preparing' || build.status === 'building';

/** Pure. A refusal is for the asker; no events means that the command has had its effect, or has come too late for one. */
export function decide(command: BuildCommand, build: Build): readonly BuildEvent[] | Refusal {
  switch (command.type) {
    case 'Request': {
      if (build.status !== 'none') return [];
      const { plan, planName, variables, initiator, project, priority, holdOnFailure } = command;
      if (!plan) return rejected('unknown-plan', `There is no plan ${planName}.`, [{ field: 'data.plan', message: `no plan is saved under ${planName}: save it with \`berth plan apply FILE\`, or see \`berth plan list\`` }]);
      // Both in one commit: the host lease's id is known, so nothing is to be waited for in between.
      return [{ type: 'BuildRequested', data: { plan: plan.plan, planVersion: plan.version, variables, initiator, ...given({ project, priority, holdOnFailure }) } }, preparing(command.build, 1)];
    }
    case 'Abort':
      if (build.status === 'none') return rejected('unknown-build', 'There is no such build.', [{ field: 'data.build', message: 'is not the id of a build: see `berth build list`' }]);
      if (build.status === 'aborted') return [];
      if (!isLive(build)) return rejected('build-ended', `The build is over: ${build.status}.`, [{ field: 'data.build', message: `is ${build.status} and can't be aborted any more` }]);
      return [...interrupted(build, { outcome: 'cancelled', error: command.reason, durationMs: command.stepMs }), { type: 'BuildAborted', data: { reason: command.reason } }];
    case 'Prepare':
      return build.status === 'pending' ? [preparing(command.build, build.attempt)] : [];
    case 'RequestWorkingCopy':
      if (build.status !== 'preparing' || build.current.attempt !== command.attempt || build.current.workingCopyLease !== undefined) return [];
      return [{ type: 'BuildWorkingCopyRequested', data: { workingCopyLease: ids.workingCopyLease(command.build, command.attempt) } }];
    case 'Wait':
      if (build.status !== 'preparing' || build.current.attempt !== command.attempt || build.waiting === command.activity) return [];
      return [{ type: 'BuildWaiting', data: { activity: command.activity } }];
    case 'Start': {
      if (build.status !== 'preparing' || build.current.attempt !== command.attempt || build.current.workingCopyLease === undefined) return [];
      const { path, commit } = command;
      return [{ type: 'BuildStarted', data: { path, ...(commit !== undefined && { commit }) } }, starting(command.build, command.attempt, build.plan, 0)];
    }
    case 'FinishStep':
      return finishStep(command, build);
    case 'Retry': {
      if ((build.status !== 'preparing' && build.status !== 'building') || build.current.attempt !== command.attempt) return [];
      const { error, step } = command;
      const steps = step ? interrupted(build, step) : [];
      const failures = [...build.failures, error];
      if (failures.length > build.about.retries) return [...steps, { type: 'BuildErrored', data: { error: `no other host is tried: ${hostFailures(failures)}` } }];
      return [...steps, { type: 'BuildRetried', data: { error } }, preparing(command.build, command.attempt + 1)];
    }
    case 'GiveUp':
      if ((build.status !== 'preparing' && build.status !== 'building') || build.current.attempt !== command.attempt) return [];
      return [...(command.step ? interrupted(build, command.step) : []), { type: 'BuildErrored', data: { error: command.error } }];
    case 'NoteHold':
      return (build.status === 'failed' || build.status === 'error') && build.held === undefined && !build.cleaned ? [{ type: 'BuildWaiting', data: { activity: command.activity } }] : [];
    case 'CleanUp':
      return build.status === 'none' || isLive(build) || build.cleaned ? [] : [{ type: 'BuildCleanedUp', data: {} }];
    default:
      return unreachable(command);
  }
}

/** Only what was given is stored. */
function given<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

const starting = (build: string, attempt: number, plan: SavedPlan, step: number): BuildEvent => ({
  type: 'StepStarted',
  data: { step, name: plan.steps[step]!.name, action: ids.action(build, attempt, step) },
});

/** The end of a step and what follows from it, in one commit: the next step starts one hop earlier, and no crash falls between. */
function finishStep(command: Extract<BuildCommand, { type: 'FinishStep' }>, build: Build): readonly BuildEvent[] {
  if (build.status !== 'building' || !build.step?.running || build.step.action !== command.action) return [];
  const { verdict, durationMs } = command;
  const { index, name } = build.step;
  const exit = verdict.exitCode === undefined ? {} : { exitCode: verdict.exitCode };
  if (verdict.outcome === 'failed') {
    return [
      { type: 'StepFinished', data: { step: index, outcome: 'failed', error: verdict.error, ...exit, durationMs } },
      { type: 'BuildFailed', data: { error: `step ${name} failed: ${verdict.error}` } },
    ];
  }
  return [
    { type: 'StepFinished', data: { step: index, outcome: 'passed', ...exit, durationMs } },
    ...(verdict.artifact ? [{ type: 'ArtifactKept', data: verdict.artifact } as const] : []),
    index + 1 < build.plan.steps.length ? starting(command.build, build.current.attempt, build.plan, index + 1) : { type: 'BuildPassed', data: {} },
  ];
}

/** A step that runs is never left without an end. */
function interrupted(build: LiveBuild, { outcome, error, durationMs }: Interrupted): BuildEvent[] {
  if (build.status !== 'building' || !build.step?.running) return [];
  return [{ type: 'StepFinished', data: { step: build.step.index, outcome, error, durationMs } }];
}

const impossible = (build: Build, event: BuildEvent): never => {
  throw new Error(`a build that is ${build.status} can't have ${event.type}`);
};

/** Getting the host and getting the working copy count as much as a step each. */
const percentAt = (build: LiveBuild, done: number): number => Math.max(build.percent, Math.floor((100 * done) / (build.about.steps + 2)));

/** Pure. @throws when the event can't follow from the state, which only a foreign writer can cause. */
export function evolve(build: Build, event: BuildEvent): Build {
  if (event.type === 'BuildRequested') {
    if (build.status !== 'none') return impossible(build, event);
    return { status: 'pending', about: aboutOf(event.data), plan: event.data.plan, variables: event.data.variables, past: [], failures: [], percent: 0, attempt: 1 };
  }
  if (build.status === 'none') return impossible(build, event);
  if (event.type === 'BuildCleanedUp') return isLive(build) ? impossible(build, event) : { ...build, cleaned: true };
  // After the verdict a build waits for nothing but the end of a hold.
  if (event.type === 'BuildWaiting' && (build.status === 'failed' || build.status === 'error')) return { ...build, held: event.data.activity };
  if (!isLive(build)) return impossible(build, event);
  const { about, plan, variables, past, failures, percent } = build;
  const live = { about, plan, variables, past, failures, percent };
  switch (event.type) {
    case 'BuildPreparing': {
      if (build.status !== 'pending') return impossible(build, event);
      return { status: 'preparing', ...live, current: event.data };
    }
    case 'BuildWorkingCopyRequested': {
      if (build.status !== 'preparing') return impossible(build, event);
      const { waiting: _over, ...rest } = build;
      return { ...rest, current: { ...build.current, workingCopyLease: event.data.workingCopyLease }, percent: percentAt(build, 1) };
    }
    case 'BuildWaiting':
      return build.status === 'preparing' ? { ...build, waiting: event.data.activity } : impossible(build, event);
    case 'BuildStarted': {
      const { path, commit } = event.data;
      if (build.status !== 'preparing' || build.current.workingCopyLease === undefined) return impossible(build, event);
      const current = { ...build.current, workingCopyLease: build.current.workingCopyLease };
      return { status: 'building', ...live, percent: percentAt(build, 2), current, path, ...(commit !== undefined && { commit }) };
    }
    case 'StepStarted': {
      const { step: index, name, action } = event.data;
      return build.status === 'building' && !build.step?.running ? { ...build, step: { index, name, action, running: true } } : impossible(build, event);
    }
    case 'StepFinished': {
      if (build.status !== 'building' || build.step?.index !== event.data.step) return impossible(build, event);
      const done = event.data.outcome === 'passed' ? build.step.index + 3 : build.step.index + 2;
      return { ...build, step: { ...build.step, running: false }, percent: percentAt(build, done) };
    }
    case 'ArtifactKept':
      return build; // it stands in the history; nothing is decided on it
    case 'BuildRetried':
      if (build.status === 'pending') return impossible(build, event);
      return { status: 'pending', ...live, past: [...past, build.current], failures: [...failures, event.data.error], attempt: build.current.attempt + 1 };
    case 'BuildPassed':
      return build.status === 'building' ? { ...over(build), status: 'passed', percent: 100 } : impossible(build, event);
    case 'BuildFailed':
      return build.status === 'building' ? { ...over(build), status: 'failed', error: event.data.error } : impossible(build, event);
    case 'BuildAborted':
      return { ...over(build), status: 'aborted', reason: event.data.reason };
    case 'BuildErrored':
      return { ...over(build), status: 'error', error: event.data.error };
    default:
      return unreachable(event);
  }
}

function aboutOf({ plan, planVersion, initiator, project, priority, holdOnFailure = plan.holdOnFailure }: Extract<BuildEvent, { type: 'BuildRequested' }>['data']): About {
  const { host, workingCopy, infrastructureRetries: retries = RETRIES_BEFORE } = plan;
  return { plan: plan.name, planVersion, initiator, steps: plan.steps.length, host, workingCopy, retries, ...given({ project, priority, holdOnFailure }) };
}

/** The plan and the variables leave memory with the verdict. */
function over(build: LiveBuild): Over {
  const step = build.status === 'building' && build.step ? { step: build.step } : {};
  return { about: build.about, attempts: build.status === 'pending' ? build.past : [...build.past, build.current], percent: build.percent, cleaned: false, ...step };
}

export const buildDecider = { initial: { status: 'none' } as Build, decide, evolve, ended: (build: Build) => 'cleaned' in build && build.cleaned };
