import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { DataSource } from 'typeorm';
import type { AnyRecorded, CatalogEvent, Commit, ImageEvent, ReplicationEvent } from '@berth/contracts';
import { openRuntime, type Runtime } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { startTestNats } from '../../../../test/support/nats.js';
import { freshDatabase } from '../../../../test/support/postgres.js';
import { projectionEntities, type ProjectionName } from './columns.js';
import { imageBoard } from './image-board.js';
import { Images } from './images.js';
import { catalogue, channelSaved, completed, ended, FoldedImages, imageHistory, pushed, pushStarted, requested, saved, started, targetFailed, V1 } from './images.testing.js';
import { Projection } from './projection.js';
import { rebuildProjection } from './rebuild.js';
import type { Row } from './row.js';
import { LIVE_SCHEMA, openDatabase } from './schema.js';

const IMAGES = 12;
/** Repeats a run: it stands in the name of what fails. */
const seed = fc.readConfigureGlobal().seed ?? Date.now() % 2 ** 31;
const SEED = `seed ${seed}`;
let runtime: Runtime;
let database: DataSource;
let projection: Projection;
let images: Images;
/** All that has happened, in its order. */
const recorded: AnyRecorded[] = [];
const revisions = new Map<string, number>();
let second = 0;

async function happen(kind: 'image' | 'catalog' | 'replication', id: string, events: (ImageEvent | CatalogEvent | ReplicationEvent)[]): Promise<void> {
  const commit: Commit = { id: randomUUID(), at: new Date(Date.UTC(2030, 0, 1, 0, 0, second++)).toISOString(), actor: 'spec', cause: 'spec', events };
  const sequence = await runtime.store.append(kind, id, revisions.get(`${kind} ${id}`) ?? 0, commit);
  revisions.set(`${kind} ${id}`, sequence);
  recorded.push({ kind, id, sequence, commit } as AnyRecorded);
}
const shown = async () => expect(await projection.reached(recorded.at(-1)!.sequence, 20_000)).toBe(true);

const FIXED = 'fixed';
const names = [...Array.from({ length: IMAGES }, (_, i) => `image-${i}`), FIXED];
const tables = ['image', 'image_version', 'channel', 'catalog_entry', 'replication', 'replica'] as const satisfies readonly ProjectionName[];
const entities = projectionEntities(LIVE_SCHEMA);
/** What the database has, as the folds know it. */
const stored = async () => Object.fromEntries(await Promise.all(tables.map(async (table) => [table, await database.getRepository<Row>(entities[table]).find({ order: { id: 'ASC' } })] as const)));
const boards = async () => JSON.stringify(await Promise.all(names.map((name) => images.board(name))));

beforeAll(async () => {
  const [nats, home, databaseUrl] = await Promise.all([startTestNats(), tempFolder('images'), freshDatabase()]);
  const fail = (error: Error) => {
    throw error;
  };
  runtime = await openRuntime('console', { home, httpPort: 0, natsUrl: nats.url, databaseUrl, logLevel: 'warn', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: `${home}/log` }, fail);
  atEndOfFile(() => runtime.connection.close());
  database = await openDatabase(databaseUrl, fail);
  atEndOfFile(() => database.destroy());
  projection = new Projection(runtime, database);
  await projection.start();
  atEndOfFile(() => projection.stop());
  images = new Images(database, { caughtUp: shown });

  await happen('catalog', 'main', catalogue);
  const policy = { name: 'off-site', description: '', query: 'arch == "x86_64"', to: { kind: 'folder' as const, folder: '/srv/copies' }, on: 'both' as const };
  await happen('replication', 'off-site', [{ type: 'ReplicationPolicySaved', data: { ...policy, revision: 1 } }]);
  await happen('replication', 'gone', [{ type: 'ReplicationPolicySaved', data: { ...policy, name: 'gone', revision: 1 } }]);
  await happen('replication', 'gone', [{ type: 'ObjectReplicated', data: { object: 'v/raw/image', sha256: 'a', attributes: 'b', bytes: 1 } }, { type: 'ReplicationFailed', data: { object: 'v/raw/sbom', error: 'no room' } }]);
  await happen('replication', 'gone', [{ type: 'ReplicationPolicyRemoved', data: {} }]);
  const histories = fc.sample(fc.array(fc.nat(2 ** 20), { minLength: 60, maxLength: 160 }), { numRuns: IMAGES, seed }).map((choices, i) => imageHistory(names[i]!, choices));
  // One has something of each kind, whatever the others come to.
  const asked = [saved(FIXED, { environment: 'dev' }), channelSaved('latest', { managed: true }), requested(V1, 1)];
  histories.push([asked, [started(V1, 'raw'), completed(V1, 'raw'), started(V1, 'oci'), targetFailed(V1, 'oci')], [ended(V1, 'PARTIAL'), pushStarted(V1, 'a-raw'), pushed(V1, 'a-raw')]]);
  // Interleaved, as they are on the bus.
  for (let nth = 0; histories.some((history) => nth < history.length); nth++) {
    for (const [i, history] of histories.entries()) if (history[nth]) await happen('image', names[i]!, history[nth]!);
    if (nth % 20 === 10) await happen('catalog', 'main', [{ type: 'EnvironmentSaved', data: { name: 'prod', description: String(nth), targets: ['raw'], accounts: ['a-raw', ...(nth % 40 === 10 ? ['b-raw'] : [])] } }]);
  }
  await happen('catalog', 'main', [{ type: 'CatalogEntryRemoved', data: { kind: 'deployable', name: 'shop-web' } }]);
});

test('the rows are what the folds come to, and a replay of all events gives the same rows and byte-identical boards', { timeout: 60_000 }, async () => {
  await shown();
  const folded = new FoldedImages();
  for (const one of recorded) folded.apply(one);
  const live = await stored();
  const rows = { image: folded.images, image_version: folded.versions, channel: folded.channels, catalog_entry: folded.entries, replication: folded.policies, replica: folded.replicas };
  for (const table of tables) expect(live[table], `${table}, ${SEED}`).toEqual([...rows[table].values()].sort((a, b) => (a.id < b.id ? -1 : 1)));
  
  const before = await boards();
  expect(before, SEED).toBe(JSON.stringify(names.map((name) => (folded.images.get(name)!.removed === null ? imageBoard(folded.facts(name)) : undefined))));
  for (const offer of ['build', 'push', 'delete']) expect(before).toContain(`"offer":"${offer}"`);

  await rebuildProjection(runtime, database, () => undefined);
  expect(await stored(), SEED).toEqual(live);
  expect(await boards(), SEED).toBe(before);
  // Those of images alone, and each by itself.
  for (const table of tables) await rebuildProjection(runtime, database, () => undefined, [table]);
  expect(await boards(), SEED).toBe(before);
});

test('whoever reads while the rows are made anew reads the old ones or the new ones, whole', { timeout: 60_000 }, async () => {
  const expected = JSON.stringify([await images.board(FIXED), await images.policies()]);
  let going = true;
  const reader = async () => {
    let count = 0;
    for (; going; count++) expect(JSON.stringify([await images.board(FIXED), await images.policies()])).toBe(expected);
    return count;
  };
  const readers = Promise.all([reader(), reader(), reader()]);
  try {
    for (let i = 0; i < 5; i++) await rebuildProjection(runtime, database, () => undefined);
  } finally {
    going = false;
  }
  for (const count of await readers) expect(count).toBeGreaterThan(0);
});

test('it goes on after a rebuild, and all rows of an image that is removed are changed, remembered or not', async () => {
  expect(await images.image(FIXED)).toMatchObject({ name: FIXED, status: 'PARTIAL', versions: 1, newest: { id: V1, number: 1, percent: 50 }, channels: [{ channel: 'latest', version: null, number: null, managed: true }], targets: ['raw', 'oci'] });
  await happen('image', FIXED, [{ type: 'ImageRemoved', data: {} }]);
  await shown();
  expect(await images.image(FIXED)).toBeUndefined();
  const left = await database.query(`SELECT (SELECT count(*)::int FROM berth_views.image_version WHERE image = $1 AND status <> 'DELETED') AS versions, (SELECT count(*)::int FROM berth_views.channel WHERE image = $1 AND removed IS NULL) AS channels`, [FIXED]);
  expect(left).toEqual([{ versions: 0, channels: 0 }]);
});
