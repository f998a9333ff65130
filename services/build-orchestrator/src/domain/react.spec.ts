import { describe, expect, test } from 'vitest';
import type { Build, BuildCommand } from './build.js';
import { acquired, action, active, activeCopy, after, BUILD, COPY, destroyed, ending, fail, HOST, pass, pending, phases, plan, refused, request, seeing } from '../spec/examples.js';
import { ids } from './ids.js';
import type { Due } from './due.js';
import { react } from './react.js';
import { HOST_WORD_MS, LEASE_WORD_MS } from './run.js';
import type { ActionView, HostView, LeaseView, View } from './view.js';

const due = (build: Build, view: View, now = 20_000) => react(BUILD, build, view, now);
const told = (command: BuildCommand): Due[] => [{ to: 'build', command }];
const retry = (error: string, more: object = {}) => told({ type: 'Retry', build: BUILD, attempt: 1, error, ...more });
const giveUp = (error: string, more: object = {}) => told({ type: 'GiveUp', attempt: 1, error, ...more });
const requestHost: Due = { to: 'lease', type: 'RequestLease', id: HOST, after: 0, data: { type: 'host', owner: 'ada', attributes: { remote: 'yes', os: 'linux' }, affinity: '/repositories/wordcount', wait: 'served' } };
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
  test('it says whom it is for, and what will be warm', () => {
    const asked = { ...request, project: 'compilers', priority: 500, plan: { version: 1, plan: { ...plan, workingCopy: { repository: `/${'r'.repeat(400)}` } } } } as BuildCommand;
    expect(due(after(asked), seeing({}))).toMatchObject([{ data: { owner: 'ada', project: 'compilers', priority: 500, affinity: `/${'r'.repeat(255)}` } }]);
    const copy = after(asked, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 });
    expect(due(copy, seeing({ host: active }))).toMatchObject([{ data: { type: 'working-copy', owner: 'ada', project: 'compilers', priority: 500 } }]);
    expect(due(after({ ...asked, plan: { version: 1, plan: { ...plan, workingCopy: {} } } } as BuildCommand), seeing({}))[0]).not.toHaveProperty('data.affinity');
  });
  test('after a host failed, one that can be interrupted is not taken, unless the plan names the market', () => {
    const wants = (host: Record<string, string>) => due(after({ ...request, plan: { version: 1, plan: { ...plan, host } } } as BuildCommand, { type: 'Retry', build: BUILD, attempt: 1, error: 'x' }), seeing({ host: destroyed('broken', 'x') }));
    expect(wants({ os: 'linux' })).toMatchObject([{ type: 'RequestLease', data: { attributes: { remote: 'yes', os: 'linux', market: '!spot' } } }]);
    expect(wants({ market: 'spot' })).toMatchObject([{ data: { attributes: { remote: 'yes', market: 'spot' } } }]);
  });
  test('that nothing can serve ends the build, and tells of the hosts before', () => {
    const view = { more: { [ids.hostLease(BUILD, 2)]: refused('unservable', 'there is no such host') }, host: destroyed('broken', 'interrupted') };
    const second = after(request, { type: 'Retry', build: BUILD, attempt: 1, error: 'interrupted' });
    expect(due(second, seeing(view))).toEqual(told({ type: 'GiveUp', attempt: 2, error: 'the host lease was refused: there is no such host (before that, 1 host failed: interrupted)' }));
  });
  test('its resource may say first that it is gone', () => {
    const machine: HostView = { launched: true, broken: { error: 'launch failed', at: 1 } };
    for (const host of [acquired, active]) expect(due(build, seeing({ host, machine }))).toEqual(retry('the host lease broke: launch failed'));
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
    status: 'failed', code, error, started: more.started ?? true, durationMs: 40, at: 20_000, position: 40, result: more.exitCode === undefined ? {} : { exitCode: more.exitCode },
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
    ['was refused', refused('invalid-data', 'no such thing'), stopped('step Test was not run: no such thing', 'cancelled', 0)],
  ])('that %s', (_what, view, expected) => expect(due(first, seeing({ ...leases, first: view }))).toEqual(expected));

  test('with an end of its own has its verdict, whatever became of its leases', () =>
    expect(due(first, seeing({ host: destroyed(), copy: destroyed(), first: { status: 'succeeded', result: {}, durationMs: 40 } }))).toEqual(finish({ outcome: 'passed' })));
  test('after others never begins again on another host', () =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: failed('unreachable', 'no route', { started: false }) }))).toEqual(stopped('step Keep the package was not run: no route', 'cancelled')));
  test('that kept something without a checksum kept nothing', () =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: { status: 'succeeded', result: { bytes: 3 }, durationMs: 40 } }))).toEqual(stopped('step Keep the package could not be carried out: its result is incomplete', 'lost')));
  test.each(['not-found', 'path-outside', 'file-failed'])('that finds no file failed: %s', (code) =>
    expect(due(phases['running the last step'], seeing({ ...leases, last: failed(code, 'there is no out/wordcount.tgz') }))).toMatchObject([{ command: { type: 'FinishStep', verdict: { outcome: 'failed', error: 'there is no out/wordcount.tgz' } } }]));

  const lostHost = (why: string, durationMs = 40) => retry(`the host lease broke: ${why}`, { step: { outcome: 'lost', error: `the host lease broke: ${why}`, durationMs } });
  const brokenHost: HostView = { launched: true, broken: { error: 'interrupted', at: 10_700 } };
  const ends: [string, ActionView][] = [
    ['out of reach', failed('unreachable', 'no route')],
    ['not begun, for it is out of reach', failed('unreachable', 'no route', { started: false })],
    ['failed, perhaps by the end of the host', failed('exit', 'killed', { exitCode: 143 })],
    ['not begun, for its lease is over', failed('lease-not-active', 'the lease has ended', { started: false })],
    ['lost', { status: 'lost', error: 'the host was reset', durationMs: 40 }],
    ['cancelled with its lease', { status: 'cancelled', reason: 'its lease ended', durationMs: 40 }],
  ];
  describe.each(ends)('whose host is gone begins again elsewhere, steps and all: %s', (_what, view) => {
    test.each<[string, Parameters<typeof seeing>[0], string]>([
      ['the resource says so', { ...leases, machine: brokenHost }, 'interrupted'],
      ['the lease says so', { host: ending('broken', 'it burns'), copy: ending('released', 'its host lease ended') }, 'it burns'],
      ['nothing is left of it', { host: destroyed('broken', 'it burns'), copy: destroyed('released', 'its host lease ended') }, 'it burns'],
    ])('%s', (_who, seen, why) => {
      expect(due(first, seeing({ ...seen, first: view }))).toEqual(lostHost(why));
      expect(due(phases['running the last step'], seeing({ ...seen, last: view }))).toEqual(lostHost(why));
    });
  });
  test('that was refused on a host that is gone begins again elsewhere', () => expect(due(first, seeing({ ...leases, machine: brokenHost, first: refused('lease-not-active') }))).toEqual(lostHost('interrupted', 0)));

  describe('that lost a launched host', () => {
    const view = (machine: HostView): View => seeing({ ...leases, first: failed('unreachable', 'no route'), machine });
    const unknown = stopped('the outcome of step Test is unknown: no route', 'lost');
    const at = 20_000 + HOST_WORD_MS;
    test('waits to hear what became of it', () => {
      expect(due(first, view({ launched: true }))).toEqual([{ to: 'clock', at }]);
      expect(due(first, view({ launched: true, answered: 39 }), at - 1)).toEqual([{ to: 'clock', at }]);
    });
    test('begins again elsewhere when it is gone', () => expect(due(first, view(brokenHost))).toEqual(lostHost('interrupted')));
    test('does not know when it is back', () => expect(due(first, view({ launched: true, answered: 41 }))).toEqual(unknown));
    test('does not know when nobody said', () => expect(due(first, view({ launched: true }), at)).toEqual(unknown));
    test('does not wait for a machine that was there before', () => expect(due(first, view({ launched: false }))).toEqual(unknown));
    test('nor when somebody took the lease', () => expect(due(first, seeing({ host: ending('released', 'maintenance'), copy: activeCopy, first: failed('unreachable', 'no route'), machine: { launched: true } }))).toEqual(unknown));
    test('waits as well when steps before it have run', () => {
      const last = failed('unreachable', 'no route', { started: false });
      expect(due(phases['running the last step'], seeing({ ...leases, last, machine: { launched: true } }))).toEqual([{ to: 'clock', at }]);
    });
  });

  test('that is refused because its lease is over waits to see why', () => {
    const first_ = refused('lease-not-active', 'the lease has ended', 20_000);
    expect(due(first, seeing({ ...leases, first: first_ }))).toEqual([{ to: 'clock', at: 20_000 + LEASE_WORD_MS }]);
    expect(due(first, seeing({ ...leases, first: first_ }), 20_000 + LEASE_WORD_MS)).toEqual(stopped('step Test was not run: the lease has ended', 'cancelled', 0));
    expect(due(first, seeing({ host: active, copy: ending('released', 'maintenance'), first: first_ }))).toEqual(stopped('step Test was not run: the lease has ended', 'cancelled', 0));
    expect(due(first, seeing({ host: ending('broken', 'it burns'), copy: activeCopy, first: first_ }))).toEqual(lostHost('it burns', 0));
  });

  const running: ActionView = { status: 'requested', startedAt: 10_000 };
  test.each<[string, Parameters<typeof seeing>[0], Due[]]>([
    ['released under it', { host: active, copy: ending('released', 'maintenance'), first: running }, stopped('step Test was cancelled: the working-copy lease was released: maintenance', 'cancelled', 500)],
    ['expired under it', { host: ending('expired', 'its time was up'), copy: ending('released', 'its host lease ended'), first: running }, stopped('step Test was cancelled: the host lease expired: its time was up', 'cancelled', 500)],
    ['broken under it', { host: active, copy: ending('broken', 'disk full'), first: running }, stopped('the outcome of step Test is unknown: the working-copy lease broke: disk full', 'lost', 500)],
    ['on a host that broke before its command was out', { host: ending('broken', 'it burns'), copy: activeCopy }, lostHost('it burns', 0)],
    ['on a host that broke under it', { host: ending('broken', 'it burns'), copy: ending('released', 'its host lease ended'), first: running }, lostHost('it burns', 500)],
    ['on a host that says itself that it broke', { host: active, copy: activeCopy, first: running, machine: brokenHost }, lostHost('interrupted', 700)],
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

describe('a host that is to be held', () => {
  const asked = { ...request, holdOnFailure: 7_200_000 } as BuildCommand;
  const begun: BuildCommand[] = [asked, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'Start', build: BUILD, attempt: 1, path: '/', commit: undefined }];
  const giveUpStep: BuildCommand = { type: 'GiveUp', attempt: 1, error: 'x', step: { outcome: 'lost', error: 'x', durationMs: 0 } };
  const failed = after(...begun, fail);
  const leases = { host: active, copy: activeCopy };
  const hold: Due = { to: 'allocator', type: 'HoldResource', id: ids.hold(BUILD), after: 13, data: { lease: HOST, for: 7_200_000, reason: `build ${BUILD} failed` } };
  const note = (activity: string) => told({ type: 'NoteHold', activity });
  const releaseCopy = (build: Build) => [release(COPY, 23, `the build is over: ${build.status}`)];

  test('is held before anything is given back', () => {
    expect(due(failed, seeing(leases))).toEqual([hold]);
    const errored = after(...begun, giveUpStep);
    expect(due(errored, seeing(leases))).toEqual([hold]);
  });
  test('what the allocator said is stored first', () => {
    expect(due(failed, seeing({ ...leases, hold: { accepted: true }, machine: { launched: false, heldUntil: 'noon' } }))).toEqual(note('host held until noon'));
    expect(due(failed, seeing({ ...leases, hold: { accepted: true } }))).toEqual(note('host held'));
    expect(due(failed, seeing({ ...leases, hold: { accepted: false, message: 'no.' } }))).toEqual(note('host not held: no.'));
  });
  test('then its leases are given back, and nobody asks again, also after a restart', () => {
    const held = after(...begun, fail, { type: 'NoteHold', activity: 'host held until noon' });
    expect(due(held, seeing(leases))).toEqual(releaseCopy(held));
    expect(due(held, seeing({ ...leases, hold: { accepted: true } }))).toEqual(releaseCopy(held));
  });
  test('unless it is gone', () => {
    expect(due(failed, seeing({ host: ending('broken', 'x'), copy: activeCopy }))).toEqual(releaseCopy(failed));
    expect(due(failed, seeing({ ...leases, machine: { launched: true, broken: { error: 'x', at: 1 } } }))).toEqual(releaseCopy(failed));
  });
  test.each<[string, Build]>([
    ['of a build that passed', after(...begun, pass(0), pass(1))],
    ['of one that was aborted', after(...begun, { type: 'Abort', reason: 'x', stepMs: 0 })],
    ['of one that could not begin', after(asked, { type: 'RequestWorkingCopy', build: BUILD, attempt: 1 }, { type: 'GiveUp', attempt: 1, error: 'no such ref' })],
    ['of one that nobody wants it for', phases.failed],
  ])('is not held: %s', (_what, build) => expect(due(build, seeing(leases))).toEqual(releaseCopy(build)));
});
