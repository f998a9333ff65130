import type { BuildEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { buildDecider, hostFailures, type Build, type BuildCommand } from './build.js';
import { action, after, BUILD, COPY, fail, HOST, pass, phases, plan, request } from '../spec/examples.js';
import { ids } from './ids.js';

/** Given a build, when it is told something, then exactly these events in this order. */
const given = (build: Build) => ({
  when: (command: BuildCommand) => {
    const decision = buildDecider.decide(command, build);
    return {
      then: (...events: BuildEvent[]) => expect(decision).toEqual(events),
      thenRejected: (code: string, field: string) => expect(decision).toMatchObject({ accepted: false, code, errors: [{ field }] }),
    };
  },
});

const steps = { first: { step: 0, name: 'Test', action: action(0) }, last: { step: 1, name: 'Keep the package', action: action(1) } };
const requested: BuildEvent = { type: 'BuildRequested', data: { plan, planVersion: 3, variables: { WHO: 'me' }, initiator: 'ada' } };
const preparing = (attempt: number): BuildEvent => ({ type: 'BuildPreparing', data: { attempt, hostLease: ids.hostLease(BUILD, attempt) } });
const finished = (step: number, outcome: 'passed' | 'failed' | 'lost' | 'cancelled', more: object = {}, durationMs = 5): BuildEvent => ({ type: 'StepFinished', data: { step, outcome, ...more, durationMs } });
const abort: BuildCommand = { type: 'Abort', reason: 'not needed', stepMs: 7 };
const artifact = { name: 'wordcount.tgz', object: `${BUILD}/wordcount.tgz`, bytes: 3, sha256: 'ab' };

describe('a build goes its way', () => {
  test('requested, and its host lease named, in one commit', () => given(phases.none).when(request).then(requested, preparing(1)));
  test('the working copy is named before it is asked for', () =>
    given(phases['preparing the host']).when({ type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }).then({ type: 'BuildWorkingCopyRequested', data: { workingCopyLease: COPY } }));
  test('why it waits, once for each reason', () => {
    const waits = { type: 'Wait', attempt: 1, activity: 'waiting: all slots are taken' } as const;
    given(phases['preparing the host']).when(waits).then({ type: 'BuildWaiting', data: { activity: 'waiting: all slots are taken' } });
    given(after(request, waits)).when(waits).then();
  });
  test('started together with its first step', () => {
    given(phases['preparing the working copy'])
      .when({ type: 'Start', build: BUILD, attempt: 1, path: '/w/1', commit: 'c0ffee' })
      .then({ type: 'BuildStarted', data: { path: '/w/1', commit: 'c0ffee' } }, { type: 'StepStarted', data: steps.first });
    given(phases['preparing the working copy'])
      .when({ type: 'Start', build: BUILD, attempt: 1, path: '/w/1', commit: undefined })
      .then({ type: 'BuildStarted', data: { path: '/w/1' } }, { type: 'StepStarted', data: steps.first });
  });
  test('a step that passed starts the next', () => given(phases['running the first step']).when(pass(0)).then(finished(0, 'passed'), { type: 'StepStarted', data: steps.last }));
  test('the last one ends the build, with what it kept', () =>
    given(phases['running the last step'])
      .when({ type: 'FinishStep', build: BUILD, action: action(1), verdict: { outcome: 'passed', artifact }, durationMs: 5 })
      .then(finished(1, 'passed'), { type: 'ArtifactKept', data: artifact }, { type: 'BuildPassed', data: {} }));
  test('one that failed ends the build, with a clear error', () =>
    given(phases['running the first step']).when(fail).then(finished(0, 'failed', { error: 'exit code 1', exitCode: 1 }), { type: 'BuildFailed', data: { error: 'step Test failed: exit code 1' } }));
  test('a step has one end', () => given(phases['running the last step']).when(pass(0)).then());
});

describe('aborting', () => {
  test.each(['pending', 'preparing the host', 'preparing the working copy'] as const)('%s', (phase) => given(phases[phase]).when(abort).then({ type: 'BuildAborted', data: { reason: 'not needed' } }));
  test('a step that runs is cancelled with it', () =>
    given(phases['running the last step']).when(abort).then(finished(1, 'cancelled', { error: 'not needed' }, 7), { type: 'BuildAborted', data: { reason: 'not needed' } }));
  test('twice is once', () => {
    given(phases.aborted).when(abort).then();
    given(phases['aborted and cleaned up']).when(abort).then();
  });
  test.each(['passed', 'failed', 'errored', 'passed and cleaned up'] as const)('too late: %s', (phase) => given(phases[phase]).when(abort).thenRejected('build-ended', 'data.build'));
  test('no such build', () => given(phases.none).when(abort).thenRejected('unknown-build', 'data.build'));
});

describe('what goes wrong', () => {
  test('an unknown plan is named, with the way out', () => {
    const unknown = { ...request, plan: undefined } as BuildCommand;
    given(phases.none).when(unknown).thenRejected('unknown-plan', 'data.plan');
    expect(buildDecider.decide(unknown, phases.none)).toMatchObject({ errors: [{ message: expect.stringContaining('berth plan apply') as string }] });
  });
  test('a build that is there already is not asked about its plan', () => given(phases.passed).when({ ...request, plan: undefined } as BuildCommand).then());
  test('a host that fails is replaced', () =>
    given(phases['preparing the working copy']).when({ type: 'Retry', build: BUILD, attempt: 1, error: 'host unreachable: a' }).then({ type: 'BuildRetried', data: { error: 'host unreachable: a' } }, preparing(2)));
  test('so is one that vanished before it began with the first step', () =>
    given(phases['running the first step'])
      .when({ type: 'Retry', build: BUILD, attempt: 1, error: 'no route', step: { outcome: 'cancelled', error: 'no route', durationMs: 1 } })
      .then(finished(0, 'cancelled', { error: 'no route' }, 1), { type: 'BuildRetried', data: { error: 'no route' } }, preparing(2)));
  const retry = (attempt: number, error = `host ${attempt} failed`): BuildCommand => ({ type: 'Retry', build: BUILD, attempt, error });
  test('not for ever: a plan of an older version has two retries', () => {
    const last = after(request, retry(1), retry(2));
    expect(last).toMatchObject({ status: 'preparing', current: { attempt: 3 }, past: [{ attempt: 1, hostLease: HOST }, { attempt: 2 }], failures: ['host 1 failed', 'host 2 failed'] });
    given(last).when(retry(3)).then({ type: 'BuildErrored', data: { error: 'no other host is tried: 3 hosts failed: host 1 failed; host 2 failed; host 3 failed' } });
  });
  test.each([0, 1, 5])('as often as the plan says: %d', (infrastructureRetries) => {
    const asked = { ...request, plan: { version: 1, plan: { ...plan, infrastructureRetries } } } as BuildCommand;
    const last = after(asked, ...Array.from({ length: infrastructureRetries }, (_, i) => retry(i + 1, 'gone')));
    expect(last).toMatchObject({ status: 'preparing', current: { attempt: infrastructureRetries + 1 } });
    given(last).when(retry(infrastructureRetries + 1, 'gone')).then({ type: 'BuildErrored', data: { error: `no other host is tried: ${hostFailures(Array.from({ length: infrastructureRetries + 1 }, () => 'gone'))}` } });
  });
  test('a reason that comes again is told once', () => {
    expect(hostFailures(['no route'])).toBe('1 host failed: no route');
    expect(hostFailures(['interrupted', 'no route', 'interrupted'])).toBe('3 hosts failed: interrupted (2 times); no route');
  });
  test('a host that is gone takes its step with it, and the next attempt begins with the first step', () => {
    const gone: BuildCommand = { type: 'Retry', build: BUILD, attempt: 1, error: 'interrupted', step: { outcome: 'lost', error: 'interrupted', durationMs: 1 } };
    given(phases['running the last step']).when(gone).then(finished(1, 'lost', { error: 'interrupted' }, 1), { type: 'BuildRetried', data: { error: 'interrupted' } }, preparing(2));
    const again = after(request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'Start', build: BUILD, attempt: 1, path: '/w/1', commit: undefined }, pass(0), gone, { type: 'RequestWorkingCopy', build: BUILD, attempt: 2 });
    expect(again).toMatchObject({ status: 'preparing', percent: 75 });
    given(again).when({ type: 'Start', build: BUILD, attempt: 2, path: '/w/2', commit: undefined }).then({ type: 'BuildStarted', data: { path: '/w/2' } }, { type: 'StepStarted', data: { ...steps.first, action: action(0, 2) } });
  });
  test('what came late for another attempt has no effect', () => {
    const second = after(request, { type: 'Retry', build: BUILD, attempt: 1, error: 'gone' });
    for (const command of [
      { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 },
      { type: 'Wait', attempt: 1, activity: 'x' },
      { type: 'Start', build: BUILD, attempt: 1, path: '/', commit: undefined },
      { type: 'Retry', build: BUILD, attempt: 1, error: 'x' },
      { type: 'GiveUp', attempt: 1, error: 'x' },
      pass(0),
    ] satisfies BuildCommand[]) given(second).when(command).then();
  });
  test('a build that is given up says why, and no step is left without an end', () =>
    given(phases['running the first step'])
      .when({ type: 'GiveUp', attempt: 1, error: 'the outcome is unknown', step: { outcome: 'lost', error: 'the outcome is unknown', durationMs: 9 } })
      .then(finished(0, 'lost', { error: 'the outcome is unknown' }, 9), { type: 'BuildErrored', data: { error: 'the outcome is unknown' } }));
});

/** What each command does in each phase: the types of its events, `-` for none, or the code of the refusal. */
describe('state x command', () => {
  const told = {
    Request: request,
    Abort: abort,
    Prepare: { type: 'Prepare', build: BUILD },
    RequestWorkingCopy: { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 },
    Wait: { type: 'Wait', attempt: 1, activity: 'waiting: x' },
    Start: { type: 'Start', build: BUILD, attempt: 1, path: '/w', commit: undefined },
    'FinishStep first': pass(0),
    'FinishStep last': pass(1),
    'FinishStep failed': fail,
    Retry: { type: 'Retry', build: BUILD, attempt: 1, error: 'x' },
    GiveUp: { type: 'GiveUp', attempt: 1, error: 'x', step: { outcome: 'lost', error: 'x', durationMs: 0 } },
    NoteHold: { type: 'NoteHold', activity: 'host held until noon' },
    CleanUp: { type: 'CleanUp' },
  } satisfies Record<string, BuildCommand>;
  const over = { Abort: 'build-ended', CleanUp: 'BuildCleanedUp' };
  const table: Record<keyof typeof phases, Partial<Record<keyof typeof told, string>>> = {
    none: { Request: 'BuildRequested BuildPreparing', Abort: 'unknown-build' },
    pending: { Abort: 'BuildAborted', Prepare: 'BuildPreparing' },
    'preparing the host': { Abort: 'BuildAborted', RequestWorkingCopy: 'BuildWorkingCopyRequested', Wait: 'BuildWaiting', Retry: 'BuildRetried BuildPreparing', GiveUp: 'BuildErrored' },
    'preparing the working copy': { Abort: 'BuildAborted', Wait: 'BuildWaiting', Start: 'BuildStarted StepStarted', Retry: 'BuildRetried BuildPreparing', GiveUp: 'BuildErrored' },
    'running the first step': { Abort: 'StepFinished BuildAborted', 'FinishStep first': 'StepFinished StepStarted', 'FinishStep failed': 'StepFinished BuildFailed', Retry: 'BuildRetried BuildPreparing', GiveUp: 'StepFinished BuildErrored' },
    'running the last step': { Abort: 'StepFinished BuildAborted', 'FinishStep last': 'StepFinished BuildPassed', Retry: 'BuildRetried BuildPreparing', GiveUp: 'StepFinished BuildErrored' },
    passed: over,
    failed: { ...over, NoteHold: 'BuildWaiting' },
    'failed and held': over,
    errored: { ...over, NoteHold: 'BuildWaiting' },
    aborted: { CleanUp: 'BuildCleanedUp' },
    'passed and cleaned up': { Abort: 'build-ended' },
    'aborted and cleaned up': {},
  };
  for (const [phase, row] of Object.entries(table)) {
    test.each(Object.entries(told))(`${phase}: %s`, (name, command) => {
      const build = phases[phase as keyof typeof phases];
      const decision = buildDecider.decide(command, build);
      const did = 'accepted' in decision ? decision.code : decision.map((event) => event.type).join(' ');
      expect(did || '-').toBe(row[name as keyof typeof told] ?? '-');
      if (!('accepted' in decision)) expect(() => decision.reduce(buildDecider.evolve, build)).not.toThrow();
    });
  }
});

describe('what a build becomes', () => {
  test('percent counts the host, the working copy and each step', () => {
    const percents = (['preparing the host', 'preparing the working copy', 'running the first step', 'running the last step', 'passed'] as const).map((phase) => (phases[phase] as { percent: number }).percent);
    expect(percents).toEqual([0, 25, 50, 75, 100]);
  });
  test('the verdict takes the plan out of memory, and keeps what cleaning up needs', () => {
    expect(phases.failed).toEqual({
      status: 'failed',
      error: 'step Test failed: exit code 1',
      about: { plan: 'wordcount', planVersion: 3, initiator: 'ada', steps: 2, retries: 2, host: plan.host, workingCopy: plan.workingCopy },
      attempts: [{ attempt: 1, hostLease: HOST, workingCopyLease: COPY }],
      percent: 50,
      cleaned: false,
      step: { index: 0, name: 'Test', action: action(0), running: false },
    });
    expect(buildDecider.ended(phases.failed)).toBe(false);
    expect(buildDecider.ended(phases['passed and cleaned up'])).toBe(true);
    expect(buildDecider.ended(phases['running the first step'])).toBe(false);
  });
  test('what was asked for besides is stored, and goes before the plan', () => {
    const asked = { ...request, plan: { version: 3, plan: { ...plan, holdOnFailure: 5, infrastructureRetries: 7 } }, project: 'compilers', priority: 500 } as BuildCommand;
    expect(after(asked)).toMatchObject({ about: { project: 'compilers', priority: 500, retries: 7, holdOnFailure: 5 } });
    expect(after({ ...asked, holdOnFailure: 9 } as BuildCommand)).toMatchObject({ about: { holdOnFailure: 9 } });
    expect(buildDecider.decide(asked, phases.none)).toMatchObject([{ data: { project: 'compilers', priority: 500 } }, {}]);
    expect(buildDecider.decide(request, phases.none)).toEqual([requested, preparing(1)]);
  });
  test.each([
    ['none', { type: 'BuildPassed', data: {} }],
    ['passed', { type: 'BuildWaiting', data: { activity: 'x' } }],
    ['running the first step', { type: 'BuildWaiting', data: { activity: 'x' } }],
    ['passed', { type: 'BuildAborted', data: { reason: 'x' } }],
    ['aborted', { type: 'BuildPassed', data: {} }],
    ['preparing the host', { type: 'BuildPassed', data: {} }],
    ['preparing the host', { type: 'BuildStarted', data: { path: '/' } }],
    ['preparing the host', { type: 'BuildCleanedUp', data: {} }],
    ['running the first step', requested],
    ['running the first step', { type: 'StepStarted', data: steps.last }],
    ['running the first step', finished(1, 'passed')],
    ['pending', { type: 'BuildRetried', data: { error: 'x' } }],
  ] as const)('events that cannot follow are not folded: %s, %o', (phase, event) => {
    expect(() => buildDecider.evolve(phases[phase], event as BuildEvent)).toThrow(/can't have/);
  });
});
