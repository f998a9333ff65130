import type { BuildEvent, SavedPlan, SavedStep } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { BUILD, request } from '../../spec/examples.js';
import { ids } from '../ids.js';
import { buildDecider, isLive, type Build, type BuildCommand, type LiveBuild } from './build.js';

/** A build of some steps, told things one after the other; steps are named by their ids. */
class Told {
  state: Build = buildDecider.initial;
  constructor(steps: readonly Partial<SavedStep>[], plan: Partial<SavedPlan> = {}) {
    const saved = steps.map((step, index): SavedStep => ({ name: step.id ?? `s${index}`, needs: index === 0 ? [] : [index - 1], ...(step.uses === undefined && { run: 'x' }), ...step }));
    this.tell({ ...request, plan: { ...request.plan, ...plan, steps: saved } } as BuildCommand);
  }
  get live(): LiveBuild {
    if (!isLive(this.state)) throw new Error(`it is ${this.state.status}`);
    return this.state;
  }
  /** What it does, as `Type` or `Type step`. */
  tell(command: BuildCommand): string[] {
    const decision = buildDecider.decide(command, this.state);
    if ('accepted' in decision) return [decision.code];
    this.state = decision.reduce(buildDecider.evolve, this.state);
    return decision.map((event) => name(event, this.state));
  }
  /** Every host is there that was asked for. */
  ready(): string[] {
    const told: string[] = [];
    for (const { host, attempt } of Object.values(this.live.places)) {
      this.tell({ type: 'RequestWorkingCopy', build: BUILD, attempt, host });
      told.push(...this.tell({ type: 'Start', build: BUILD, attempt, host, path: `/${host}`, commit: undefined, machine: undefined }));
    }
    return told;
  }
  end(id: string, error?: string, outputs?: Record<string, string>): string[] {
    const step = this.live.steps[this.live.plan.steps.findIndex((one) => one.id === id)]!;
    if (step.status !== 'running') throw new Error(`${id} is ${step.status}`);
    return this.tell({ type: 'FinishStep', build: BUILD, action: step.action, verdict: error === undefined ? { outcome: 'passed', outputs } : { outcome: 'failed', error }, durationMs: 1 });
  }
  get statuses(): string {
    return 'steps' in this.state ? this.state.steps.map(({ status }) => status).join(' ') : '';
  }
}
function name(event: BuildEvent, build: Build): string {
  const plan = 'plan' in build ? build.plan : undefined;
  const of = (step: number) => plan?.steps[step]?.id ?? String(step);
  if (event.type === 'StepStarted') return `+${of(event.data.step)}${event.data.attempt === undefined ? '' : ` (${event.data.attempt})`}`;
  if (event.type === 'StepFinished') return `${event.data.outcome} ${of(event.data.step)}${event.data.again ? ' again' : ''}${event.data.because ? ` by ${event.data.because}` : ''}`;
  if (event.type === 'BuildPreparing') return `BuildPreparing ${event.data.host ?? 'first'}`;
  return event.type === 'BuildHostReleased' ? `BuildHostReleased ${event.data.host}` : event.type;
}
const step = (id: string, needs: number[], more: Partial<SavedStep> = {}): Partial<SavedStep> => ({ id, needs, ...more });
const idle = { outcome: 'cancelled' as const, error: 'x', durations: {} };
const wait = (id: string, needs: number[]): Partial<SavedStep> => step(id, needs, { uses: 'wait-for-approval', with: {} });

describe('branches', () => {
  const diamond = () => new Told([step('a', []), step('b', [0]), step('c', [0]), step('d', [1, 2])]);
  test('run side by side, and what needs both waits for both', () => {
    const build = diamond();
    expect(build.ready()).toEqual(['BuildStarted', '+a']);
    expect(build.end('a')).toEqual(['passed a', '+b', '+c']);
    expect(build.end('c')).toEqual(['passed c']);
    expect(build.end('b')).toEqual(['passed b', '+d']);
    expect(build.end('d')).toEqual(['passed d', 'BuildPassed']);
  });
  test('one fails: the other goes on, what needs both is left out, and the build fails with the first error', () => {
    const build = diamond();
    build.ready();
    build.end('a');
    expect(build.end('b', 'no')).toEqual(['failed b']);
    expect(build.state).toMatchObject({ status: 'building' });
    expect(build.end('c', 'neither')).toEqual(['failed c', 'skipped d by needs', 'BuildFailed']);
    expect(build.state).toMatchObject({ status: 'failed', error: 'step b failed: no', failure: { step: 'b' } });
  });
  test('what is left out leaves out what needs it, however far', () => {
    const build = new Told([step('a', []), step('b', [0]), step('c', [1]), step('d', [2])]);
    build.ready();
    expect(build.end('a', 'no')).toEqual(['failed a', 'skipped b by needs', 'skipped c by needs', 'skipped d by needs', 'BuildFailed']);
  });
  test('a step that needs one that stands after it', () => {
    const build = new Told([step('b', [1]), step('a', [])]);
    expect(build.ready()).toEqual(['BuildStarted', '+a']);
    expect(build.end('a')).toEqual(['passed a', '+b']);
  });
});

describe('conditions', () => {
  test('always() and failure() run after a failure, success() and a plain one do not', () => {
    const build = new Told([step('a', []), step('b', [0], { if: 'always()' }), step('c', [0], { if: 'failure()' }), step('d', [0], { if: "vars.WHO == 'me'" }), step('e', [1, 2], { if: 'failure()' })]);
    build.ready();
    expect(build.end('a', 'no')).toEqual(['failed a', '+b', '+c', 'skipped d by needs']);
    expect([build.end('b'), build.end('c'), build.end('e')]).toEqual([['passed b'], ['passed c', '+e'], ['passed e', 'BuildFailed']]);
  });
  test('without a failure', () => {
    const build = new Told([step('a', []), step('b', [0], { if: 'always()' }), step('c', [0], { if: 'failure()' }), step('d', [0], { if: "${{ vars.WHO == 'me' }}" }), step('e', [0], { if: "vars.WHO == 'you'" }), step('f', [4])]);
    build.ready();
    expect(build.end('a')).toEqual(['passed a', '+b', 'skipped c by condition', '+d', 'skipped e by condition', '+f']);
  });
  test('on results of steps before', () => {
    const build = new Told([step('a', []), step('b', [0], { if: "steps.a.outputs.go == 'yes' && steps.a.outcome == 'passed'" }), step('c', [0], { if: 'steps.a.outputs.constructor' })]);
    build.ready();
    expect(build.end('a', undefined, { go: 'yes' })).toEqual(['passed a', '+b', 'skipped c by condition']);
  });
});

describe('failures that are allowed, and retries', () => {
  test('a failure that is allowed stops nothing', () => {
    const build = new Told([step('a', [], { continueOnError: true }), step('b', [0]), step('c', [0], { if: "steps.a.outcome == 'failed'" })]);
    build.ready();
    expect(build.end('a', 'no')).toEqual(['failed a', '+b', '+c']);
    build.end('b');
    expect(build.end('c')).toEqual(['passed c', 'BuildPassed']);
  });
  test('a step is tried again under a new action, as often as it says', () => {
    const build = new Told([step('a', [], { retries: 2 }), step('b', [0])]);
    build.ready();
    expect(build.end('a', 'no')).toEqual(['failed a again', '+a (2)']);
    expect(build.live.steps[0]).toMatchObject({ action: ids.action(BUILD, 1, 0, 2), tries: 2 });
    expect(build.end('a', 'no')).toEqual(['failed a again', '+a (3)']);
    expect(build.end('a', 'no')).toEqual(['failed a', 'skipped b by needs', 'BuildFailed']);
  });
  test('a try that passes', () => {
    const build = new Told([step('a', [], { retries: 1 })]);
    build.ready();
    build.end('a', 'no');
    expect(build.end('a')).toEqual(['passed a', 'BuildPassed']);
  });
});

describe('hosts', () => {
  const two = { hosts: { one: { os: 'linux' }, two: { os: 'windows' } } };
  test('all are there before a step begins on any', () => {
    const build = new Told([step('a', [], { host: 'one' }), step('b', [], { host: 'two' })], two);
    expect(Object.keys(build.live.places)).toEqual(['one', 'two']);
    build.tell({ type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'one' });
    expect(build.tell({ type: 'Start', build: BUILD, attempt: 1, host: 'one', path: '/1', commit: undefined, machine: undefined })).toEqual(['BuildStarted']);
    build.tell({ type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'two' });
    expect(build.tell({ type: 'Start', build: BUILD, attempt: 1, host: 'two', path: '/2', commit: undefined, machine: undefined })).toEqual(['BuildStarted', '+a', '+b']);
  });
  test('one that no step needs any more is given back, unless hosts are held', () => {
    const build = new Told([step('a', [], { host: 'two' }), step('b', [0], { host: 'one' })], two);
    build.ready();
    expect(build.end('a')).toEqual(['passed a', '+b', 'BuildHostReleased two']);
    expect(build.live.past).toMatchObject([{ host: 'two' }]);
    const held = new Told([step('a', [], { host: 'two' }), step('b', [0], { host: 'one' })], { ...two, holdOnFailure: 5 });
    held.ready();
    held.end('a');
    expect(Object.keys(held.live.places).sort()).toEqual(['one', 'two']);
  });
  test('none is asked for while steps without one come first', () => {
    const build = new Told([wait('ok', []), step('a', [0])]);
    expect(build.live.places).toEqual({});
    expect(build.state.status).toBe('building');
    expect(build.end('ok')).toEqual(['passed ok', 'BuildPreparing first']);
    expect(build.ready()).toEqual(['BuildStarted', '+a']);
  });
  test('none is asked for at all when nothing runs on one', () => {
    const build = new Told([wait('ok', [])]);
    expect(build.end('ok')).toEqual(['passed ok', 'BuildPassed']);
  });
  test('another one is tried: what passed without a host stays, what runs without one goes on, what was on it begins again', () => {
    const build = new Told([wait('ok', []), wait('runs', []), step('a', [0]), step('b', [2]), wait('after', [3])]);
    build.end('ok');
    build.ready();
    build.end('a');
    build.end('b');
    const { action } = build.live.steps[1] as { action: string };
    build.tell({ type: 'Message', step: 'runs', message: { type: 'pass', by: 'ada' } });
    build.tell({ type: 'Message', step: 'after', message: { type: 'pass', by: 'ada' } });
    expect(build.tell({ type: 'Retry', build: BUILD, attempt: 1, error: 'gone', interrupted: { ...idle, outcome: 'lost' } })).toEqual(['lost after', 'BuildRetried', 'BuildPreparing first']);
    expect(build.statuses).toBe('passed running waiting waiting waiting');
    expect(build.live.steps[1]).toMatchObject({ action });
    // What was said of the run that is over is not said of the next; of what goes on it is.
    expect(Object.keys(build.live.messages)).toEqual(['1']);
    expect(build.end('runs')).toEqual(['passed runs']);
    expect(build.ready()).toEqual(['BuildStarted', '+a']);
  });
});

describe('making way', () => {
  const two = { hosts: { one: {}, two: {} } };
  const make: BuildCommand = { type: 'Yield', build: BUILD, attempt: 1, to: 'older', durations: {} };
  test('it gives back what it holds, and asks again once it may', () => {
    const build = new Told([wait('ok', []), step('a', [], { host: 'one' }), step('b', [], { host: 'two' })], two);
    expect(build.tell(make)).toEqual(['BuildRetried']);
    expect(build.state).toMatchObject({ status: 'pending', queued: true, yieldedTo: 'older', places: {}, past: [{ host: 'one' }, { host: 'two' }], failures: [] });
    expect(build.statuses).toBe('running waiting waiting');
    expect(build.end('ok')).toEqual(['passed ok']);
    expect(build.tell({ type: 'Admit', build: BUILD })).toEqual(['BuildAdmitted', 'BuildPreparing first', 'BuildPreparing two']);
    expect(build.live).toMatchObject({ attempt: 2, failures: [] });
    expect(build.live).not.toHaveProperty('yieldedTo');
    expect(build.ready().filter((one) => one.startsWith('+'))).toEqual(['+a', '+b']);
  });
  test('never once a step has begun on a host, whatever was decided on before', () => {
    const build = new Told([step('a', [], { host: 'one' }), step('b', [], { host: 'two' })], two);
    build.ready();
    expect(build.tell(make)).toEqual([]);
  });
});

describe('once more', () => {
  const rerun = (id: string): BuildCommand => ({ type: 'Rerun', build: BUILD, step: id, reason: 'x' });
  test('a step that is over, with what builds on it, in the same working copy', () => {
    const build = new Told([step('a', []), step('b', [0]), step('c', []), step('d', [2])]);
    build.ready();
    build.end('a', 'no');
    expect(build.tell(rerun('c'))).toEqual(['step-not-over']);
    expect(build.tell(rerun('nope'))).toEqual(['unknown-step']);
    expect(build.tell(rerun('a'))).toEqual(['StepsReset', '+a (2)']);
    build.end('a');
    build.end('b');
    build.end('c');
    expect(build.tell(rerun('a'))).toEqual(['StepsReset', '+a (3)']);
    expect(build.end('a')).toEqual(['passed a', '+b (2)']);
    build.end('b');
    expect(build.end('d')).toEqual(['passed d', 'BuildPassed']);
  });
  test('not while something that builds on it runs', () => {
    const build = new Told([step('a', []), step('b', [0])]);
    build.ready();
    build.end('a');
    expect(build.tell(rerun('a'))).toEqual(['step-not-over']);
  });
  test('of a build that is over: a new generation keeps what neither builds on anything that runs nor shares its host', () => {
    const hosts = { hosts: { one: {}, two: {} } };
    const build = new Told([step('up', [], { host: 'one', uses: 'upload-artifact', with: { path: ['x'] } }), step('test', [0], { host: 'two' }), step('lint', [0], { host: 'two' }), step('last', [1]), wait('ok', [])], hosts);
    build.ready();
    const { action } = build.live.steps[0] as { action: string };
    build.tell({ type: 'FinishStep', build: BUILD, action, verdict: { outcome: 'passed', artifacts: [{ name: 'x', object: 'o', bytes: 1, sha256: 'ab' }] }, durationMs: 1 });
    build.end('lint');
    build.end('ok', undefined, { by: 'ada' });
    build.end('test', 'no');
    expect(build.state.status).toBe('failed');
    const restart: BuildCommand = { type: 'Restart', build: BUILD, where: 'any', reason: 'x', step: 'test', durations: {} };
    // `last` is on host one, as `up` is: its working copy is gone, so `up` runs again too.
    expect(build.tell(restart)[0]).toBe('BuildRestarted');
    expect(build.statuses).toBe('waiting waiting waiting waiting passed');
    expect(build.live).toMatchObject({ generation: 2, attempt: 2, artifacts: [{ name: 'x' }], steps: [{}, {}, {}, {}, { outputs: { by: 'ada' } }] });
  });
  test('a build of a group waits for its turn again', () => {
    const build = new Told([wait('a', [])]);
    build.state = { ...build.live, about: { ...build.live.about, group: 'g' } };
    expect(build.tell({ type: 'Restart', build: BUILD, where: 'any', reason: 'x', durations: {} })).toEqual(['cancelled a', 'BuildRestarted']);
    expect(build.state).toMatchObject({ status: 'pending', queued: true, about: { group: 'g' } });
    expect(build.tell({ type: 'Admit', build: BUILD })).toEqual(['BuildAdmitted', '+a']);
  });
  test('what was left out because something failed is run when that is', () => {
    const build = new Told([wait('a', []), wait('b', [0]), wait('c', [])]);
    build.end('a', 'no');
    build.end('c');
    expect(build.state).toMatchObject({ status: 'failed', steps: [{}, { status: 'skipped', because: 'needs' }, {}] });
    build.tell({ type: 'Restart', build: BUILD, where: 'any', reason: 'x', step: 'c', durations: {} });
    expect(build.statuses).toBe('running waiting running');
  });
});
