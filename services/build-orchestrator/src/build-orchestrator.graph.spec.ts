import { derivedId } from '@berth/contracts';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { BuildOrchestratorApp } from './build-orchestrator.app.js';
import { ids } from './domain/ids.js';
import { abort, apply, begin, build, command, eachRestart, logOf, told, until, untilTold } from './spec/app.testing.js';
import { action, BUILD, HOST } from './spec/examples.js';
import { Others } from './spec/others.js';

const plan = (name: string, ...steps: string[]) => `name: ${name}\nsteps:\n${steps.map((step) => `  - ${step}\n`).join('')}`;
const second = derivedId(BUILD, 'another build');
const request = (app: BuildOrchestratorApp, name: string, id = BUILD) => app.requestBuild(command('RequestBuild', { plan: name, variables: {} }, id));
const message = (app: BuildOrchestratorApp, step: string, type: 'pass' | 'fail' | 'work', more: object = {}, id = BUILD) => app.sendMessage(command('SendBuildMessage', { build: id, step, type, ...more }));
const typesOf = (others: Others, id: string) => others.types('build', id);
const untilTypes = (others: Others, id: string, type: string) => until(async () => expect(await typesOf(others, id)).toContain(type));
const eventsOf = async (others: Others, id = BUILD) => (await others.store.load('build', id)).flatMap(({ commit }) => commit.events) as { type: string; data: Record<string, unknown> }[];
const ended = async (others: Others, id = BUILD) => (await eventsOf(others, id)).find(({ type }) => ['BuildPassed', 'BuildFailed', 'BuildAborted', 'BuildErrored'].includes(type));

test('branches run at the same time', async () => {
  const { app, others } = await begin();
  others.follow = (recorded, event) => (recorded.kind === 'action' && event.type === 'ActionStarted' ? [] : undefined);
  await apply(app, plan('p', '{ name: A, run: a }', '{ name: B, run: b, needs: [] }', '{ name: C, run: c, needs: [a, b] }'));
  await request(app, 'p');
  for (const step of [0, 1]) await until(async () => expect(await others.types('action', action(step))).toContain('ActionStarted'));
  await until(() => expect(others.statuses.at(-1)?.event.data).toMatchObject({ activity: '2 of 3 steps run: A, B' }));
  for (const step of [1, 0]) await others.tell('action', action(step), [{ type: 'ActionSucceeded', data: { exitCode: 0 } }]);
  await until(async () => expect(await others.types('action', action(2))).toContain('ActionStarted'));
  await others.tell('action', action(2), [{ type: 'ActionSucceeded', data: { exitCode: 0 } }]);
  await untilTold(others, 'BuildCleanedUp');
  expect(await ended(others)).toMatchObject({ type: 'BuildPassed' });
  expect(others.problems).toEqual([]);
});

test('what is said before a step begins is kept for it', async () => {
  const { app, others } = await begin();
  others.follow = (recorded, event) => (recorded.id === HOST && event.type === 'LeaseRequested' ? [] : undefined);
  await apply(app, plan('p', '{ name: Test, run: x }', '{ name: Deploy, uses: wait-for-message, with: {} }', '{ name: Ok, uses: wait-for-approval, with: { by: ada } }', '{ name: Use, run: "echo ${{ steps.deploy.outputs.url }} ${{ steps.ok.outputs.by }}" }'));
  await request(app, 'p');
  expect(await message(app, 'deploy', 'work', { text: 'half' })).toMatchObject({ accepted: true });
  expect(await message(app, 'deploy', 'pass', { outputs: { url: 'https://x' } })).toMatchObject({ accepted: true });
  expect(await message(app, 'ok', 'pass', { by: 'eve' })).toMatchObject({ accepted: false, code: 'not-allowed', errors: [{ field: 'data.by', message: 'is none of those who may: ada' }] });
  expect(await message(app, 'ok', 'work', { by: 'ada' })).toMatchObject({ accepted: false, code: 'invalid-data' });
  expect(await message(app, 'test', 'pass')).toMatchObject({ accepted: false, code: 'invalid-data', errors: [{ message: 'is of kind run-command; those that wait for a message are deploy, ok' }] });
  expect(await message(app, 'nope', 'pass')).toMatchObject({ accepted: false, code: 'unknown-step' });
  expect(await message(app, 'ok', 'pass', { by: 'ada' })).toMatchObject({ accepted: true });
  expect(await message(app, 'ok', 'fail', { by: 'ada' })).toMatchObject({ accepted: false, code: 'step-ended' });
  others.follow = () => undefined;
  await others.tell('lease', HOST, [{ type: 'LeaseAcquired', data: { resource: derivedId(HOST, 'resource'), blueprint: 'local', slot: 0, token: 7 } }, { type: 'LeaseActivated', data: {} }]);
  await untilTold(others, 'BuildCleanedUp');
  expect(await ended(others)).toMatchObject({ type: 'BuildPassed' });
  expect(others.sent.find(({ id }) => id === action(3))).toMatchObject({ data: { spec: { command: 'echo ${BERTH_V1} ${BERTH_V2}', env: { BERTH_V1: 'https://x', BERTH_V2: 'ada' } } } });
  expect(await message(app, 'ok', 'pass')).toMatchObject({ accepted: false, code: 'build-ended' });
});

describe('a plan that calls another', () => {
  const CHILD = action(0);
  async function calling() {
    const { app, others } = await begin();
    await apply(app, plan('child', '{ name: Ok, uses: wait-for-approval, with: {} }'));
    await apply(app, plan('p', '{ name: Call, uses: call-plan, with: { plan: child } }', '{ name: After, uses: wait-for-message, with: {} }'));
    await request(app, 'p');
    await untilTypes(others, CHILD, 'StepStarted');
    return { app, others };
  }
  test('passes with it', async () => {
    const { app, others } = await calling();
    await message(app, 'ok', 'pass', {}, CHILD);
    await until(async () => expect((await eventsOf(others)).filter(({ type }) => type === 'StepStarted')).toHaveLength(2));
    await message(app, 'after', 'pass');
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others)).toMatchObject({ type: 'BuildPassed' });
    expect((await eventsOf(others, CHILD))[0]).toMatchObject({ data: { parent: { build: BUILD, step: 'call' } } });
    expect((await eventsOf(others)).find(({ type }) => type === 'StepFinished')).toMatchObject({ data: { outputs: { build: CHILD } } });
  });
  test('fails with it', async () => {
    const { app, others } = await calling();
    await message(app, 'ok', 'fail', { text: 'no' }, CHILD);
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others)).toMatchObject({ type: 'BuildFailed', data: { error: expect.stringContaining(`build ${CHILD} of plan child failed: step Ok failed: was refused by spec: no`) } });
  });
  test('is aborted with it, and fails', async () => {
    const { app, others } = await calling();
    await app.abortBuild(command('AbortBuild', { build: CHILD, reason: 'stop' }));
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others)).toMatchObject({ type: 'BuildFailed', data: { error: expect.stringContaining('was aborted: stop') } });
  });
  test('takes it along when it is aborted, and when its step is not waited for any more', async () => {
    const { app, others } = await calling();
    await abort(app);
    await untilTypes(others, CHILD, 'BuildCleanedUp');
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others, CHILD)).toMatchObject({ type: 'BuildAborted' });
    const again = await calling();
    await again.app.restartBuild(command('RestartBuild', { build: BUILD, host: 'any', reason: 'again' }));
    await untilTypes(again.others, CHILD, 'BuildCleanedUp');
    expect(await ended(again.others, CHILD)).toMatchObject({ type: 'BuildAborted', data: { reason: `step call of build ${BUILD} does not wait for it any more` } });
  });
  test('which is not there', async () => {
    const { app, others } = await begin();
    await apply(app, plan('p', '{ name: Call, uses: call-plan, with: { plan: nope } }'));
    await request(app, 'p');
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others)).toMatchObject({ type: 'BuildFailed', data: { error: 'step Call failed: There is no plan nope.' } });
  });
  test('in a circle ends', async () => {
    const { app, others } = await begin();
    await apply(app, plan('p', '{ name: Call, uses: call-plan, with: { plan: q } }'));
    await apply(app, plan('q', '{ name: Call, uses: call-plan, with: { plan: p } }'));
    await request(app, 'p');
    await untilTold(others, 'BuildCleanedUp');
    expect(await ended(others)).toMatchObject({ type: 'BuildFailed', data: { error: expect.stringContaining('Plans call each other more than 10 deep.') } });
    expect(new Set((await logOf(others)).filter(({ kind }) => kind === 'build').map(({ id }) => id)).size).toBe(10);
  });
});

describe('builds of one group', () => {
  const grouped = (policy: string) => `concurrency: { group: deploy, policy: ${policy} }\n${plan('p', '{ name: Ok, uses: wait-for-approval, with: {} }')}`;
  test('wait for each other', async () => {
    const { app, others } = await begin();
    await apply(app, grouped('queue'));
    await request(app, 'p');
    await untilTold(others, 'StepStarted');
    await request(app, 'p', second);
    await untilTypes(others, second, 'BuildWaiting');
    await until(() => expect(others.statuses.at(-1)?.event.data).toMatchObject({ id: second, status: 'pending', activity: `waiting: build ${BUILD} of the same group is building` }));
    expect(await typesOf(others, second)).not.toContain('StepStarted');
    await message(app, 'ok', 'pass');
    await untilTypes(others, second, 'StepStarted');
  });
  test('take each other’s place', async () => {
    const { app, others } = await begin();
    await apply(app, grouped('cancel'));
    await request(app, 'p');
    await untilTold(others, 'StepStarted');
    await request(app, 'p', second);
    await untilTypes(others, second, 'StepStarted');
    expect(await ended(others)).toMatchObject({ type: 'BuildAborted', data: { reason: `a newer build of plan p takes its place: ${second}` } });
  });
  test('one that another calls does not wait for it', async () => {
    const { app, others } = await begin();
    await apply(app, grouped('queue'));
    await apply(app, `concurrency: { group: deploy, policy: queue }\n${plan('caller', '{ name: Call, uses: call-plan, with: { plan: p } }')}`);
    await request(app, 'caller');
    await untilTypes(others, action(0), 'StepStarted');
  });
});

test('a step waits for the builds before', async () => {
  const { app, others } = await begin();
  await apply(app, plan('p', '{ name: Ok, uses: wait-for-approval, with: {} }', '{ name: Before, uses: wait-for-previous-builds, with: {}, needs: [] }'));
  await request(app, 'p');
  await request(app, 'p', second);
  await message(app, 'ok', 'pass', {}, second);
  await untilTypes(others, second, 'StepFinished');
  expect(await typesOf(others, second)).not.toContain('BuildPassed');
  await message(app, 'ok', 'pass');
  await untilTypes(others, second, 'BuildPassed');
});

test('a request over HTTP is sent again after a crash, under the same key', async () => {
  const keys: unknown[] = [];
  let answer: (response: ServerResponse) => void = () => undefined; // the first one hears nothing
  const server = createServer((incoming, response) => {
    keys.push(incoming.headers['idempotency-key']);
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { app, others } = await begin();
    await apply(app, plan('p', `{ name: Tell, uses: http-request, with: { url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/x", method: POST } }`));
    await request(app, 'p');
    await until(() => expect(keys).toHaveLength(1));
    await app.follower.stop();
    answer = (response) => response.end('heard');
    await begin(new Others(others.store));
    await untilTold(others, 'BuildCleanedUp');
    expect(keys).toEqual([action(0), action(0)]);
    expect((await eventsOf(others)).find(({ type }) => type === 'StepFinished')).toMatchObject({ data: { outcome: 'passed', outputs: { status: '200', body: 'heard' } } });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('artifacts of another build, and a further lease', async () => {
  const { app, others } = await begin();
  await apply(app);
  await build(app);
  await untilTold(others, 'BuildCleanedUp');
  await apply(app, plan('p', '{ name: Db, uses: lease, with: { type: service, attributes: { db: pg } } }', `{ name: Get, uses: download-artifact, with: { build: "\${{ vars.from }}", name: "*.tgz", path: in } }`).replace('steps:', 'variables: { from: { required: true } }\nsteps:'));
  expect(await request(app, 'p', second)).toMatchObject({ accepted: false, code: 'invalid-data' });
  await app.requestBuild(command('RequestBuild', { plan: 'p', variables: { from: BUILD } }, second));
  await untilTypes(others, second, 'BuildCleanedUp');
  expect(await ended(others, second)).toMatchObject({ type: 'BuildPassed' });
  const db = ids.action(second, 1, 0);
  expect(others.sent.find(({ id }) => id === db)).toMatchObject({ type: 'RequestLease', data: { type: 'service', attributes: { db: 'pg' } } });
  expect(others.sent.find(({ id }) => id === ids.action(second, 1, 1))).toMatchObject({ data: { spec: { kind: 'download', items: [{ object: 'o', path: 'in/wordcount.tgz', bytes: 3, sha256: 'ab' }] } } });
  expect(await others.types('lease', db)).toEqual(['LeaseRequested', 'LeaseAcquired', 'LeaseActivated', 'LeaseReleased', 'LeaseDestroyed']);
  expect(others.problems).toEqual([]);
});

test('whenever the process is killed, everything is done once', async () => {
  const first = await begin();
  await apply(first.app, plan('child', '{ name: Run, run: c }'));
  await apply(first.app, plan('p', '{ name: Db, uses: lease, with: { type: service } }', '{ name: A, run: a, needs: [] }', '{ name: B, run: b, needs: [] }', '{ name: Call, uses: call-plan, with: { plan: child }, needs: [db] }', '{ name: Last, uses: upload-artifact, with: { path: x }, needs: [a, b, call] }'));
  await request(first.app, 'p');
  await untilTold(first.others, 'BuildCleanedUp');
  const steps = async (others: Others) => (await told(others)).toSorted();
  const expected = await steps(first.others);
  await eachRestart(await logOf(first.others), (others) => others, async (others) => {
    expect(await ended(others)).toMatchObject({ type: 'BuildPassed' });
    expect(await steps(others)).toEqual(expected);
    expect(await ended(others, ids.action(BUILD, 1, 3))).toMatchObject({ type: 'BuildPassed' });
  });
});
