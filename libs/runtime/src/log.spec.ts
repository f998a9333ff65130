import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { startTestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { aggregates, type Decider } from './aggregate.js';
import type { Config } from './config.js';
import { openLog, withThing } from './log.js';
import { openRuntime } from './service.js';
import { JetStreamStrategy, type Command } from './strategy.js';

let home: string;
beforeAll(async () => {
  home = await tempFolder('log');
});

type Line = Record<string, unknown> & { msg: string };
const linesOf = async (file: string): Promise<Line[]> => (await readFile(file, 'utf8')).split('\n').filter(Boolean).map((line) => JSON.parse(line) as Line);

describe('a line', () => {
  test.each([
    [{ action: 'a', host: 'h' }, { action: 'a', host: 'h', kind: 'action', id: 'a' }],
    [{ lease: 'l', error: 'e' }, { lease: 'l', error: 'e', kind: 'lease', id: 'l' }],
    [{ kind: 'lease', id: 'x', build: 'b' }, { kind: 'lease', id: 'x', build: 'b' }],
    [{ id: 'x', resource: 'r' }, { id: 'x', resource: 'r' }],
    [{ port: 1 }, { port: 1 }],
    [{ build: { id: 'b' } }, { build: { id: 'b' } }],
  ])('%j says which thing it is about', (line, told) => expect(withThing(line)).toEqual(told));

  test('has the service, the level that was asked for, and nothing that is secret by its name', async () => {
    const file = join(home, 'levels');
    const log = openLog('lease', { logLevel: 'warn', logFile: file }, () => ({ traceId: 't' }));
    log.info('not this');
    log.warn({ token: 'hush', headers: { authorization: 'Bearer hush' }, lease: 'l' }, 'this');
    await new Promise<void>((resolve, reject) => log.flush((error) => (error ? reject(error) : resolve())));
    const text = await eventually(async () => (await readFile(file, 'utf8')).trim() || false);
    expect(JSON.parse(text)).toMatchObject({ level: 40, service: 'lease', kind: 'lease', id: 'l', traceId: 't', token: '***', headers: { authorization: '***' }, msg: 'this' });
    expect(text).not.toContain('hush');
  });
});

test('one command can be followed through the log by its id: stored at a position, answered; failed, given up', { timeout: 60_000 }, async () => {
  const nats = await startTestNats();
  const file = join(home, 'service');
  const config: Config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl: '', logLevel: 'debug', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: file };
  const runtime = await openRuntime('lease', config, (error) => expect.unreachable(error.message));
  atEndOfFile(() => runtime.connection.close());
  const feed = await runtime.store.feed(0, () => undefined, (error) => expect.unreachable(error.message));
  const decider: Decider<undefined, string, { type: 'LeaseRenewed'; data: { until: string } }> = { initial: undefined, decide: (until) => [{ type: 'LeaseRenewed', data: { until } }], evolve: () => undefined, ended: () => false };
  const leases = aggregates('lease', decider, runtime.store, () => feed);
  const strategy = new JetStreamStrategy('lease', runtime.connection, runtime.log, undefined, undefined, 1);
  strategy.addHandler('ReleaseLease', ({ id, actor, data }: Command<{ lease: string; reason: string }>) => (data.reason === 'fail' ? Promise.reject(new Error('the disk is full')) : leases.handle(data.lease, 'private-text', { id, actor, cause: id, at: new Date().toISOString() })));
  await new Promise<void>((resolve, reject) => strategy.listen((error) => (error ? reject(error as Error) : resolve())));

  const lease = randomUUID();
  const ask = async (data: object) => {
    const id = randomUUID();
    runtime.connection.publish('berth.cmd.lease.ReleaseLease', JSON.stringify({ id, type: 'ReleaseLease', data: { lease, ...data }, actor: 'ada' }));
    return id;
  };
  const good = await ask({ reason: 'private-reason' });
  const bad = await ask({ reason: 'fail' });
  await eventually(async () => expect((await linesOf(file)).some(({ msg }) => msg.includes('dead letter'))).toBe(true), { timeoutMs: 40_000 });
  const lines = await linesOf(file);
  expect(lines.every(({ service }) => service === 'lease')).toBe(true);
  const stored = lines.find(({ commandId, msg }) => commandId === good && msg === 'stored')!;
  expect(stored).toMatchObject({ kind: 'lease', id: lease, position: expect.any(Number), actor: 'ada', events: ['LeaseRenewed'] });
  expect(lines.find(({ commandId, msg }) => commandId === good && msg === 'answered')).toMatchObject({ type: 'ReleaseLease', id: lease, position: stored['position'] });
  expect(lines.filter(({ commandId, msg }) => commandId === bad && msg === 'command failed, will be tried again')).toHaveLength(8);
  expect(lines.find(({ msg }) => msg.includes('dead letter'))).toMatchObject({ commandId: bad, type: 'ReleaseLease', tries: 8, reason: 'the disk is full' });
  // What commands and events hold is not for the log.
  expect(await readFile(file, 'utf8')).not.toContain('private-');
  await strategy.close();
  await feed.stop();
});
