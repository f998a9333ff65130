import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { ArtifactView, BuildView, StepView } from '@berth/client';
import { foldRow, required, type Changes, type Row } from './row.js';

/** An artifact, with the object that holds its bytes. */
export type KeptArtifact = ArtifactView & { object: string };

/** A row of the projection `build`. */
export type BuildRow = Omit<BuildView, 'artifacts'> & Row & { artifacts: KeptArtifact[] };

const fresh = (name: string): StepView => ({ name, outcome: 'waiting', action: null, durationMs: null, exitCode: null, error: null });
const withStep = (row: BuildRow, index: number, step: Partial<StepView>): StepView[] => row.steps.map((old, i) => (i === index ? { ...old, ...step } : old));
const over = new Set<StepView['outcome']>(['passed', 'failed', 'lost', 'cancelled']);
/** Finished steps among all: a build that has not passed is never at 100. */
const percentOf = (steps: StepView[]): number => Math.min(99, Math.floor((100 * steps.filter((s) => over.has(s.outcome)).length) / steps.length));

const changes: Changes<BuildRow, BuildEvent> = {
  BuildRequested: (_row, { plan, planVersion, initiator }, { id, sequence, at }) => ({
    id,
    plan: plan.name,
    planVersion,
    status: 'pending',
    percent: 0,
    activity: 'queued',
    error: null,
    initiator,
    hostLease: null,
    workingCopyLease: null,
    steps: plan.steps.map((step) => fresh(step.name)),
    artifacts: [],
    attempt: 0,
    cleanedUp: false,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  BuildPreparing: (row, { attempt, hostLease }, where) => ({
    ...required(row, where),
    status: 'preparing',
    attempt,
    hostLease,
    workingCopyLease: null,
    activity: 'asking for a host',
    error: null,
  }),
  BuildWorkingCopyRequested: (row, { workingCopyLease }, where) => ({ ...required(row, where), workingCopyLease, activity: 'preparing the working copy' }),
  BuildWaiting: (row, { activity }, where) => ({ ...required(row, where), activity }),
  BuildStarted: (row, _data, where) => ({ ...required(row, where), status: 'building', activity: 'the working copy is ready' }),
  StepStarted: (row, { step, name, action }, where) => {
    const build = required(row, where);
    return { ...build, activity: `step ${step + 1} of ${build.steps.length}: ${name}`, steps: withStep(build, step, { outcome: 'running', action }) };
  },
  StepFinished: (row, { step, outcome, error, exitCode, durationMs }, where) => {
    const build = required(row, where);
    const steps = withStep(build, step, { outcome, error: error ?? null, exitCode: exitCode ?? null, durationMs });
    return { ...build, steps, percent: percentOf(steps) };
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
    return { ...build, status: 'preparing', percent: 0, activity: 'its host failed; asking for another one', error, steps: build.steps.map((step) => fresh(step.name)) };
  },
  BuildCleanedUp: (row, _data, where) => ({ ...required(row, where), cleanedUp: true, activity: null }),
};

/** Pure: a commit of a build into its row. */
export const foldBuild = (row: BuildRow | undefined, recorded: AnyRecorded): BuildRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of an artifact: its bytes are asked for by name. */
export const artifactView = ({ name, bytes, sha256 }: KeptArtifact): ArtifactView => ({ name, bytes, sha256 });

/** What the API shows of a row. */
export function buildView({ opened: _opened, artifacts, ...view }: BuildRow): BuildView {
  return { ...view, artifacts: artifacts.map(artifactView) };
}
