import { unreachable } from '@berth/contracts';
import { hasBegunOnHost } from './build/advance.js';
import { hostFailures, isLive, type Build, type LiveBuild, type Place } from './build/build.js';
import { cleanUp, giveBackPast } from './clean-up.js';
import { own, type Due } from './due.js';
import { durationsOf } from './durations.js';
import { ids } from './ids.js';
import { ending, goneHost, isHostFault } from './ends.js';
import { requestCopy, requestHost } from './requests.js';
import { run } from './run.js';
import { leaseOver, type LeaseEnd, type View } from './view.js';

/**
 * Pure: all that is due for a build by what the feed has shown. Decided on the present state and never on a single event, so
 * it is the same after a restart as live; what is on its way already is for the caller to know. `now`: milliseconds since 1970.
 */
export function react(id: string, build: Build, view: View, now: number): Due[] {
  switch (build.status) {
    case 'none':
      return [];
    case 'pending':
      return [...timeOut(id, build, view, now), ...orphaned(id, build, view, now), ...(build.queued ? admission(id, build, view) : own({ type: 'Advance', build: id })), ...run(id, build, view, now), ...giveBackPast(id, build, view)];
    case 'preparing':
    case 'building':
      return [...timeOut(id, build, view, now), ...orphaned(id, build, view, now), ...goOn(id, build, view, now), ...giveBackPast(id, build, view)];
    case 'passed':
    case 'failed':
    case 'aborted':
    case 'error':
      return cleanUp(id, build, view);
    default:
      return unreachable(build);
  }
}

/** A build may take so long; then it has failed, whatever it is at. */
function timeOut(id: string, build: LiveBuild, view: View, now: number): Due[] {
  const { timeout } = build.about;
  const since = view.since(id);
  if (timeout === undefined || since === undefined) return [];
  const at = since + timeout;
  return now < at ? [{ to: 'clock', at }] : own({ type: 'TimeOut', error: `it took longer than the ${timeout / 1000} s that its plan allows`, durations: durationsOf(build, view, now) });
}

/** A build that a step has asked for ends when nothing waits for it any more: its step ran out of time, say, or begins again elsewhere. */
function orphaned(id: string, build: LiveBuild, view: View, now: number): Due[] {
  const { parent } = build.about;
  const caller = parent && view.build(parent.build);
  // One that somebody has restarted since is theirs.
  if (!caller || caller.status === 'none' || build.generation > 1) return [];
  if (isLive(caller) && caller.steps.some((step) => step.status === 'running' && step.action === id)) return [];
  return own({ type: 'Abort', reason: `step ${parent.step} of build ${parent.build} does not wait for it any more`, durations: durationsOf(build, view, now) });
}

/** A build that waits for others of its group, or that made way for an older one. */
function admission(id: string, build: LiveBuild, view: View): Due[] {
  if (build.yieldedTo !== undefined) {
    const older = view.olderGathering(id);
    return older ? waiting(build, `made way for build ${older.id}, which needs several hosts too`, '') : own({ type: 'Admit', build: id });
  }
  const { group, plan } = build.about;
  const before = group === undefined ? undefined : view.beforeInGroup(id, group);
  if (!before) return own({ type: 'Admit', build: id });
  const wait = waiting(build, `build ${before.id} of the same group is ${before.status}`, '');
  if (build.plan.concurrency?.policy !== 'cancel') return wait;
  return [...wait, { to: 'builds', type: 'AbortBuild', id: ids.ask(id, `instead of ${before.id}`), data: { build: before.id, reason: `a newer build of plan ${plan} takes its place: ${id}` } }];
}

/** Hosts that are not ready are got, steps that run are looked at. What ends the attempt goes before everything else. */
function goOn(id: string, build: LiveBuild, view: View, now: number): Due[] {
  const due: Due[] = [];
  const waits: Waits[] = [];
  for (const place of Object.values(build.places)) {
    if (place.path !== undefined) continue;
    const next = prepare(id, build, place, view, now);
    if (Array.isArray(next)) due.push(...next);
    else waits.push(next);
  }
  due.push(...waitsFor(build, waits));
  due.push(...run(id, build, view, now));
  const end = due.find((one) => one.to === 'build' && one.command.type === 'Retry') ?? due.find((one) => one.to === 'build' && one.command.type === 'GiveUp');
  if (end) return [end];
  // Whatever else is waited for: what is due for the build itself comes first.
  return due.some((one) => one.to === 'build' && one.command.type !== 'Wait') ? due : [...due, ...makeWay(id, build, view, now)];
}

// --- hosts: nothing has run on one that is not ready, so whatever it does to us can be tried elsewhere ---

/** What a host of a build waits for: why, when that is known, and what is done about it. */
interface Waits {
  reason: string | undefined;
  doing: string;
}

function prepare(id: string, build: LiveBuild, place: Place, view: View, now: number): Due[] | Waits {
  const { attempt, host: name, hostLease, workingCopyLease } = place;
  const interrupted = { outcome: 'cancelled' as const, error: 'its build could not go on', durations: durationsOf(build, view, now) };
  const host = view.lease(hostLease);
  if (!host) return [requestHost(build, place)];
  // First of all: on a host that is gone, everything else fails for reasons of its own.
  const gone = goneHost(host, view);
  if (gone) return own({ type: 'Retry', build: id, attempt, error: gone.why, interrupted });
  switch (host.status) {
    case 'refused': {
      const before = build.failures.length === 0 ? '' : ` (before that, ${hostFailures(build.failures)})`;
      return own({ type: 'GiveUp', attempt, error: `the host lease was refused: ${host.message}${before}`, interrupted });
    }
    case 'pending':
      return { reason: host.reason, doing: 'preparing host' };
    case 'acquired':
      return { reason: undefined, doing: 'preparing host' };
    case 'ending':
    case 'destroyed':
      return lost(id, attempt, host.end, interrupted);
    case 'active':
      if (workingCopyLease === undefined) return own({ type: 'RequestWorkingCopy', build: id, attempt, host: name });
      return prepareCopy(id, build, { ...place, workingCopyLease }, host.position, view, interrupted);
    default:
      return unreachable(host);
  }
}

type Interrupted = Parameters<typeof lost>[3];

/** A host that broke or whose time was up is the host's affair; one that somebody released was taken from the build. */
function lost(build: string, attempt: number, end: LeaseEnd, interrupted: { outcome: 'cancelled'; error: string; durations: Record<string, number> }): Due[] {
  const error = ending('the host lease', end);
  return own(end.how === 'released' ? { type: 'GiveUp', attempt, error, interrupted } : { type: 'Retry', build, attempt, error, interrupted });
}

function prepareCopy(id: string, build: LiveBuild, { attempt, host, hostLease, workingCopyLease: lease }: Required<Pick<Place, 'workingCopyLease'>> & Place, after: number, view: View, interrupted: Interrupted): Due[] | Waits {
  const copy = view.lease(lease);
  if (!copy) return [requestCopy(build, hostLease, lease, after)];
  const giveUp = (error: string) => own({ type: 'GiveUp', attempt, error, interrupted });
  const retry = (error: string) => own({ type: 'Retry', build: id, attempt, error, interrupted });
  switch (copy.status) {
    case 'refused': {
      const error = `the working-copy lease was refused: ${copy.message}`;
      return leaseOver.has(copy.code) ? retry(error) : giveUp(error);
    }
    case 'pending':
      return { reason: copy.reason, doing: 'preparing working copy' };
    case 'acquired':
      return { reason: undefined, doing: 'preparing working copy' };
    case 'ending':
    case 'destroyed':
      if (copy.end.how === 'broken') return isHostFault(copy.end.detail) ? retry(copy.end.detail) : giveUp(copy.end.detail);
      return giveUp(ending('the working-copy lease', copy.end));
    case 'active': {
      if (copy.path === undefined) return giveUp('the working copy was made without a folder');
      const at = view.lease(hostLease);
      const machine = at?.status === 'active' ? view.host(at.resource)?.machine : undefined;
      return own({ type: 'Start', build: id, attempt, host, path: copy.path, commit: copy.commit, machine });
    }
    default:
      return unreachable(copy);
  }
}

/** Of all hosts in one: told one by one, each would take the place of the other for ever. */
function waitsFor(build: LiveBuild, waits: readonly Waits[]): Due[] {
  if (!waits[0]) return [];
  const reasons = [...new Set(waits.flatMap(({ reason }) => reason ?? []))];
  return waiting(build, reasons.length > 0 ? reasons.join('; ') : undefined, waits[0].doing);
}

/** Why a lease waits is why the build waits. When the wait is over, that is told too, but only to who was told of it. */
function waiting(build: LiveBuild, reason: string | undefined, otherwise: string): Due[] {
  const activity = reason !== undefined ? `waiting: ${reason}` : build.waiting === undefined ? undefined : otherwise;
  if (activity === undefined || activity === build.waiting) return [];
  return own({ type: 'Wait', activity });
}

/**
 * A build that holds a host and waits for another, while an older one does the same, gives its hosts back before any step has
 * run on them: or two could wait for each other for ever. The oldest never gives way, so one always gets on.
 */
function makeWay(id: string, build: LiveBuild, view: View, now: number): Due[] {
  if (!isGathering(build, view)) return [];
  const older = view.olderGathering(id);
  return older ? own({ type: 'Yield', build: id, attempt: build.attempt, to: older.id, durations: durationsOf(build, view, now) }) : [];
}

/** It holds at least one host and waits for at least one other, which is known not to be free. */
export function isGathering(build: Build, view: Pick<View, 'lease'>): boolean {
  // Steps without a host may run meanwhile. Once one has begun on a host, nothing is given back any more.
  if ((build.status !== 'preparing' && build.status !== 'building') || hasBegunOnHost(build)) return false;
  const leases = Object.values(build.places).map(({ hostLease }) => view.lease(hostLease));
  return leases.some((lease) => lease?.status === 'active') && leases.some((lease) => lease?.status === 'pending' && lease.reason !== undefined);
}
