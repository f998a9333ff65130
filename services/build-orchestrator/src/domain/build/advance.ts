import type { BuildEvent } from '@berth/contracts';
import { ids } from '../ids.js';
import { asksOutcome, evaluate, parse, truth } from '../language/expression.js';
import { runsOnHost } from '../steps/names.js';
import { evolve } from './evolve.js';
import { isFine, needsOf } from './graph.js';
import { scopeOf } from './scope.js';
import { isLive, isOver, type Build, type LiveBuild } from './state.js';

/**
 * All that follows from a state by itself: steps that begin or are left out, hosts that are asked for because a step can go on
 * them, hosts that no step needs any more, and the verdict. In the commit of what it follows from: it starts one hop earlier,
 * and no crash falls between.
 */
export function advance(id: string, build: Build): BuildEvent[] {
  const events: BuildEvent[] = [];
  while (isLive(build)) {
    const next = nextOf(id, build);
    if (next.length === 0) break;
    for (const event of next) {
      events.push(event);
      build = evolve(build, event);
    }
  }
  return events;
}

function nextOf(id: string, build: LiveBuild): BuildEvent[] {
  if (build.status === 'pending' && build.queued) return [];
  const { plan, steps, places } = build;
  const events: BuildEvent[] = [];
  let short = false;
  // All hosts are got before the first step on any of them: a build that runs never waits for a further host while it keeps
  // others waiting for those that it has.
  const ready = Object.values(places).every((place) => place.path !== undefined);
  for (const [index, step] of steps.entries()) {
    if (step.status !== 'waiting' || !needsOf(plan.steps[index]!, index).every((need) => isOver(steps[need]!))) continue;
    const left = leftOut(id, build, index);
    if (left) {
      events.push({ type: 'StepFinished', data: { step: index, outcome: 'skipped', because: left, durationMs: 0 } });
      continue;
    }
    if (build.paused !== undefined) continue;
    const planned = plan.steps[index]!;
    if (runsOnHost(planned)) {
      const there = places[hostNameOf(build, index)] !== undefined;
      short ||= !there;
      if (!there || !ready) continue;
    }
    const attempt = step.tries + 1;
    events.push({ type: 'StepStarted', data: { step: index, name: planned.name, action: ids.action(id, build.attempt, index, attempt), ...(attempt > 1 && { attempt }) } });
  }
  if (short) events.push(...askForHosts(id, build));
  if (events.length > 0) return events;
  if (steps.every(isOver)) return [verdict(build)];
  return doneHosts(build);
}

function askForHosts(id: string, build: LiveBuild): BuildEvent[] {
  const { attempt, past, places } = build;
  return [...openHosts(build)].filter((host) => !places[host]).map((host) => {
    const nth = past.filter((one) => one.attempt === attempt && one.host === host).length;
    return { type: 'BuildPreparing', data: { attempt, hostLease: ids.hostLease(id, attempt, host, nth), ...named(build, host) } };
  });
}

/** Hosts that a step may still need. */
const openHosts = (build: LiveBuild): Set<string> => new Set(build.steps.flatMap((step, index) => (isOver(step) || !runsOnHost(build.plan.steps[index]!) ? [] : [hostNameOf(build, index)])));

/** The name of the host that a step runs on: its own, or the first of the plan. */
export const hostNameOf = ({ about, plan }: Pick<LiveBuild, 'about' | 'plan'>, index: number): string => plan.steps[index]!.host ?? Object.keys(about.hosts)[0]!;

/** Some step has begun on a host of this attempt, so its hosts can't be given back without harm. */
export const hasBegunOnHost = ({ steps, plan }: Pick<LiveBuild, 'steps' | 'plan'>): boolean => steps.some((step, index) => step.tries > 0 && runsOnHost(plan.steps[index]!));

/** A plan with one host says nothing of names. */
export const named = ({ about }: Pick<LiveBuild, 'about'>, host: string): { host?: string } => (Object.keys(about.hosts)[0] === host ? {} : { host });

/** Why a step does not run; undefined when it does. Its own condition goes before what became of those it needs. */
function leftOut(id: string, build: LiveBuild, index: number): 'condition' | 'needs' | undefined {
  const scope = scopeOf(id, build, index);
  const { if: condition } = build.plan.steps[index]!;
  if (condition === undefined) return scope.succeeded() ? undefined : 'needs';
  const text = condition.trim();
  const expression = parse(/^\$\{\{(.*)\}\}$/s.exec(text)?.[1] ?? text);
  // A condition that does not ask how the steps before ended is one among those that passed.
  if (!asksOutcome(expression) && !scope.succeeded()) return 'needs';
  return truth(evaluate(expression, scope)) ? undefined : 'condition';
}

/** Every step is over. One that failed and was not allowed to makes the build fail, whatever was run because of it since. */
function verdict({ failed, steps }: LiveBuild): BuildEvent {
  if (failed) return { type: 'BuildFailed', data: failed };
  // None has failed, so none was left out because of another.
  return steps.every(isFine) ? { type: 'BuildPassed', data: {} } : { type: 'BuildErrored', data: { error: 'a step did not come to its end' } };
}

/** Hosts whose steps are all over, while others are not. Those that are kept for debugging when the build fails stay to the end. */
function doneHosts(build: LiveBuild): BuildEvent[] {
  if (build.about.holdOnFailure !== undefined) return [];
  const open = openHosts(build);
  return Object.values(build.places).flatMap(({ host }): BuildEvent[] => (open.has(host) ? [] : [{ type: 'BuildHostReleased', data: { host } }]));
}
