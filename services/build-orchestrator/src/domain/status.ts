import { longestWay, unreachable, type BuildEvent, type StatusEvent } from '@berth/contracts';
import { isLive, isOver, stepIdOf, type Build, type LiveBuild, type Place } from './build/build.js';
import { needsOf } from './build/graph.js';
import { kindNameOf, runsOnHost } from './steps/names.js';

type Known = Exclude<Build, { status: 'none' }>;

/** What frontends are told of a build. `told`: the events that brought it here. */
export function buildStatus(id: string, build: Known, told: readonly BuildEvent[]): { name: string; data: StatusEvent['data'] } {
  const { plan, planVersion, initiator, project, steps, url } = build.about;
  const place = placeOf(build);
  return {
    name: typeName(build, told),
    data: {
      id,
      status: isLive(build) && build.paused !== undefined ? 'paused' : build.status,
      percent: build.percent,
      activity: activity(build),
      error: problem(build),
      plan,
      planVersion,
      generation: build.generation,
      initiator,
      project: project ?? null,
      url: url ?? null,
      hostLease: place?.hostLease ?? null,
      workingCopyLease: place?.workingCopyLease ?? null,
      step: stepOf(build, steps),
      remainingMs: isLive(build) ? (remaining(build) ?? null) : null,
      failure: build.status === 'failed' ? (build.failure ?? null) : null,
      cleanedUp: 'cleaned' in build && build.cleaned,
    },
  };
}

/** CDEvents where one exists. Each of those says that something happened, so it is told once; the rest is progress. */
function typeName(build: Known, told: readonly BuildEvent[]): string {
  for (const event of told) {
    if (event.type === 'BuildPassed' || event.type === 'BuildFailed' || event.type === 'BuildAborted' || event.type === 'BuildErrored') return 'dev.cdevents.build.finished.0.2.0';
  }
  for (const event of told) {
    if (event.type === 'BuildRequested' || event.type === 'BuildRestarted') return 'dev.cdevents.build.queued.0.2.0';
    if (event.type === 'BuildStarted' && event.data.host === undefined) return 'dev.cdevents.build.started.0.2.0';
  }
  return `dev.berth.build.${build.status}`;
}

/** The first host of the attempt under way, or the last one that there was. */
function placeOf(build: Known): Partial<Place> | undefined {
  if ('last' in build) return build.last;
  if (!isLive(build)) return 'places' in build ? build.places.findLast((place) => place.attempt === build.attempt) ?? build.places.at(-1) : undefined;
  return Object.values(build.places)[0] ?? (build.status === 'pending' ? undefined : build.past.at(-1));
}

/** The first step that runs, else the last one that has run. */
function stepOf(build: Known, of: number): { step: number; name: string; of: number } | null {
  if ('last' in build) return build.last.step ? { ...build.last.step, of } : null;
  const running = build.steps.findIndex((step) => step.status === 'running');
  const at = running >= 0 ? running : build.steps.findLastIndex((step) => step.tries > 0);
  return at < 0 ? null : { step: at, name: build.plan.steps[at]!.name, of };
}

function activity(build: Known): string {
  switch (build.status) {
    case 'pending':
      return build.waiting ?? 'queued';
    case 'preparing':
      return afterFailures(build, preparing(build));
    case 'building':
      return paused(build) + (build.waiting !== undefined && !running(build) ? build.waiting : doing(build));
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

const paused = ({ paused: reason }: LiveBuild): string => (reason === undefined ? '' : `paused (${reason}); `);

function preparing(build: LiveBuild): string {
  if (build.waiting !== undefined) return build.waiting;
  const places = Object.values(build.places).filter((place) => place.path === undefined);
  return places.every((place) => place.workingCopyLease !== undefined) ? 'preparing working copy' : 'preparing host';
}

function afterFailures({ failures, about }: LiveBuild, doing: string): string {
  const failure = failures.at(-1);
  return failure === undefined ? doing : `${doing} (attempt ${failures.length + 1} of ${about.retries + 1}, after: ${failure})`;
}

const running = ({ steps }: LiveBuild): boolean => steps.some((step) => step.status === 'running');

function doing(build: LiveBuild): string {
  const { plan, steps, about, messages } = build;
  const at = steps.flatMap((step, index) => (step.status === 'running' ? [index] : []));
  if (at.length === 0) return Object.values(build.places).some((place) => place.path === undefined) ? afterFailures(build, preparing(build)) : 'starting';
  if (at.length > 1) return `${at.length} of ${about.steps} steps run: ${at.map((index) => plan.steps[index]!.name).join(', ')}`.slice(0, 512);
  const index = at[0]!;
  const kind = kindNameOf(plan.steps[index]!);
  const step = steps[index]!;
  const news = messages[index]?.text;
  const again = step.tries > 1 ? ` (try ${step.tries})` : '';
  const waits = kind === 'wait-for-message' || kind === 'wait-for-approval' ? ` (waits for ${kind === 'wait-for-approval' ? 'an approval' : 'a message'} on step ${stepIdOf(plan, index)}${news === undefined ? '' : `; ${news}`})` : '';
  return `step ${index + 1} of ${about.steps}: ${plan.steps[index]!.name}${again}${waits}`;
}

function problem(build: Known): string | null {
  if (build.status === 'failed' || build.status === 'error') return build.error;
  return build.status === 'aborted' ? build.reason : null;
}

/** Milliseconds that the longest way to the end took before: an estimate, of when the last event was told. Nothing without a history. */
export function remaining(build: LiveBuild): number | undefined {
  const { weights, steps, plan, places } = build;
  if (!weights) return undefined;
  const needsHost = steps.some((step, index) => !isOver(step) && runsOnHost(plan.steps[index]!));
  const prepared = !needsHost || Object.values(places).some((place) => place.path !== undefined);
  const parts = steps.map((step, index) => ({ ms: isOver(step) ? 0 : (weights[index + 2] ?? 0), needs: needsOf(plan.steps[index]!, index) }));
  return (prepared ? 0 : (weights[0] ?? 0) + (weights[1] ?? 0)) + longestWay(parts);
}
