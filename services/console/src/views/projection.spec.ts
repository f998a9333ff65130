import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { savedPlan, type BuildEvent, type Commit, type LeaseEvent } from '@berth/contracts';
import { openRuntime, type Config, type Runtime } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../../test/support/nats.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { eventually } from '../../../../test/support/wait.js';
import { Projection } from './projection.js';
import { RebuildRunning, rebuildProjection, type Progress } from './rebuild.js';
import { openDatabase } from './schema.js';

let nats: TestNats;
let config: Config;
let runtime: Runtime;
let database: DataSource;

const fail = (error: Error) => {
  throw error;
};
const rows = async (schema = 'berth_views') => ({
  lease: await database.query(`SELECT * FROM ${schema}.lease ORDER BY opened`) as unknown[],
  build: await database.query(`SELECT * FROM ${schema}.build ORDER BY opened`) as unknown[],
});
const commit = (...events: (LeaseEvent | BuildEvent)[]): Commit => ({ id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events });
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });

type LeaseRequested = Extract<LeaseEvent, { type: 'LeaseRequested' }>['data'];
/** What requests of older versions did not say. */
const asked: Partial<LeaseRequested> = { project: 'p', blueprints: ['local'], prefer: [{ a: '1' }, { b: '>=2' }], priority: 7, affinity: 'k', ttl: 30_000, wait: 'served', waitAtMost: 60_000 };

/** Leases and builds, interleaved; gives the last position. */
async function happen(count: number): Promise<number> {
  let last = 0;
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const lease = randomUUID();
      let at = await runtime.store.append('lease', lease, 0, commit({ type: 'LeaseRequested', data: { type: 'host', owner: `o${i}`, attributes: { n: String(i), odd: '\u0007"\\' }, ...(i % 5 ? asked : {}) } as LeaseRequested }));
      if (i % 6 === 0) at = await runtime.store.append('lease', lease, at, commit({ type: 'LeaseRefused', data: { reason: 'nothing has it' } }, { type: 'LeaseDestroyed', data: {} }));
      if (i % 5 === 4) at = await runtime.store.append('lease', lease, at, commit({ type: 'PriorityChanged', data: { priority: i } }, { type: 'LeaseBeat', data: { alive: '2030-01-01T00:00:00Z' } }));
      if (i % 2) at = await runtime.store.append('lease', lease, at, commit({ type: 'LeaseAcquired', data: { resource: randomUUID(), blueprint: 'local', slot: i, token: at } }, { type: 'LeaseActivated', data: {} }));
      if (i % 4 === 3) at = await runtime.store.append('lease', lease, at, commit({ type: 'LeaseReleased', data: { reason: 'done', expired: false } }));
      const build = randomUUID();
      let revision = await runtime.store.append('build', build, 0, commit({ type: 'BuildRequested', data: { plan, planVersion: 1, variables: {}, initiator: 'spec', ...(i % 2 && { project: 'p', priority: i }) } }));
      if (i % 3) revision = await runtime.store.append('build', build, revision, commit({ type: 'BuildErrored', data: { error: 'no host' } }));
      last = Math.max(last, at, revision);
    }),
  );
  return last;
}

async function startProjection(): Promise<Projection> {
  const projection = new Projection(runtime, database);
  await projection.start();
  const stop = atEndOfFile(() => projection.stop());
  return Object.assign(projection, { end: stop });
}

beforeAll(async () => {
  nats = await startTestNats();
  const home = await tempFolder('projection');
  config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl: await freshDatabase(), logLevel: 'warn', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: `${home}/log` };
  runtime = await openRuntime('console', config, fail);
  atEndOfFile(async () => {
    if (!runtime.connection.isClosed()) await runtime.connection.close();
  });
  database = await openDatabase(config.databaseUrl, fail);
  atEndOfFile(async () => {
    if (database.isInitialized) await database.destroy();
  });
});

describe('the projections', () => {
  test('a second start goes on where the first stopped; two at once write each row once', async () => {
    const first = await startProjection();
    const position = await happen(50);
    expect(await first.reached(position, 10_000)).toBe(true);
    expect((await rows()).lease).toHaveLength(50);
    await first.stop();
    const more = await happen(50);
    const [second, third] = await Promise.all([startProjection(), startProjection()]);
    expect(await second.reached(more, 10_000)).toBe(true);
    expect(await third.reached(more, 10_000)).toBe(true);
    const { lease, build } = await rows();
    expect([lease.length, build.length]).toEqual([100, 100]);
    await third.stop();
  });

  test('rebuilt rows are the live rows, with events going on meanwhile', async () => {
    const progress: Progress[] = [];
    let going = true;
    const meanwhile = (async () => {
      let last = 0;
      while (going) last = await happen(5);
      return last;
    })();
    await rebuildProjection(runtime, database, (one) => progress.push(one));
    going = false;
    const last = await meanwhile;
    expect(progress.at(-1)!.done).toBe(true);
    expect(progress.map((p) => p.position)).toEqual([...progress.map((p) => p.position)].sort((a, b) => a - b));
    await eventually(async () => {
      const [{ position }] = (await database.query('SELECT position FROM berth.checkpoint')) as [{ position: string }];
      expect(Number(position)).toBeGreaterThanOrEqual(last);
    });
    const live = await rows();
    await rebuildProjection(runtime, database, () => undefined);
    expect(await rows()).toEqual(live);
    expect(await database.query(`SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'berth_views_next'`)).toEqual([]);
  });

  test('rows of an older version are made anew by its migration, the same as a rebuild makes them', async () => {
    const live = await rows();
    await database.query('ALTER TABLE berth_views.lease DROP COLUMN priority, DROP COLUMN wait, DROP COLUMN ended');
    await database.query('ALTER TABLE berth_views.build DROP COLUMN project, DROP COLUMN priority');
    await database.query(`DELETE FROM berth.migrations WHERE name = 'Requests1700000000002'`);
    const newer = await openDatabase(config.databaseUrl, fail);
    const again = new Projection(runtime, newer);
    await again.start();
    expect(await again.reached(Math.max(...(live.lease as { position: string }[]).map((row) => Number(row.position))), 10_000)).toBe(true);
    await again.stop();
    await newer.destroy();
    expect(await rows()).toEqual(live);
  });

  test('one rebuild at a time', async () => {
    const both = await Promise.allSettled([1, 2].map(() => rebuildProjection(runtime, database, () => undefined)));
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find((one) => one.status === 'rejected')!.reason).toBeInstanceOf(RebuildRunning);
  });

  test('a killed bus delays the rows and loses none', async () => {
    const before = (await rows()).lease.length;
    await happen(20);
    await nats.kill9();
    await nats.restart();
    const last = await happen(20);
    await eventually(async () => {
      const [{ position }] = (await database.query('SELECT position FROM berth.checkpoint')) as [{ position: string }];
      expect(Number(position)).toBeGreaterThanOrEqual(last);
    }, { timeoutMs: 15_000 });
    expect((await rows()).lease.length).toBe(before + 40);
  });

  test('rows of another stream are made anew', async () => {
    const other = await startTestNats();
    const foreign = await openRuntime('console', { ...config, natsUrl: other.url }, fail);
    const mine = new Projection(foreign, database);
    await mine.start();
    expect(mine.position).toBe(0);
    expect((await rows()).lease).toHaveLength(0);
    await mine.stop();
    await foreign.connection.close();
  });
});
