import { randomUUID } from 'node:crypto';
import { connect as dial } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { httpClient, type Problem } from '@berth/client';
import type { Config } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../test/support/nats.js';
import { freshDatabase } from '../../../test/support/postgres.js';
import { startProxy, type Proxy } from '../../../test/support/proxy.js';
import { eventually } from '../../../test/support/wait.js';
import { savedPlan, type Commit } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { connect, type NatsConnection } from 'nats';
import { watchAnswers } from './api.testing.js';
import { startConsole, type RunningConsole } from './console.module.js';

let nats: TestNats;
let database: Proxy;
let config: Config;
let running: RunningConsole;
let bus: NatsConnection;
const token = randomUUID();
const failures: Error[] = [];
const start = (own: Config) => startConsole(own, (error) => failures.push(error), { token, readiness: () => Promise.resolve({}), watch: watchAnswers });
const ask = (path: string, init: RequestInit = {}) => fetch(`${running.url}/${path}`, { ...init, headers: { Authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) } });
const lease = randomUUID();
const commit = (...events: Commit['events']): Commit => ({ id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events });
const requested = { type: 'LeaseRequested', data: { type: 'host', owner: 'spec', attributes: {}, blueprints: [], priority: 100 } };

beforeAll(async () => {
  nats = await startTestNats();
  const url = new URL(await freshDatabase());
  database = await startProxy({ host: url.hostname, port: Number(url.port) });
  url.hostname = database.host;
  url.port = String(database.port);
  const home = await tempFolder('outage');
  config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl: url.href, logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: `${home}/log` };
  running = await start(config);
  atEndOfFile(() => running.stop());
  bus = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  atEndOfFile(() => bus.close());
  await jetStreamStore(bus).append('lease', lease, 0, commit(requested));
});

test('without the database: 503 and never 404, and healthz says so; nothing is lost', async () => {
  await eventually(async () => expect(((await (await ask('api/v1/leases')).json()) as { items: unknown[] }).items).toHaveLength(1));
  const { secret } = await httpClient({ url: running.url, token }).tokens.create({ name: 'ci', role: 'builder', projects: ['compilers'] });
  const tag = (await ask(`api/v1/leases/${lease}`)).headers.get('etag')!;
  database.down();
  // Nothing has changed, which the console knows by itself.
  expect((await ask(`api/v1/leases/${lease}`, { headers: { 'If-None-Match': tag } })).status).toBe(304);
  // It is not known whose they are, and that is what is said: nobody is told that they are another's, or not there.
  for (const [method, path] of [['GET', `leases/${lease}`], ['POST', `leases/${lease}/release`], ['GET', 'resources']] as const) {
    const response = await fetch(`${running.url}/api/v1/${path}`, { method, headers: { Authorization: `Bearer ${secret}` } });
    expect([path, response.status, ((await response.json()) as Problem).code]).toEqual([path, 503, 'unavailable']);
  }
  for (const path of ['api/v1/leases', `api/v1/leases/${lease}`, 'api/v1/builds', `api/v1/builds/${randomUUID()}`]) {
    const response = await ask(path);
    expect([path, response.status, ((await response.json()) as Problem).code]).toEqual([path, 503, 'unavailable']);
    expect(response.headers.get('retry-after')).toBe('2');
  }
  const health = await ask('healthz');
  expect(health.status).toBe(503);
  expect(await httpClient({ url: running.url, token }).health()).toMatchObject({ status: 'unavailable', services: { console: { ready: false } } });
  const other = randomUUID();
  await jetStreamStore(bus).append('lease', other, 0, commit(requested));
  // What needs no database goes on.
  for (const path of ['api/v1/capacity', 'api/v1/blueprints', 'api/v1/plans']) expect((await ask(path)).status).toBe(200);
  database.heal();
  await eventually(async () => expect((await ask('healthz')).status).toBe(200));
  await eventually(async () => expect(((await (await ask('api/v1/leases')).json()) as { items: { id: string }[] }).items.map((l) => l.id)).toEqual([other, lease]));
});

test('without the bus: 503 and never 404; back again by itself', { timeout: 40_000 }, async () => {
  await nats.kill9();
  const paths = [`leases/${randomUUID()}`, `actions/${randomUUID()}`, `history/${randomUUID()}`];
  const answers = await Promise.all(
    paths.map(async (path) => {
      const response = await ask(`api/v1/${path}`);
      return [path, response.status, ((await response.json()) as Problem).code];
    }),
  );
  expect(answers).toEqual(paths.map((one) => [one, 503, 'unavailable']));
  expect((await ask('healthz')).status).toBe(503);
  await nats.restart();
  await eventually(async () => expect((await ask('healthz')).status).toBe(200), { timeoutMs: 10_000 });
  expect((await ask(`api/v1/leases/${randomUUID()}`)).status).toBe(404);
  expect(failures).toEqual([]);
});

test('a command that no service answers: 503, with the key that makes it safe to send it again', { timeout: 20_000 }, async () => {
  const response = await ask('api/v1/leases', { method: 'POST', body: '{"type":"host"}', headers: { 'Content-Type': 'application/json', 'Idempotency-Key': lease } });
  const answer = (await response.json()) as Problem;
  expect([answer.status, answer.code]).toEqual([503, 'unavailable']);
  expect(answer.detail).toContain(lease);
});

test('a reader of the feed that takes nothing is dropped; another one is not', { timeout: 40_000 }, async () => {
  const { hostname, port } = new URL(running.url);
  const store = jetStreamStore(bus);
  // Large events, so that what the system buffers for a connection is full soon.
  const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'x'.repeat(20_000), env: {} }] });
  const request = `GET /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`;
  const lazy = dial(Number(port), hostname);
  lazy.write(request);
  lazy.pause();
  let closed = false;
  lazy.on('close', () => (closed = true));
  lazy.on('error', () => (closed = true));
  const seen = new Set<string>();
  const following = (async () => {
    for await (const event of httpClient({ url: running.url, token }).events({ kinds: ['build'] })) {
      seen.add(event.id);
      if (seen.size === 2500) return;
    }
  })();
  await eventually(async () => {
    await store.append('build', randomUUID(), 0, commit({ type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'warm' } }));
    expect(seen.size).toBeGreaterThan(0);
  });
  for (let i = 0; i < 2500; i += 50) {
    await Promise.all(Array.from({ length: 50 }, () => store.append('build', randomUUID(), 0, commit({ type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'spec' } }))));
  }
  await following;
  expect(seen.size).toBe(2500);
  lazy.resume();
  await eventually(() => expect(closed).toBe(true), { timeoutMs: 10_000 });
});

test('a port in use, and a database that is not there, are one sentence, and nothing stays', async () => {
  const taken = Number(new URL(running.url).port);
  await expect(start({ ...config, httpPort: taken })).rejects.toThrow(`port ${taken} is in use: stop what uses it or set BERTH_HTTP_PORT to another one`);
  await expect(start({ ...config, databaseUrl: 'postgres://ada:secret@127.0.0.1:1/berth' })).rejects.toThrow('the database berth at 127.0.0.1:1 can\'t be used (ECONNREFUSED): start it or correct DATABASE_URL');
});

test('a second start on the same database and bus goes on where the first was', async () => {
  const before = await (await ask('api/v1/leases')).json();
  await running.stop();
  running = await start(config);
  expect(await (await ask('api/v1/leases')).json()).toEqual(before);
});
