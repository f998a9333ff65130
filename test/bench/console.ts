import { randomUUID } from 'node:crypto';
import type { NatsConnection } from 'nats';
import type pg from 'pg';
import type { BerthHttp } from '@berth/client';
import { cycle, largePast, position, type Publisher } from './console-past.js';
import { startConsole, type ConsoleEnvironment } from './console-process.js';
import { eventually } from '../support/wait.js';
import { cpuShares, cpuTimes, interleaved, median, ms, percentile, rate, times, type Row } from './measure.js';

const ROUNDS = 200;
/** Lease cycles a second, and for how long. */
const CYCLES = 1000;
const CYCLES_MS = 10_000;
const TICK_MS = 10;

/** The console over 10,000 hosts and 100,000 builds: reads, what the projections sustain, and how far they are behind. */
export async function consoleReads(): Promise<Row[]> {
  const { environment, nats, connection, publisher, hosts, pool } = await largePast();
  const replayed = await catchUp(environment, pool, publisher);
  const floor = await bareUpserts(pool);
  const { berth, pid } = replayed;
  const rows: Row[] = [
    {
      what: `events that the projections sustain (${publisher.commits.toLocaleString('en')} commits)`, ours: rate(replayed.perSecond, ' events'),
      floor: `${rate((publisher.events / floor.spent) * 1000)} the same ${floor.rows.toLocaleString('en')} rows once, by multi-row upsert`, ratio: times((publisher.events / floor.spent) * 1000 / replayed.perSecond), aim: '>= 5,000/s', met: replayed.perSecond >= 5000,
    },
    { what: 'what limits it: cores busy meanwhile', ours: replayed.shares, floor: '', ratio: '', aim: '', met: undefined },
  ];
  rows.push(...(await reads(berth, pool)));
  rows.push(...(await lag(connection, publisher, pool, hosts, { console: pid, 'nats-server': nats.pid, benchmark: process.pid })));
  return rows;
}

/** Starts a console that has all rows yet to make; resolves once they are there. */
async function catchUp(environment: ConsoleEnvironment, pool: pg.Pool, { commits, events }: Publisher) {
  const running = await startConsole(environment);
  const processes = { console: running.pid };
  const [begun, from, before] = [performance.now(), await position(pool), cpuTimes(processes)];
  await eventually(async () => {
    const now = await position(pool);
    if (now < commits) throw new Error(`${now} of ${commits} commits are in the rows`);
  }, { timeoutMs: 900_000, everyMs: 100 });
  const spent = performance.now() - begun;
  return { berth: running.berth, pid: running.pid, perSecond: ((events * (commits - from)) / commits / spent) * 1000, shares: cpuShares(before, cpuTimes(processes), spent) };
}

/** All rows once more, into tables of the same shape and with the same indexes, a thousand to a statement. */
async function bareUpserts(pool: pg.Pool): Promise<{ rows: number; spent: number }> {
  await pool.query('CREATE SCHEMA bare');
  let [rows, spent] = [0, 0];
  for (const table of ['machine', 'resource', 'lease', 'build']) {
    await pool.query(`CREATE TABLE bare.${table} (LIKE berth_views.${table} INCLUDING ALL)`);
    for (let last = '0'; ; ) {
      const { rows: [page] } = await pool.query<{ text: string | null; last: string; count: number }>(`SELECT json_agg(page)::text AS text, max(opened)::text AS last, count(*)::int AS count FROM (SELECT * FROM berth_views.${table} WHERE opened > $1 ORDER BY opened LIMIT 1000) page`, [last]);
      if (page!.text === null) break;
      const begun = performance.now();
      await pool.query(`INSERT INTO bare.${table} SELECT * FROM json_populate_recordset(NULL::bare.${table}, $1) ON CONFLICT (id) DO UPDATE SET position = EXCLUDED.position`, [page!.text]);
      spent += performance.now() - begun;
      rows += page!.count;
      last = page!.last;
    }
  }
  await pool.query('DROP SCHEMA bare CASCADE');
  return { rows, spent };
}

async function reads(berth: BerthHttp, pool: pg.Pool): Promise<Row[]> {
  for (const table of ['machine', 'resource', 'lease', 'build']) await pool.query(`ANALYZE berth_views.${table}`);
  const { rows: ids } = await pool.query<{ id: string }>('SELECT id FROM berth_views.build ORDER BY random() LIMIT 400');
  const { rows: hosts } = await pool.query<{ id: string }>('SELECT id FROM berth_views.resource ORDER BY random() LIMIT 400');
  let nth = 0;
  const next = (all: { id: string }[]): string => all[nth++ % all.length]!.id;
  const list = (table: string, where: string, order: string) => () => pool.query(`SELECT * FROM berth_views.${table} WHERE ${where} ORDER BY ${order} LIMIT 101`);
  const measured: [what: string, ours: () => Promise<unknown>, floor: () => Promise<unknown>][] = [
    ['list of builds, first page', () => berth.builds.list(), list('build', 'true', 'created DESC, opened DESC')],
    ['list of builds of a plan', () => berth.builds.list({ plan: 'plan-7' }), list('build', `plan = 'plan-7'`, 'created DESC, opened DESC')],
    ['list of builds that failed', () => berth.builds.list({ status: 'failed' }), list('build', `status = 'failed'`, 'created DESC, opened DESC')],
    ['list of hosts by name', () => berth.resources.list({ type: 'host', limit: 100 }), list('resource', `type = 'host' AND state <> 'destroyed'`, 'name, opened')],
    ['list of hosts with an attribute', () => berth.resources.list({ attr: 'rack:r7', limit: 100 }), list('resource', `attributes @> '{"rack":"r7"}' AND state <> 'destroyed'`, 'name, opened')],
    ['list of machines, first page', () => berth.machines.list({ limit: 100 }), list('machine', 'removed IS NULL', 'name, opened')],
    ['a build', () => berth.builds.get(next(ids)), () => pool.query('SELECT * FROM berth_views.build WHERE id = $1', [next(ids)])],
    ['a resource', () => berth.resources.get(next(hosts)), () => pool.query('SELECT * FROM berth_views.resource WHERE id = $1', [next(hosts)])],
  ];
  const rows: Row[] = [];
  for (const [what, ours, floor] of measured) {
    await interleaved(20, ours, floor);
    const spent = await interleaved(ROUNDS, ours, floor);
    const of = (all: number[]) => `${ms(median(all))} / ${ms(percentile(all, 0.99))}`;
    rows.push({ what: `${what}, p50 / p99`, ours: of(spent.ours), floor: `${of(spent.floor)} the bare query over pg`, ratio: times(median(spent.ours) / median(spent.floor)), aim: '', met: undefined });
  }
  return rows;
}

/** Lease cycles at a steady pace, their commits spread as they come: how far the rows are behind what is stored. */
async function lag(connection: NatsConnection, publisher: Publisher, pool: pg.Pool, hosts: readonly string[], processes: Record<string, number>): Promise<Row[]> {
  const base = publisher.commits;
  const published: number[] = [];
  const under: ReturnType<typeof cycle>[] = [];
  const behind: number[] = [];
  let begun = 0;
  const start = performance.now();
  const before = cpuTimes(processes);
  const sampled = (async () => {
    while (performance.now() - start < CYCLES_MS) {
      const shown = (await position(pool)) - base;
      const oldest = published[Math.max(0, shown)];
      behind.push(oldest === undefined ? 0 : performance.now() - oldest);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  })();
  while (performance.now() - start < CYCLES_MS) {
    const due = Math.floor(((performance.now() - start) * CYCLES) / 1000);
    for (; begun < due; begun++) under.push(cycle(randomUUID(), hosts[begun % hosts.length]!, `user-${begun % 500}`));
    // Each cycle that is under way takes its next step.
    for (const steps of under) {
      publisher.say(...steps.shift()!);
      published.push(performance.now());
    }
    for (let i = under.length - 1; i >= 0; i--) if (under[i]!.length === 0) under.splice(i, 1);
    await connection.flush();
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await sampled;
  const spent = performance.now() - start;
  const shares = cpuShares(before, cpuTimes(processes), spent);
  return [
    { what: `rows behind what is stored, ${rate((begun / spent) * 1000, ' lease cycles')}, ${rate((published.length / spent) * 1000, ' commits')}, p50 / p99`, ours: `${ms(median(behind))} / ${ms(percentile(behind, 0.99))}`, floor: '20 ms that a batch lingers', ratio: '', aim: '', met: undefined },
    { what: 'cores busy meanwhile', ours: shares, floor: '', ratio: '', aim: '', met: undefined },
  ];
}
