import { describe, expect, test } from 'vitest';
import type { Build, BuildCommand } from './build.js';
import { acquired, action, active, activeCopy, after, BUILD, COPY, destroyed, ending, HOST, pending, phases, plan, refused, request, seeing } from '../spec/examples.js';
import { ids } from './ids.js';
import { react, type Due } from './react.js';
import type { ActionView, LeaseView, View } from './view.js';

const due = (build: Build, view: View) => react(BUILD, build, view);
const told = (command: BuildCommand): Due[] => [{ to: 'build', command }];
const retry = (error: string, more: object = {}) => told({ type: 'Retry', build: BUILD, attempt: 1, error, ...more });
const giveUp = (error: string, more: object = {}) => told({ type: 'GiveUp', attempt: 1, error, ...more });
const requestHost: Due = { to: 'lease', type: 'RequestLease', id: HOST, after: 0, data: { type: 'host', owner: 'ada', attributes: { remote: 'yes', os: 'linux' } } };
const requestCopy = (position: number): Due => ({ to: 'lease', type: 'RequestLease', id: COPY, after: position, data: { type: 'working-copy', owner: 'ada', host: { lease: HOST }, workingCopy: plan.workingCopy } });
const release = (lease: string, position: number, reason: string): Due => ({ to: 'lease', type: 'ReleaseLease', id: ids.release(lease), after: position, data: { lease, reason } });

test('nothing is due for what is not there', () => expect(due(phases.none, seeing({}))).toEqual([]));
test('a request that was stored without its host lease goes on', () => expect(due(phases.pending, seeing({}))).toEqual(told({ type: 'Prepare', build: BUILD })));

describe('preparing the host', () => {
  const build = phases['preparing the host'];
  test('the lease is asked for, under its own id', () => expect(due(build, seeing({}))).toEqual([requestHost]));
  test('a plan may ask for a host that is not remote', () => {
    const local = after({ ...request, plan: { version: 1, plan: { ...plan, host: { remote: 'no' } } } } as BuildCommand);
    expect(due(local, seeing({}))).toMatchObject([{ data: { attributes: { remote: 'no' } } }]);
  });
  test('nothing while it is looked for', () => expect(due(build, seeing({ host: pending() }))).toEqual([]));
  test('its reason to wait is ours', () => expect(due(build, seeing({ host: pending('no slot is free') }))).toEqual(told({ type: 'Wait', attempt: 1, activity: 'waiting: no slot is free' })));
  const waiting = after(request, { type: 'Wait', attempt: 1, activity: 'waiting: no slot is free' });
  test('told once', () => expect(due(waiting, seeing({ host: pending('no slot is free') }))).toEqual([]));
  test('told again when it changes', () => expect(due(waiting, seeing({ host: pending('quota') }))).toEqual(told({ type: 'Wait', attempt: 1, activity: 'waiting: quota' })));
  test('and when the wait is over, to who was told of it', () => {
    expect(due(waiting, seeing({ host: acquired }))).toEqual(told({ type: 'Wait', attempt: 1, activity: 'preparing host' }));
    expect(due(build, seeing({ host: acquired }))).toEqual([]);
  });
  test('the working copy is due on an active host', () => expect(due(build, seeing({ host: active }))).toEqual(told({ type: 'RequestWorkingCopy', build: BUILD, attempt: 1 })));
  test.each<[string, LeaseView, Due[]]>([
    ['refused', refused('invalid-data', 'no such attribute.'), giveUp('the host lease was refused: no such attribute.')],
    ['broken', ending('broken', 'it burns'), retry('the host lease broke: it burns')],
    ['broken and gone', destroyed('broken', 'it burns'), retry('the host lease broke: it burns')],
    ['expired', ending('expired', 'its time was up'), retry('the host lease expired: its time was up')],
    ['taken from us', ending('released', 'maintenance'), giveUp('the host lease was released: maintenance')],
    ['taken from us and gone', destroyed('released', 'maintenance'), giveUp('the host lease was released: maintenance')],
  ])('a host lease that is %s', (_what, host, expected) => expect(due(build, seeing({ host }))).toEqual(expected));
});

describe('preparing the working copy', () => {
  const build = phases['preparing the working copy'];
  test('the lease is asked for by the position that shows the host', () => expect(due(build, seeing({ host: active }))).toEqual([requestCopy(13)]));
  test.each<[string, LeaseView, Due[]]>([
    ['pending', pending(), []],
    ['waiting', pending('the copy limit is reached'), told({ type: 'Wait', attempt: 1, activity: 'waiting: the copy limit is reached' })],
    ['being made', acquired, []],
    ['ready', activeCopy, told({ type: 'Start', build: BUILD, attempt: 1, path: '/w/1', commit: 'c0ffee' })],
    ['ready without a folder', active, giveUp('the working copy was made without a folder')],
    ['broken by the repository', ending('broken', 'ref nope does not exist'), giveUp('ref nope does not exist')],
    ['broken by the repository and gone', destroyed('broken', 'ref nope does not exist'), giveUp('ref nope does not exist')],
    ['broken by the host', ending('broken', 'host unreachable: no route'), retry('host unreachable: no route')],
    ['broken by the host and gone', destroyed('broken', 'host unreachable: no route'), retry('host unreachable: no route')],
    ['taken from us', ending('released', 'maintenance'), giveUp('the working-copy lease was released: maintenance')],
    ['expired', ending('expired', 'its time was up'), giveUp('the working-copy lease expired: its time was up')],
    ['refused', refused('invalid-data'), giveUp('the working-copy lease was refused: no.')],
    ['refused, for the host is gone', refused('lease-not-active'), retry('the working-copy lease was refused: no.')],
  ])('a lease that is %s', (_what, copy, expected) => expect(due(build, seeing({ host: active, copy }))).toEqual(expected));
  test('the end of the host says more than that of what stands on it', () =>
    expect(due(build, seeing({ host: ending('expired', 'its time was up'), copy: ending('released', 'its host lease ended') }))).toEqual(retry('the host lease expired: its time was up')));
});

describe('a step', () => {
  const leases = { host: active, copy: activeCopy };
  const first = phases['running the first step'];
  test('is run under the token of the working copy, with the whole environment', () =>
    expect(due(first, seeing(leases))).toEqual([
      {
        to: 'host-agent-gateway',
        type: 'RunAction',
        id: action(0),
        after: 23,
        data: {
          lease: COPY,
          token: 22,
          spec: { kind: 'run-command', command: 'npm test', env: { CI: 'true', WHERE: 'step', WHO: 'me', BERTH_BUILD_ID: BUILD, BERTH_BUILD_PLAN: 'wordcount', BERTH_COMMIT: 'c0ffee' }, timeoutMs: 600_000 },
        },
      },
    ]));
  test('that keeps a file takes it into the folder of the build', () =>
    expect(due(phases['running the last step'], seeing(leases))).toMatchObject([{ type: 'RunAction', id: action(1), data: { spec: { kind: 'get-file', path: 'out/wordcount.tgz', object: `${BUILD}/wordcount.tgz` } } }]));
  test('is not run twice', () => {
    expect(due(first, seeing({ ...leases, first: { status: 'requested' } }))).toEqual([]);
    expect(due(first, seeing({ ...leases, first: { status: 'requested', startedAt: 10_000 } }))).toEqual([]);
  });

  const finish = (verdict: object) => told({ type: 'FinishStep', build: BUILD, action: action(0), verdict, durationMs: 40 } as BuildCommand);
  const stopped = (error: string, outcome: 'lost' | 'cancelled', durationMs = 40) => giveUp(error, { step: { outcome, error, durationMs } });
  const failed = (code: string, error: string, more: { started?: boolean; exitCode?: number } = {}): ActionView => ({
    status: 'failed', code, error, started: more.started ?? true, durationMs: 40, result: more.exitCode === undefined ? {} : { exitCode: more.exitCode },
  });
  test.each<[string, ActionView, Due[]]>([
    ['passed', { status: 'succeeded', result: { exitCode: 0 }, durationMs: 40 }, finish({ outcome: 'passed', exitCode: 0 })],
    ['exited with 2', failed('exit', 'the command failed', { exitCode: 2 }), finish({ outcome: 'failed', error: 'exit code 2', exitCode: 2 })],
    ['was killed', failed('exit', 'killed by SIGKILL'), finish({ outcome: 'failed', error: 'killed by SIGKILL' })],
    ['took too long', failed('timeout', 'timed out after 600 s'), finish({ outcome: 'failed', error: 'timed out after 600 s' })],
    ['is lost', { status: 'lost', error: 'the host was reset', durationMs: 40 }, stopped('the outcome of step Test is unknown: the host was reset', 'lost')],
    ['was cancelled', { status: 'cancelled', reason: 'by ada', durationMs: 40 }, stopped('step Test was cancelled: by ada', 'cancelled')],
    ['was under way when the host vanished', failed('unreachable', 'no route'), stopped('the outcome of step Test is unknown: no route', 'lost')],
    ['never began, for there is no host', failed('unreachable', 'no route', { started: false }), retry('no route', { step: { outcome: 'cancelled', error: 'no route', durationMs: 40 } })],
    ['never began, says the gateway', failed('host-fault', 'host unreachable: x', { started: false }), retry('host unreachable: x', { step: { outcome: 'cancelled', error: 'host unreachable: x', durationMs: 40 } })],
    ['had a stale token', failed('stale-token', 'the token is stale', { started: false }), stopped('step Test was not run: the token is stale', 'cancelled')],
    ['ended in a way that says nothing about the code', failed('host-fault', 'no space left'), stopped('step Test could not be carried out: no space left', 'lost')],
    ['was refused', refused('stale-token', 'the token is stale'), stopped('step Test was not run: the token is stale', 'cancelled', 0)],
  ])('that %s', (_what, view, expected) => expect(due(first, seeing({ ...leases, first: view }))).toEqual(expected));

  test('with an end of its own has its verdict, whatever became of its leases', () =>
    expect(due(first, seeing({ host: destroyed(), copy: destroyed(), first: { status: 'succeeded', result: {}, durationMs: 40 } }))).toEqual(finish({ outcome: 'passed' })));
  test('after others never begins again on another host', () =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: failed('unreachable', 'no route', { started: false }) }))).toEqual(stopped('step Keep the package was not run: no route', 'cancelled')));
  test('that kept something without a checksum kept nothing', () =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: { status: 'succeeded', result: { bytes: 3 }, durationMs: 40 } }))).toEqual(stopped('step Keep the package could not be carried out: its result is incomplete', 'lost')));
  test.each(['not-found', 'path-outside', 'file-failed'])('that finds no file failed: %s', (code) =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: failed(code, 'there is no out/wordcount.tgz') }))).toMatchObject([{ command: { type: 'FinishStep', verdict: { outcome: 'failed', error: 'there is no out/wordcount.tgz' } } }]));

  const running: ActionView = { status: 'requested', startedAt: 10_000 };
  test.each<[string, Parameters<typeof seeing>[0], Due[]]>([
    ['released under it', { host: active, copy: ending('released', 'maintenance'), first: running }, stopped('step Test was cancelled: the working-copy lease was released: maintenance', 'cancelled', 500)],
    ['expired under it', { host: ending('expired', 'its time was up'), copy: ending('released', 'its host lease ended'), first: running }, stopped('step Test was cancelled: the host lease expired: its time was up', 'cancelled', 500)],
    ['broken under it', { host: active, copy: ending('broken', 'disk full'), first: running }, stopped('the outcome of step Test is unknown: the working-copy lease broke: disk full', 'lost', 500)],
    ['broken before its command was out', { host: ending('broken', 'it burns'), copy: activeCopy }, stopped('step Test was cancelled: the host lease broke: it burns', 'cancelled', 0)],
  ])('whose lease was %s', (_what, view, expected) => expect(due(first, seeing(view))).toEqual(expected));
});

describe('the end', () => {
  const reason = (build: Build) => `the build is over: ${build.status}`;
  const gone = destroyed();
  for (const phase of ['passed', 'failed', 'errored', 'aborted'] as const) {
    // errored and aborted in the phases they have here never had a working copy
    const build = phases[phase];
    const hasCopy = phase === 'passed' || phase === 'failed';
    const cases: [string, Parameters<typeof seeing>[0], Due[]][] = [
      ...(hasCopy
        ? ([
            ['the working copy goes first', { host: active, copy: activeCopy }, [release(COPY, 23, reason(build))]],
            ['the host waits for it', { host: active, copy: ending('released', 'x') }, []],
            ['a working copy that was never seen is asked for, so that it can be given back', { host: active }, [requestCopy(13)]],
            ['one that could not come to be is gone', { host: active, copy: refused('lease-not-active') }, [release(HOST, 13, reason(build))]],
            ['an outage is not taken for a refusal', { host: active, copy: refused('unavailable') }, [requestCopy(13)]],
          ] satisfies typeof cases)
        : []),
      ['then the host', { host: active, copy: gone }, [release(HOST, 13, reason(build))]],
      ['whatever it is doing', { host: pending('no slot'), copy: gone }, [release(HOST, 11, reason(build))]],
      ['even half made', { host: acquired, copy: gone }, [release(HOST, 12, reason(build))]],
      ['its end is waited for', { host: ending('released', 'x'), copy: gone }, []],
      ['a host that was never seen is asked for, so that it can be given back', { copy: gone }, [requestHost]],
      ['when nothing is left, it is told', { host: gone, copy: gone }, told({ type: 'CleanUp' })],
      ['nor when there was nothing', { host: refused('invalid-data'), copy: gone }, told({ type: 'CleanUp' })],
    ];
    test.each(cases)(`${phase}: %s`, (_what, view, expected) => expect(due(build, seeing(view))).toEqual(expected));
  }
  test.each(['passed and cleaned up', 'aborted and cleaned up'] as const)('%s: nothing more', (phase) => expect(due(phases[phase], seeing({}))).toEqual([]));
  test('what a step does after the end changes nothing', () => {
    const late: ActionView[] = [{ status: 'succeeded', result: {}, durationMs: 1 }, { status: 'lost', error: 'x', durationMs: 1 }, { status: 'cancelled', reason: 'x', durationMs: 1 }];
    for (const first of late) expect(due(after(request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'Abort', reason: 'x', stepMs: 0 }), seeing({ host: active, copy: ending('released', 'x'), first }))).toEqual([]);
  });
});

test('a host that failed is given back while the build goes on elsewhere', () => {
  const second = after(request, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'Retry', build: BUILD, attempt: 1, error: 'no route' });
  const other = ids.hostLease(BUILD, 2);
  expect(other).not.toBe(HOST);
  expect(due(second, seeing({ host: active, copy: ending('broken', 'x') }))).toMatchObject([{ type: 'RequestLease', id: other }]);
  expect(due(second, seeing({ host: active, copy: destroyed('broken', 'x') }))).toMatchObject([{ type: 'RequestLease', id: other }, release(HOST, 13, 'another host is tried')]);
  expect(due(second, seeing({ host: destroyed(), copy: destroyed(), more: { [other]: active } }))).toEqual(told({ type: 'RequestWorkingCopy', build: BUILD, attempt: 2 }));
  // and it is over only when both are
  const over = after(request, { type: 'Retry', build: BUILD, attempt: 1, error: 'no route' }, { type: 'Abort', reason: 'x', stepMs: 0 });
  expect(due(over, seeing({ host: ending('broken', 'x'), more: { [other]: destroyed() } }))).toEqual([]);
  expect(due(over, seeing({ host: destroyed(), more: { [other]: destroyed() } }))).toEqual(told({ type: 'CleanUp' }));
});
