import { derivedId, rejected, type Answer } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { BUILD, COPY, HOST, action } from './spec/examples.js';
import { ids } from './domain/ids.js';
import { abort, apply, begin, build, command, eachRestart, logOf, passed, source, told, until, untilTold } from './spec/app.testing.js';
import { Others } from './spec/others.js';

describe('plans', () => {
  test('a version for each new source', async () => {
    const { app } = await begin();
    expect(await apply(app)).toMatchObject({ accepted: true, id: 'wordcount', data: { name: 'wordcount', version: 1 } });
    expect(await apply(app)).toMatchObject({ accepted: true, data: { version: 1 } });
    const [second, third] = await Promise.all([apply(app, `${source}# two\n`), apply(app, `${source}# three\n`)]);
    expect(second).toMatchObject({ data: { version: 2 } });
    expect(third).toMatchObject({ data: { version: 3 } });
  });
  test('a wrong one is refused with its place', async () => {
    const { app, others } = await begin();
    expect(await apply(app, source.replace('run:', 'runn:'))).toMatchObject({ accepted: false, code: 'invalid-plan', errors: [{ field: 'steps[0].runn', message: 'line 6, column 5: unknown key "runn": did you mean "run"?' }] });
    expect(await others.store.load('plan', 'wordcount')).toEqual([]);
  });
  test('a build asked for right after the answer is one of that version', async () => {
    const { app, others } = await begin();
    for (let version = 1; version <= 5; version++) {
      await apply(app, `${source}# ${version}\n`);
      const id = derivedId(BUILD, `build ${version}`);
      await app.requestBuild(command('RequestBuild', { plan: 'wordcount', variables: {}, priority: 100 }, id));
      expect((await others.store.load('build', id))[0]?.commit.events[0]).toMatchObject({ data: { planVersion: version } });
    }
  });
});

describe('a build', () => {
  test('passes, and tells so step by step', async () => {
    const { app, others } = await begin();
    await apply(app);
    expect(await build(app, { WHO: 'me' })).toMatchObject({ accepted: true, id: BUILD });
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual(passed);
    // One command for each thing, none twice, each resting on what was seen.
    expect(others.sent.map(({ type, id }) => [type, id])).toEqual([
      ['RequestLease', HOST],
      ['RequestLease', COPY],
      ['RunAction', action(0)],
      ['RunAction', action(1)],
      ['ReleaseLease', ids.release(COPY)],
      ['ReleaseLease', ids.release(HOST)],
    ]);
    const activated = (await others.store.load('lease', COPY)).find((recorded) => recorded.commit.events.some((event) => event.type === 'LeaseActivated'));
    expect(others.sent[2]).toMatchObject({ after: activated!.sequence, data: { lease: COPY, token: 7, spec: { env: { WHO: 'me', BERTH_COMMIT: 'c0ffee' } } } });
    expect(others.problems).toEqual([]);

    const statuses = others.statuses.map(({ event }) => event);
    expect(others.statuses.every(({ subject }) => subject === `berth.status.build.${BUILD}`)).toBe(true);
    expect(statuses.map((event) => [event.type, event.data.status, event.data.percent, event.data.activity])).toEqual([
      ['dev.cdevents.build.queued.0.2.0', 'preparing', 0, 'preparing host'],
      ['dev.berth.build.preparing', 'preparing', 25, 'preparing working copy'],
      ['dev.cdevents.build.started.0.2.0', 'building', 50, 'step 1 of 2: Test'],
      ['dev.berth.build.building', 'building', 75, 'step 2 of 2: Keep the package'],
      ['dev.cdevents.build.finished.0.2.0', 'passed', 100, 'cleaning up'],
      ['dev.berth.build.passed', 'passed', 100, 'cleaned up'],
    ]);
    expect(statuses.at(-1)?.data).toMatchObject({ id: BUILD, plan: 'wordcount', planVersion: 1, hostLease: HOST, workingCopyLease: COPY, initiator: `build:${BUILD}`, cleanedUp: true, error: null, step: { step: 1, name: 'Keep the package', of: 2 } });
  });

  test('asked for twice is one', async () => {
    const { app, others } = await begin();
    await apply(app);
    expect(await Promise.all([build(app), build(app)])).toMatchObject([{ accepted: true, id: BUILD }, { accepted: true, id: BUILD }]);
    await untilTold(others, 'BuildCleanedUp');
    expect(await build(app, {}, 'no-such-plan')).toMatchObject({ accepted: true, id: BUILD });
    expect(await told(others)).toEqual(passed);
  });

  test('of an unknown plan is refused', async () => {
    const { app } = await begin();
    expect(await build(app)).toMatchObject({ accepted: false, code: 'unknown-plan', errors: [{ field: 'data.plan' }] });
    await apply(app);
    expect(await build(app, { A: 'x'.repeat(300_000) })).toMatchObject({ accepted: false, code: 'invalid-data', errors: [{ field: 'data.variables' }] });
  });

  test('says why it waits', async () => {
    const { app, others } = await begin();
    others.follow = (_recorded, event) => (event.type === 'LeaseRequested' ? [] : undefined);
    await apply(app);
    await build(app);
    await until(async () => expect(await others.types('lease', HOST)).toEqual(['LeaseRequested']));
    await others.tell('lease', HOST, [{ type: 'LeaseWaiting', data: { reason: 'no slot is free' } }]);
    await untilTold(others, 'BuildWaiting');
    await until(() => expect(others.statuses.at(-1)?.event.data).toMatchObject({ status: 'preparing', activity: 'waiting: no slot is free' }));
  });
});

describe('aborting', () => {
  test.each([
    ['while the host is looked for', 'LeaseRequested', HOST],
    ['while the working copy is made', 'LeaseRequested', COPY],
    ['while a step runs', 'ActionStarted', action(0)],
  ])('%s', async (_when, type, id) => {
    const { app, others } = await begin();
    others.follow = (recorded, event) => (event.type === type && recorded.id === id ? [] : undefined);
    await apply(app);
    await build(app);
    const kind = type === 'ActionStarted' ? 'action' : 'lease';
    await until(async () => expect(await others.types(kind, id)).toContain(type));
    expect(await abort(app)).toMatchObject({ accepted: true, id: BUILD });
    if (kind === 'action') await others.tell('action', id, [{ type: 'ActionSucceeded', data: { exitCode: 0 } }]);
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toContain('BuildAborted');
    expect(await told(others)).not.toContain('BuildPassed');
    for (const lease of [HOST, COPY]) expect((await others.types('lease', lease)).at(-1) ?? 'LeaseDestroyed').toBe('LeaseDestroyed');
    const released = others.sent.filter((sent) => sent.type === 'ReleaseLease').map((sent) => sent.data['lease']);
    expect(released).toEqual(id === HOST ? [HOST] : [COPY, HOST]);
    expect(await abort(app)).toMatchObject({ accepted: true });
  });

  test('what is over, or was never there', async () => {
    const { app, others } = await begin();
    expect(await abort(app)).toMatchObject({ accepted: false, code: 'unknown-build' });
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await abort(app)).toMatchObject({ accepted: false, code: 'build-ended' });
  });
});

describe('refusals and outages', () => {
  const refusing = (type: string, refusal: Answer) => async () => {
    const others = new Others();
    others.answer = (sent) => (sent.type === type ? refusal : undefined);
    const { app } = await begin(others);
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    const events = (await others.store.load('build', BUILD)).flatMap((recorded) => recorded.commit.events);
    return { others, error: events.find((event) => event.type === 'BuildErrored')?.data };
  };
  test('a lease that is refused ends the build, and nothing is left to give back', async () => {
    const { others, error } = await refusing('RequestLease', rejected('invalid-data', 'No such blueprint.'))();
    expect(error).toEqual({ error: 'the host lease was refused: No such blueprint.' });
    expect(others.sent.map((sent) => sent.type)).toEqual(['RequestLease']);
  });
  test('an action that is refused ends the build, and its leases are given back', async () => {
    const { others, error } = await refusing('RunAction', rejected('invalid-data', 'No such thing.'))();
    expect(error).toEqual({ error: 'step Test was not run: No such thing.' });
    expect(others.sent.map((sent) => sent.type)).toEqual(['RequestLease', 'RequestLease', 'RunAction', 'ReleaseLease', 'ReleaseLease']);
  });
  test.each(['RequestLease', 'RunAction', 'ReleaseLease'])('%s is sent again under the same id when nothing came of it', async (type) => {
    const others = new Others();
    let failures = 0;
    others.answer = (sent) => {
      if (sent.type !== type || failures++ > 0) return undefined;
      if (type === 'ReleaseLease') return rejected('unavailable', 'could not be carried out');
      throw new Error('no answer');
    };
    const { app } = await begin(others);
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual(passed);
    const ofType = others.sent.filter((sent) => sent.type === type);
    expect(ofType[1]?.id).toBe(ofType[0]?.id);
    expect(others.problems.length).toBeGreaterThan(0);
  });
  test('what is on its way is not sent again at every event', async () => {
    const others = new Others();
    let goOn: () => void = () => undefined;
    const held = new Promise<undefined>((resolve) => (goOn = () => resolve(undefined)));
    others.answer = (sent) => (sent.type === 'ReleaseLease' ? held : undefined);
    const { app } = await begin(others);
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildPassed');
    for (const i of [1, 2, 3]) await others.tell('lease', COPY, [{ type: 'LeaseRenewed', data: { until: '2030-01-01T00:00:00Z' } }], `renewed ${i}`);
    await app.follower.reached((await others.store.load('lease', COPY)).at(-1)!.sequence);
    expect(others.sent.filter((sent) => sent.type === 'ReleaseLease')).toHaveLength(1);
    goOn();
    await untilTold(others, 'BuildCleanedUp');
  });
  test('a host that fails is replaced by another', async () => {
    const { app, others } = await begin();
    others.follow = (recorded, event) => (event.type === 'LeaseAcquired' && recorded.id === COPY ? [{ type: 'LeaseBroken', data: { error: 'host unreachable: no route' } }] : event.type === 'LeaseRequested' && recorded.id === COPY ? [{ type: 'LeaseAcquired', data: { resource: BUILD, blueprint: 'working-copy', slot: 0, token: 5 } }] : undefined);
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await told(others)).toEqual(['BuildRequested', 'BuildPreparing', 'BuildWorkingCopyRequested', 'BuildRetried', 'BuildPreparing', ...passed.slice(2)]);
    for (const lease of [HOST, COPY, ids.hostLease(BUILD, 2), ids.workingCopyLease(BUILD, 2)]) expect((await others.types('lease', lease)).at(-1)).toBe('LeaseDestroyed');
  });
});

test('a process that is killed after any commit is followed by one that ends the build in the same way', async () => {
  const first = await begin();
  await apply(first.app);
  await build(first.app);
  await untilTold(first.others, 'BuildCleanedUp');
  await eachRestart(await logOf(first.others), (others) => others, async (others) => {
    expect(await told(others)).toEqual(passed);
    for (const id of [action(0), action(1)]) expect(await others.types('action', id)).toEqual(['ActionRequested', 'ActionStarted', 'ActionSucceeded']);
    for (const lease of [HOST, COPY]) expect((await others.types('lease', lease)).filter((type) => type === 'LeaseActivated')).toHaveLength(1);
  });
});
