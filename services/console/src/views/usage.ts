import type { DataSource } from 'typeorm';
import type { UsageBy, UsageRow, UsageTotal, UsageView } from '@berth/client';
import type { Seen } from './lists.js';
import { LIVE_SCHEMA } from './schema.js';

/** What is asked: of which time, by what, in stretches of how long. */
export interface UsageAsked {
  from: number;
  to: number;
  by: UsageBy;
  /** null: the whole is one */
  bucketMs: number | null;
  /** what has not ended by then is counted up to it */
  now: number;
}
/** What an hour of a host of a blueprint costs. */
export type Price = (blueprint: string) => { perHour: number; currency: string } | undefined;

const columns: Record<UsageBy, { lease: string; build: string }> = {
  owner: { lease: 'lease.owner', build: 'build.initiator' },
  project: { lease: 'lease.project', build: 'build.project' },
  plan: { lease: 'build.plan', build: 'build.plan' },
  blueprint: { lease: 'lease.blueprint', build: 'lease.blueprint' },
};

const S = LIVE_SCHEMA;
const HOUR = 3_600_000;
/** $1 and $2 are the span, $3 the length of a bucket in seconds; which bucket an instant is in. */
const bucketOf = (instant: string): string => `CAST(floor(extract(epoch FROM ${instant} - CAST($1 AS timestamptz)) / CAST($3 AS double precision)) AS int)`;
const within = (instant: string): string => `${instant} >= CAST($1 AS timestamptz) AND ${instant} < CAST($2 AS timestamptz)`;

/** Hours of what lasted from one instant to another, in each bucket that it touched. */
function hours(from: string, to: string): { join: string; sum: string } {
  const [begin, end] = [`GREATEST(${from}, CAST($1 AS timestamptz))`, `LEAST(${to}, CAST($2 AS timestamptz))`];
  const start = `CAST($1 AS timestamptz) + n * CAST($3 AS double precision) * interval '1 second'`;
  return {
    // What ends with a bucket is not in the next one.
    join: `CROSS JOIN LATERAL generate_series(${bucketOf(begin)}, ${bucketOf(`GREATEST(${begin}, ${end} - interval '1 microsecond')`)}) n`,
    sum: `extract(epoch FROM LEAST(${end}, CAST($1 AS timestamptz) + (n + 1) * CAST($3 AS double precision) * interval '1 second') - GREATEST(${begin}, ${start})) / 3600`,
  };
}
const touches = (from: string, ended: string): string => `${from} < CAST($2 AS timestamptz) AND COALESCE(${ended}, 'infinity') > CAST($1 AS timestamptz)`;

type Hours = { n: number; key: string | null; blueprint: string; hours: string };
type Waits = { n: number; key: string | null; leases: string; waits: number[] };
type Ends = { n: number; key: string | null; status: string; builds: string };

/** Who has used what in a span of time: from the rows, never from the events. */
export async function usage(database: DataSource, { from, to, by, bucketMs, now }: UsageAsked, price: Price, { projects }: Seen = {}): Promise<UsageView> {
  const length = bucketMs ?? to - from;
  const parameters = [new Date(from).toISOString(), new Date(Math.max(from, Math.min(to, now))).toISOString(), length / 1000];
  const column = columns[by];
  const seen = (table: string) => (projects ? `AND ${table}.project = ANY($4)` : '');
  const ask = <R>(sql: string, restricted = true) => database.query<R[]>(sql, projects && restricted ? [...parameters, projects] : parameters);
  const leased = hours('lease.acquired', `COALESCE(lease.finished, 'infinity')`);
  const there = hours('resource.activated', `COALESCE(resource.destroyed, 'infinity')`);
  const ofBuild = by === 'plan' ? `LEFT JOIN ${S}.build ON build.id = lease.build` : '';
  const [used, capacity, waits, ends] = await Promise.all([
    ask<Hours>(`SELECT n, ${column.lease} AS key, lease.blueprint, sum(${leased.sum} / COALESCE(resource.slots, 1)) AS hours FROM ${S}.lease LEFT JOIN ${S}.resource ON resource.id = lease.resource ${ofBuild} ${leased.join}
      WHERE lease.type = 'host' AND ${touches('lease.acquired', 'lease.finished')} ${seen('lease')} GROUP BY 1, 2, 3`),
    ask<Hours>(`SELECT n, resource.blueprint AS key, resource.blueprint, sum(${there.sum}) AS hours FROM ${S}.resource ${there.join}
      WHERE resource.type = 'host' AND ${touches('resource.activated', 'resource.destroyed')} GROUP BY 1, 2`, false),
    ask<Waits>(`SELECT ${bucketOf('lease.acquired')} AS n, ${column.lease} AS key, count(*) AS leases, percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM lease.acquired - lease.created) * 1000) AS waits
      FROM ${S}.lease ${ofBuild} WHERE lease.type = 'host' AND ${within('lease.acquired')} AND COALESCE(lease.finished, 'infinity') >= CAST($1 AS timestamptz) ${seen('lease')} GROUP BY 1, 2`),
    ask<Ends>(`SELECT ${bucketOf('build.finished')} AS n, ${column.build} AS key, build.status, count(*) AS builds FROM ${S}.build ${by === 'blueprint' ? `LEFT JOIN ${S}.lease ON lease.id = build.host_lease` : ''}
      WHERE ${within(`COALESCE(build.finished, 'infinity')`)} ${seen('build')} GROUP BY 1, 2, 3`),
  ]);
  const span = (n: number) => ({ from: new Date(from + n * length).toISOString(), to: new Date(Math.min(to, from + (n + 1) * length)).toISOString() });
  const rows = new Map<string, UsageRow & { n: number }>();
  const rowOf = ({ n, key }: { n: number; key: string | null }): UsageRow => {
    const id = JSON.stringify([n, key]);
    const row = rows.get(id) ?? { n, ...span(n), key, hostHours: 0, share: null, leases: 0, queueMs: null, builds: { ended: 0, passed: 0, failed: 0, aborted: 0, errors: 0 }, cost: {} };
    rows.set(id, row);
    return row;
  };
  for (const one of used.filter(({ hours }) => Number(hours) > 0)) {
    const row = rowOf(one);
    row.hostHours += Number(one.hours);
    addCost(row.cost, price(one.blueprint), Number(one.hours));
  }
  for (const one of waits) Object.assign(rowOf(one), { leases: Number(one.leases), queueMs: { p50: one.waits[0]!, p90: one.waits[1]!, p99: one.waits[2]! } });
  for (const one of ends) {
    const { builds } = rowOf(one);
    builds.ended += Number(one.builds);
    const as = ({ passed: 'passed', failed: 'failed', aborted: 'aborted', error: 'errors' } as Record<string, 'passed' | 'failed' | 'aborted' | 'errors' | undefined>)[one.status];
    if (as) builds[as] += Number(one.builds);
  }
  const totals = Array.from({ length: Math.ceil((to - from) / length) }, (_, n) => totalOf(span(n), used.filter((one) => one.n === n), capacity.filter((one) => one.n === n), price));
  const items = [...rows.values()].sort((a, b) => a.n - b.n || b.hostHours - a.hostHours || ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
  return {
    from: new Date(from).toISOString(), to: new Date(to).toISOString(), by, bucketMs,
    items: items.map(({ n, ...row }) => {
      const own = by === 'blueprint' ? capacity.filter((one) => one.n === n && one.key === row.key).reduce((sum, one) => sum + Number(one.hours), 0) : (totals[n]?.capacityHours ?? 0);
      return { ...row, hostHours: rounded(row.hostHours), share: own > 0 ? rounded(row.hostHours / own) : null, cost: roundedCost(row.cost) };
    }),
    totals,
  };
}

function totalOf(span: { from: string; to: string }, used: readonly Hours[], capacity: readonly Hours[], price: Price): UsageTotal {
  const sum = (all: readonly Hours[]) => all.reduce((hours, one) => hours + Number(one.hours), 0);
  const [hostHours, capacityHours] = [sum(used), sum(capacity)];
  const cost: Record<string, number> = {};
  for (const one of capacity) addCost(cost, price(one.blueprint), Number(one.hours));
  const utilisation = capacityHours > 0 ? rounded(Math.min(1, hostHours / capacityHours)) : null;
  return { ...span, hostHours: rounded(hostHours), capacityHours: rounded(capacityHours), utilisation, idle: utilisation === null ? null : rounded(1 - utilisation), cost: roundedCost(cost) };
}

function addCost(cost: Record<string, number>, price: ReturnType<Price>, hours: number): void {
  if (price) cost[price.currency] = (cost[price.currency] ?? 0) + price.perHour * hours;
}

// To a millionth: what a millisecond of a host adds is still seen, and sums of fractions do not end in noise.
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
const roundedCost = (cost: Record<string, number>): Record<string, number> => Object.fromEntries(Object.entries(cost).map(([currency, value]) => [currency, rounded(value)]));

/** Buckets that an answer may have. */
export const MOST_BUCKETS = 1000;
export const WEEK = 168 * HOUR;
