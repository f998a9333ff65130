import type { BuildEvent, Recorded } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { buildDecider, type Build, type BuildCommand, type LiveBuild } from './domain/build/build.js';
import { buildStatus, remaining } from './domain/status.js';
import { History } from './history.js';
import { action, after, BUILD, pass, plan, request } from './spec/examples.js';

const at = (second: number, id: string, ...events: BuildEvent[]) => ({ kind: 'build', id, sequence: 1, commit: { at: new Date(second * 1000).toISOString(), events } }) as unknown as Recorded<BuildEvent>;
const finished = (step: number, ms: number, outcome: 'passed' | 'failed' = 'passed'): BuildEvent => ({ type: 'StepFinished', data: { step, outcome, durationMs: ms } });
const asked: BuildEvent = { type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'ada' } };
const preparing: BuildEvent = { type: 'BuildPreparing', data: { attempt: 1, hostLease: BUILD } };

/** One build: a host within 10 s, a working copy within 5, and two steps. */
function note(history: History, id: string, first: number, second: number) {
  history.note(at(0, id, asked, preparing));
  history.note(at(10, id, { type: 'BuildWorkingCopyRequested', data: { workingCopyLease: BUILD } }));
  history.note(at(15, id, { type: 'BuildStarted', data: { path: '/w' } }));
  history.note(at(30, id, finished(0, first), finished(1, second), { type: 'BuildPassed', data: {} }));
}

describe('what parts took before', () => {
  test('nothing is known of a plan that was never built, or of which nothing passed', () => {
    const history = new History();
    expect(history.weights(plan)).toBeUndefined();
    history.note(at(0, 'a', asked, preparing));
    history.note(at(1, 'a', finished(0, 5, 'failed')));
    expect(history.weights(plan)).toBeUndefined();
  });
  test('the host, the working copy, and each step; the newest counts for two fifths', () => {
    const history = new History();
    note(history, 'a', 1000, 0);
    expect(history.weights(plan)).toEqual([10_000, 5000, 1000, 1]);
    note(history, 'b', 2000, 100);
    expect(history.weights(plan)).toEqual([10_000, 5000, 1400, 40]);
  });
  test('a step that is new takes what the others take, a step is known by its id', () => {
    const history = new History();
    note(history, 'a', 1000, 3000);
    expect(history.weights({ ...plan, steps: [plan.steps[1]!, ...plan.steps, { name: 'New', id: 'new', run: 'x' }] })).toEqual([10_000, 5000, 1000, 3000, 2000, 2000]);
  });
  test('a plan without hosts, and a build that is over', () => {
    const history = new History();
    history.note(at(0, 'a', asked, finished(0, 7), { type: 'BuildPassed', data: {} }));
    expect(history.weights(plan)).toEqual([7, 7, 7, 7]);
    history.note(at(1, 'a', finished(1, 1000)));
    expect(history.weights(plan)).toEqual([7, 7, 7, 7]);
  });
  test('the plans that were built last', () => {
    const history = new History();
    const named = (name: string): BuildEvent => ({ type: 'BuildRequested', data: { plan: { ...plan, name }, planVersion: 1, variables: {}, initiator: 'ada' } });
    for (let i = 0; i <= 5000; i++) history.note(at(0, `b${i}`, named(`p${i}`), finished(0, 5), { type: 'BuildPassed', data: {} }));
    expect(history.weights({ ...plan, name: 'p0' })).toBeUndefined();
    expect(history.weights({ ...plan, name: 'p5000' })).toEqual([5, 5, 5, 5]);
  });
});

describe('how far a build has come', () => {
  const weights = [10_000, 5000, 80_000, 5000];
  const copy: BuildCommand = { type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' };
  const start: BuildCommand = { type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w', commit: undefined, machine: undefined };
  const weighed = { ...request, weights } as BuildCommand;
  const way: [number, number, Build][] = [[0, 100_000, after(weighed)], [10, 100_000, after(weighed, copy)], [15, 85_000, after(weighed, copy, start)], [95, 5000, after(weighed, copy, start, pass(0))]];
  test.each(way)('%d %%, %d ms left', (percent, left, build) => {
    expect(buildStatus(BUILD, build as LiveBuild, []).data).toMatchObject({ percent, remainingMs: left });
  });
  test('hosts count where there are any, and until they are there', () => {
    const waits = { name: 'Ok', uses: 'wait-for-approval', with: {}, needs: [] };
    const only = after({ ...request, plan: { ...plan, steps: [waits, waits] }, weights: [10_000, 5000, 1000, 3000] } as BuildCommand, pass(0)) as LiveBuild;
    expect([only.percent, remaining(only)]).toEqual([25, 3000]);
    const then = after({ ...request, plan: { ...plan, steps: [waits, plan.steps[0]!] }, weights: [10_000, 5000, 1000, 3000] } as BuildCommand, pass(0)) as LiveBuild;
    expect([then.percent, remaining(then)]).toEqual([5, 18_000]);
  });
  test('with its end nothing is left to estimate', () => {
    const build = after(weighed, copy, start, pass(0), pass(1));
    expect(buildStatus(BUILD, build as LiveBuild, []).data).toMatchObject({ percent: 100, remainingMs: null });
    expect(remaining(after(request) as LiveBuild)).toBeUndefined();
  });
  test('of branches side by side the longest counts', () => {
    const branches = { ...plan, steps: [{ name: 'A', run: 'a', needs: [] }, { name: 'B', run: 'b', needs: [] }, { name: 'C', run: 'c', needs: [0, 1] }] };
    const begun = after({ ...request, plan: branches, weights: [1, 1, 100, 300, 50] } as BuildCommand, copy, start);
    expect(remaining(begun as LiveBuild)).toBe(350);
    const decision = buildDecider.decide({ type: 'FinishStep', build: BUILD, action: action(1), verdict: { outcome: 'passed' }, durationMs: 1 }, begun) as BuildEvent[];
    expect(remaining(decision.reduce(buildDecider.evolve, begun) as LiveBuild)).toBe(150);
  });
});
