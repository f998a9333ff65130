import { randomUUID } from 'node:crypto';
import { chmod, copyFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { beforeAll, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { addressOptions, streams } from '@berth/nats';
import type { Config } from '@berth/runtime';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { serviceNames, startFleet, startTestSshd, type Fleet } from '../../../../test/support/fleet.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { startProxy, type Proxy } from '../../../../test/support/proxy.js';
import { eventually } from '../../../../test/support/wait.js';
import { startConsole } from '../console.module.js';
import { clockFinding } from './clock.js';

let fleet: Fleet;
let berth: BerthHttp;
let bus: NatsConnection;
let database: Proxy;
let artifacts: string;
let key: string;
let sshd: Awaited<ReturnType<typeof startTestSshd>>;

beforeAll(async () => {
  fleet = await startFleet({ services: [...serviceNames, 'image-factory'] });
  const url = new URL(await freshDatabase());
  database = await startProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = database.host;
  url.port = String(database.port);
  artifacts = join(fleet.home, 'artifacts');
  const config: Config = { home: fleet.home, httpPort: 0, natsUrl: fleet.nats.urlOf('console'), databaseUrl: url.href, logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: join(fleet.home, 'log'), artifacts: { kind: 'folder', path: artifacts } };
  const token = randomUUID();
  const fail = (error: Error) => {
    throw error;
  };
  const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({}) });
  atEndOfFile(() => running.stop());
  berth = httpClient({ url: running.url, token });
  bus = await connect(addressOptions(fleet.nats.urlOf('admin')));
  atEndOfFile(() => bus.close());
  sshd = await startTestSshd();
  key = join(fleet.home, 'key');
  await copyFile(sshd.privateKeyPath, key);
  await chmod(key, 0o600);
  await berth.machines.add({ name: 'box', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${key}`, folder: join(fleet.home, 'host') });
});

/** Lines of one check, such as `failed database: It …`. */
const linesOf = async (name: string): Promise<string[]> => (await berth.doctor()).items.filter(({ check }) => check === name).map(({ check, status, message }) => `${status} ${check}: ${message}`);

test('when all is well, every line says so', async () => {
  const { items } = await berth.doctor();
  expect(items.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(items.every(({ hint }) => hint === null)).toBe(true);
  expect(items.map(({ check }) => check)).toEqual([
    'bus', 'jetstream', 'streams', 'clock of NATS', 'service allocator', 'service lease', 'service host-agent-gateway', 'service build-orchestrator', 'service image-factory', 'service console',
    'database', 'migrations', 'clock of PostgreSQL', 'projections', 'artifacts', 'dead letters', 'breakers', 'machine box', 'clock of box',
  ]);
  expect(items.find(({ check }) => check === 'database')!.message).toMatch(/^PostgreSQL \d+\.\d+.* answers\.$/);
  expect(items.find(({ check }) => check === 'machine box')!.message).toMatch(/^It answers with the pinned key and has git [\d.]+ and OpenSSH/);
});

test('a service that is stopped', async () => {
  await fleet.services.lease.stop();
  await eventually(async () => expect(await linesOf('service lease')).toEqual(['failed service lease: Nobody takes its commands.']));
  await fleet.services.lease.start();
  await eventually(async () => expect(await linesOf('service lease')).toEqual(['ok service lease: It takes commands.']));
});

test('a dead letter', async () => {
  bus.publish('berth.cmd.lease.ReleaseLease', 'no JSON');
  await eventually(async () => expect(await linesOf('dead letters')).toEqual(['warning dead letters: 1 command could not be carried out.']));
  await berth.deadLetters.drop((await berth.deadLetters.list()).items[0]!.id);
});

test('a store of artifacts that can not be written', async () => {
  await rm(artifacts, { recursive: true });
  await writeFile(artifacts, 'a file where the folder was');
  expect(await linesOf('artifacts')).toEqual([expect.stringMatching(/^failed artifacts: /)]);
  await rm(artifacts);
});

test('the key of a machine that others may read', async () => {
  await chmod(key, 0o644);
  expect(await linesOf('key of box')).toEqual([`warning key of box: Others may use ${key}.`]);
  await chmod(key, 0o600);
});

test('a machine whose gateway is away is told so, and does not hold up the rest', { timeout: 40_000 }, async () => {
  await fleet.services['host-agent-gateway'].stop();
  expect(await linesOf('machine box')).toEqual(['failed machine box: Nothing was heard of it in 12 s.']);
  await fleet.services['host-agent-gateway'].start();
  await eventually(async () => expect(await linesOf('machine box')).toEqual([expect.stringMatching(/^ok/)]), { timeoutMs: 15_000 });
});

test('a machine that is down', { timeout: 40_000 }, async () => {
  await sshd.stop();
  await eventually(async () => expect(await linesOf('machine box')).toEqual([expect.stringMatching(/^failed machine box: .*(refused|reach|connect)/i)]), { timeoutMs: 20_000 });
});

test('a breaker that is open', async () => {
  const known = (await berth.blueprints.list()).items[0]!.name;
  const commit = { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events: [{ type: 'BreakerOpened', data: { until: '2999-01-01T00:00:00.000Z', reason: 'five launches failed', failures: 5 } }] };
  await bus.jetstream().publish(`berth.evt.blueprint.${known}`, JSON.stringify(commit));
  await eventually(async () => expect(await linesOf('breakers')).toEqual([expect.stringMatching(/^warning breakers: Blueprint .* launches nothing until 2999-.*: five launches failed\.$/)]));
});

test('without the database its lines say so, and the others are told all the same', async () => {
  database.down();
  expect((await linesOf('database'))[0]).toMatch(/^failed database: /);
  expect((await linesOf('streams'))[0]).toMatch(/^ok/);
  database.heal();
  await eventually(async () => expect((await linesOf('database'))[0]).toMatch(/^ok/));
});

test('a stream that is gone, and one that somebody changed', async () => {
  const manager = await bus.jetstreamManager();
  await manager.streams.update(streams.dead.name, { max_age: 1_000_000_000 * 600 });
  expect(await linesOf('streams')).toEqual(['warning streams: Stream BERTH_DEAD is not as Berth declares it: max_age is 600000000000 and should be 2592000000000000.']);
  await manager.streams.delete(streams.dead.name);
  expect(await linesOf('streams')).toEqual(['failed streams: Stream BERTH_DEAD is missing.']);
});

test.each([
  [1000, 'ok', 'It agrees with ours.'],
  [500, 'ok', 'It differs from ours by 0.5 s.'],
  [11_500, 'warning', 'It is 10 s ahead of ours.'],
  [-9000, 'warning', 'It is 10 s behind ours.'],
])('a clock that says %i between 1000 and 1500', (theirs, status, message) => expect(clockFinding('clock', theirs, 1000, 1500)).toMatchObject({ status, message }));
