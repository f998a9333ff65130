import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp, type DeadLetterView } from '@berth/client';
import type { Answer } from '@berth/contracts';
import { streams } from '@berth/nats';
import { JetStreamStrategy, openRuntime, type Config, type Runtime } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { startTestNats } from '../../../../test/support/nats.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { eventually } from '../../../../test/support/wait.js';
import { startConsole } from '../console.module.js';

/** One service's end of the bus, whose handler does as the spec says. */
let runtime: Runtime;
let bus: Runtime['connection'];
let berth: BerthHttp;
let logFile: string;
let handle: (command: { id: string }) => Promise<Answer>;
let strategy: JetStreamStrategy;

const listen = async () => {
  strategy = new JetStreamStrategy('lease', bus, runtime.log, undefined, undefined, 1);
  strategy.addHandler('ReleaseLease', (command: { id: string }) => handle(command));
  await new Promise<void>((resolve, reject) => strategy.listen((error) => (error ? reject(error as Error) : resolve())));
};

beforeAll(async () => {
  const [nats, databaseUrl, home] = await Promise.all([startTestNats(), freshDatabase(), tempFolder('dead')]);
  logFile = `${home}/log`;
  const token = randomUUID();
  const fail = (error: Error) => {
    throw error;
  };
  const config: Config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl, logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile };
  const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({}) });
  atEndOfFile(() => running.stop());
  berth = httpClient({ url: running.url, token });
  runtime = await openRuntime('lease', config, fail);
  bus = runtime.connection;
  atEndOfFile(() => bus.close());
  await listen();
  atEndOfFile(() => strategy.close());
});

const bury = async (text: string): Promise<DeadLetterView> => {
  const before = new Set((await berth.deadLetters.list()).items.map(({ id }) => id));
  bus.publish('berth.cmd.lease.ReleaseLease', text);
  return eventually(async () => (await berth.deadLetters.list()).items.find(({ id }) => !before.has(id)) ?? false);
};
/** What the audit says was done with a dead letter, once it says so. */
const audited = (event: string, letter: string): Promise<(string | null)[]> =>
  eventually(async () => {
    const { items } = await berth.audit({ what: 'did', actor: 'token:admin' });
    const own = items.filter(({ kind, events, detail }) => kind === 'access' && events.includes(event) && new RegExp(`dead letter ${letter}\\b`).test(detail ?? ''));
    return own.length > 0 && own.map(({ detail }) => detail);
  });
const releaseOf = (id: string) => ({ id, type: 'ReleaseLease', data: { lease: randomUUID() } });
const waiting = async () => (await (await bus.jetstreamManager()).streams.info(streams.commands.name)).state.messages;

describe('what can never be read', () => {
  test('is there with the reason and as it came, and can be dropped but not retried', async () => {
    const letter = await bury('{"id": nonsense');
    expect(letter).toMatchObject({ service: 'lease', type: 'ReleaseLease', tries: 1, command: '{"id": nonsense', reason: expect.stringContaining('not JSON') });
    expect(await berth.deadLetters.get(letter.id)).toEqual(letter);
    await expect(berth.deadLetters.retry(letter.id)).rejects.toMatchObject({ status: 409, code: 'not-retryable', message: expect.stringMatching(/it would come back: drop it/) });
    await berth.deadLetters.drop(letter.id);
    await expect(berth.deadLetters.get(letter.id)).rejects.toMatchObject({ status: 404, code: 'unknown-dead-letter' });
    // Again is no error and has no effect; what never was is one.
    await berth.deadLetters.drop(letter.id);
    expect(await audited('DeadLetterDropped', letter.id)).toEqual([`dropped dead letter ${letter.id}, ReleaseLease for lease`]);
    for (const id of ['999999', '0', 'x']) await expect(berth.deadLetters.drop(id)).rejects.toMatchObject({ status: 404, code: 'unknown-dead-letter' });
  });

  test('an envelope that is wrong is not retried either; a body that is large is shown in part', async () => {
    const letter = await bury(JSON.stringify({ id: 'no-uuid', type: 'ReleaseLease', data: { text: 'x'.repeat(10_000) } }));
    expect(letter.command).toMatch(/^\{"id":"no-uuid".*x… \(10\d+ bytes\)$/);
    await expect(berth.deadLetters.retry(letter.id)).rejects.toMatchObject({ code: 'not-retryable', message: expect.stringContaining('id') });
    await berth.deadLetters.drop(letter.id);
  });
});

test('what failed eight times is retried under its own id, and is gone once it is stored', { timeout: 60_000 }, async () => {
  const tried: string[] = [];
  handle = ({ id }) => {
    tried.push(id);
    return Promise.reject(new Error('the disk is full'));
  };
  const command = releaseOf(randomUUID());
  bus.publish('berth.cmd.lease.ReleaseLease', JSON.stringify(command));
  const letter = await eventually(async () => (await berth.deadLetters.list()).items.find((one) => (one.command as { id?: string }).id === command.id) ?? false, { timeoutMs: 40_000 });
  expect(letter).toMatchObject({ tries: 8, reason: 'the disk is full', command });
  expect(tried).toEqual(Array.from({ length: 8 }, () => command.id));

  handle = ({ id }) => Promise.resolve({ accepted: true, id, position: 1 });
  const done = await berth.deadLetters.retry(letter.id);
  expect(done).toEqual({ id: letter.id, command: command.id, outcome: 'accepted', code: null, message: null });
  expect(await berth.deadLetters.retry(letter.id)).toMatchObject({ outcome: 'gone' });
  expect((await berth.deadLetters.list()).items).toEqual([]);
  expect(await readFile(logFile, 'utf8')).toMatch(new RegExp(`"actor":"token:admin","deadLetter":"${letter.id}","service":"lease","type":"ReleaseLease","commandId":"${command.id}","outcome":"accepted".*tried again`));
  expect(await audited('DeadLetterRetried', letter.id)).toEqual([`had dead letter ${letter.id} sent again, ReleaseLease for lease: accepted`]);
});

test('while its service is away it waits among the commands, and is carried out once when it is back', async () => {
  const command = releaseOf(randomUUID());
  // Data that the schema refuses, as an older version of the service might have done.
  const letter = await bury(JSON.stringify({ ...command, data: { lease: 'none' } }));
  expect(letter.reason).toMatch(/^invalid-data: /);
  await strategy.close();
  expect(await berth.deadLetters.retry(letter.id)).toMatchObject({ outcome: 'waiting', command: command.id });
  expect(await waiting()).toBe(1);
  expect((await berth.deadLetters.list()).items).toEqual([]);
  await listen();
  // It is refused again, so it is a dead letter again.
  const again = await eventually(async () => (await berth.deadLetters.list()).items[0] ?? false);
  expect(again).toMatchObject({ reason: letter.reason, command: { id: command.id } });
  expect(Number(again.id)).toBeGreaterThan(Number(letter.id));
  await berth.deadLetters.drop(again.id);
});

test('pages of them, the newest first, across holes; by service and command', async () => {
  const letters: DeadLetterView[] = [];
  for (let i = 0; i < 7; i++) letters.push(await bury(`bad ${i}`));
  await berth.deadLetters.drop(letters[3]!.id);
  bus.publish('berth.dead.allocator.AddMachine', 'other');
  await eventually(async () => (await berth.deadLetters.list()).items.length === 7);
  const seen: unknown[] = [];
  let cursor: string | null | undefined;
  do {
    const page = await berth.deadLetters.list({ limit: 2, service: 'lease', ...(cursor && { cursor }) });
    expect(page.items.length).toBeLessThanOrEqual(2);
    seen.push(...page.items.map((one) => one.command));
    cursor = page.cursor;
  } while (cursor !== null);
  expect(seen).toEqual(['bad 6', 'bad 5', 'bad 4', 'bad 2', 'bad 1', 'bad 0']);
  expect((await berth.deadLetters.list({ type: 'AddMachine' })).items.map((one) => one.command)).toEqual(['other']);
  await expect(berth.deadLetters.list({ service: 'boat' })).rejects.toMatchObject({ status: 422, message: expect.stringContaining('boat') });
  await expect(berth.deadLetters.list({ cursor: '-1' })).rejects.toMatchObject({ status: 422 });
});
