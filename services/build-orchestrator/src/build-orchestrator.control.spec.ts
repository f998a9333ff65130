import { derivedId } from '@berth/contracts';
import { describe, expect, test, vi } from 'vitest';
import type { BuildOrchestratorApp } from './build-orchestrator.app.js';
import { ids } from './domain/ids.js';
import { apply, begin, build, command, passed, source, told, until, untilTold } from './spec/app.testing.js';
import { action, BUILD, COPY, HOST } from './spec/examples.js';
import { Others } from './spec/others.js';

const eventsOf = async (others: Others) => (await others.store.load('build', BUILD)).flatMap(({ commit }) => commit.events) as { type: string; data: Record<string, unknown> }[];
const restart = (app: BuildOrchestratorApp, host: 'any' | 'same' | 'other' = 'any') => app.restartBuild(command('RestartBuild', { build: BUILD, host, reason: 'again' }));
const rerun = (app: BuildOrchestratorApp, step: string) => app.rerunStep(command('RerunStep', { build: BUILD, step, reason: 'again' }));
const times = async (others: Others, type: string, count: number) => until(async () => expect((await told(others)).filter((one) => one === type)).toHaveLength(count));
const again = ids.action(BUILD, 2, 0);

/** A build whose first step runs until a spec ends it. */
async function running(text = source) {
  const { app, others } = await begin();
  others.follow = (recorded, event) => (recorded.id === action(0) && event.type === 'ActionStarted' ? [] : undefined);
  await apply(app, text);
  await build(app);
  await until(async () => expect(await others.types('action', action(0))).toContain('ActionStarted'));
  return { app, others };
}

describe('pausing', () => {
  test('before anything has begun, and resuming', async () => {
    const { app, others } = await begin();
    others.follow = (recorded, event) => (recorded.id === HOST && event.type === 'LeaseRequested' ? [] : undefined);
    await apply(app);
    await build(app);
    const pause = () => app.pauseBuild(command('PauseBuild', { build: BUILD, reason: 'lunch' }));
    expect([await pause(), await pause()]).toMatchObject([{ accepted: true }, { accepted: true }]);
    await others.tell('lease', HOST, [{ type: 'LeaseAcquired', data: { resource: derivedId(HOST, 'resource'), blueprint: 'local', slot: 0, token: 7 } }, { type: 'LeaseActivated', data: {} }]);
    await untilTold(others, 'BuildStarted');
    await until(() => expect(others.statuses.at(-1)?.event.data).toMatchObject({ status: 'paused', activity: 'paused (lunch); starting' }));
    expect(await told(others)).not.toContain('StepStarted');
    expect(await app.resumeBuild(command('ResumeBuild', { build: BUILD }))).toMatchObject({ accepted: true });
    await untilTold(others, 'BuildCleanedUp');
    expect((await told(others)).filter((type) => type.startsWith('Step'))).toHaveLength(4);
    expect(await pause()).toMatchObject({ accepted: false, code: 'build-ended' });
  });
  test('what runs goes on, nothing begins after it, also not after a restart of the service', async () => {
    const { app, others } = await running();
    await app.pauseBuild(command('PauseBuild', { build: BUILD, reason: 'look' }));
    await others.tell('action', action(0), [{ type: 'ActionSucceeded', data: { exitCode: 0 } }]);
    await untilTold(others, 'StepFinished');
    await app.follower.stop();
    const next = await begin(new Others(others.store));
    expect((await told(others)).filter((type) => type === 'StepStarted')).toHaveLength(1);
    await next.app.resumeBuild(command('ResumeBuild', { build: BUILD }));
    await untilTold(others, 'BuildPassed');
  });
});

describe('restarting', () => {
  test('one that is under way: what runs is ended with its leases, and a new generation begins', async () => {
    const { app, others } = await running();
    expect(await restart(app)).toMatchObject({ accepted: true });
    await untilTold(others, 'BuildCleanedUp');
    expect((await eventsOf(others)).find(({ type }) => type === 'BuildRestarted')).toMatchObject({ data: { generation: 2, attempt: 2, reason: 'again', by: 'spec' } });
    expect(others.sent.find(({ id }) => id === again)).toMatchObject({ data: { spec: { env: { BERTH_BUILD_GENERATION: '2' } } } });
    expect((await told(others)).slice(-10)).toEqual(passed.slice(1));
    for (const lease of [HOST, COPY, ids.hostLease(BUILD, 2)]) expect((await others.types('lease', lease)).at(-1)).toBe('LeaseDestroyed');
  });
  test.each([['as long as the service runs', false], ['after the service was restarted', true]])('one that is cleaned up, %s', async (_when, restarted) => {
    let { app, others } = await begin();
    await apply(app);
    await build(app, { WHO: 'me' });
    await untilTold(others, 'BuildCleanedUp');
    if (restarted) {
      await app.follower.stop();
      ({ app, others } = await begin(new Others(others.store)));
    }
    expect(await restart(app)).toMatchObject({ accepted: true });
    await times(others, 'BuildCleanedUp', 2);
    expect(others.sent.find(({ id }) => id === again)).toMatchObject({ data: { spec: { env: { WHO: 'me', BERTH_BUILD_GENERATION: '2' } } } });
    expect(others.statuses.at(-1)?.event.data).toMatchObject({ status: 'passed', generation: 2, percent: 100 });
    expect(others.problems).toEqual([]);
  });
  test('one whose request wants more of its hosts: it still does, whatever its plan says by then', async () => {
    const { app, others } = await begin();
    await apply(app);
    await app.requestBuild(command('RequestBuild', { plan: 'wordcount', variables: {}, host: { imageVersion: '3' } }, BUILD));
    await untilTold(others, 'BuildCleanedUp');
    await apply(app, `${source}\n# a later version`);
    await restart(app);
    await times(others, 'BuildCleanedUp', 2);
    const hosts = others.sent.filter(({ type, data }) => type === 'RequestLease' && data['type'] === 'host').map(({ data }) => data['attributes']);
    expect(hosts).toEqual([{ remote: 'yes', os: 'linux', imageVersion: '3' }, { remote: 'yes', os: 'linux', imageVersion: '3' }]);
  });
  test('what its plan does not allow', async () => {
    const { app, others } = await begin();
    await apply(app, `restartable: if-failed\n${source}`);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    expect(await restart(app)).toMatchObject({ accepted: false, code: 'not-restartable' });
    expect(await rerun(app, 'test')).toMatchObject({ accepted: false, code: 'not-restartable' });
    expect(await app.restartBuild(command('RestartBuild', { build: derivedId(BUILD, 'no'), host: 'any', reason: 'x' }))).toMatchObject({ accepted: false, code: 'unknown-build' });
  });
  test('a learnt time goes with the new generation', async () => {
    const { app, others } = await begin();
    await apply(app);
    await build(app);
    await untilTold(others, 'BuildCleanedUp');
    await restart(app);
    await times(others, 'BuildCleanedUp', 2);
    expect((await eventsOf(others)).find(({ type }) => type === 'BuildRestarted')).toMatchObject({ data: { weights: [expect.any(Number), expect.any(Number), expect.any(Number), expect.any(Number)] } });
  });
});

describe('running a step again', () => {
  test('under way: with what builds on it, in the same working copy', async () => {
    const { app, others } = await begin();
    others.follow = (recorded, event) => (recorded.id === action(1) && event.type === 'ActionStarted' ? [] : undefined);
    await apply(app, `${source}  - name: Else\n    run: x\n    needs: []\n`);
    await build(app);
    await until(async () => expect(await others.types('action', action(1))).toContain('ActionStarted'));
    expect(await rerun(app, 'test')).toMatchObject({ accepted: false, code: 'step-not-over' });
    await until(async () => expect((await eventsOf(others)).filter(({ type }) => type === 'StepFinished')).toHaveLength(2));
    expect(await rerun(app, 'else')).toMatchObject({ accepted: true });
    await until(async () => expect((await others.types('action', ids.action(BUILD, 1, 2, 2)))).toContain('ActionSucceeded'));
    await others.tell('action', action(1), [{ type: 'ActionSucceeded', data: { exitCode: 0 } }]);
    await untilTold(others, 'BuildCleanedUp');
    expect(others.sent.filter(({ type, data }) => type === 'RequestLease' && data['type'] === 'host')).toHaveLength(1);
  });
  test('over: in a new generation, keeping what can be kept', async () => {
    const { app, others } = await begin();
    await apply(app, `name: wordcount\nsteps:\n  - { name: Ok, uses: wait-for-approval, with: {} }\n  - { name: Test, run: x }\n`);
    await build(app);
    await app.sendMessage(command('SendBuildMessage', { build: BUILD, step: 'ok', type: 'pass' as const, by: 'ada' }));
    await untilTold(others, 'BuildCleanedUp');
    expect(await rerun(app, 'test')).toMatchObject({ accepted: true });
    await times(others, 'BuildCleanedUp', 2);
    expect((await eventsOf(others)).find(({ type }) => type === 'BuildRestarted')).toMatchObject({ data: { kept: { 0: { outcome: 'passed', outputs: { by: 'ada' } } } } });
    expect((await eventsOf(others)).filter(({ type, data }) => type === 'StepStarted' && data['step'] === 0)).toHaveLength(1);
    expect(await rerun(app, 'nope')).toMatchObject({ accepted: false, code: 'unknown-step' });
  });
});

test('artifacts from outside: added, pinned, released, each once', async () => {
  const { app, others } = await begin();
  await apply(app);
  await build(app);
  await untilTold(others, 'BuildCleanedUp');
  const add = (uri: string) => app.addArtifact(command('AddArtifact', { build: BUILD, name: 'site', type: 'uri' as const, uri }));
  const pin = (name: string) => app.pinArtifact(command('PinArtifact', { build: BUILD, name, pinned: true }));
  const release = () => app.releaseArtifact(command('ReleaseArtifact', { build: BUILD, name: 'site', reason: 'old' }));
  expect([await add('https://x.example'), await add('https://x.example')]).toMatchObject([{ accepted: true }, { accepted: true }]);
  expect(await add('https://y.example')).toMatchObject({ accepted: false, code: 'name-taken' });
  expect([await pin('site'), await pin('site'), await pin('wordcount.tgz')]).toMatchObject([{ accepted: true }, { accepted: true }, { accepted: true }]);
  expect(await pin('nope')).toMatchObject({ accepted: false, code: 'not-found' });
  expect([await release(), await release()]).toMatchObject([{ accepted: true }, { accepted: true }]);
  expect((await told(others)).slice(passed.length)).toEqual(['LinkAdded', 'ArtifactPinned', 'ArtifactPinned', 'ArtifactReleased']);
});

test('a host is waited for as long as the plan allows', async () => {
  const { app, others } = await begin();
  await apply(app, `queueTimeout: 5m\n${source}`);
  await build(app);
  await untilTold(others, 'BuildCleanedUp');
  expect(others.sent.find(({ id }) => id === HOST)).toMatchObject({ data: { waitAtMost: 300_000 } });
});

test('a build takes as long as the plan allows, also over a restart of the service', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], shouldAdvanceTime: true });
  try {
    const { app, others } = await running(`timeout: 1h\n${source}`);
    await vi.advanceTimersByTimeAsync(1_800_000);
    await app.follower.stop();
    const next = new Others(others.store);
    next.follow = others.follow;
    await begin(next);
    await vi.advanceTimersByTimeAsync(1_700_000);
    expect(await told(others)).not.toContain('BuildFailed');
    await vi.advanceTimersByTimeAsync(200_000);
    await untilTold(others, 'BuildFailed');
    expect((await eventsOf(others)).find(({ type }) => type === 'BuildFailed')).toMatchObject({ data: { error: 'it took longer than the 3600 s that its plan allows' } });
    // What ran is ended by its own name.
    await until(() => expect(next.sent.map(({ type, id }) => [type, id])).toContainEqual(['CancelAction', ids.cancel(action(0))]));
  } finally {
    vi.useRealTimers();
  }
});
