import type { BuildEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { buildDecider, hostFailures, type Build, type BuildCommand, type EndingBuild } from './build.js';
import { action, after, BUILD, COPY, fail, HOST, idle, interrupted, pass, phases, plan, request } from '../../spec/examples.js';
import { ids } from '../ids.js';

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
const finished = (step: number, outcome: 'passed' | 'failed' | 'lost' | 'cancelled' | 'skipped', more: object = {}, durationMs = 5): BuildEvent => ({ type: 'StepFinished', data: { step, outcome, ...more, durationMs } });
const abort: BuildCommand = { type: 'Abort', reason: 'not needed', durations: { [action(0)]: 7, [action(1)]: 7 } };
const artifact = { name: 'wordcount.tgz', object: `${BUILD}/wordcount.tgz`, bytes: 3, sha256: 'ab' };

describe('a build goes its way', () => {
  test('requested, and its host lease named, in one commit', () => given(phases.none).when(request).then(requested, preparing(1)));
  test('the working copy is named before it is asked for', () =>
    given(phases['preparing the host']).when({ type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' }).then({ type: 'BuildWorkingCopyRequested', data: { workingCopyLease: COPY } }));
  test('why it waits, once for each reason', () => {
    const waits = { type: 'Wait', activity: 'waiting: all slots are taken' } as const;
    given(phases['preparing the host']).when(waits).then({ type: 'BuildWaiting', data: { activity: 'waiting: all slots are taken' } });
    given(after(request, waits)).when(waits).then();
  });
  test('started together with its first step', () => {
    given(phases['preparing the working copy'])
      .when({ type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w/1', commit: 'c0ffee', machine: undefined })
      .then({ type: 'BuildStarted', data: { path: '/w/1', commit: 'c0ffee' } }, { type: 'StepStarted', data: steps.first });
    given(phases['preparing the working copy'])
      .when({ type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w/1', commit: undefined, machine: undefined })
      .then({ type: 'BuildStarted', data: { path: '/w/1' } }, { type: 'StepStarted', data: steps.first });
  });
  test('a step that passed starts the next', () => given(phases['running the first step']).when(pass(0)).then(finished(0, 'passed'), { type: 'StepStarted', data: steps.last }));
  test('the last one ends the build, with what it kept', () =>
    given(phases['running the last step'])
      .when({ type: 'FinishStep', build: BUILD, action: action(1), verdict: { outcome: 'passed', artifacts: [artifact] }, durationMs: 5 })
      .then(finished(1, 'passed'), { type: 'ArtifactKept', data: artifact }, { type: 'BuildPassed', data: {} }));
  test('one that failed ends the build, with a clear error', () =>
    given(phases['running the first step']).when(fail).then(finished(0, 'failed', { error: 'exit code 1', exitCode: 1 }), finished(1, 'skipped', { because: 'needs' }, 0), { type: 'BuildFailed', data: { error: 'step Test failed: exit code 1', failure: { step: 'Test', command: 'npm test', exitCode: 1 } } }));
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
  test('a build that is there already stays as it is', () => given(phases.passed).when(request).then());
  test('a host that fails is replaced', () =>
    given(phases['preparing the working copy']).when({ type: 'Retry', build: BUILD, attempt: 1, error: 'host unreachable: a', interrupted: idle }).then({ type: 'BuildRetried', data: { error: 'host unreachable: a' } }, preparing(2)));
  test('so is one that vanished before it began with the first step', () =>
    given(phases['running the first step'])
      .when({ type: 'Retry', build: BUILD, attempt: 1, error: 'no route', interrupted: interrupted('cancelled', 'no route', 1) })
      .then(finished(0, 'cancelled', { error: 'no route' }, 1), { type: 'BuildRetried', data: { error: 'no route' } }, preparing(2)));
  const retry = (attempt: number, error = `host ${attempt} failed`): BuildCommand => ({ type: 'Retry', build: BUILD, attempt, error, interrupted: idle });
  test('not for ever: a plan of an older version has two retries', () => {
    const last = after(request, retry(1), retry(2));
    expect(last).toMatchObject({ status: 'preparing', attempt: 3, places: { main: { attempt: 3 } }, past: [{ attempt: 1, hostLease: HOST }, { attempt: 2 }], failures: ['host 1 failed', 'host 2 failed'] });
    given(last).when(retry(3)).then({ type: 'BuildErrored', data: { error: 'no other host is tried: 3 hosts failed: host 1 failed; host 2 failed; host 3 failed' } });
  });
  test.each([0, 1, 5])('as often as the plan says: %d', (infrastructureRetries) => {
    const asked = { ...request, plan: { ...plan, infrastructureRetries } } as BuildCommand;
    const last = after(asked, ...Array.from({ length: infrastructureRetries }, (_, i) => retry(i + 1, 'gone')));
    expect(last).toMatchObject({ status: 'preparing', attempt: infrastructureRetries + 1 });
    given(last).when(retry(infrastructureRetries + 1, 'gone')).then({ type: 'BuildErrored', data: { error: `no other host is tried: ${hostFailures(Array.from({ length: infrastructureRetries + 1 }, () => 'gone'))}` } });
  });
  test('a reason that comes again is told once', () => {
    expect(hostFailures(['no route'])).toBe('1 host failed: no route');
    expect(hostFailures(['interrupted', 'no route', 'interrupted'])).toBe('3 hosts failed: interrupted (2 times); no route');
  });
  test('a host that is gone takes its step with it, and the next attempt begins with the first step', () => {
    const gone: BuildCommand = { type: 'Retry', build: BUILD, attempt: 1, error: 'interrupted', interrupted: interrupted('lost', 'interrupted', 1) };
    given(phases['running the last step']).when(gone).then(finished(1, 'lost', { error: 'interrupted' }, 1), { type: 'BuildRetried', data: { error: 'interrupted' } }, preparing(2));
    const again = after(request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' }, { type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w/1', commit: undefined, machine: undefined }, pass(0), gone, { type: 'RequestWorkingCopy', build: BUILD, attempt: 2, host: 'main' });
    expect(again).toMatchObject({ status: 'preparing', percent: 75 });
    given(again).when({ type: 'Start', build: BUILD, attempt: 2, host: 'main', path: '/w/2', commit: undefined, machine: undefined }).then({ type: 'BuildStarted', data: { path: '/w/2' } }, { type: 'StepStarted', data: { ...steps.first, action: action(0, 2) } });
  });
  test('what came late for another attempt has no effect', () => {
    const second = after(request, { type: 'Retry', build: BUILD, attempt: 1, error: 'gone', interrupted: idle });
    for (const command of [
      { type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' },
      { type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/', commit: undefined, machine: undefined },
      { type: 'Retry', build: BUILD, attempt: 1, error: 'x', interrupted: idle },
      { type: 'GiveUp', attempt: 1, error: 'x', interrupted: idle },
      pass(0),
    ] satisfies BuildCommand[]) given(second).when(command).then();
  });
  test('a build that is given up says why, and no step is left without an end', () =>
    given(phases['running the first step'])
      .when({ type: 'GiveUp', attempt: 1, error: 'the outcome is unknown', interrupted: interrupted('lost', 'the outcome is unknown', 9) })
      .then(finished(0, 'lost', { error: 'the outcome is unknown' }, 9), { type: 'BuildErrored', data: { error: 'the outcome is unknown' } }));
});

/** What each command does in each phase: the types of its events, `-` for none, or the code of the refusal. */
describe('state x command', () => {
  const told = {
    Request: request,
    Abort: abort,
    Advance: { type: 'Advance', build: BUILD },
    RequestWorkingCopy: { type: 'RequestWorkingCopy', build: BUILD, attempt: 1, host: 'main' },
    Wait: { type: 'Wait', activity: 'waiting: x' },
    Start: { type: 'Start', build: BUILD, attempt: 1, host: 'main', path: '/w', commit: undefined, machine: undefined },
    'FinishStep first': pass(0),
    'FinishStep last': pass(1),
    'FinishStep failed': fail,
    Retry: { type: 'Retry', build: BUILD, attempt: 1, error: 'x', interrupted: idle },
    GiveUp: { type: 'GiveUp', attempt: 1, error: 'x', interrupted: interrupted('lost', 'x', 0) },
    NoteHold: { type: 'NoteHold', activity: 'host held until noon' },
    CleanUp: { type: 'CleanUp' },
    Admit: { type: 'Admit', build: BUILD },
    Yield: { type: 'Yield', build: BUILD, attempt: 1, to: COPY, durations: {} },
    TimeOut: { type: 'TimeOut', error: 'too long', durations: {} },
    Pause: { type: 'Pause', reason: 'look' },
    Resume: { type: 'Resume', build: BUILD },
    Restart: { type: 'Restart', build: BUILD, where: 'any', reason: 'again', durations: {}, before: phases.failed as EndingBuild },
    'Rerun first': { type: 'Rerun', build: BUILD, step: 'step-1', reason: 'again' },
    'Rerun last': { type: 'Rerun', build: BUILD, step: 'step-2', reason: 'again' },
    Message: { type: 'Message', step: 'step-1', message: { type: 'pass' } },
    AddArtifact: { type: 'AddArtifact', name: 'report', kind: 'uri', uri: 'https://x.example' },
    'AddArtifact again': { type: 'AddArtifact', name: 'report', kind: 'uri', uri: 'https://x.example', known: { uri: 'https://x.example' } },
    'AddArtifact other': { type: 'AddArtifact', name: 'report', kind: 'uri', uri: 'https://x.example', known: { sha256: 'ab' } },
    PinArtifact: { type: 'PinArtifact', name: 'x', pinned: true, known: { pinned: false } },
    'PinArtifact again': { type: 'PinArtifact', name: 'x', pinned: true, known: { pinned: true } },
    'PinArtifact unknown': { type: 'PinArtifact', name: 'x', pinned: true, known: undefined },
    ReleaseArtifact: { type: 'ReleaseArtifact', name: 'x', reason: 'old', known: { pinned: false } },
    'ReleaseArtifact unknown': { type: 'ReleaseArtifact', name: 'x', reason: 'old', known: undefined },
  } satisfies Record<string, BuildCommand>;
  const artifacts = { AddArtifact: 'LinkAdded', 'AddArtifact other': 'name-taken', PinArtifact: 'ArtifactPinned', 'PinArtifact unknown': 'not-found', ReleaseArtifact: 'ArtifactReleased' };
  const live = { ...artifacts, Abort: 'BuildAborted', Wait: 'BuildWaiting', TimeOut: 'BuildFailed', Pause: 'BuildPaused', Restart: 'BuildRestarted BuildPreparing', 'Rerun first': 'step-not-over', 'Rerun last': 'step-not-over', Message: 'invalid-data' };
  const ended = { ...artifacts, Abort: 'build-ended', Pause: 'build-ended', Resume: 'build-ended', Restart: 'BuildRestarted BuildPreparing', 'Rerun first': 'build-ended', 'Rerun last': 'build-ended', Message: 'build-ended' };
  const over = { ...ended, CleanUp: 'BuildCleanedUp' };
  const nobody = Object.fromEntries(Object.keys(told).filter((name) => /^(Abort|Pause|Resume|Restart|Rerun|Message|AddArtifact|PinArtifact|ReleaseArtifact)/.test(name)).map((name) => [name, 'unknown-build']));
  const running = { ...live, Abort: 'StepFinished BuildAborted', TimeOut: 'StepFinished BuildFailed', Restart: 'StepFinished BuildRestarted BuildPreparing', Retry: 'StepFinished BuildRetried BuildPreparing', GiveUp: 'StepFinished BuildErrored' };
  const table: Record<keyof typeof phases, Partial<Record<keyof typeof told, string>>> = {
    none: { ...nobody, Request: 'BuildRequested BuildPreparing' },
    pending: { ...live, Advance: 'BuildPreparing' },
    'preparing the host': { ...live, RequestWorkingCopy: 'BuildWorkingCopyRequested', Retry: 'BuildRetried BuildPreparing', GiveUp: 'BuildErrored', Yield: 'BuildRetried' },
    'preparing the working copy': { ...live, Start: 'BuildStarted StepStarted', Retry: 'BuildRetried BuildPreparing', GiveUp: 'BuildErrored', Yield: 'BuildRetried' },
    'running the first step': { ...running, 'FinishStep first': 'StepFinished StepStarted', 'FinishStep failed': 'StepFinished StepFinished BuildFailed' },
    'running the last step': { ...running, 'FinishStep last': 'StepFinished BuildPassed', Message: 'invalid-data' },
    passed: over,
    failed: { ...over, NoteHold: 'BuildWaiting' },
    'failed and held': over,
    errored: { ...over, NoteHold: 'BuildWaiting' },
    aborted: { ...over, Abort: '-' },
    'passed and cleaned up': ended,
    'aborted and cleaned up': { ...ended, Abort: '-' },
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
  test('with the last of its leases its plan leaves memory, and what frontends are shown stays', () => {
    expect(phases.failed).toMatchObject({
      status: 'failed',
      error: 'step Test failed: exit code 1',
      about: { plan: 'wordcount', planVersion: 3, initiator: 'ada', steps: 2, retries: 2, hosts: { main: plan.host }, workingCopy: plan.workingCopy },
      places: [{ host: 'main', attempt: 1, hostLease: HOST, workingCopyLease: COPY }],
      steps: [{ status: 'failed', allowed: false }, { status: 'skipped', because: 'needs' }],
      stray: [],
      cleaned: false,
    });
    expect(phases['passed and cleaned up']).toMatchObject({ cleaned: true, last: { hostLease: HOST, workingCopyLease: COPY, step: { step: 1, name: 'Keep the package' } } });
    expect(phases['passed and cleaned up']).not.toHaveProperty('plan');
    expect(buildDecider.ended(phases.failed)).toBe(false);
    expect(buildDecider.ended(phases['passed and cleaned up'])).toBe(true);
    expect(buildDecider.ended(phases['running the first step'])).toBe(false);
  });
  test('what was asked for besides is stored, and goes before the plan', () => {
    const asked = { ...request, plan: { ...plan, holdOnFailure: 5, infrastructureRetries: 7 }, project: 'compilers', priority: 500 } as BuildCommand;
    expect(after(asked)).toMatchObject({ about: { project: 'compilers', priority: 500, retries: 7, holdOnFailure: 5 } });
    expect(after({ ...asked, holdOnFailure: 9 } as BuildCommand)).toMatchObject({ about: { holdOnFailure: 9 } });
    expect(buildDecider.decide(asked, phases.none)).toMatchObject([{ data: { project: 'compilers', priority: 500 } }, {}]);
    expect(buildDecider.decide(request, phases.none)).toEqual([requested, preparing(1)]);
  });
  test.each([
    ['none', { type: 'BuildPassed', data: {} }],
    ['passed', { type: 'BuildWaiting', data: { activity: 'x' } }],
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
