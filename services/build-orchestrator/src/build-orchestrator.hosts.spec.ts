import { rejected } from '@berth/contracts';
import { describe, expect, test, vi } from 'vitest';
import type { BuildOrchestratorApp } from './build-orchestrator.app.js';
import { LEASE_WORD_MS } from './domain/run.js';
import { ids } from './domain/ids.js';
import { apply, begin, build, command, eachRestart, errorOf, logOf, passed, source, told, until, untilTold } from './spec/app.testing.js';
import { BUILD, HOST, action } from './spec/examples.js';
import { HELD_UNTIL, Others, resourceOf } from './spec/others.js';

describe('hosts that fail', () => {
  test('a build that nothing there could ever serve ends at once, with the reason', async () => {
    const { app, others } = await begin();
    others.follow = (_recorded, event) => (event.type === 'LeaseRequested' ? [] : undefined);
    await apply(app);
    await build(app);
    await until(async () => expect(await others.types('lease', HOST)).toEqual(['LeaseRequested']));
    await others.tell('lease', HOST, [{ type: 'LeaseRefused', data: { reason: 'no blueprint has os=linux' } }, { type: 'LeaseDestroyed', data: {} }]);
    await untilTold(others, 'BuildCleanedUp');
    expect(await errorOf(others)).toEqual({ error: 'the host lease was refused: no blueprint has os=linux' });
    expect(others.sent.map((sent) => sent.type)).toEqual(['RequestLease']);
    await until(() => expect(others.statuses.at(-1)?.event.data).toMatchObject({ status: 'error', error: 'the host lease was refused: no blueprint has os=linux', activity: 'cleaned up' }));
  });

  /** A build whose last step is running; what follows is the spec's. */
  async function running() {
    const { app, others } = await begin();
    others.follow = (recorded, event) => (recorded.id === action(1) && event.type === 'ActionStarted' ? [] : undefined);
    await apply(app);
    await build(app);
    await until(async () => expect(await others.types('action', action(1))).toContain('ActionStarted'));
    const breaks = () => others.tell('resource', resourceOf(HOST), [{ type: 'ResourceBroken', data: { error: 'spot interruption' } }]);
    const leaseBreaks = () => others.tell('lease', HOST, [{ type: 'LeaseBroken', data: { error: 'spot interruption' } }]);
    const fails = () => others.tell('action', action(1), [{ type: 'ActionFailed', data: { code: 'unreachable', error: 'no route' } }]);
    return { app, others, told: { breaks, leaseBreaks, fails } };
  }
  const again = passed.slice(2);
  const lost = [...passed.slice(0, 8), 'BuildRetried', 'BuildPreparing'];

  test.each<[string, ('breaks' | 'leaseBreaks' | 'fails')[]]>([
    ['resource, lease, action', ['breaks', 'leaseBreaks', 'fails']],
    ['resource, action, lease', ['breaks', 'fails', 'leaseBreaks']],
    ['action, resource, lease', ['fails', 'breaks', 'leaseBreaks']],
  ])('one that is gone takes nothing but time, in whatever order that is told: %s', async (_order, order) => {
    const { app, others, told: tell } = await running();
    for (const one of order) {
      const position = await tell[one]();
      await app.follower.reached(position);
    }
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual([...lost, ...again]);
    expect((await others.store.load('build', BUILD)).flatMap((recorded) => recorded.commit.events).filter((event) => event.type === 'StepFinished')[1]).toMatchObject({ data: { step: 1, outcome: 'lost', error: 'the host lease broke: spot interruption' } });
    const hosts = others.sent.filter((sent) => sent.type === 'RequestLease' && sent.data['type'] === 'host').map((sent) => sent.data['attributes']);
    expect(hosts).toEqual([{ remote: 'yes', os: 'linux' }, { remote: 'yes', os: 'linux', market: '!spot' }]);
  });

  test('one that comes back leaves the outcome unknown', async () => {
    const { app, others, told: tell } = await running();
    await app.follower.reached(await tell.fails());
    expect(await told(others)).not.toContain('BuildErrored');
    await others.tell('resource', resourceOf(HOST), [{ type: 'ResourceReachable', data: {} }]);
    await untilTold(others, 'BuildCleanedUp');
    expect(await errorOf(others)).toEqual({ error: 'the outcome of step Keep the package is unknown: no route' });
  });

  test('a refusal that nothing explains is the reason after a while', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], shouldAdvanceTime: true });
    try {
      const others = new Others();
      others.answer = (sent) => (sent.type === 'RunAction' ? rejected('stale-token', 'The token is stale.') : undefined);
      const { app } = await begin(others);
      await apply(app);
      await build(app);
      await until(() => expect(others.sent.map((sent) => sent.type)).toContain('RunAction'));
      await vi.advanceTimersByTimeAsync(LEASE_WORD_MS);
      await untilTold(others, 'BuildCleanedUp');
      expect(await errorOf(others)).toEqual({ error: 'step Test was not run: The token is stale.' });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a host that is held', () => {
  const failing = (others: Others) => {
    others.follow = (recorded, event) => (recorded.id === action(0) && event.type === 'ActionStarted' ? [{ type: 'ActionFailed', data: { code: 'exit', error: 'it failed', exitCode: 2 } }] : undefined);
    return others;
  };
  const ends = ['BuildRequested', 'BuildPreparing', 'BuildWorkingCopyRequested', 'BuildStarted', 'StepStarted', 'StepFinished', 'BuildFailed', 'BuildWaiting', 'BuildCleanedUp'];
  const request = (app: BuildOrchestratorApp) => app.requestBuild(command('RequestBuild', { plan: 'wordcount', variables: {}, priority: 100, holdOnFailure: 7_200_000 }, BUILD));

  test('is held before its leases are given back, and the build says until when', async () => {
    const { app, others } = await begin(failing(new Others()));
    await apply(app, `holdOnFailure: 1h\n${source}`);
    await request(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual(ends);
    const [hold, ...released] = others.sent.slice(-3);
    expect(hold).toMatchObject({ type: 'HoldResource', id: ids.hold(BUILD), data: { lease: HOST, for: 7_200_000, reason: `build ${BUILD} failed` } });
    expect(released.map(({ type }) => type)).toEqual(['ReleaseLease', 'ReleaseLease']);
    expect(others.statuses.map(({ event }) => event.data.activity)).toContain(`host held until ${HELD_UNTIL}`);
    expect(others.problems).toEqual([]);
  });

  test('an allocator that is away delays it, and one that refuses does not hold it up', async () => {
    const others = failing(new Others());
    let tries = 0;
    others.answer = (sent) => {
      if (sent.type !== 'HoldResource') return undefined;
      if (tries++ === 0) throw new Error('no answer');
      return tries === 2 ? rejected('unavailable', 'could not be carried out') : rejected('unknown-resource', 'There is no such host.');
    };
    const { app } = await begin(others);
    await apply(app);
    await request(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual(ends);
    expect(others.sent.filter(({ type }) => type === 'HoldResource').map(({ id }) => id)).toEqual([ids.hold(BUILD), ids.hold(BUILD), ids.hold(BUILD)]);
    expect(others.sent.findIndex(({ type }) => type === 'ReleaseLease')).toBeGreaterThan(others.sent.findLastIndex(({ type }) => type === 'HoldResource'));
    expect(others.statuses.map(({ event }) => event.data.activity)).toContain('host not held: There is no such host.');
  });

  test('is held once, whenever the process is killed', async () => {
    const first = await begin(failing(new Others()));
    await apply(first.app);
    await request(first.app);
    await untilTold(first.others, 'BuildCleanedUp');
    await eachRestart(await logOf(first.others), failing, async (others) => {
      expect(await told(others)).toEqual(ends);
      expect(await others.types('resource', resourceOf(HOST))).toEqual(['ResourceCreated', 'SlotClaimed', 'ResourceActivated', 'ResourceHeld']);
    });
  });
});
