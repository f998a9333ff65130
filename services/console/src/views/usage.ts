import type { DataSource } from 'typeorm';
import type { UsageBy, UsageRow, UsageTotal, UsageView } from '@berth/client';
import type { PricePeriod } from './blueprints.js';
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

/**
 * The price of an hour of a blueprint while it held, beside what lasted from one instant to another: what lasted longer is there
 * once for each price that it had, and once for the time without any. $4 has the prices.
 */
function priced(blueprint: string, from: string, ended: string): { join: string; from: string; to: string } {
  return {
    join: `LEFT JOIN periods price ON price.blueprint = ${blueprint} AND price.since < COALESCE(${ended}, 'infinity') AND price.till > ${from}`,
    from: `GREATEST(${from}, COALESCE(price.since, '-infinity'))`,
    to: `LEAST(COALESCE(${ended}, 'infinity'), COALESCE(price.till, 'infinity'))`,
  };
}
const PERIODS = `WITH periods AS (SELECT * FROM jsonb_to_recordset(CAST($4 AS jsonb)) AS p(blueprint text, since timestamptz, till timestamptz, "perHour" double precision, currency text))`;

/** All of time for each blueprint that ever had a price: without one, `perHour` is null. */
export function allPeriods(prices: readonly PricePeriod[]): { blueprint: string; since: string; till: string; perHour: number | null; currency: string | null }[] {
  const [BEFORE, AFTER] = ['-infinity', 'infinity'];
  return [...new Set(prices.map(({ blueprint }) => blueprint))].flatMap((blueprint) => {
    const own = prices.filter((price) => price.blueprint === blueprint).map(({ since, till, ...price }) => ({ ...price, since: since ?? BEFORE, till: till ?? AFTER }));
    const edges = [BEFORE, ...own.flatMap(({ since, till }) => [since, till]), AFTER];
    const without = edges.flatMap((since, i) => (i % 2 === 0 && since !== edges[i + 1] ? [{ blueprint, since, till: edges[i + 1]!, perHour: null, currency: null }] : []));
    return [...own, ...without];
  });
}

type Hours = { n: number; key: string | null; blueprint: string; hours: string; perHour: number | null; currency: string | null };
type Waits = { n: number; key: string | null; leases: string; waits: number[] };
type Ends = { n: number; key: string | null; status: string; builds: string };

/** Who has used what in a span of time: from the rows, never from the events. */
export async function usage(database: DataSource, { from, to, by, bucketMs, now }: UsageAsked, prices: readonly PricePeriod[], { projects }: Seen = {}): Promise<UsageView> {
  const length = bucketMs ?? to - from;
  const parameters = [new Date(from).toISOString(), new Date(Math.max(from, Math.min(to, now))).toISOString(), length / 1000];
  const column = columns[by];
  const periods = JSON.stringify(allPeriods(prices));
  const seen = (table: string, at: number) => (projects ? `AND ${table}.project = ANY($${at})` : '');
  const ask = <R>(sql: string, more: unknown[] = []) => database.query<R[]>(sql, [...parameters, ...more]);
  const restricted = projects ? [projects] : [];
  const ofLease = priced('lease.blueprint', 'lease.acquired', 'lease.finished');
  const ofHost = priced('resource.blueprint', 'resource.activated', 'resource.destroyed');
  const [leased, there] = [hours(ofLease.from, ofLease.to), hours(ofHost.from, ofHost.to)];
  const ofBuild = by === 'plan' ? `LEFT JOIN ${S}.build ON build.id = lease.build` : '';
  const [used, capacity, waits, ends] = await Promise.all([
    ask<Hours>(`${PERIODS} SELECT n, ${column.lease} AS key, lease.blueprint, price."perHour", price.currency, sum(${leased.sum} / COALESCE(resource.slots, 1)) AS hours
      FROM ${S}.lease LEFT JOIN ${S}.resource ON resource.id = lease.resource ${ofBuild} ${ofLease.join} ${leased.join}
      WHERE lease.type = 'host' AND ${touches('lease.acquired', 'lease.finished')} AND ${touches(ofLease.from, ofLease.to)} ${seen('lease', 5)} GROUP BY 1, 2, 3, 4, 5`, [periods, ...restricted]),
    ask<Hours>(`${PERIODS} SELECT n, resource.blueprint AS key, resource.blueprint, price."perHour", price.currency, sum(${there.sum}) AS hours FROM ${S}.resource ${ofHost.join} ${there.join}
      WHERE resource.type = 'host' AND ${touches('resource.activated', 'resource.destroyed')} AND ${touches(ofHost.from, ofHost.to)} GROUP BY 1, 2, 4, 5`, [periods]),
    ask<Waits>(`SELECT ${bucketOf('lease.acquired')} AS n, ${column.lease} AS key, count(*) AS leases, percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM lease.acquired - lease.created) * 1000) AS waits
      FROM ${S}.lease ${ofBuild} WHERE lease.type = 'host' AND ${within('lease.acquired')} AND COALESCE(lease.finished, 'infinity') >= CAST($1 AS timestamptz) ${seen('lease', 4)} GROUP BY 1, 2`, restricted),
    ask<Ends>(`SELECT ${bucketOf('build.finished')} AS n, ${column.build} AS key, build.status, count(*) AS builds FROM ${S}.build ${by === 'blueprint' ? `LEFT JOIN ${S}.lease ON lease.id = build.host_lease` : ''}
      WHERE ${within(`COALESCE(build.finished, 'infinity')`)} ${seen('build', 4)} GROUP BY 1, 2, 3`, restricted),
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
    addCost(row.cost, one);
  }
  for (const one of waits) Object.assign(rowOf(one), { leases: Number(one.leases), queueMs: { p50: one.waits[0]!, p90: one.waits[1]!, p99: one.waits[2]! } });
  for (const one of ends) {
    const { builds } = rowOf(one);
    builds.ended += Number(one.builds);
    const as = ({ passed: 'passed', failed: 'failed', aborted: 'aborted', error: 'errors' } as Record<string, 'passed' | 'failed' | 'aborted' | 'errors' | undefined>)[one.status];
    if (as) builds[as] += Number(one.builds);
  }
  const totals = Array.from({ length: Math.ceil((to - from) / length) }, (_, n) => totalOf(span(n), used.filter((one) => one.n === n), capacity.filter((one) => one.n === n)));
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

function totalOf(span: { from: string; to: string }, used: readonly Hours[], capacity: readonly Hours[]): UsageTotal {
  const sum = (all: readonly Hours[]) => all.reduce((hours, one) => hours + Number(one.hours), 0);
  const [hostHours, capacityHours] = [sum(used), sum(capacity)];
  const cost: Record<string, number> = {};
  for (const one of capacity) addCost(cost, one);
  const utilisation = capacityHours > 0 ? rounded(Math.min(1, hostHours / capacityHours)) : null;
  return { ...span, hostHours: rounded(hostHours), capacityHours: rounded(capacityHours), utilisation, idle: utilisation === null ? null : rounded(1 - utilisation), cost: roundedCost(cost) };
}

function addCost(cost: Record<string, number>, { perHour, currency, hours }: Hours): void {
  if (perHour !== null && currency !== null) cost[currency] = (cost[currency] ?? 0) + perHour * Number(hours);
}

// To a millionth: what a millisecond of a host adds is still seen, and sums of fractions do not end in noise.
const rounded = (value: number): number => Math.round(value * 1e6) / 1e6;
const roundedCost = (cost: Record<string, number>): Record<string, number> => Object.fromEntries(Object.entries(cost).map(([currency, value]) => [currency, rounded(value)]));

/** Buckets that an answer may have. */
export const MOST_BUCKETS = 1000;
export const WEEK = 168 * HOUR;
