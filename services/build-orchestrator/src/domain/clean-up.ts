import { unreachable } from '@berth/contracts';
import type { EndedBuild, EndingBuild, LiveBuild, Place } from './build/build.js';
import { own, type Due, type Request } from './due.js';
import { ids } from './ids.js';
import { after, requestCopy, requestHost } from './requests.js';
import { extraRequest } from './steps/lease.js';
import { kindNameOf, runsOnHost } from './steps/names.js';
import type { LeaseView, View } from './view.js';

/** Between being told to end and being killed, when a build is over: with the looks before and after, an abort is felt within two seconds. */
const STRAY_GRACE_MS = 500;

/** What is due after the verdict: what runs is ended; leases are given back, whatever it was, once hosts are held where they are to be. */
export function cleanUp(id: string, build: EndedBuild, view: View): Due[] {
  if (build.cleaned) return [];
  const running = endStray(build, view);
  if (running.length > 0) return running;
  const held = hold(id, build, view);
  if (held) return held;
  const { due, gone } = giveBack(id, build.places, build, `the build is over: ${build.status}`, view);
  return gone ? own({ type: 'CleanUp' }) : due;
}

export const giveBackPast = (id: string, build: LiveBuild, view: View): Due[] => giveBack(id, build.past, build, 'another host is tried, or this one is not needed any more', view, []).due;

// --- what still runs ---

/** Ended by its own name and at once: the end of its lease would be told later, and would give it longer. */
function endStray({ stray, plan, about, status }: EndingBuild, view: View): Due[] {
  return stray.flatMap(({ step, action }): Due[] => {
    const planned = plan.steps[step]!;
    if (runsOnHost(planned)) {
      const known = view.action(action);
      return known?.status === 'requested' && !known.cancelling ? [{ to: 'host-agent-gateway', type: 'CancelAction', id: ids.cancel(action), after: 0, data: { action, reason: `the build is over: ${status}`, graceMs: STRAY_GRACE_MS } }] : [];
    }
    if (kindNameOf(planned) !== 'call-plan') return [];
    const child = view.build(action);
    const live = child !== undefined && child.status !== 'none' && !('cleaned' in child);
    return live ? [{ to: 'builds', type: 'AbortBuild', id: ids.cancel(action), data: { build: action, reason: `the build that called it is over: ${status} (${about.plan})`.slice(0, 256) } }] : [];
  });
}

// --- hosts that are kept for debugging ---

/** How long the hosts of a build are to be kept: of one that failed, or that could not be carried out once steps had begun. */
function holdFor(build: EndingBuild): number | undefined {
  const begun = build.steps.some((step) => step.tries > 0);
  return build.status === 'failed' || (build.status === 'error' && begun) ? build.about.holdOnFailure : undefined;
}

/**
 * What is due until it is stored what became of the hold; undefined when nothing stands in the way of giving back. Asked for
 * before anything is given back, because what is given back is removed; and stored, so that after a restart nobody asks for
 * another hold of a host whose first one has ended.
 */
function hold(id: string, build: EndingBuild, view: View): Due[] | undefined {
  const ms = holdFor(build);
  if (ms === undefined || ('held' in build && build.held !== undefined)) return undefined;
  const said: string[] = [];
  const due: Due[] = [];
  for (const { host: name, hostLease, attempt } of build.places) {
    const lease = view.lease(hostLease);
    const host = lease?.status === 'active' ? view.host(lease.resource) : undefined;
    if (attempt !== build.attempt || lease?.status !== 'active' || host?.broken) continue; // there is no host any more
    const hold = ids.hold(id, hostLease);
    const answer = view.hold(hold);
    const what = Object.keys(build.about.hosts).length === 1 ? 'host' : `host ${name}`;
    if (!answer) due.push({ to: 'allocator', type: 'HoldResource', id: hold, after: lease.position, data: { lease: hostLease, for: ms, reason: `build ${id} failed` } });
    else said.push(!answer.accepted ? `${what} not held: ${answer.message}` : host?.heldUntil === undefined ? `${what} held` : `${what} held until ${host.heldUntil}`);
  }
  if (due.length > 0) return due;
  return said.length > 0 ? own({ type: 'NoteHold', activity: said.join('; ') }) : undefined;
}

// --- leases ---

/** Gives leases back: what stands on a host first, and the host once nothing is left on it. */
function giveBack(id: string, places: readonly Place[], build: LiveBuild | EndingBuild, reason: string, view: View, extras = build.extras): { due: Due[]; gone: boolean } {
  const due: Due[] = [];
  let gone = true;
  for (const extra of extras) {
    const left = giveBackOne(view.lease(extra.lease), extraRequest(id, build, extra, view), reason);
    if (left === 'gone') continue;
    gone = false;
    due.push(...left);
  }
  if (!gone) return { due, gone };
  for (const place of places) {
    const { hostLease, workingCopyLease } = place;
    const copy = workingCopyLease === undefined ? 'gone' : giveBackOne(view.lease(workingCopyLease), requestCopy(build, hostLease, workingCopyLease, after(view.lease(hostLease))), reason);
    const left = copy === 'gone' ? giveBackOne(view.lease(hostLease), requestHost(build, place), reason) : copy;
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
