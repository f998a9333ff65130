import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { savedPlan, type BuildEvent, type Commit, type JobEvent, type LeaseEvent, type MachineEvent, type ResourceEvent } from '@berth/contracts';
import { openRuntime, type Config, type Runtime } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../../test/support/nats.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { eventually } from '../../../../test/support/wait.js';
import type { ProjectionName } from './columns.js';
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
const rows = async () => {
  const of = async (name: ProjectionName) => (await database.query(`SELECT * FROM berth_views.${name} ORDER BY opened`)) as { id: string; position: string }[];
  return { lease: await of('lease'), build: await of('build'), machine: await of('machine'), resource: await of('resource'), job: await of('job') };
};
/** The least position that rows are known to show. */
const shown = async (): Promise<number> => {
  const found = (await database.query('SELECT position FROM berth.checkpoint')) as { position: string }[];
  return Math.min(...found.map(({ position }) => Number(position)));
};
const commit = (...events: (LeaseEvent | BuildEvent | MachineEvent | ResourceEvent | JobEvent)[]): Commit => ({ id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events });
const plan = savedPlan.parse({ name: 'p', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'One', run: 'true', env: {} }] });

type LeaseRequested = Extract<LeaseEvent, { type: 'LeaseRequested' }>['data'];
/** What requests of older versions did not say. */
const asked: Partial<LeaseRequested> = { project: 'p', blueprints: ['local'], prefer: [{ a: '1' }, { b: '>=2' }], priority: 7, affinity: 'k', ttl: 30_000, wait: 'served', waitAtMost: 60_000 };

/** A machine, sometimes removed, with its host, which is claimed, out of service or gone. */
async function machineHappens(i: number): Promise<number> {
  const [name, host] = [`m-${randomUUID()}`, randomUUID()];
  const enrolled = { name, address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux' as const, attributes: { os: 'linux' }, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: { cpus: '2' } };
  let at = await runtime.store.append('machine', name, 0, commit({ type: 'MachineAdded', data: enrolled }));
  if (i % 5 === 0) at = await runtime.store.append('machine', name, at, commit({ type: 'MachineRemoved', data: {} }));
  // What PostgreSQL keeps in no text: it must not hold up the others.
  const odd = `\u0000"\\u0000\ud800`;
  let revision = await runtime.store.append('resource', host, 0, commit({ type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name, attributes: { odd }, slots: 2, machine: name } }));
  revision = await runtime.store.append('resource', host, revision, commit({ type: 'ResourceActivated', data: {} }, { type: 'SlotClaimed', data: { slot: 0, lease: randomUUID(), owner: 'ada' } }));
  if (i % 2) revision = await runtime.store.append('resource', host, revision, commit({ type: 'ResourceHeld', data: { until: '2030-01-01T01:00:00+01:00', reason: 'look' } }));
  if (i % 3 === 0) revision = await runtime.store.append('resource', host, revision, commit({ type: 'ResourceReleased', data: { reason: 'old' } }, { type: 'ResourceDestroyed', data: {} }));
  return Math.max(at, revision);
}

/** A job on it, at whatever it is by then. */
async function jobHappens(i: number): Promise<number> {
  const id = randomUUID();
  let at = await runtime.store.append('job', id, 0, commit({ type: 'JobRequested', data: { task: 'reboot', machine: `m-${i}`, force: false, softLimit: 1, hardLimit: 2, ...(i % 2 && { worker: { id: `w-${i}` }, lease: randomUUID(), reason: '\u0000', to: 'ada' }) } }));
  if (i % 3) at = await runtime.store.append('job', id, at, commit({ type: 'JobStarted', data: {} }, { type: 'AttemptStarted', data: { attempt: 1, method: 'ssh_reboot' } }, { type: 'AttemptStep', data: { attempt: 1, step: 'sent' } }));
  if (i % 3 === 1) at = await runtime.store.append('job', id, at, commit({ type: 'AttemptEnded', data: { attempt: 1, outcome: 'failed', fault: 'stayed-up', output: 'x', durationMs: 0.5 } }, { type: 'TicketTold', data: { tracker: 'bugzilla', id: '1', how: 'filed' } }, { type: 'JobFailed', data: { machine: 'up', code: 'x', error: 'y' } }));
  return at;
}

/** Leases, builds, machines and jobs, interleaved; gives the last position. */
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
      last = Math.max(last, at, revision, await machineHappens(i), await jobHappens(i));
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
    const { lease, build, machine, resource, job } = await rows();
    expect([lease.length, build.length, machine.length, resource.length, job.length]).toEqual([100, 100, 100, 100, 100]);
    expect(await database.query(`SELECT status, count(*)::int AS count, bool_and(attempts -> 0 ->> 'outcome' = 'failed') AS failed FROM berth_views.job GROUP BY 1 ORDER BY 1`)).toEqual([{ status: 'FAILED', count: 34, failed: true }, { status: 'QUEUED', count: 34, failed: null }, { status: 'RUNNING', count: 32, failed: false }]);
    expect(await database.query(`SELECT state, owner, until, count(*)::int AS count FROM berth_views.resource GROUP BY 1, 2, 3 ORDER BY 1, 3`)).toEqual([
      { state: 'active', owner: 'ada', until: null, count: 32 }, { state: 'destroyed', owner: null, until: new Date('2030-01-01T00:00:00Z'), count: 16 }, { state: 'destroyed', owner: null, until: null, count: 18 },
      { state: 'held', owner: 'ada', until: new Date('2030-01-01T00:00:00Z'), count: 34 },
    ]);
    expect(await database.query(`SELECT DISTINCT attributes FROM berth_views.resource`)).toEqual([{ attributes: { odd: '\ufffd"\\u0000\ufffd' } }]);
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
    await eventually(async () => expect(await shown()).toBeGreaterThanOrEqual(last));
    const live = await rows();
    await rebuildProjection(runtime, database, () => undefined);
    expect(await rows()).toEqual(live);
    expect(await database.query(`SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'berth_views_next'`)).toEqual([]);
  });

  test('one projection is rebuilt alone: the others stay as they are, and it goes on with its indexes', async () => {
    const before = await rows();
    const indexes = () => database.query(`SELECT indexname, replace(indexdef, 'berth_views_next', 'berth_views') AS is FROM pg_indexes WHERE schemaname = 'berth_views' ORDER BY 1`);
    const indexed = await indexes();
    await database.query(`UPDATE berth_views.lease SET owner = 'changed by hand'`);
    await database.query(`UPDATE berth_views.machine SET platform = 'changed by hand'`);
    await rebuildProjection(runtime, database, () => undefined, ['lease']);
    const after = await rows();
    expect(after.lease).toEqual(before.lease);
    expect(after.machine.map((row) => row.id)).toEqual(before.machine.map((row) => row.id));
    expect(await database.query('SELECT DISTINCT platform FROM berth_views.machine')).toEqual([{ platform: 'changed by hand' }]);
    await rebuildProjection(runtime, database, () => undefined, ['machine']);
    expect(await rows()).toEqual(before);
    expect(await indexes()).toEqual(indexed);
    const last = await happen(5);
    await eventually(async () => expect(await shown()).toBeGreaterThanOrEqual(last));
    expect((await rows()).lease).toHaveLength(before.lease.length + 5);
  });

  test('going back a version takes away what it does not have, and coming again makes the same rows', async () => {
    const live = await rows();
    const names = async (sql: string) => ((await database.query(sql)) as { name: string }[]).map(({ name }) => name);
    const tables = () => names(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'berth_views' ORDER BY 1`);
    const indexed = () => names(`SELECT indexdef AS name FROM pg_indexes WHERE schemaname = 'berth_views' AND tablename = 'image_version' AND indexdef LIKE '%(attributes %'`);
    expect(await indexed()).toHaveLength(1);
    await database.undoLastMigration({ transaction: 'all' });
    expect(await indexed()).toEqual([]);
    await database.undoLastMigration({ transaction: 'all' });
    expect(await tables()).toEqual(['build', 'job', 'lease', 'machine', 'resource']);
    await database.undoLastMigration({ transaction: 'all' });
    expect(await tables()).toEqual(['build', 'lease', 'machine', 'resource']);
    expect(await names(`SELECT column_name AS name FROM information_schema.columns WHERE table_schema = 'berth_views' AND table_name = 'resource' AND column_name = 'reserved'`)).toEqual([]);
    const newer = await openDatabase(config.databaseUrl, fail);
    const again = new Projection(runtime, newer);
    await again.start();
    expect(await again.reached(Math.max(...Object.values(live).flat().map((row) => Number(row.position))), 10_000)).toBe(true);
    await again.stop();
    await newer.destroy();
    expect(await rows()).toEqual(live);
    expect(await indexed()).toHaveLength(1);
  });

  test('rows of an older version are made anew by its migration, the same as a rebuild makes them', async () => {
    const live = await rows();
    await database.query('ALTER TABLE berth_views.lease DROP COLUMN priority, DROP COLUMN wait, DROP COLUMN ended');
    await database.query('ALTER TABLE berth_views.build DROP COLUMN project, DROP COLUMN priority');
    await database.query(`DELETE FROM berth.migrations WHERE name = 'Requests1700000000002'`);
    const newer = await openDatabase(config.databaseUrl, fail);
    const again = new Projection(runtime, newer);
    await again.start();
    expect(await again.reached(Math.max(...Object.values(live).flat().map((row) => Number(row.position))), 10_000)).toBe(true);
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
    await eventually(async () => expect(await shown()).toBeGreaterThanOrEqual(last), { timeoutMs: 15_000 });
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
