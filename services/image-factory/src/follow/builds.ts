import { unreachable, type BuildEvent, type KeptFile } from '@berth/contracts';

/** A build that makes or tests an image, as its events tell it. */
export interface FollowedBuild {
  /** ids of its steps, as numbered in its events */
  steps: readonly string[];
  /** steps that are over */
  over: ReadonlySet<number>;
  /** the step that began last */
  at?: number;
  /** what it waits for, before its steps */
  activity: string;
  /** by name */
  artifacts: ReadonlyMap<string, KeptFile>;
  /** the lease of its host */
  hostLease?: string;
  end?: { passed: boolean; error: string };
}

const begun = (steps: readonly { id?: string | undefined; name: string }[]): FollowedBuild => ({ steps: steps.map(({ id, name }) => id ?? name), over: new Set(), activity: 'waits for a host', artifacts: new Map() });

/** Folds one event. Pure; undefined in: it was not known before. */
export function followBuild(build: FollowedBuild | undefined, event: BuildEvent): FollowedBuild | undefined {
  if (event.type === 'BuildRequested') return begun(event.data.plan.steps);
  if (!build) return undefined;
  switch (event.type) {
    case 'BuildRestarted':
      return begun(event.data.plan.steps);
    case 'BuildPreparing':
      return { ...build, hostLease: event.data.hostLease, activity: 'waits for a host' };
    case 'BuildWaiting':
      return { ...build, activity: event.data.activity };
    case 'BuildWorkingCopyRequested':
      return { ...build, activity: 'prepares a working copy' };
    case 'StepStarted':
      return { ...build, at: event.data.step };
    case 'StepFinished':
      return event.data.again ? build : { ...build, over: new Set(build.over).add(event.data.step) };
    case 'StepsReset':
      return { ...build, over: new Set([...build.over].filter((step) => !event.data.steps.includes(step))) };
    case 'ArtifactKept': {
      const { name, object, bytes, sha256 } = event.data;
      return { ...build, artifacts: new Map(build.artifacts).set(name, { name, object, bytes, sha256 }) };
    }
    case 'BuildPassed':
      return { ...build, end: { passed: true, error: '' } };
    case 'BuildFailed': {
      const { error, failure } = event.data;
      return { ...build, end: { passed: false, error: failure?.tail ? `${error}: ${failure.tail.trim().slice(-2000)}` : error } };
    }
    case 'BuildErrored':
      return { ...build, end: { passed: false, error: event.data.error } };
    case 'BuildAborted':
      return { ...build, end: { passed: false, error: `its build was aborted: ${event.data.reason}` } };
    case 'BuildRetried': {
      const { at: _at, ...left } = build;
      return { ...left, over: new Set(), activity: `another host is asked for: ${event.data.error}` };
    }
    case 'BuildAdmitted':
    case 'BuildStarted':
    case 'BuildHostReleased':
    case 'BuildPaused':
    case 'BuildResumed':
    case 'BuildMessaged':
    case 'ReportPublished':
    case 'LinkAdded':
    case 'ArtifactPinned':
    case 'ArtifactReleased':
    case 'BuildCleanedUp':
      return build;
    default:
      return unreachable(event);
  }
}
