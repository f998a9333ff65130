import { beforeAll, describe, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { projectionEntities, type ProjectionName } from './columns.js';
import type { ListQuery } from './list-query.js';
import { listedNames, listForm, listStatement, readList, type ListedName } from './lists.js';
import { LIVE_SCHEMA, openDatabase } from './schema.js';
import { indexesOf, tableOf } from './tables.js';

const ROWS = 100_000;
const entities = projectionEntities(LIVE_SCHEMA);
let database: DataSource;

const query = (more: Partial<ListQuery> = {}): ListQuery => ({ where: {}, sort: 'created', descending: true, limit: 100, after: undefined, total: false, ...more });

/** 100,000 leases, resources, builds, jobs, images, versions of images and channels, most of them over, and 10,000 machines: made by the database itself. */
beforeAll(async () => {
  database = await openDatabase(await freshDatabase(), (error) => {
    throw error;
  });
  atEndOfFile(() => database.destroy());
  const row = (id: string) => `${id} AS id, timestamptz '2030-01-01' + n * interval '1 minute' AS created, timestamptz '2030-01-01' + n * interval '1 minute' AS modified, n AS position, n AS opened`;
  const uuid = (salt: string) => `CAST(md5('${salt}' || n) AS uuid)::text`;
  // Indexes are made once the rows are there, as a rebuild does.
  const fill = async (table: ProjectionName, count: number, columns: string) => {
    await database.query(`DROP TABLE berth_views.${table}`);
    for (const statement of tableOf(LIVE_SCHEMA, table)) await database.query(statement);
    await database.query(`INSERT INTO berth_views.${table} SELECT made.* FROM (SELECT ${columns} FROM generate_series(1, ${count}) n) given CROSS JOIN LATERAL json_populate_record(NULL::berth_views.${table}, to_json(given)) made`);
    for (const statement of indexesOf(LIVE_SCHEMA, table)) await database.query(statement);
    await database.query(`ANALYZE berth_views.${table}`);
  };
  await fill('machine', ROWS / 10, `${row(`'m' || n`)}, 'm' || n AS name, CASE WHEN n % 10 = 0 THEN 'removed' ELSE 'enrolled' END AS status, CASE WHEN n % 10 = 0 THEN now() END AS removed, '10.0.0.1' AS address, 22 AS port, 'ci' AS login, 'agent' AS credential, '{"projects": [], "owners": []}'::jsonb AS allow,
    CASE n % 50 WHEN 0 THEN 'mac' ELSE 'linux' END AS platform, jsonb_build_object('os', 'linux', 'rack', 'r' || n % 400) AS attributes, 2 AS slots, 'ssh-ed25519 A' AS host_key, '{}'::jsonb AS facts`);
  await fill('resource', ROWS, `${row(uuid('resource'))}, CASE WHEN n % 10 = 0 THEN 'm' || n / 10 ELSE 'copy-' || n END AS name, CASE WHEN n % 10 = 0 THEN 'host' ELSE 'working-copy' END AS type,
    CASE WHEN n % 10 = 0 THEN 'preallocated' WHEN n % 1001 = 0 THEN 'rare' ELSE 'working-copy' END AS blueprint, CASE WHEN n % 10 = 0 THEN 'active' ELSE 'destroyed' END AS status,
    CASE WHEN n % 1000 = 0 THEN 'quarantined' WHEN n % 10 = 0 THEN 'active' ELSE 'destroyed' END AS state, CASE WHEN n % 100 = 0 THEN 'o' || n % 700 END AS owner, jsonb_build_object('os', 'linux', 'rack', 'r' || n % 400) AS attributes,
    '[]'::jsonb AS capabilities, CASE WHEN n % 10 = 0 THEN 'm' || n / 10 END AS machine, true AS reachable, '{}'::jsonb AS health, 2 AS slots, '[]'::jsonb AS leases, 1 AS uses, '{}'::jsonb AS facts,
    CASE WHEN n % 10 > 0 THEN timestamptz '2030-01-01' + n * interval '1 minute' END AS destroyed`);
  await fill('lease', ROWS, `${row(uuid('lease'))}, 'o' || n % 700 AS owner, CASE WHEN n % 500 = 0 THEN 'pending' WHEN n % 50 = 0 THEN 'active' ELSE 'destroyed' END AS status, CASE n % 2 WHEN 0 THEN 'host' ELSE 'working-copy' END AS type,
    CASE WHEN n % 1001 = 0 THEN 'rare' ELSE 'preallocated' END AS blueprint, jsonb_build_object('os', 'linux', 'rack', 'r' || n % 400) AS attributes, CAST(md5('resource' || n) AS uuid)::text AS resource, 'p' || n % 300 AS project,
    '[]'::jsonb AS prefer, '[]'::jsonb AS blueprints, n % 400 AS priority, 'served' AS wait, CAST(md5('build' || n) AS uuid)::text AS build, timestamptz '2030-01-01' + n * interval '1 minute' AS finished`);
  await fill('build', ROWS, `${row(uuid('build'))}, 'plan-' || n % 300 AS plan, 1 AS plan_version, CASE WHEN n % 500 = 0 THEN 'building' WHEN n % 20 = 0 THEN 'failed' ELSE 'passed' END AS status, 100 AS percent, 'u' || n % 500 AS initiator, '[]'::jsonb AS steps,
    '[]'::jsonb AS artifacts, 1 AS attempt, true AS cleaned_up, 'p' || n % 300 AS project, 100 AS priority, 'ref-' || n % 900 AS ref, jsonb_build_array(jsonb_build_object('name', 'main', 'machine', 'm' || n % 10000)) AS hosts, 1 AS generation, '[]'::jsonb AS generations,
    timestamptz '2030-01-01' + n * interval '1 minute' AS finished`);
  await fill('job', ROWS, `${row(uuid('job'))}, CASE WHEN n % 400 = 0 THEN 'reimage' ELSE 'reboot' END AS task, 'm' || n % 10000 AS machine, jsonb_build_object('id', 'w' || n % 10000) AS worker,
    CASE WHEN n % 500 = 0 THEN 'RUNNING' WHEN n % 20 = 0 THEN 'FAILED' ELSE 'COMPLETE' END AS status, 'token:t' || n % 500 AS requester, false AS force, 600000 AS soft_limit, 1200000 AS hard_limit, '[]'::jsonb AS attempts,
    timestamptz '2030-01-01' + n * interval '1 minute' AS finished`);
  const instant = `timestamptz '2030-01-01' + n * interval '1 minute'`;
  await fill('image', ROWS, `${row(`'i' || n`)}, 'i' || n AS name, '' AS description, 1 AS revision, 'e' || n % 400 AS environment, CASE WHEN n % 500 = 0 THEN 'BUILDING' ELSE 'COMPLETE' END AS status, '{}'::jsonb AS revisions, '[]'::jsonb AS living,
    CASE WHEN n % 10 > 0 THEN ${instant} END AS removed`);
  await fill('image_version', ROWS, `${row(uuid('version'))}, 'i' || n % 10000 AS image, n / 10000 + 1 AS number, 1 AS revision, CASE WHEN n % 500 = 0 THEN 'BUILDING' WHEN n % 10 = 0 THEN 'COMPLETE' ELSE 'DELETED' END AS status, 100 AS percent, false AS imported,
    'asked' AS cause, 'u' AS asked_by, jsonb_build_object('team', 't' || n % 400) AS labels, '{}'::jsonb AS attributes, 'active' AS usage, '[]'::jsonb AS targets, '[]'::jsonb AS pushes,
    CASE WHEN n % 10 = 0 THEN ARRAY['a' || n % 1000, 'b' || n % 700] ELSE '{}'::text[] END AS pushed, n % 10 = 0 AS shown, '[]'::jsonb AS manual`);
  await fill('channel', ROWS, `${row(`'i' || n || ':' || 'c' || n % 400`)}, 'i' || n || ':' || 'c' || n % 400 AS name, 'i' || n AS image, 'c' || n % 400 AS channel, CAST(md5('version' || n) AS uuid)::text AS version, false AS managed, '[]'::jsonb AS history,
    CASE WHEN n % 10 > 0 THEN ${instant} END AS removed`);
  await fill('catalog_entry', 1000, `${row(`'account/a' || n`)}, 'account' AS kind, 'a' || n AS name, jsonb_build_object('name', 'a' || n, 'provider', 'aws', 'region', 'eu-central-' || n % 400) AS spec, 'u' AS saved_by`);
}, 240_000);

/** A value of each filter that some rows have: of the first of several kinds that few have. */
const values: Record<ListedName, Record<string, string[]>> = {
  machine: { status: ['quarantined'], blueprint: ['preallocated'], platform: ['mac'], attr: ['rack:r7'], q: ['m77'], since: ['2030-01-07T00:00:00.000Z'], until: ['2030-01-01T12:00:00.000Z'] },
  resource: { status: ['quarantined'], blueprint: ['preallocated'], type: ['host'], machine: ['m77'], owner: ['o100'], attr: ['rack:r10'], q: ['m77'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'] },
  lease: {
    status: ['pending'], owner: ['o7'], project: ['p7'], type: ['host'], blueprint: ['rare'], resource: ['17f5b1e6-e6ec-1cd2-4bca-35d7ce9ee1fd'], build: ['17f5b1e6-e6ec-1cd2-4bca-35d7ce9ee1fd'], attr: ['rack:r7'],
    q: ['17f5b'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'], machine: ['m77'], plan: ['plan-7'],
  },
  build: { status: ['building'], plan: ['plan-7'], initiator: ['u7'], project: ['p7'], ref: ['ref-7'], q: ['plan-77'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'], machine: ['m77'] },
  image: { status: ['BUILDING'], environment: ['e20'], q: ['i77'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'] },
  image_version: {
    image: ['i770'], status: ['BUILDING'], label: ['team:t20'], channel: ['c20'], account: ['a20'], region: ['eu-central-20'], all: ['true'], q: ['i77'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'],
  },
  channel: { image: ['i770'], q: ['i770'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'] },
  job: { status: ['RUNNING'], task: ['reimage'], machine: ['m77'], worker: ['w77'], requester: ['token:t7'], q: ['m77'], since: ['2030-03-10T00:00:00.000Z'], until: ['2030-01-02T00:00:00.000Z'] },
};

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Rows Removed by Filter'?: number;
  'Actual Loops'?: number;
  Plans?: Plan[];
}
const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];
async function carriedOut(name: ListedName, asked: ListQuery): Promise<Plan[]> {
  const [sql, parameters] = listStatement(database.manager, LIVE_SCHEMA, entities, name, asked);
  const [found] = await database.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters) as [{ 'QUERY PLAN': [{ Plan: Plan }] }];
  return nodes(found['QUERY PLAN'][0].Plan);
}
/** Tables of 100,000 rows that were read through. Machines are few: to look at all of them may be the fastest way to those of a kind of host. */
const scans = (plan: Plan[]): string[] => plan.filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== 'machine').map((node) => node['Relation Name'] ?? '');
/** Rows that were looked at in vain. */
const inVain = (plan: Plan[]): number => plan.reduce((sum, node) => sum + (node['Rows Removed by Filter'] ?? 0) * (node['Actual Loops'] ?? 1), 0);

const combinations = listedNames.flatMap((name) => {
  const { sorts } = listForm(name);
  const wheres = [[], ...Object.keys(values[name]).map((filter) => [filter]), ...(values[name]['status'] ? [['status', 'q'], ['status', 'attr'], ['since', 'until', 'status'], ['image', 'status'], ['account', 'label']] : [])].filter((filters) => filters.every((filter) => values[name][filter]));
  return wheres.flatMap((filters) => Object.keys(sorts).flatMap((sort) => [true, false].map((descending) => ({ name, filters, sort, descending, title: `${name} by ${filters.join(' and ') || 'nothing'}, sorted by ${descending ? '-' : ''}${sort}` }))));
});

describe('lists of 100,000 rows', () => {
  test('there is a value here for every filter that is offered', () => {
    for (const name of listedNames) expect(Object.keys(values[name]).sort()).toEqual(Object.keys(listForm(name).filters).sort());
  });

  test.each(combinations)('$title: no table is read through', async ({ name, filters, sort, descending }) => {
    const where = Object.fromEntries(filters.map((filter) => [filter, values[name][filter]!]));
    const plan = await carriedOut(name, query({ where, sort, descending }));
    expect(scans(plan)).toEqual([]);
    expect(inVain(plan)).toBeLessThan(ROWS / 4);
  });

  test('every page holds the rows that come next, whichever the order; together they are all of them', async () => {
    for (const [sort, descending] of [['created', true], ['priority', false], ['priority', true], ['modified', false]] as const) {
      const seen: string[] = [];
      let after: ListQuery['after'];
      do {
        const page = await readList<never>(database.manager, LIVE_SCHEMA, entities, 'lease', query({ where: { owner: ['o7', 'o8'] }, sort, descending, limit: 37, after }));
        seen.push(...page.items.map(({ id }) => id as string));
        after = page.next ?? undefined;
      } while (after);
      const column = sort === 'priority' ? 'priority' : sort;
      const direction = descending ? 'DESC' : 'ASC';
      const all = await database.query(`SELECT id FROM berth_views.lease WHERE owner IN ('o7', 'o8') ORDER BY ${column} ${direction}, opened ${direction}`) as { id: string }[];
      expect(seen).toEqual(all.map(({ id }) => id));
    }
  });

  test('a total is exact up to a bound, and beyond it said to be one', async () => {
    const total = async (where: ListQuery['where']) => (await readList(database.manager, LIVE_SCHEMA, entities, 'lease', query({ where, limit: 1, total: true }))).total;
    expect([await total({ status: ['pending'] }), await total({ owner: ['nobody'] }), await total({})]).toEqual([200, 0, 10_001]);
  });

  test('what has ended is in a list only when it is asked for; attributes, words and beginnings', async () => {
    const names = async (name: ListedName, where: ListQuery['where'], limit = 1000) =>
      (await readList<never>(database.manager, LIVE_SCHEMA, entities, name, query({ where, sort: 'name', descending: false, limit }))).items.map((row) => (row as { name: string }).name);
    expect(await names('resource', { q: ['COPY-77'] })).toEqual([]);
    expect(await names('resource', { q: ['COPY-777'], status: ['destroyed'] }, 4)).toEqual(['copy-777', 'copy-77701', 'copy-77702', 'copy-77703']);
    expect(await names('resource', { q: ['%'] })).toEqual([]);
    expect(await names('resource', { attr: ['rack:r10', 'os:linux'], status: ['active'] }, 3)).toEqual(['m1', 'm1001', 'm1041']);
    expect(await names('resource', { attr: ['rack:r10', 'os:mac'] })).toEqual([]);
    expect((await names('resource', { attr: ['rack:r10', 'rack:r20'] })).length).toBe(500);
    expect(await names('machine', { q: ['m10'] }, 3)).toEqual(['m1001', 'm1002', 'm1003']);
    expect(await names('machine', { q: ['m10'], status: ['removed'] }, 3)).toEqual(['m10', 'm100', 'm1000']);
    // Every hundredth host is quarantined; every tenth machine is removed, so no host of such a one counts.
    expect(await names('machine', { status: ['quarantined'] })).toEqual([]);
    expect(await names('machine', { status: ['quarantined', 'removed'], q: ['m110'] })).toEqual(['m110', 'm1100']);
    expect((await names('machine', { status: ['quarantined', 'active'] })).length).toBe(1000);
  });

  test('images that are removed are in no list; versions that are not offered only when all are asked for', async () => {
    const ids = async (name: ListedName, where: ListQuery['where']) => (await readList<never>(database.manager, LIVE_SCHEMA, entities, name, query({ where, sort: 'created', descending: false, limit: 1000 }))).items.map((row) => row as { id: string; number: number });
    expect((await ids('image', { q: ['i77'] })).map(({ id }) => id)).toEqual(['i770', 'i7700', 'i7710', 'i7720', 'i7730', 'i7740', 'i7750', 'i7760', 'i7770', 'i7780', 'i7790', ...Array.from({ length: 100 }, (_, n) => `i${77000 + 10 * n}`)]);
    expect((await ids('image_version', { image: ['i770'] })).map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect([(await ids('image_version', { image: ['i7'] })).length, (await ids('image_version', { image: ['i7'], all: ['true'] })).length]).toEqual([0, 10]);
    // Every 1000th has the first account, and each account is in one region.
    expect((await ids('image_version', { account: ['a20'] })).length).toBe(100);
    expect((await ids('image_version', { region: ['eu-central-20'] })).length).toBe(300);
    expect((await ids('image_version', { account: ['a20'], region: ['eu-central-21'] })).length).toBe(0);
  });

  test('only of the projects that the asker may see', async () => {
    const seen = async (projects: string[]) => (await readList<never>(database.manager, LIVE_SCHEMA, entities, 'build', query({ total: true }), { projects })).total;
    expect([await seen(['p7']), await seen(['p7', 'p8']), await seen([])]).toEqual([334, 668, 0]);
  });
});
