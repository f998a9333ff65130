import { beforeAll, describe, expect, test } from 'vitest';
import { attributeQuery, neededBy } from '@berth/contracts';
import type { DataSource } from 'typeorm';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { ImageRows, type ObjectsQuery } from './image-rows.js';
import { LIVE_SCHEMA, openDatabase } from './schema.js';
import { indexesOf, tableOf } from './tables.js';

const ROWS = 100_000;
let database: DataSource;

/** 100,000 versions of images, all of them there, with an object each: made by the database itself. */
beforeAll(async () => {
  database = await openDatabase(await freshDatabase(), (error) => {
    throw error;
  });
  atEndOfFile(() => database.destroy());
  await database.query(`DROP TABLE berth_views.image_version`);
  for (const statement of tableOf(LIVE_SCHEMA, 'image_version')) await database.query(statement);
  const at = `timestamptz '2030-01-01' + n * interval '1 minute'`;
  const file = `jsonb_build_object('name', 'image.raw', 'object', 'o/' || n, 'bytes', n, 'sha256', 'ab')`;
  await database.query(`INSERT INTO berth_views.image_version SELECT made.* FROM (
    SELECT CAST(md5('version' || n) AS uuid)::text AS id, ${at} AS created, ${at} AS modified, n AS position, n AS opened, 'i' || n % 10000 AS image, n / 10000 + 1 AS number, 1 AS revision, 'COMPLETE' AS status, 100 AS percent, false AS imported,
      'asked' AS cause, 'u' AS asked_by, jsonb_build_object('team', 't' || n % 4000) AS labels, CASE WHEN n % 3 = 0 THEN jsonb_build_object('ticket', 'T' || n % 7000, 'checked', 'yes') ELSE '{}'::jsonb END AS attributes, 'active' AS usage,
      jsonb_build_array(jsonb_build_object('target', 'raw', 'status', 'COMPLETE', 'percent', 100, 'file', ${file}, 'sbom', NULL, 'failed', '[]'::jsonb)) AS targets, '[]'::jsonb AS pushes, '{}'::text[] AS pushed, true AS shown, '[]'::jsonb AS manual
    FROM generate_series(1, ${ROWS}) n) given CROSS JOIN LATERAL json_populate_record(NULL::berth_views.image_version, to_json(given)) made`);
  for (const statement of indexesOf(LIVE_SCHEMA, 'image_version')) await database.query(statement);
  await database.query(`ANALYZE berth_views.image_version`);
}, 240_000);

interface Plan {
  'Node Type': string;
  'Index Name'?: string;
  'Rows Removed by Filter'?: number;
  'Actual Loops'?: number;
  'Actual Rows'?: number;
  Plans?: Plan[];
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];
async function carriedOut(query: Partial<ObjectsQuery>): Promise<Plan[]> {
  const [sql, parameters] = new ImageRows(database.manager).versionsWith({ descending: true, after: undefined, total: false, where: {}, ...query }).getQueryAndParameters();
  const [found] = (await database.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters)) as [{ 'QUERY PLAN': [{ Plan: Plan }] }];
  return nodes(found['QUERY PLAN'][0].Plan);
}
/** Rows that were looked at, wanted or not. */
const lookedAt = (plan: Plan[]): number => Math.max(...plan.map((node) => ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1)));

describe('objects among 100,000', () => {
  const queries = [
    'ticket == "T777"', 'label.team == "t21"', 'image == "i770"', 'image == "i770" && version == 3', 'label.team == "t21" || ticket == "T777"', '(ticket == "T777" || image == "i77") && bytes > 1kB && !has(nothing)',
    'ticket == "T777" && checked == "yes" && kind == "image"', 'label.team == "t21" && ticket == "T777"', 'ticket == "nothing"',
  ];
  test.each(queries.flatMap((text) => [true, false].map((descending) => ({ text, descending }))))('$text, the newest first: $descending: an index leads to them', async ({ text, descending }) => {
    const plan = await carriedOut({ descending, needs: neededBy(text) });
    expect(plan.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(lookedAt(plan)).toBeLessThan(ROWS / 100);
  });

  test.each<[string, ObjectsQuery['where']]>([['an id', { q: ['17f5b'] }], ['an object', { q: ['17f5b1e6-e6ec-1cd2-4bca-35d7ce9ee1fd/raw/image'] }], ['a name', { q: ['I777'] }], ['a time', { since: ['2030-01-07T00:00:00.000Z'], until: ['2030-01-07T03:00:00.000Z'] }]])('by %s too', async (_what, where) => {
    const plan = await carriedOut({ where });
    expect(plan.map((node) => node['Node Type'])).not.toContain('Seq Scan');
    expect(lookedAt(plan)).toBeLessThan(ROWS / 100);
  });

  test('no index leaves one out', async () => {
    const rows = new ImageRows(database.manager);
    const all = [...queries, 'version == 3 && image == "i1"'].map((text) => ({ text, holds: attributeQuery(text), needs: neededBy(text), ids: [] as string[] }));
    // Each object is looked at once, for all of them.
    for await (const { object } of rows.objects()) for (const { holds, ids } of all) if (holds(object.attributes)) ids.push(object.id);
    expect(all.filter(({ ids }) => ids.length > 0).length).toBeGreaterThan(6);
    for (const { text, holds, needs, ids } of all) {
      const found: string[] = [];
      for await (const { object } of rows.objects({ descending: false, after: undefined, total: false, where: {}, needs })) if (holds(object.attributes)) found.push(object.id);
      expect([text, found]).toEqual([text, ids]);
    }
  }, 120_000);
});
