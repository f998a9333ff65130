import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { at, ID, image, page, problem } from './images.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const run = (...words: string[]) => fake.berth('image', ...words);
const used = { used: 2, modified: at, by: 'token:ada' };

const entries: [string, string, Record<string, unknown>, Record<string, unknown>][] = [
  ['provider', 'providers', { name: 'disks', description: '', kind: 'folder', target: 'raw', folder: '/srv/images' }, used],
  ['account', 'accounts', { name: 'eu', description: '', provider: 'aws', region: 'eu-central-1', credentials: 'default' }, { ...used, target: 'ec2' }],
  ['environment', 'environments', { name: 'production', description: '', targets: ['raw'], accounts: ['eu'] }, used],
  ['pool', 'pools', { name: 'web-servers', description: '', environment: 'production' }, used],
  ['catalog', 'catalogs', { name: 'shop', description: '', pool: 'web-servers' }, { environment: 'production', deployables: [] }],
  ['deployable', 'deployables', { name: 'shop-web', description: '', catalogs: ['shop'], image: 'web', channel: 'stable' }, { version: ID, number: 3, state: 'pushed' }],
];

describe.each(entries)('berth image %s', (kind, plural, spec, more) => {
  const title = `${kind[0]!.toUpperCase()}${kind.slice(1)}`;

  test('is set, shown as YAML that can be set again, and removed', async () => {
    fake.routes({ [`PUT ${plural}/*`]: [201, { id: 'x', name: 'x' }], [`GET ${plural}/*`]: [200, { ...spec, ...more }], [`DELETE ${plural}/*`]: [202, { id: 'x', name: 'x' }] });
    const shown = (await run(kind, 'show', String(spec['name']))).stdout;
    expect(shown).toMatch(new RegExp(`^${kind} +${String(spec['name'])}\\n`));
    const yaml = shown.slice(shown.indexOf('\n\n'));
    expect(parse(yaml)).toEqual(spec);
    expect(await fake.piped(yaml, 'image', kind, 'set', '-')).toEqual({ code: 0, stderr: '', stdout: `${title} ${String(spec['name'])} is set.\n` });
    expect(fake.asked.at(-1)).toEqual({ method: 'PUT', path: `${plural}/${String(spec['name'])}`, body: spec });
    expect((await run(kind, 'remove', String(spec['name']))).stdout).toBe(`${title} ${String(spec['name'])} is removed.\n`);
    expect(JSON.parse((await run(kind, 'show', String(spec['name']), '--json')).stdout)).toEqual({ ...spec, ...more });
  });

  test('is refused with its place in the file, and nothing is sent', async () => {
    fake.routes({});
    expect(await fake.piped('name: x\ncolour: red\n', 'image', kind, 'set', '-')).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^berth: Nothing is saved\. standard input, document 1 \(x\): /) });
    expect((await fake.piped('', 'image', kind, 'set', '-')).stderr).toBe(`berth: The file says nothing of any ${kind}: \`berth image ${kind} set --help\` shows an example.\n`);
    expect((await run(kind, 'set')).code).toBe(2);
    expect(fake.asked).toEqual([]);
  });

  test('what is not there, or is needed', async () => {
    fake.routes({ [`GET ${plural}/*`]: problem(404, 'unknown-catalog-entry', `There is no ${kind} "x": /api/v1/${plural} shows what there is.`), [`DELETE ${plural}/*`]: problem(409, 'catalog-in-use', `${title} x is used by y.`, [{ field: 'name', message: 'is used by y: change that first' }]) });
    expect((await run(kind, 'show', 'x')).stderr).toBe(`berth: There is no ${kind} "x": \`berth image list --${plural}\` shows what there is.\n`);
    expect((await run(kind, 'remove', 'x')).stderr).toBe(`berth: ${title} x is used by y.\n  name: is used by y: change that first\n`);
  });
});

test('several documents; what the service refuses gets its place, and what was saved before it', async () => {
  const two = 'name: eu\nprovider: aws\nregion: eu-central-1\n---\nname: us\nprovider: asw\nregion: us-east-1\n';
  fake.routes({ 'PUT accounts/eu': [201, { id: 'eu', name: 'eu' }], 'PUT accounts/us': problem(422, 'unknown-provider', "Account us can't be saved: there is no provider asw: save it first.", [{ field: 'provider', message: 'there is no provider asw: save it first' }]) });
  expect((await fake.piped(two, 'image', 'account', 'set', '-')).stderr).toBe("berth: standard input, document 2 (us): Account us can't be saved: line 6, column 1: there is no provider asw: save it first. Saved before it: eu.\n");
});

describe('berth image catalog', () => {
  const deployable = { name: 'shop-web', description: 'the shop', catalogs: ['shop'], image: 'web', channel: 'stable', version: ID, number: 3, state: 'pushing' };
  const shop = { name: 'shop', description: 'what the shop runs', pool: 'web-servers', environment: 'production', deployables: [deployable] };

  test('all, and what one offers', async () => {
    fake.routes({ 'GET catalogs': page(shop), 'GET catalogs/shop': [200, shop], 'GET catalogs/set': [200, { ...shop, name: 'set', deployables: [] }] });
    expect((await run('catalog')).stdout).toMatch(/^CATALOG +POOL +ENVIRONMENT +OFFERS +DESCRIPTION\nshop +web-servers +production +shop-web +what the shop runs\n$/);
    expect((await run('catalog', 'shop')).stdout).toMatch(/^catalog +shop\ndescription +what the shop runs\npool +web-servers\nenvironment +production\n\nDEPLOYABLE +IMAGE +VERSION +STATE +CATALOGS +DESCRIPTION\nshop-web +web:stable +3 +pushing +shop +the shop\n$/);
    expect(JSON.parse((await run('catalog', 'shop', '--json')).stdout)).toEqual(shop);
    expect((await run('catalog', 'show', 'set')).stdout).toMatch(/^catalog +set\n/);
    fake.routes({ 'GET catalogs': page(), 'GET catalogs/x': problem(404, 'unknown-catalog-entry', 'There is no catalog "x": /api/v1/catalogs shows what there is.') });
    expect((await run('catalog')).stdout).toBe('No catalogs: save one with `berth image catalog set FILE`.\n');
    expect((await run('catalog', 'x')).stderr).toBe('berth: There is no catalog "x": `berth image list --catalogs` shows what there is.\n');
  });
});

describe('berth image board', () => {
  const cell = { account: 'eu', state: 'pushed', percent: null, activity: null, failed: 0, error: null, id: 'ami-1', offer: 'delete' };
  const board = {
    image: 'web', environment: 'production', accounts: [{ account: 'eu', provider: 'aws', region: 'eu-central-1', target: 'ec2' }, { account: 'files', provider: 'disks', region: null, target: 'raw' }],
    versions: [
      { version: ID, number: 3, status: 'COMPLETE', channels: ['latest', 'stable'], cells: [{ ...cell, state: 'pushing', percent: 40, activity: 'copies', id: null, offer: null }, { ...cell, account: 'files', state: 'not_pushed', failed: 2, error: 'disk full', id: null, offer: 'push' }] },
      { version: 'v2', number: 2, status: 'COMPLETE', channels: [], cells: [cell, { ...cell, account: 'files', state: 'not_built', id: null, offer: null }] },
    ],
    buildAll: true, pushAll: ID,
  };

  test('versions by accounts: how each stands, what went wrong, and what can be done', async () => {
    fake.routes({ 'GET images/web/board': [200, board] });
    const { code, stdout } = await run('board', 'web');
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
      'image  web', 'environment  production', '',
      'VERSION  CHANNELS  ACCOUNT  REGION  TARGET  STATE  DONE  FAILED  ID  OFFER  ACTIVITY',
      'web@3  latest, stable  eu  eu-central-1  ec2  pushing  40%  0  -  -  copies',
      'web@3  latest, stable  files  -  raw  not_pushed  -  2  -  push  disk full',
      'web@2  -  eu  eu-central-1  ec2  pushed  -  0  ami-1  delete  -',
      'web@2  -  files  -  raw  not_built  -  0  -  -  -', '',
      'Build all: `berth image build-all web`', 'Push all: `berth image push web@3 --all`', '',
    ]);
    expect(JSON.parse((await run('board', 'web', '--json')).stdout)).toEqual(board);
  });

  test('nothing yet, and nothing to push to', async () => {
    fake.routes({ 'GET images/web/board': [200, { ...board, environment: null, versions: [{ version: null, number: null, status: 'NEW', channels: [], cells: [{ ...cell, state: 'not_built', id: null, offer: 'build' }] }], pushAll: null, buildAll: false }] });
    expect((await run('board', 'web')).stdout).toMatch(/\nnone yet +- +eu +eu-central-1 +ec2 +not_built +- +0 +- +build +-\n$/);
    fake.routes({ 'GET images/web/board': [200, { ...board, environment: null, accounts: [], versions: [], pushAll: null }] });
    expect((await run('board', 'web')).stdout).toBe('image     web\naccounts  none: save one with `berth image account set FILE`\n\nBuild all: `berth image build-all web`\n');
    fake.routes({ 'GET images/*/board': problem(404, 'unknown-image', 'There is no image wbe.'), 'GET images': page(image) });
    expect(await run('board', 'wbe')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no image wbe. Did you mean web?\n' });
  });
});

describe('berth image warehouse', () => {
  const policy = { name: 'second', description: '', query: 'arch == "x86_64"', to: { kind: 's3', bucket: 'copies', region: 'eu-west-1', prefix: '', credentials: 'default' }, on: 'both' };
  const view = { ...policy, objects: 3, there: 2, failed: 1, lastCheck: { at, sound: 1, repaired: 1, failed: 1 }, checking: false, modified: at };
  const object = { id: `${ID}/raw/image`, image: 'web', version: ID, number: 3, target: 'raw', bytes: 3 * 1024 ** 2, sha256: 'ab', attributes: { arch: 'x86_64', audited: 'yes' }, replicas: [{ policy: 'second', state: 'failed', error: 'denied', at }, { policy: 'third', state: 'there', error: null, at }] };

  test('objects by a query', async () => {
    fake.routes({ 'GET warehouse/objects': [200, { items: [object], cursor: 'c' }] });
    expect((await run('warehouse', 'list', '--query', 'arch == "x86_64"', '--limit', '1')).stdout).toMatch(new RegExp(`^OBJECT +IMAGE +TARGET +SIZE +COPIES +ATTRIBUTES\\n${ID}/raw/image +web@3 +raw +3\\.0 MiB +second failed \\(denied\\), third there +arch=x86_64 audited=yes\\nMore: --cursor c\\n$`));
    expect(new URLSearchParams(fake.asked[0]!.path.split('?')[1]).get('query')).toBe('arch == "x86_64"');
    fake.routes({ 'GET warehouse/objects': problem(422, 'invalid-data', 'The query is refused.', [{ field: 'query', message: 'column 6: use ==' }]) });
    expect((await run('warehouse', 'list', '--query', 'arch = 1')).stderr).toBe('berth: The query is refused.\n  --query: column 6: use ==\n');
    fake.routes({ 'GET warehouse/objects': page() });
    expect((await run('warehouse', 'list')).stdout).toBe('No objects.\n');
  });

  test('policies', async () => {
    fake.routes({ 'GET warehouse/policies': page(view, { ...view, name: 'third', to: { kind: 'folder', folder: '/srv' }, checking: true }), 'GET warehouse/policies/*': [200, view], 'PUT warehouse/policies/*': [201, { id: 'second', name: 'second' }], 'DELETE warehouse/policies/*': [202, { id: 'second', name: 'second' }], 'POST warehouse/policies/*/check': [202, { id: 'second' }] });
    expect((await run('warehouse', 'policy', 'list')).stdout).toMatch(/^POLICY +QUERY +TO +OBJECTS +THERE +FAILED +LAST CHECK\nsecond +arch == "x86_64" +s3 copies \(eu-west-1\) +3 +2 +1 +in .*: 1 sound, 1 repaired, 1 failed\nthird +arch == "x86_64" +\/srv +3 +2 +1 +under way\n$/);
    const { stdout } = await run('warehouse', 'policy', 'show', 'second');
    expect(stdout).toMatch(/^policy +second\ncopies +2 of 3 there, 1 failed\nlast check +in .*\nsaved +in .*\n\nname: second\n/);
    expect(parse(stdout.slice(stdout.indexOf('\n\n')))).toEqual(policy);
    expect((await fake.piped(stdout.slice(stdout.indexOf('\n\n')), 'image', 'warehouse', 'policy', 'set', '-')).stdout).toBe('Policy second is set.\n');
    expect(fake.asked.at(-1)!.body).toEqual(policy);
    expect((await run('warehouse', 'policy', 'check', 'second')).stdout).toContain('`berth image warehouse policy show second`');
    expect((await run('warehouse', 'policy', 'remove', 'second')).stdout).toBe('Policy second is removed; its copies stay.\n');
    expect(fake.asked.map(({ method, path }) => `${method} ${path}`).slice(-2)).toEqual(['POST warehouse/policies/second/check', 'DELETE warehouse/policies/second']);
  });

  test('a policy that is written wrongly, and one that is not there', async () => {
    fake.routes({ 'GET warehouse/policies/*': problem(404, 'unknown-policy', 'There is no policy "x": /api/v1/warehouse/policies shows what there is.'), 'GET warehouse/policies': page() });
    expect((await fake.piped('name: x\nquery: a == 1\nto: {kind: tape}\n', 'image', 'warehouse', 'policy', 'set', '-')).stderr).toMatch(/^berth: Nothing is saved\. standard input, document 1 \(x\): to\.kind: line 3, column 6: /);
    expect((await run('warehouse', 'policy', 'show', 'x')).stderr).toBe('berth: There is no policy "x": `berth image warehouse policy list` shows what there is.\n');
    expect((await run('warehouse', 'policy', 'list')).stdout).toBe('No policies: save one with `berth image warehouse policy set FILE`.\n');
  });
});
