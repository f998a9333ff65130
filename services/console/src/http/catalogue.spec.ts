import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { asker, problemOf, statusAndCode, type Asker } from '../access/access.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';
import { assigned, built, catalogue, channelSaved, completed, pushed, pushStarted, requested, saved, SHA, started } from '../views/images.testing.js';
import { factory } from './images.testing.js';

let berth: Scripted;
let admin: Asker;
let operator: Asker;
let viewer: Asker;

beforeAll(async () => {
  berth = await scripted();
  [admin, operator, viewer] = await Promise.all([asker(berth, 'chief', 'admin'), asker(berth, 'operator', 'operator'), asker(berth, 'viewer', 'viewer')]);
  berth.script(factory(berth));
});

describe('the catalogue', () => {
  test('providers and accounts are the affair of admins; each is shown with what names it', async () => {
    expect(await statusAndCode(operator.ask('PUT', 'providers/aws', { kind: 'ec2', target: 'ec2' }))).toEqual([403, 'forbidden']);
    expect(await statusAndCode(operator.ask('PUT', 'accounts/eu', { provider: 'aws' }))).toEqual([403, 'forbidden']);
    const response = await admin.ask('PUT', 'providers/aws', { kind: 'ec2', target: 'ec2' });
    expect([response.status, response.headers.get('location'), await response.json()]).toEqual([201, '/api/v1/providers/aws', { id: 'aws', name: 'aws', position: expect.any(Number) as number }]);
    await admin.berth.providers.set('disk', { kind: 'folder', target: 'raw', folder: '/srv' });
    await admin.berth.accounts.set('eu', { provider: 'aws', region: 'eu-central-1' });
    await admin.berth.accounts.set('us', { provider: 'aws', region: 'us-east-1' });
    await admin.berth.accounts.set('local', { provider: 'disk' });
    expect(await viewer.berth.providers.get('aws')).toEqual({ name: 'aws', description: '', kind: 'ec2', target: 'ec2', used: 2, modified: expect.any(String) as string, by: 'spec' });
    expect(await viewer.berth.accounts.get('eu')).toEqual({ name: 'eu', description: '', provider: 'aws', region: 'eu-central-1', credentials: 'default', target: 'ec2', used: 0, modified: expect.any(String) as string, by: 'spec' });
    const names = async (query: object) => (await viewer.berth.accounts.list(query)).items.map(({ name }) => name);
    expect(await names({})).toEqual(['eu', 'local', 'us']);
    expect(await names({ q: 'L' })).toEqual(['local']);
    expect(await names({ sort: '-modified', limit: 1 })).toEqual(['local']);
    expect((await viewer.berth.accounts.list({ limit: 2, total: true })).total).toBe(3);
    expect(await statusAndCode(viewer.ask('GET', 'accounts?region=x'))).toEqual([422, 'invalid-data']);
    expect((await problemOf(admin.ask('PUT', 'accounts/eu', { name: 'other', provider: 'aws' }))).errors[0]!.field).toBe('name');
    expect((await problemOf(admin.ask('PUT', 'providers/refused', { kind: 'mock' }))).errors).toEqual([{ field: 'name', message: 'is named by others' }]);
    await admin.berth.accounts.remove('us');
    expect(berth.sent.at(-1)).toMatchObject({ type: 'RemoveCatalogEntry', data: { kind: 'account', name: 'us' } });
    expect(await names({})).toEqual(['eu', 'local']);
    expect(await statusAndCode(viewer.ask('GET', 'accounts/us'))).toEqual([404, 'unknown-account']);
    // A name that is free is another account.
    await admin.berth.accounts.set('us', { provider: 'disk' });
    expect(await viewer.berth.accounts.get('us')).toMatchObject({ target: 'raw', provider: 'disk' });
  });

  test('environments, pools, catalogs and deployables: a frontend reads what a catalog offers and how it stands', async () => {
    await operator.berth.environments.set('dev', { targets: ['raw'], accounts: [] });
    await operator.berth.pools.set('pool', { environment: 'dev' });
    await operator.berth.catalogs.set('shop', { pool: 'pool' });
    await operator.berth.deployables.set('front', { catalogs: ['shop'], image: 'web' });
    await operator.berth.deployables.set('other', { catalogs: ['shop'], image: 'none', channel: 'prod' });
    expect(await viewer.berth.environments.get('dev')).toMatchObject({ targets: ['raw'], accounts: [], used: 1 });
    expect(await viewer.berth.pools.get('pool')).toMatchObject({ environment: 'dev', used: 1 });
    expect(await viewer.berth.catalogs.get('shop')).toEqual({
      name: 'shop', description: '', pool: 'pool', environment: 'dev',
      deployables: [
        { name: 'front', description: '', catalogs: ['shop'], image: 'web', channel: 'latest', version: null, number: null, state: 'not_built' },
        { name: 'other', description: '', catalogs: ['shop'], image: 'none', channel: 'prod', version: null, number: null, state: 'not_built' },
      ],
    });
    const version = randomUUID();
    const front = async (...events: Parameters<Scripted['happen']>[2][]) => {
      const after = await berth.happen('image', 'web', ...events);
      const [deployable] = (await viewer.berth.catalogs.get('shop', { after })).deployables;
      return `${deployable!.state} ${deployable!.number}`;
    };
    expect(await front(saved('web', { environment: 'dev', targets: ['raw'] }), channelSaved('latest', { managed: true }), requested(version, 1, { targets: ['raw'] }))).toBe('building null');
    expect((await viewer.berth.environments.get('dev')).used).toBe(2);
    expect(await front(...built(version, 'raw'), assigned('latest', version))).toBe('not_pushed 1');
    expect(await front(pushStarted(version, 'local'), pushed(version, 'local'), pushStarted(version, 'us'))).toBe('pushing 1');
    expect(await front(pushed(version, 'us'))).toBe('pushed 1');
    expect(await viewer.berth.deployables.get('front')).toMatchObject({ version, number: 1, state: 'pushed' });
    expect((await viewer.berth.deployables.list()).items.map(({ name, state }) => [name, state])).toEqual([['front', 'pushed'], ['other', 'not_built']]);
    expect((await viewer.berth.catalogs.list()).items.map(({ name }) => name)).toEqual(['shop']);
    await operator.berth.deployables.remove('other');
    expect((await viewer.berth.catalogs.get('shop')).deployables).toHaveLength(1);
    expect(await statusAndCode(operator.ask('DELETE', 'pools/a%20b'))).toEqual([404, 'unknown-catalog-entry']);
    expect(await statusAndCode(viewer.ask('DELETE', 'pools/pool'))).toEqual([403, 'forbidden']);
  });
});

describe('the warehouse', () => {
  const [one, two] = [randomUUID(), randomUUID()];
  const objects = async (query: object) => (await viewer.berth.warehouse.objects({ sort: 'created', ...query })).items.map(({ id }) => id.replace(one, 'one').replace(two, 'two'));
  beforeAll(async () => {
    await berth.happen('image', 'kept', saved('kept'), channelSaved('latest'), requested(one, 1, { labels: { team: 'web' } }), ...built(one, 'raw', 'oci'));
    const after = await berth.happen('image', 'kept', requested(two, 2, { targets: ['raw'] }), started(two, 'raw'), completed(two, 'raw'), { type: 'AttributesSet', data: { version: two, attributes: { tier: 'gold' } } });
    await viewer.berth.warehouse.objects({ after });
  });

  test('is asked by what its objects are', async () => {
    const all = ['one/raw/image', 'one/raw/sbom', 'one/oci/image', 'one/oci/sbom', 'two/raw/image', 'two/raw/sbom'];
    const q = 'kept';
    expect(await objects({ q })).toEqual(all);
    expect(await objects({ q, query: 'kind == "sbom" && target == \'raw\'' })).toEqual(['one/raw/sbom', 'two/raw/sbom']);
    expect(await objects({ q, query: 'os.version >= 12 && !(label.team == "web")' })).toEqual(['two/raw/image', 'two/raw/sbom']);
    expect(await objects({ q, query: 'tier == "gold" || version == 1 && bytes > 2kB' })).toEqual(['two/raw/image', 'two/raw/sbom']);
    expect(await objects({ q, query: 'has(nothing)' })).toEqual([]);
    expect(await objects({ q: one })).toEqual(all.slice(0, 4));
    const page = await viewer.berth.warehouse.objects({ q: 'kept', limit: 1, total: true });
    expect([page.items[0]!.id, page.total]).toEqual([`${two}/raw/sbom`, 6]);
    expect(page.items[0]).toEqual({
      id: `${two}/raw/sbom`, image: 'kept', version: two, number: 2, target: 'raw', bytes: 1000, sha256: SHA, replicas: [],
      attributes: { tier: 'gold', image: 'kept', version: '2', target: 'raw', kind: 'sbom', 'os.name': 'debian', 'os.version': '12', arch: 'x86_64', bytes: '1000', status: 'active', revoked: 'false' },
    });
    const problem = await problemOf(viewer.ask('GET', `warehouse/objects?query=${encodeURIComponent('arch = "x"')}`));
    expect([problem.status, problem.code, problem.errors]).toEqual([422, 'invalid-query', [{ field: 'query', message: 'column 6: "=" alone means nothing: use ==' }]]);
  });

  test.each(['created', '-created'])('every page holds what comes next, sorted by %s; together they are all of them', async (sort) => {
    for (const limit of [1, 2, 3, 5]) {
      const seen: string[] = [];
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page: Awaited<ReturnType<typeof viewer.berth.warehouse.objects>> = await viewer.berth.warehouse.objects({ q: 'kept', sort, limit, query: 'kind == "image" || target == "raw"', ...(cursor !== undefined && { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
      }
      const expected = ['one/raw/image', 'one/raw/sbom', 'one/oci/image', 'two/raw/image', 'two/raw/sbom'];
      expect(seen.map((id) => id.replace(one, 'one').replace(two, 'two'))).toEqual(sort === 'created' ? expected : expected.reverse());
    }
  });

  test('policies say what they cover, what is there and what is not', async () => {
    const to = { kind: 'folder' as const, folder: '/srv/copies' };
    await operator.berth.warehouse.policies.set('gold', { query: 'tier == "gold"', to });
    await operator.berth.warehouse.policies.set('none', { query: 'has(nothing)', to });
    expect(await viewer.berth.warehouse.policies.get('gold')).toMatchObject({ name: 'gold', query: 'tier == "gold"', to, on: 'both', objects: 2, there: 0, failed: 0, lastCheck: null, checking: false });
    const replicas = async (after: number) => (await viewer.berth.warehouse.objects({ q: two, sort: 'created', after })).items.map((object) => object.replicas.map(({ policy, state, error }) => `${policy} ${state} ${error}`));
    const happen = (...events: Parameters<Scripted['happen']>[2][]) => berth.happen('replication', 'gold', ...events);
    const done = await happen({ type: 'ObjectReplicated', data: { object: `${two}/raw/image`, sha256: SHA, attributes: SHA, bytes: 1000 } });
    expect(await replicas(done)).toEqual([['gold there null'], ['gold waiting null']]);
    const failed = await happen({ type: 'ReplicationFailed', data: { object: `${two}/raw/sbom`, error: 'no room' } });
    expect(await replicas(failed)).toEqual([['gold there null'], ['gold failed no room']]);
    expect((await viewer.berth.warehouse.policies.list()).items.map(({ name, objects: covered, there, failed: not }) => [name, covered, there, not])).toEqual([['gold', 2, 1, 1], ['none', 0, 0, 0]]);
    await operator.berth.warehouse.policies.check('gold');
    expect((await viewer.berth.warehouse.policies.get('gold')).checking).toBe(true);
    const checked = await happen({ type: 'ReplicationCheckEnded', data: { sound: 1, repaired: 0, failed: 1 } }, { type: 'ReplicaForgotten', data: { object: `${two}/raw/image` } });
    expect(await viewer.berth.warehouse.policies.get('gold', { after: checked })).toMatchObject({ checking: false, there: 0, failed: 1, lastCheck: { sound: 1, repaired: 0, failed: 1 } });
    await operator.berth.warehouse.policies.remove('gold');
    expect(await statusAndCode(viewer.ask('GET', 'warehouse/policies/gold'))).toEqual([404, 'unknown-policy']);
    expect((await viewer.berth.warehouse.objects({ q: two })).items.flatMap((object) => object.replicas)).toEqual([]);
    expect(await statusAndCode(viewer.ask('PUT', 'warehouse/policies/gold', {}))).toEqual([403, 'forbidden']);
  });
});

test('the provider of something says where it is; what is not in the catalogue any more is shown without', async () => {
  const version = randomUUID();
  await berth.happen('catalog', 'main', ...catalogue.filter(({ type }) => type === 'ProviderSaved' || type === 'AccountSaved'));
  const after = await berth.happen('image', 'lone', saved('lone'), requested(version, 1, { targets: ['raw'] }), ...built(version, 'raw'), pushStarted(version, 'gone'), pushed(version, 'gone'));
  expect((await viewer.berth.versions.get(version, { after })).pushes).toMatchObject([{ account: 'gone', provider: 'p-raw', region: null, status: 'COMPLETE' }]);
});
