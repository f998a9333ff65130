import { unreachable } from '@berth/contracts';
import { hostFailures, type Build } from './build.js';
import { cleanUp, giveBackPast } from './clean-up.js';
import { own, type Due } from './due.js';
import { ending, goneHost, isHostFault } from './ends.js';
import { requestCopy, requestHost } from './requests.js';
import { run } from './run.js';
import { leaseOver, type LeaseEnd, type View } from './view.js';

type Preparing = Extract<Build, { status: 'preparing' }>;

/**
 * Pure: all that is due for a build by what the feed has shown. Decided on the present state and never on a single event, so
 * it is the same after a restart as live; what is on its way already is for the caller to know. `now`: milliseconds since 1970.
 */
export function react(id: string, build: Build, view: View, now: number): Due[] {
  switch (build.status) {
    case 'none':
      return [];
    case 'pending':
      return [...own({ type: 'Prepare', build: id }), ...giveBackPast(build, view)];
    case 'preparing':
      return [...prepare(id, build, view), ...giveBackPast(build, view)];
    case 'building':
      return [...run(id, build, view, now), ...giveBackPast(build, view)];
    case 'passed':
    case 'failed':
    case 'aborted':
    case 'error':
      return cleanUp(id, build, view);
    default:
      return unreachable(build);
  }
}

// --- preparing: nothing has run in this attempt, so whatever a host does to us can be tried elsewhere ---

function prepare(id: string, build: Preparing, view: View): Due[] {
  const { attempt, hostLease, workingCopyLease } = build.current;
  const host = view.lease(hostLease);
  if (!host) return [requestHost(build, build.current)];
  // First of all: on a host that is gone, everything else fails for reasons of its own.
  const gone = goneHost(host, view);
  if (gone) return own({ type: 'Retry', build: id, attempt, error: gone.why });
  switch (host.status) {
    case 'refused': {
      const before = build.failures.length === 0 ? '' : ` (before that, ${hostFailures(build.failures)})`;
      return own({ type: 'GiveUp', attempt, error: `the host lease was refused: ${host.message}${before}` });
    }
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
