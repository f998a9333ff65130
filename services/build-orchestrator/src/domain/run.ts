import { unreachable } from '@berth/contracts';
import type { Build, Interrupted } from './build.js';
import { own, type Due } from './due.js';
import { endOf, goneHost, isHostFault } from './ends.js';
import { stepKind } from './steps/index.js';
import { leaseOver, type ActionView, type LeaseView, type View } from './view.js';

type Building = Extract<Build, { status: 'building' }>;

/**
 * How long a step that its host was lost under waits to hear what became of the host. What launched the host learns within
 * seconds that it is gone, unless its provider is away too: then its next answer may take some tries.
 */
export const HOST_WORD_MS = 120_000;
/** How long a refusal that says "your lease is over" may be ahead of the event which says why: the feeds are milliseconds apart. */
export const LEASE_WORD_MS = 10_000;

/** What is due for the step that a build has come to. */
export function run(id: string, build: Building, view: View, now: number): Due[] {
  const { step } = build;
  // Between the end of a step and what follows there is no commit boundary: nothing to do in such a state.
  if (!step?.running) return [];
  const { attempt, hostLease, workingCopyLease } = build.current;
  const planned = build.plan.steps[step.index]!;
  const action = view.action(step.action);
  const host = view.lease(hostLease);
  const copy = view.lease(workingCopyLease);
  const gone = goneHost(host, view);
  const retry = (error: string, outcome: Interrupted['outcome'], durationMs: number) => own({ type: 'Retry', build: id, attempt, error, step: { outcome, error, durationMs } });
  // Nothing of a build can run on a host that is gone, so it may begin again elsewhere, steps and all.
  const giveUp = (error: string, outcome: Interrupted['outcome'], durationMs: number) =>
    gone ? retry(gone.why, 'lost', durationMs) : own({ type: 'GiveUp', attempt, error, step: { outcome, error, durationMs } });

  // The end of the action first: what passed has passed, whatever became of the leases since.
  switch (action?.status) {
    case 'succeeded':
    case 'failed': {
      const { durationMs } = action;
      const verdict = stepKind(planned).verdict(planned, action.status === 'failed' ? { ...action, how: 'failed' } : { ...action, how: 'succeeded' }, { build: id, env: {} });
      // A failure on a host that is gone may be of its going (an interrupted instance kills what runs on it): it says nothing.
      if (verdict && (verdict.outcome === 'passed' || !gone)) return own({ type: 'FinishStep', build: id, action: step.action, verdict, durationMs });
      if (action.status === 'succeeded') return giveUp(`step ${step.name} could not be carried out: its result is incomplete`, 'lost', durationMs);
      if (leaseOver.has(action.code)) return giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs);
      if (action.code !== 'unreachable' && !isHostFault(action.error)) return giveUp(`step ${step.name} could not be carried out: ${action.error}`, 'lost', durationMs);
      // The host vanished. Only a build of which nothing has run yet may begin again elsewhere, whatever became of the host.
      if (!action.started && step.index === 0 && !gone) return retry(action.error, 'cancelled', durationMs);
      return hostWord(action, host, view, now) ?? (action.started ? giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', durationMs) : giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs));
    }
    case 'lost':
      // Never run again by ourselves: the host can't say how far the step came, and a second run of a step that publishes or
      // pays does harm that only its owner can judge. The build says that it doesn't know, and its owner decides.
      return giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', action.durationMs);
    case 'cancelled':
      return giveUp(`step ${step.name} was cancelled: ${action.reason}`, 'cancelled', action.durationMs);
    case 'refused':
      return (gone ? undefined : leaseWord(action, [host, copy], now)) ?? giveUp(`step ${step.name} was not run: ${action.message}`, 'cancelled', 0);
    case 'requested':
    case undefined:
      break;
    default:
      return unreachable(action);
  }

  const ended = gone ?? endOf(host, 'the host lease') ?? endOf(copy, 'the working-copy lease');
  if (ended) {
    const { end, why } = ended;
    const durationMs = Math.max(0, end.at - ((action?.status === 'requested' ? action.startedAt : undefined) ?? end.at));
    // Once its command is out the step may be running, so a broken lease leaves its outcome open; a lease that was ended on
    // purpose has the gateway kill what runs.
    if (end.how === 'broken' && action) return giveUp(`the outcome of step ${step.name} is unknown: ${why}`, 'lost', durationMs);
    return giveUp(`step ${step.name} was cancelled: ${why}`, 'cancelled', durationMs);
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

/**
 * The gateway may lose a host long before its provider says that it is gone. Was it, the build begins again elsewhere; was it
 * only out of reach, nobody may: so the verdict waits for one of three words. It broke: its lease or resource says so, and
 * this is not asked any more. It answered again after the loss: it lives, and so may the step. Neither in time: we don't
 * know, which is what the verdict then says. A machine that somebody enrolled is never gone, only away: nothing to wait for.
 */
function hostWord(failed: Extract<ActionView, { status: 'failed' }>, lease: LeaseView | undefined, view: View, now: number): Due[] | undefined {
  if (lease?.status !== 'active') return undefined;
  const host = view.host(lease.resource);
  if (!host?.launched || host.broken !== undefined || (host.answered ?? 0) > failed.position) return undefined;
  const at = failed.at + HOST_WORD_MS;
  return now < at ? [{ to: 'clock', at }] : undefined;
}

/**
 * The gateway has seen the end of a lease and we have not: its reason decides between another host and an error, so it is
 * waited for. The end stands in the feed before the refusal was written; should it not come, the refusal itself is the reason.
 */
function leaseWord(refused: Extract<ActionView, { status: 'refused' }>, leases: (LeaseView | undefined)[], now: number): Due[] | undefined {
  if (!leaseOver.has(refused.code) || leases.some((lease) => lease?.status === 'ending' || lease?.status === 'destroyed')) return undefined;
  const at = refused.at + LEASE_WORD_MS;
  return now < at ? [{ to: 'clock', at }] : undefined;
}
