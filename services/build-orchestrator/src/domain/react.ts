import { unreachable, type CommandInput } from '@berth/contracts';
import type { Attempt, Build, BuildCommand, EndedBuild, Interrupted, LiveBuild } from './build.js';
import { ids } from './ids.js';
import { stepKind } from './steps/index.js';
import { leaseOver, type LeaseEnd, type LeaseView, type View } from './view.js';

/** Something that has to be told, and to whom. The id of a command is the id of what it makes. `after`: the position it rests on. */
export type Due =
  | { to: 'build'; command: BuildCommand }
  | { to: 'lease'; type: 'RequestLease'; id: string; after: number; data: CommandInput<'lease', 'RequestLease'> }
  | { to: 'lease'; type: 'ReleaseLease'; id: string; after: number; data: CommandInput<'lease', 'ReleaseLease'> }
  | { to: 'host-agent-gateway'; type: 'RunAction'; id: string; after: number; data: CommandInput<'host-agent-gateway', 'RunAction'> };

type Request = Extract<Due, { type: 'RequestLease' }>;
type Preparing = Extract<Build, { status: 'preparing' }>;
type Building = Extract<Build, { status: 'building' }>;

/** How the gateway and the allocator mark a fault of the host or of the way to it. */
const HOST_FAULT = 'host unreachable:';

const own = (command: BuildCommand): Due[] => [{ to: 'build', command }];

/**
 * Pure: all that is due for a build by what the feed has shown. Decided on the present state and never on a single event, so
 * it is the same after a restart as live; what is on its way already is for the caller to know.
 */
export function react(id: string, build: Build, view: View): Due[] {
  switch (build.status) {
    case 'none':
      return [];
    case 'pending':
      return [...own({ type: 'Prepare', build: id }), ...giveBackPast(build, view)];
    case 'preparing':
      return [...prepare(id, build, view), ...giveBackPast(build, view)];
    case 'building':
      return [...run(id, build, view), ...giveBackPast(build, view)];
    case 'passed':
    case 'failed':
    case 'aborted':
    case 'error':
      return cleanUp(build, view);
    default:
      return unreachable(build);
  }
}

// --- preparing: nothing has run in this attempt, so whatever a host does to us can be tried elsewhere ---

function prepare(id: string, build: Preparing, view: View): Due[] {
  const { attempt, hostLease, workingCopyLease } = build.current;
  const host = view.lease(hostLease);
  if (!host) return [requestHost(build, hostLease)];
  switch (host.status) {
    case 'refused':
      return own({ type: 'GiveUp', attempt, error: `the host lease was refused: ${host.message}` });
    case 'pending':
      return waiting(build, host.reason, 'preparing host');
    case 'acquired':
      return waiting(build, undefined, 'preparing host');
    case 'ending':
    case 'destroyed':
      return lost(id, attempt, host.end);
    case 'active':
      if (workingCopyLease === undefined) return own({ type: 'RequestWorkingCopy', build: id, attempt });
      return prepareCopy(id, build, workingCopyLease, host.position, view);
    default:
      return unreachable(host);
  }
}

/** A host that broke or whose time was up is the host's affair; one that somebody released was taken from the build. */
function lost(build: string, attempt: number, end: LeaseEnd): Due[] {
  const error = ending('the host lease', end);
  return own(end.how === 'released' ? { type: 'GiveUp', attempt, error } : { type: 'Retry', build, attempt, error });
}

function prepareCopy(id: string, build: Preparing, lease: string, after: number, view: View): Due[] {
  const { attempt, hostLease } = build.current;
  const copy = view.lease(lease);
  if (!copy) return [requestCopy(build, hostLease, lease, after)];
  switch (copy.status) {
    case 'refused': {
      const error = `the working-copy lease was refused: ${copy.message}`;
      return own(leaseOver.has(copy.code) ? { type: 'Retry', build: id, attempt, error } : { type: 'GiveUp', attempt, error });
    }
    case 'pending':
      return waiting(build, copy.reason, 'preparing working copy');
    case 'acquired':
      return waiting(build, undefined, 'preparing working copy');
    case 'ending':
    case 'destroyed':
      if (copy.end.how === 'broken') {
        const { detail: error } = copy.end;
        return own(isHostFault(error) ? { type: 'Retry', build: id, attempt, error } : { type: 'GiveUp', attempt, error });
      }
      return own({ type: 'GiveUp', attempt, error: ending('the working-copy lease', copy.end) });
    case 'active':
      if (copy.path === undefined) return own({ type: 'GiveUp', attempt, error: 'the working copy was made without a folder' });
      return own({ type: 'Start', build: id, attempt, path: copy.path, commit: copy.commit });
    default:
      return unreachable(copy);
  }
}

/** Why a lease waits is why the build waits. When the wait is over, that is told too, but only to who was told of it. */
function waiting(build: Preparing, reason: string | undefined, otherwise: string): Due[] {
  const activity = reason !== undefined ? `waiting: ${reason}` : build.waiting === undefined ? undefined : otherwise;
  if (activity === undefined || activity === build.waiting) return [];
  return own({ type: 'Wait', attempt: build.current.attempt, activity });
}

// --- building ---

function run(id: string, build: Building, view: View): Due[] {
  const { step } = build;
  // Between the end of a step and what follows there is no commit boundary: nothing to do in such a state.
  if (!step?.running) return [];
  const { attempt, hostLease, workingCopyLease } = build.current;
  const planned = build.plan.steps[step.index]!;
  const action = view.action(step.action);
  const giveUp = (error: string, outcome: Interrupted['outcome'], durationMs: number) => own({ type: 'GiveUp', attempt, error, step: { outcome, error, durationMs } });

  // The end of the action first: what ran to its end has its verdict, whatever became of the leases since.
  switch (action?.status) {
    case 'succeeded':
    case 'failed': {
      const { durationMs } = action;
      const verdict = stepKind(planned).verdict(planned, action.status === 'failed' ? { ...action, how: 'failed' } : { ...action, how: 'succeeded' }, { build: id, env: {} });
      if (verdict) return own({ type: 'FinishStep', build: id, action: step.action, verdict, durationMs });
      if (action.status === 'succeeded') return giveUp(`step ${step.name} could not be carried out: its result is incomplete`, 'lost', durationMs);
      if (leaseOver.has(action.code)) return giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs);
      if (action.code !== 'unreachable' && !isHostFault(action.error)) return giveUp(`step ${step.name} could not be carried out: ${action.error}`, 'lost', durationMs);
      // The host vanished. Only a build of which nothing has run yet may begin again elsewhere by itself.
      if (action.started) return giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', durationMs);
      if (step.index > 0) return giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs);
      return own({ type: 'Retry', build: id, attempt, error: action.error, step: { outcome: 'cancelled', error: action.error, durationMs } });
    }
    case 'lost':
      // Never run again by ourselves: the host can't say how far the step came, and a second run of a step that publishes or
      // pays does harm that only its owner can judge. The build says that it doesn't know, and its owner decides.
      return giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', action.durationMs);
    case 'cancelled':
      return giveUp(`step ${step.name} was cancelled: ${action.reason}`, 'cancelled', action.durationMs);
    case 'refused':
      return giveUp(`step ${step.name} was not run: ${action.message}`, 'cancelled', 0);
    case 'requested':
    case undefined:
      break;
    default:
      return unreachable(action);
  }

  const copy = view.lease(workingCopyLease);
  const ended = endOf(view.lease(hostLease), 'the host lease') ?? endOf(copy, 'the working-copy lease');
  if (ended) {
    const durationMs = Math.max(0, ended.end.at - ((action?.status === 'requested' ? action.startedAt : undefined) ?? ended.end.at));
    // Once its command is out the step may be running, so a broken lease leaves its outcome open; a lease that was ended on
    // purpose has the gateway kill what runs.
    if (ended.end.how === 'broken' && action) return giveUp(`the outcome of step ${step.name} is unknown: ${ended.why}`, 'lost', durationMs);
    return giveUp(`step ${step.name} was cancelled: ${ended.why}`, 'cancelled', durationMs);
  }
  if (action || copy?.status !== 'active') return [];
  const spec = stepKind(planned).action(planned, { build: id, env: environment(id, build) });
  return [{ to: 'host-agent-gateway', type: 'RunAction', id: step.action, after: copy.position, data: { lease: workingCopyLease, token: copy.token, spec } }];
}

/** What all steps of a build see; a step's own environment comes on top. */
function environment(id: string, build: Building): Record<string, string> {
  const { plan, variables, commit } = build;
  return { ...plan.env, ...variables, BERTH_BUILD_ID: id, BERTH_BUILD_PLAN: plan.name, ...(commit !== undefined && { BERTH_COMMIT: commit }) };
}

// --- the end: leases are given back, whatever the verdict ---

function cleanUp(build: EndedBuild, view: View): Due[] {
  if (build.cleaned) return [];
  const { due, gone } = giveBack(build.attempts, build, `the build is over: ${build.status}`, view);
  return gone ? own({ type: 'CleanUp' }) : due;
}

const giveBackPast = (build: LiveBuild, view: View): Due[] => giveBack(build.past, build, 'another host is tried', view).due;

/** Gives the leases of attempts back: the working copy first, and the host once nothing of the working copy is left on it. */
function giveBack(attempts: readonly Attempt[], build: LiveBuild | EndedBuild, reason: string, view: View): { due: Due[]; gone: boolean } {
  const due: Due[] = [];
  let gone = true;
  for (const { hostLease, workingCopyLease } of attempts) {
    const copy = workingCopyLease === undefined ? 'gone' : giveBackOne(view.lease(workingCopyLease), requestCopy(build, hostLease, workingCopyLease, after(view.lease(hostLease))), reason);
    const left = copy === 'gone' ? giveBackOne(view.lease(hostLease), requestHost(build, hostLease), reason) : copy;
    if (left === 'gone') continue;
    gone = false;
    due.push(...left);
  }
  return { due, gone };
}

/**
 * A lease that was never seen is asked for once more before it is given back: the first request may still wait in the queue
 * (of a process that was killed, say), and would make a lease that nobody knows of.
 */
function giveBackOne(lease: LeaseView | undefined, request: Request, reason: string): Due[] | 'gone' {
  switch (lease?.status) {
    case undefined:
      return [request];
    case 'pending':
    case 'acquired':
    case 'active':
      return [{ to: 'lease', type: 'ReleaseLease', id: ids.release(request.id), after: lease.position, data: { lease: request.id, reason } }];
    case 'ending':
      return [];
    case 'destroyed':
      return 'gone';
    case 'refused':
      return lease.code === 'unavailable' ? [request] : 'gone';
    default:
      return unreachable(lease);
  }
}

// --- requests and words ---

function requestHost({ about }: LiveBuild | EndedBuild, id: string): Request {
  return { to: 'lease', type: 'RequestLease', id, after: 0, data: { type: 'host', owner: about.initiator, attributes: { remote: 'yes', ...about.host } } };
}

function requestCopy({ about }: LiveBuild | EndedBuild, hostLease: string, id: string, after: number): Request {
  return { to: 'lease', type: 'RequestLease', id, after, data: { type: 'working-copy', owner: about.initiator, host: { lease: hostLease }, workingCopy: about.workingCopy } };
}

const after = (lease: LeaseView | undefined): number => (lease && lease.status !== 'refused' ? lease.position : 0);
const isHostFault = (error: string): boolean => error.startsWith(HOST_FAULT);

function endOf(lease: LeaseView | undefined, what: string): { end: LeaseEnd; why: string } | undefined {
  return lease?.status === 'ending' || lease?.status === 'destroyed' ? { end: lease.end, why: ending(what, lease.end) } : undefined;
}

const words = { released: 'was released', expired: 'expired', broken: 'broke' } as const satisfies Record<LeaseEnd['how'], string>;
const ending = (what: string, { how, detail }: LeaseEnd): string => `${what} ${words[how]}: ${detail}`;
