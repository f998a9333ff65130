import { longestWay, type AnyRecorded, type BuildEvent, type SavedPlan } from '@berth/contracts';
import type { ArtifactView, BuildHostView, BuildStatus, BuildView, StepView } from '@berth/client';
import { foldRow, required, type Changes, type Row, type Where } from './row.js';

/** An artifact, with the object that holds its bytes; null: it is elsewhere. */
export type KeptArtifact = ArtifactView & { object: string | null };

/** A row of the projection `build`. */
export type BuildRow = Omit<BuildView, 'artifacts' | 'remainingMs'> &
  Row & {
    artifacts: KeptArtifact[];
    /** why the attempt before was given up */
    problem: string | null;
    /** what it is while it is not paused; null when it is not */
    beneath: BuildStatus | null;
    /** what its parts took before: the host, the working copy, each step */
    weights: number[] | null;
  };

type Data<T extends BuildEvent['type']> = Extract<BuildEvent, { type: T }>['data'];

const MAIN = 'main';
/** Generations that are shown; a build is hardly restarted more often. */
const GENERATIONS = 50;

function fresh(plan: SavedPlan, index: number): StepView {
  const { name, id, needs, run, uses, continueOnError } = plan.steps[index]!;
  return {
    name, id: id ?? `step-${index + 1}`, kind: run === undefined ? (uses ?? '') : 'run-command', needs: needs ?? (index === 0 ? [] : [index - 1]), allowed: continueOnError ?? false,
    outcome: 'waiting', action: null, tries: 0, started: null, durationMs: null, exitCode: null, error: null, outputs: null, report: null,
  };
}

const withStep = (row: BuildRow, index: number, step: Partial<StepView>): StepView[] => row.steps.map((old, i) => (i === index ? { ...old, ...step } : old));
const isDone = ({ outcome, allowed }: StepView): boolean => outcome === 'passed' || outcome === 'skipped' || (outcome === 'failed' && allowed);

/** As the feed for frontends counts: getting the host and the working copy are a step each unless it is known what they take, and it never goes back. */
function percentOf({ weights, steps, hosts, percent }: BuildRow): number {
  const of = (part: number) => weights?.[part] ?? 1;
  let done = (hosts.some((host) => host.workingCopyLease !== null) ? of(0) : 0) + (hosts.some((host) => host.ready) ? of(1) : 0);
  let total = of(0) + of(1);
  for (const [index, step] of steps.entries()) {
    total += of(index + 2);
    if (isDone(step)) done += of(index + 2);
  }
  return Math.max(percent, Math.min(99, Math.floor((100 * done) / total)));
}

const counted = (row: BuildRow): BuildRow => ({ ...row, percent: percentOf(row) });
/** While it is paused that is what it is; what it would be otherwise is kept for later. */
const become = (row: BuildRow, status: BuildStatus): BuildRow => (row.beneath === null ? { ...row, status } : { ...row, beneath: status });
const preparing = ({ problem, attempt }: Pick<BuildRow, 'attempt' | 'problem'>, doing: string): string => (problem === null ? doing : `${doing} (attempt ${attempt}, after: ${problem})`);

function running(row: BuildRow): string {
  const names = row.steps.flatMap((step, index) => (step.outcome === 'running' ? [{ name: step.name, index }] : []));
  if (names.length > 1) return `${names.length} of ${row.steps.length} steps run: ${names.map(({ name }) => name).join(', ')}`.slice(0, 512);
  return names[0] ? `step ${names[0].index + 1} of ${row.steps.length}: ${names[0].name}` : (row.activity ?? 'starting');
}

const hostOf = (row: BuildRow, name: string | undefined, change: Partial<BuildHostView>): BuildHostView[] => row.hosts.map((host) => (host.name === (name ?? row.hosts[0]?.name ?? MAIN) ? { ...host, ...change } : host));

/** The leases of its first host stand beside it too. */
function withHosts(row: BuildRow, hosts: BuildHostView[]): BuildRow {
  const first = hosts[0];
  return { ...row, hosts, hostLease: first?.hostLease ?? row.hostLease, workingCopyLease: first?.workingCopyLease ?? null };
}

const over = (row: BuildRow, status: 'passed' | 'failed' | 'aborted' | 'error', error: string | null, { at }: Where): BuildRow => ({
  ...row, status, beneath: null, error, activity: 'cleaning up', finished: at,
  generations: row.generations.map((one) => (one.generation === row.generation ? { ...one, status, error, ended: at } : one)),
});

function begin(before: BuildRow | undefined, data: Data<'BuildRequested'>, { id, sequence, at }: Where, generation: number): BuildRow {
  const { plan, planVersion, initiator, project, priority, url, weights, parent } = data;
  return {
    id,
    plan: plan.name,
    planVersion,
    status: 'pending',
    beneath: null,
    percent: 0,
    activity: 'queued',
    error: null,
    failure: null,
    initiator,
    project: project ?? null,
    priority: priority ?? 100,
    ref: plan.workingCopy.ref ?? null,
    commit: null,
    url: url ?? null,
    parent: parent ?? null,
    hostLease: null,
    workingCopyLease: null,
    hosts: [],
    steps: plan.steps.map((_, index) => fresh(plan, index)),
    artifacts: before?.artifacts ?? [],
    generation,
    generations: [...(before?.generations ?? []), { generation, status: 'pending' as const, error: null, started: at, ended: null }].slice(-GENERATIONS),
    attempt: 0,
    cleanedUp: false,
    problem: null,
    weights: weights ?? null,
    started: null,
    finished: null,
    created: before?.created ?? at,
    modified: at,
    position: sequence,
    opened: before?.opened ?? sequence,
  };
}

const changes: Changes<BuildRow, BuildEvent> = {
  BuildRequested: (_row, data, where) => begin(undefined, data, where, 1),
  BuildRestarted: (row, data, where) => {
    const next = begin(row, data, where, data.generation);
    const kept = Object.entries(data.kept ?? {});
    return { ...next, steps: next.steps.map((step, index) => ({ ...step, outcome: kept.find(([at]) => Number(at) === index)?.[1].outcome ?? step.outcome, outputs: kept.find(([at]) => Number(at) === index)?.[1].outputs ?? null })) };
  },
  BuildAdmitted: (row, _data, where) => ({ ...required(row, where), activity: 'queued' }),
  BuildPreparing: (row, { attempt, hostLease, host }, where) => {
    const build = { ...required(row, where), attempt };
    const hosts = [...build.hosts.filter((one) => one.name !== (host ?? MAIN)), { name: host ?? MAIN, hostLease, workingCopyLease: null, ready: false, machine: null }];
    const asked = withHosts(build, hosts);
    return { ...become(asked, build.status === 'building' || build.beneath === 'building' ? 'building' : 'preparing'), activity: preparing(build, 'preparing host') };
  },
  BuildWorkingCopyRequested: (row, { workingCopyLease, host }, where) => {
    const build = required(row, where);
    return counted({ ...withHosts(build, hostOf(build, host, { workingCopyLease })), activity: preparing(build, 'preparing working copy') });
  },
  BuildWaiting: (row, { activity }, where) => {
    const build = required(row, where);
    return { ...build, activity: preparing(build, activity) };
  },
  BuildStarted: (row, { host, machine, commit }, where) => {
    const build = required(row, where);
    return counted({ ...become(withHosts(build, hostOf(build, host, { ready: true, machine: machine ?? null })), 'building'), commit: commit ?? build.commit, started: build.started ?? where.at, activity: 'starting' });
  },
  BuildHostReleased: (row, _data, where) => required(row, where),
  BuildPaused: (row, { reason }, where) => {
    const build = required(row, where);
    return { ...build, status: 'paused', beneath: build.status, activity: `paused (${reason})` };
  },
  BuildResumed: (row, _data, where) => {
    const build = required(row, where);
    return { ...build, status: build.beneath ?? build.status, beneath: null, activity: running({ ...build, activity: 'goes on' }) };
  },
  BuildMessaged: (row, { step, text, type }, where) => {
    const build = required(row, where);
    return type === 'work' && text !== undefined ? { ...build, activity: `${build.steps[step]?.name ?? 'a step'}: ${text}` } : build;
  },
  StepStarted: (row, { step, action, attempt }, where) => {
    const build = required(row, where);
    const next = { ...become(build, 'building'), steps: withStep(build, step, { outcome: 'running', action, tries: attempt ?? 1, started: where.at, durationMs: null, exitCode: null, error: null }) };
    return { ...next, activity: running(next) };
  },
  StepFinished: (row, { step, outcome, error, exitCode, durationMs, outputs, again }, where) => {
    const build = required(row, where);
    const steps = withStep(build, step, { outcome: again ? 'waiting' : outcome, error: error ?? null, exitCode: exitCode ?? null, durationMs, outputs: outputs ?? null });
    const next = counted({ ...build, steps });
    return { ...next, activity: running(next) };
  },
  StepsReset: (row, { steps }, where) => {
    const build = required(row, where);
    return { ...build, steps: build.steps.map((step, index) => (steps.includes(index) ? { ...step, outcome: 'waiting', durationMs: null, exitCode: null, error: null, outputs: null, report: null } : step)) };
  },
  ReportPublished: (row, { step, report }, where) => {
    const build = required(row, where);
    return { ...build, steps: withStep(build, step, { report }) };
  },
  ArtifactKept: (row, { name, object, bytes, sha256, type, generation, by }, where) => {
    const build = required(row, where);
    return kept(build, { name, type: type ?? 'file', bytes, sha256, uri: null, object, generation: generation ?? 1, by: by ?? null, pinned: build.artifacts.find((one) => one.name === name)?.pinned ?? false });
  },
  LinkAdded: (row, { name, type, uri, by, generation }, where) => kept(required(row, where), { name, type, bytes: null, sha256: null, uri, object: null, generation: generation ?? 1, by: by ?? null, pinned: false }),
  ArtifactPinned: (row, { name, pinned }, where) => {
    const build = required(row, where);
    return { ...build, artifacts: build.artifacts.map((one) => (one.name === name ? { ...one, pinned } : one)) };
  },
  ArtifactReleased: (row, { name }, where) => {
    const build = required(row, where);
    return { ...build, artifacts: build.artifacts.filter((one) => one.name !== name) };
  },
  BuildPassed: (row, _data, where) => ({ ...over(required(row, where), 'passed', null, where), percent: 100 }),
  BuildFailed: (row, { error, failure }, where) => ({ ...over(required(row, where), 'failed', error, where), failure: failure ?? null }),
  BuildAborted: (row, { reason }, where) => over(required(row, where), 'aborted', reason, where),
  BuildErrored: (row, { error }, where) => over(required(row, where), 'error', error, where),
  BuildRetried: (row, { error, yieldedTo }, where) => {
    const build = required(row, where);
    return {
      ...become(build, 'pending'), activity: 'queued', hosts: [], problem: yieldedTo === undefined ? error : build.problem,
      steps: build.steps.map((step) => ({ ...step, outcome: 'waiting', action: null, tries: 0, started: null, durationMs: null, exitCode: null, error: null, outputs: null, report: null })),
    };
  },
  BuildCleanedUp: (row, _data, where) => ({ ...required(row, where), cleanedUp: true, activity: 'cleaned up' }),
};

/** Each generation has its own of a name. */
const kept = (row: BuildRow, artifact: KeptArtifact): BuildRow => ({ ...row, artifacts: [...row.artifacts.filter((one) => one.name !== artifact.name || one.generation !== artifact.generation), artifact] });

/** Pure: a commit of a build into its row. */
export const foldBuild = (row: BuildRow | undefined, recorded: AnyRecorded): BuildRow | undefined => foldRow(changes, row, recorded);

/** Pure: a build as it was before the generation after this one began; undefined when it has not had this one. */
export function buildUpTo(build: readonly AnyRecorded[], generation: number): BuildRow | undefined {
  let row: BuildRow | undefined;
  for (const recorded of build) {
    const events = recorded.commit.events as BuildEvent[];
    const next = events.findIndex((event) => event.type === 'BuildRestarted' && event.data.generation > generation);
    const before = next === -1 ? events : events.slice(0, next);
    if (before.length > 0) row = foldBuild(row, { ...recorded, commit: { ...recorded.commit, events: before } } as AnyRecorded);
    if (next !== -1) break;
  }
  return row?.generation === generation ? row : undefined;
}

/** What the API shows of an artifact: its bytes are asked for by name. */
export function artifactView({ object: _object, ...view }: KeptArtifact): ArtifactView {
  return view;
}

/** The hosts and working copies of the present generation, as artifacts: each leads to its lease. */
export function leasedArtifacts({ hosts, generation }: BuildRow): ArtifactView[] {
  const leased = (type: 'host' | 'working-copy', name: string, lease: string): ArtifactView => ({ name: `${type}://${name}`, type, bytes: null, sha256: null, uri: `/api/v1/leases/${lease}`, generation, by: null, pinned: false });
  return hosts.flatMap(({ name, hostLease, workingCopyLease }) => [leased('host', name, hostLease), ...(workingCopyLease === null ? [] : [leased('working-copy', name, workingCopyLease)])]);
}

/** What the API shows of a row. */
export function buildView(row: BuildRow): BuildView {
  const { opened: _opened, problem: _problem, beneath: _beneath, weights: _weights, artifacts, ...view } = row;
  // The one under way is what the build is.
  const generations = view.generations.map((one) => (one.generation === view.generation ? { ...one, status: view.status } : one));
  return { ...view, generations, artifacts: artifacts.map(artifactView), remainingMs: remaining(row) };
}

/** An estimate by what its parts took before, as of its last event; null without a history, and when it is over. */
function remaining({ weights, steps, hosts, status }: BuildRow): number | null {
  if (!weights || status === 'passed' || status === 'failed' || status === 'aborted' || status === 'error') return null;
  const prepared = hosts.some((host) => host.ready) || steps.some(({ outcome }) => outcome !== 'waiting');
  const open = ({ outcome }: StepView) => outcome === 'waiting' || outcome === 'running';
  return (prepared ? 0 : (weights[0] ?? 0) + (weights[1] ?? 0)) + longestWay(steps.map((step, index) => ({ ms: open(step) ? (weights[index + 2] ?? 0) : 0, needs: step.needs })));
}
