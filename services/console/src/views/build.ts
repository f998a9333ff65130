import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { ArtifactView, BuildView, StepView } from '@berth/client';
import { foldRow, required, type Changes, type Row } from './row.js';

/** An artifact, with the object that holds its bytes. */
export type KeptArtifact = ArtifactView & { object: string };

/** A row of the projection `build`. */
export type BuildRow = Omit<BuildView, 'artifacts'> & Row & { artifacts: KeptArtifact[]; /** why the attempt before was given up */ problem: string | null };

const fresh = (name: string): StepView => ({ name, outcome: 'waiting', action: null, durationMs: null, exitCode: null, error: null });
const withStep = (row: BuildRow, index: number, step: Partial<StepView>): StepView[] => row.steps.map((old, i) => (i === index ? { ...old, ...step } : old));
/** As the feed for frontends counts: getting the host and the working copy are a step each, and it never goes back. */
const percentAt = (row: BuildRow, done: number): number => Math.max(row.percent, Math.floor((100 * done) / (row.steps.length + 2)));
const preparing = (row: Pick<BuildRow, 'attempt' | 'problem'>, doing: string): string => (row.problem === null ? doing : `${doing} (attempt ${row.attempt}, after: ${row.problem})`);

const changes: Changes<BuildRow, BuildEvent> = {
  BuildRequested: (_row, { plan, planVersion, initiator, project, priority }, { id, sequence, at }) => ({
    id,
    plan: plan.name,
    planVersion,
    status: 'pending',
    percent: 0,
    activity: 'queued',
    error: null,
    initiator,
    project: project ?? null,
    priority: priority ?? 100,
    hostLease: null,
    workingCopyLease: null,
    steps: plan.steps.map((step) => fresh(step.name)),
    artifacts: [],
    attempt: 0,
    cleanedUp: false,
    problem: null,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  BuildPreparing: (row, { attempt, hostLease }, where) => {
    const build = { ...required(row, where), attempt };
    return { ...build, status: 'preparing', hostLease, workingCopyLease: null, activity: preparing(build, 'preparing host') };
  },
  BuildWorkingCopyRequested: (row, { workingCopyLease }, where) => {
    const build = required(row, where);
    return { ...build, workingCopyLease, activity: preparing(build, 'preparing working copy'), percent: percentAt(build, 1) };
  },
  BuildWaiting: (row, { activity }, where) => {
    const build = required(row, where);
    return { ...build, activity: preparing(build, activity) };
  },
  BuildStarted: (row, _data, where) => {
    const build = required(row, where);
    return { ...build, status: 'building', activity: 'starting', percent: percentAt(build, 2) };
  },
  StepStarted: (row, { step, name, action }, where) => {
    const build = required(row, where);
    return { ...build, activity: `step ${step + 1} of ${build.steps.length}: ${name}`, steps: withStep(build, step, { outcome: 'running', action }) };
  },
  StepFinished: (row, { step, outcome, error, exitCode, durationMs }, where) => {
    const build = required(row, where);
    const steps = withStep(build, step, { outcome, error: error ?? null, exitCode: exitCode ?? null, durationMs });
    return { ...build, steps, percent: percentAt(build, outcome === 'passed' ? step + 3 : step + 2) };
  },
  ArtifactKept: (row, artifact, where) => {
    const build = required(row, where);
    return { ...build, artifacts: [...build.artifacts.filter((a) => a.name !== artifact.name), artifact] };
  },
  BuildPassed: (row, _data, where) => ({ ...required(row, where), status: 'passed', percent: 100, activity: 'cleaning up' }),
  BuildFailed: (row, { error }, where) => ({ ...required(row, where), status: 'failed', error, activity: 'cleaning up' }),
  BuildAborted: (row, { reason }, where) => ({ ...required(row, where), status: 'aborted', error: reason, activity: 'cleaning up' }),
  BuildErrored: (row, { error }, where) => ({ ...required(row, where), status: 'error', error, activity: 'cleaning up' }),
  BuildRetried: (row, { error }, where) => {
    const build = required(row, where);
    return { ...build, status: 'pending', activity: 'queued', problem: error, steps: build.steps.map((step) => fresh(step.name)) };
  },
  BuildCleanedUp: (row, _data, where) => ({ ...required(row, where), cleanedUp: true, activity: 'cleaned up' }),
};

/** Pure: a commit of a build into its row. */
export const foldBuild = (row: BuildRow | undefined, recorded: AnyRecorded): BuildRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of an artifact: its bytes are asked for by name. */
export const artifactView = ({ name, bytes, sha256 }: KeptArtifact): ArtifactView => ({ name, bytes, sha256 });

/** What the API shows of a row. */
export function buildView({ opened: _opened, problem: _problem, artifacts, ...view }: BuildRow): BuildView {
  return { ...view, artifacts: artifacts.map(artifactView) };
}
