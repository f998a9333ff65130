import { unreachable, type BuildEvent, type StatusEvent } from '@berth/contracts';
import type { Attempt, Build } from './build.js';

type Known = Exclude<Build, { status: 'none' }>;

/** What frontends are told of a build. `told`: the events that brought it here. */
export function buildStatus(id: string, build: Known, told: readonly BuildEvent[]): { name: string; data: StatusEvent['data'] } {
  const { plan, planVersion, initiator, project, steps } = build.about;
  const attempt = attemptOf(build);
  const step = 'step' in build && build.step ? { step: build.step.index, name: build.step.name, of: steps } : null;
  return {
    name: typeName(build, told),
    data: {
      id,
      status: build.status,
      percent: build.percent,
      activity: activity(build),
      error: problem(build),
      plan,
      planVersion,
      initiator,
      project: project ?? null,
      hostLease: attempt?.hostLease ?? null,
      workingCopyLease: attempt?.workingCopyLease ?? null,
      step,
      cleanedUp: 'cleaned' in build && build.cleaned,
    },
  };
}

/** CDEvents where one exists. Each of those says that something happened, so it is told once; the rest is progress. */
function typeName(build: Known, told: readonly BuildEvent[]): string {
  for (const event of told) {
    if (event.type === 'BuildRequested') return 'dev.cdevents.build.queued.0.2.0';
    if (event.type === 'BuildStarted') return 'dev.cdevents.build.started.0.2.0';
    if (event.type === 'BuildPassed' || event.type === 'BuildFailed' || event.type === 'BuildAborted' || event.type === 'BuildErrored') return 'dev.cdevents.build.finished.0.2.0';
  }
  return `dev.berth.build.${build.status}`;
}

/** The attempt under way, or the last one. */
function attemptOf(build: Known): Attempt | undefined {
  if (build.status === 'pending') return undefined;
  return build.status === 'preparing' || build.status === 'building' ? build.current : build.attempts.at(-1);
}

function activity(build: Known): string {
  switch (build.status) {
    case 'pending':
      return 'queued';
    case 'preparing': {
      const { attempt, workingCopyLease } = build.current;
      const doing = build.waiting ?? (workingCopyLease === undefined ? 'preparing host' : 'preparing working copy');
      const failure = build.failures.at(-1);
      return failure === undefined ? doing : `${doing} (attempt ${attempt} of ${build.about.retries + 1}, after: ${failure})`;
    }
    case 'building':
      return build.step ? `step ${build.step.index + 1} of ${build.about.steps}: ${build.step.name}` : 'starting';
    case 'failed':
    case 'error':
      return build.cleaned ? 'cleaned up' : (build.held ?? 'cleaning up');
    case 'passed':
    case 'aborted':
      return build.cleaned ? 'cleaned up' : 'cleaning up';
    default:
      return unreachable(build);
  }
}

function problem(build: Known): string | null {
  if (build.status === 'failed' || build.status === 'error') return build.error;
  return build.status === 'aborted' ? build.reason : null;
}
