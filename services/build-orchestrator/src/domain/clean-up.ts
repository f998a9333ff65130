import { unreachable } from '@berth/contracts';
import type { Attempt, EndedBuild, LiveBuild } from './build.js';
import { own, type Due, type Request } from './due.js';
import { ids } from './ids.js';
import { after, requestCopy, requestHost } from './requests.js';
import type { LeaseView, View } from './view.js';

/** What is due after the verdict: leases are given back, whatever it was, once the host is held where it is to be. */
export function cleanUp(id: string, build: EndedBuild, view: View): Due[] {
  if (build.cleaned) return [];
  const held = hold(id, build, view);
  if (held) return held;
  const { due, gone } = giveBack(build.attempts, build, `the build is over: ${build.status}`, view);
  return gone ? own({ type: 'CleanUp' }) : due;
}

export const giveBackPast = (build: LiveBuild, view: View): Due[] => giveBack(build.past, build, 'another host is tried', view).due;

// --- a host that is kept for debugging ---

/** How long the host of a build is to be kept: of one that failed, or that could not be carried out once steps had begun. */
function holdFor(build: EndedBuild): number | undefined {
  return build.status === 'failed' || (build.status === 'error' && build.step) ? build.about.holdOnFailure : undefined;
}

/**
 * What is due until it is stored what became of the hold; undefined when nothing stands in the way of giving back. Asked for
 * before anything is given back, because what is given back is removed; and stored, so that after a restart nobody asks for
 * another hold of a host whose first one has ended.
 */
function hold(id: string, build: EndedBuild, view: View): Due[] | undefined {
  const ms = holdFor(build);
  const hostLease = build.attempts.at(-1)?.hostLease;
  if (ms === undefined || hostLease === undefined || ('held' in build && build.held !== undefined)) return undefined;
  const lease = view.lease(hostLease);
  const host = lease?.status === 'active' ? view.host(lease.resource) : undefined;
  if (lease?.status !== 'active' || host?.broken) return undefined; // there is no host any more
  const hold = ids.hold(id);
  const answer = view.hold(hold);
  if (!answer) return [{ to: 'allocator', type: 'HoldResource', id: hold, after: lease.position, data: { lease: hostLease, for: ms, reason: `build ${id} failed` } }];
  if (!answer.accepted) return own({ type: 'NoteHold', activity: `host not held: ${answer.message}` });
  return own({ type: 'NoteHold', activity: host?.heldUntil === undefined ? 'host held' : `host held until ${host.heldUntil}` });
}

// --- leases ---

/** Gives the leases of attempts back: the working copy first, and the host once nothing of the working copy is left on it. */
function giveBack(attempts: readonly Attempt[], build: LiveBuild | EndedBuild, reason: string, view: View): { due: Due[]; gone: boolean } {
  const due: Due[] = [];
  let gone = true;
  for (const attempt of attempts) {
    const { hostLease, workingCopyLease } = attempt;
    const copy = workingCopyLease === undefined ? 'gone' : giveBackOne(view.lease(workingCopyLease), requestCopy(build, hostLease, workingCopyLease, after(view.lease(hostLease))), reason);
    const left = copy === 'gone' ? giveBackOne(view.lease(hostLease), requestHost(build, attempt), reason) : copy;
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
