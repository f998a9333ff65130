import { unreachable, type BuildEvent } from '@berth/contracts';
import { hostNameOf } from './build/advance.js';
import type { LiveBuild, StepAt } from './build/build.js';
import { scopeOf } from './build/scope.js';
import { own, type Due } from './due.js';
import { durationsOf } from './durations.js';
import { endOf, goneHost, isHostFault } from './ends.js';
import { ids } from './ids.js';
import { render } from './language/template.js';
import { stepKind } from './steps/index.js';
import type { HostKind, StepContext, Verdict } from './steps/kind.js';
import { leaseOver, type ActionView, type LeaseView, type View } from './view.js';

/**
 * How long a step that its host was lost under waits to hear what became of the host. What launched the host learns within
 * seconds that it is gone, unless its provider is away too: then its next answer may take some tries.
 */
export const HOST_WORD_MS = 120_000;
/** How long a refusal that says "your lease is over" may be ahead of the event which says why: the feeds are milliseconds apart. */
export const LEASE_WORD_MS = 10_000;

type Running = Extract<StepAt, { status: 'running' }>;
type Outcome = Extract<BuildEvent, { type: 'StepFinished' }>['data']['outcome'] & ('lost' | 'cancelled');

/** What is due for the steps that run. */
export function run(id: string, build: LiveBuild, view: View, now: number): Due[] {
  return build.steps.flatMap((step, index) => (step.status === 'running' ? runStep(id, build, index, step, view, now) : []));
}

function runStep(id: string, build: LiveBuild, index: number, { action }: Running, view: View, now: number): Due[] {
  const step = build.plan.steps[index]!;
  const since = view.since(action) ?? now;
  const wants = build.about.hosts[hostNameOf(build, index)] ?? {};
  const scope = scopeOf(id, build, index);
  const context: StepContext = { id, build, index, step, action, scope, env: environment(id, build, index, scope), wants, view, now, since };
  const kind = stepKind(step);
  if (kind.on === 'host') return onHost(kind, context);
  const looked = kind.look(context);
  if ('verdict' in looked) return finish(context, looked.verdict, now - since);
  // What waits for somebody has no end of its own.
  const { timeout } = step;
  if (timeout === undefined) return looked.due;
  const at = since + timeout;
  return now >= at ? finish(context, { outcome: 'failed', error: `it took longer than ${timeout / 1000} s` }, now - since) : [...looked.due, { to: 'clock', at }];
}

const finish = ({ id, action }: StepContext, verdict: Verdict, durationMs: number): Due[] => own({ type: 'FinishStep', build: id, action, verdict, durationMs: Math.max(0, Math.round(durationMs)) });

/** What all steps of a build see. What was given goes before what its plan says, and Berth's own before both. */
function environment(id: string, build: LiveBuild, index: number, scope: StepContext['scope']): Record<string, string> {
  const { plan, variables, generation, about } = build;
  const commit = scope.value(['commit']);
  const env = Object.fromEntries(Object.entries(plan.env).map(([name, value]) => [name, render(value, scope)]));
  return {
    ...env, ...variables,
    BERTH_BUILD_ID: id,
    BERTH_BUILD_PLAN: plan.name,
    BERTH_BUILD_GENERATION: String(generation),
    ...(about.url !== undefined && { BERTH_BUILD_URL: about.url }),
    ...(plan.steps[index]!.id !== undefined && { BERTH_STEP: plan.steps[index]!.id }),
    ...(commit !== undefined && { BERTH_COMMIT: commit }),
  };
}

// --- on a host ---

/** What is due for a step that is one action on a host. */
function onHost(kind: HostKind, context: StepContext): Due[] {
  const { id, build, index, step, view, now, since } = context;
  const name = hostNameOf(build, index);
  const place = build.places[name];
  // Between the end of a host and what follows there is no commit boundary: nothing to do in such a state.
  if (place?.workingCopyLease === undefined) return [];
  const { attempt, hostLease, workingCopyLease } = place;
  const action = view.action(context.action);
  const host = view.lease(hostLease);
  const copy = view.lease(workingCopyLease);
  const gone = goneHost(host, view);
  const interrupted = (outcome: Outcome, error: string, durationMs: number) => ({ outcome, error, action: context.action, durations: { ...durationsOf(build, view, now), [context.action]: durationMs } });
  const retry = (error: string, outcome: Outcome, durationMs: number) => own({ type: 'Retry', build: id, attempt, error, interrupted: interrupted(outcome, error, durationMs) });
  // Nothing of a build can run on a host that is gone, so it may begin again elsewhere, steps and all.
  const giveUp = (error: string, outcome: Outcome, durationMs: number) => (gone ? retry(gone.why, 'lost', durationMs) : own({ type: 'GiveUp', attempt, error, interrupted: interrupted(outcome, error, durationMs) }));
  const deadline = step.run === undefined && step.timeout !== undefined ? since + step.timeout : undefined;

  // The end of the action first: what passed has passed, whatever became of the leases since.
  switch (action?.status) {
    case 'succeeded':
    case 'failed': {
      const { durationMs } = action;
      const verdict = kind.verdict(action.status === 'failed' ? { ...action, how: 'failed' } : { ...action, how: 'succeeded' }, context);
      // A failure on a host that is gone may be of its going (an interrupted instance kills what runs on it): it says nothing.
      if (verdict && (verdict.outcome === 'passed' || !gone)) return finish(context, verdict, durationMs);
      if (action.status === 'succeeded') return giveUp(`step ${step.name} could not be carried out: its result is incomplete`, 'lost', durationMs);
      if (leaseOver.has(action.code)) return giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs);
      if (action.code !== 'unreachable' && !isHostFault(action.error)) return giveUp(`step ${step.name} could not be carried out: ${action.error}`, 'lost', durationMs);
      // The host vanished. Only a build of which nothing has run yet may begin again elsewhere, whatever became of the host.
      if (!action.started && !hasRun(build, index, view) && !gone) return retry(action.error, 'cancelled', durationMs);
      return hostWord(action, host, view, now) ?? (action.started ? giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', durationMs) : giveUp(`step ${step.name} was not run: ${action.error}`, 'cancelled', durationMs));
    }
    case 'lost':
      // Never run again by ourselves: the host can't say how far the step came, and a second run of a step that publishes or
      // pays does harm that only its owner can judge. The build says that it doesn't know, and its owner decides.
      return giveUp(`the outcome of step ${step.name} is unknown: ${action.error}`, 'lost', action.durationMs);
    case 'cancelled':
      if (deadline !== undefined && now >= deadline && !gone) return finish(context, { outcome: 'failed', error: `it took longer than ${step.timeout! / 1000} s and was ended` }, action.durationMs);
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
    // The host lives: the step is being ended on it, and must not run twice. Its action says when that is done.
    if (end.evicted && action && host?.status !== 'destroyed') return [];
    const durationMs = Math.max(0, end.at - ((action?.status === 'requested' ? action.startedAt : undefined) ?? end.at));
    // Once its command is out the step may be running, so a broken lease leaves its outcome open; a lease that was ended on
    // purpose has the gateway kill what runs.
    if (end.how === 'broken' && action) return giveUp(`the outcome of step ${step.name} is unknown: ${why}`, 'lost', durationMs);
    return giveUp(`step ${step.name} was cancelled: ${why}`, 'cancelled', durationMs);
  }
  if (action) return deadline === undefined ? [] : stopAt(deadline, action, context);
  if (copy?.status !== 'active') return [];
  const asked = kind.action(context);
  if ('fault' in asked) return finish(context, { outcome: 'failed', error: asked.fault }, 0);
  if ('due' in asked) return asked.due;
  return [{ to: 'host-agent-gateway', type: 'RunAction', id: context.action, after: copy.position, data: { lease: workingCopyLease, token: copy.token, spec: asked.spec } }];
}

/** Commands are timed on their host; everything else is ended from here. */
function stopAt(at: number, { cancelling }: Extract<ActionView, { status: 'requested' }>, { action, step, now }: StepContext): Due[] {
  if (cancelling) return [];
  if (now < at) return [{ to: 'clock', at }];
  return [{ to: 'host-agent-gateway', type: 'CancelAction', id: ids.cancel(action), after: 0, data: { action, reason: `it took longer than ${step.timeout! / 1000} s` } }];
}

/** Has anything of the build run on a host in this attempt, or may have, this step apart? What was asked for may be on its way. */
const hasRun = ({ steps, plan }: LiveBuild, index: number, view: View): boolean =>
  (steps[index]?.tries ?? 1) > 1 ||
  steps.some((step, at) => {
    if (at === index || stepKind(plan.steps[at]!).on !== 'host' || step.tries === 0) return false;
    const action = step.status === 'running' ? view.action(step.action) : undefined;
    return !(action?.status === 'failed' && !action.started);
  });

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

