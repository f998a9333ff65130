import type { DataSource } from 'typeorm';
import type { TimelineBucket, TimelineView } from '@berth/client';
import type { Seen } from './lists.js';
import { LIVE_SCHEMA } from './schema.js';

type Count = keyof Omit<TimelineBucket, 'from' | 'to'>;

/**
 * How many hosts, leased slots, waiting requests and running builds there were at the end of each of equal stretches of
 * time, and the failures in each: from the rows that had not ended when the first stretch began.
 */
export async function timeline(database: DataSource, from: number, to: number, buckets: number, { projects }: Seen = {}): Promise<TimelineView> {
  const spans = (what: Count, table: string, condition: string, begin: string, end: string, ended: string, restricted: boolean): string => {
    const where = `WHERE ${condition} AND ${begin} < CAST($2 AS timestamptz) AND COALESCE(${ended}, 'infinity') >= CAST($1 AS timestamptz) ${projects && restricted ? 'AND project = ANY($4)' : ''}`;
    return `SELECT '${what}' AS what, ${begin} AS at, 1 AS change FROM ${LIVE_SCHEMA}.${table} ${where} UNION ALL SELECT '${what}', ${end}, -1 FROM ${LIVE_SCHEMA}.${table} ${where} AND ${end} < CAST($2 AS timestamptz)`;
  };
  const step = (to - from) / buckets;
  const changes = [
    spans('hosts', 'resource', `type = 'host'`, 'activated', 'destroyed', 'destroyed', false),
    spans('busy', 'lease', `type = 'host'`, 'acquired', 'finished', 'finished', true),
    spans('waiting', 'lease', 'true', 'created', 'COALESCE(acquired, finished)', 'finished', true),
    // Of one that was restarted the last generation.
    spans('building', 'build', 'true', `COALESCE(CAST(generations -> -1 ->> 'started' AS timestamptz), created)`, 'finished', 'finished', true),
    `SELECT 'failures', finished, 1 FROM ${LIVE_SCHEMA}.build WHERE status IN ('failed', 'error') AND COALESCE(finished, 'infinity') >= CAST($1 AS timestamptz) AND COALESCE(finished, 'infinity') < CAST($2 AS timestamptz) ${projects ? 'AND project = ANY($4)' : ''}`,
  ];
  const parameters: unknown[] = [new Date(from).toISOString(), new Date(to).toISOString(), step / 1000, ...(projects ? [projects] : [])];
  const sums = await database.query<{ what: Count; n: number; change: string }[]>(
    `SELECT what, CAST(GREATEST(0, floor(extract(epoch FROM at - CAST($1 AS timestamptz)) / CAST($3 AS double precision))) AS int) AS n, sum(change) AS change FROM (${changes.join(' UNION ALL ')}) changes GROUP BY 1, 2`,
    parameters,
  );
  const items = Array.from({ length: buckets }, (_, n): TimelineBucket => ({ from: new Date(from + n * step).toISOString(), to: new Date(from + (n + 1) * step).toISOString(), hosts: 0, busy: 0, waiting: 0, building: 0, failures: 0 }));
  // An instant at the very end may be put beyond the last stretch by rounding.
  for (const { what, n, change } of sums) items[Math.min(n, buckets - 1)]![what] += Number(change);
  for (const what of ['hosts', 'busy', 'waiting', 'building'] as const) items.forEach((item, n) => (item[what] += items[n - 1]?.[what] ?? 0));
  return { from: parameters[0] as string, to: parameters[1] as string, items };
}
