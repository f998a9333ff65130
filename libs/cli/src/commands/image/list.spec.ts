import { beforeAll, describe, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { at, channel, image, page, problem, version } from './images.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const list = (...words: string[]) => fake.berth('image', 'list', ...words);

const used = { used: 2, modified: at, by: 'token:ada' };
const deployable = { name: 'shop-web', description: '', catalogs: ['shop'], image: 'web', channel: 'stable', version: version.id, number: 3, state: 'not_pushed' };
const routes = {
  'GET images': page(image, { ...image, name: 'bare', newest: null, status: 'NEW', versions: 0, channels: [], environment: null, parent: null }),
  'GET versions': page(version, { ...version, number: 2, use: 'deprecated', revoked: { at, reason: 'hole', holds: true, ancestor: null }, channels: [], status: 'FAILED', error: 'no space left' }),
  'GET versions/*': [200, { ...version, targets: [...version.targets, { ...version.targets[0], target: 'ec2', status: 'FAILED', file: null, error: 'no host', failed: [{ attempt: 1, error: 'no host', at }] }] }] as const,
  'GET channels': page(channel),
  'GET providers': page({ name: 'disks', description: 'as files', kind: 'folder', target: 'raw', folder: '/srv', ...used }, { name: 'aws', description: '', kind: 'ec2', target: 'ec2', ...used }),
  'GET accounts': page({ name: 'eu', description: '', provider: 'aws', region: 'eu-central-1', credentials: 'default', target: 'ec2', ...used }),
  'GET environments': page({ name: 'production', description: '', targets: [], accounts: ['eu'], ...used }),
  'GET pools': page({ name: 'web-servers', description: '', environment: 'production', ...used }),
  'GET catalogs': page({ name: 'shop', description: 'what the shop runs', pool: 'web-servers', environment: 'production', deployables: [deployable] }),
  'GET deployables': page(deployable),
};

describe('each list as a table', () => {
  test.each<[string[], string, RegExp]>([
    [[], 'images', /^IMAGE +STATUS +NEWEST +DONE +VERSIONS +TARGETS +ENVIRONMENT +CHANNELS +MADE OF +MODIFIED\nweb +COMPLETE +web@3 +100% +3 +raw +production +latest=3, stable +base:stable +in .*\nbare +NEW +- +- +0 +raw +- +- +- /],
    [['--images', '--status', 'NEW,FAILED', '--environment', 'e', '--sort', '-created', '--limit', '5', '--cursor', 'c'], 'images?status=NEW%2CFAILED&environment=e&sort=-created&limit=5&cursor=c', /^IMAGE /],
    [['--versions'], 'versions', /^VERSION +ID +STATUS +DONE +USE +CHANNELS +TARGETS +LABELS +CREATED +ACTIVITY\nweb@3 +7f8c\S+ +COMPLETE +100% +active +latest +raw +ring=canary +in \S.* +-\nweb@2 +7f8c\S+ +FAILED +100% +revoked +- +raw +ring=canary +in \S.* +no space left\n$/],
    [['--builds', 'web'], 'versions?image=web', /^VERSION /],
    [['--versions', 'web', '--status', 'COMPLETE', '--label', 'ring=a=b', '--region', 'eu-central-1', '--account', 'eu', '--channel', 'latest', '--all'], 'versions?image=web&status=COMPLETE&channel=latest&account=eu&region=eu-central-1&label=ring%3Aa%3Db&all=true', /^VERSION /],
    [['--targetimages', 'web@3'], 'versions/web%403', /^TARGET +STATUS +DONE +FAILED +BUILD +SIZE +IMAGE +SBOM +ACTIVITY\nraw +COMPLETE +100% +0 +b-raw +2\.0 GiB +web\.raw +- +-\nec2 +FAILED +100% +1 +b-raw +- +- +- +no host\n$/],
    [['--providerimages', 'web:latest'], 'versions/web%3Alatest', /^ACCOUNT +PROVIDER +REGION +TARGET +STATUS +DONE +FAILED +ID +ACTIVITY\neu +aws +eu-central-1 +raw +COMPLETE +100% +0 +ami-1 +-\n$/],
    [['--targets'], 'providers?limit=1000', /^TARGET +PROVIDERS\nraw +disks\noci +-\nec2 +aws\nmock +-\n$/],
    [['--providers'], 'providers?limit=1000', /^PROVIDER +KIND +TARGET +ACCOUNTS +DESCRIPTION +MODIFIED\ndisks +folder +raw +2 +as files +in .* by token:ada\n/],
    [['--accounts'], 'accounts?limit=1000', /^ACCOUNT +PROVIDER +REGION +TARGET +CREDENTIALS +USED BY +MODIFIED\neu +aws +eu-central-1 +ec2 +default +2 /],
    [['--environments'], 'environments?limit=1000', /^ENVIRONMENT +TARGETS +ACCOUNTS +USED BY +MODIFIED\nproduction +all +eu +2 /],
    [['--pools'], 'pools?limit=1000', /^POOL +ENVIRONMENT +CATALOGS +MODIFIED\nweb-servers +production +2 /],
    [['--catalogs'], 'catalogs?limit=1000', /^CATALOG +POOL +ENVIRONMENT +OFFERS +DESCRIPTION\nshop +web-servers +production +shop-web +what the shop runs\n$/],
    [['--deployables'], 'deployables?limit=1000', /^DEPLOYABLE +IMAGE +VERSION +STATE +CATALOGS +DESCRIPTION\nshop-web +web:stable +3 +not_pushed +shop +-\n$/],
    [['--channels', 'web', '--limit', '5'], 'channels?image=web&limit=5', /^CHANNEL +VERSION +MANAGED +TEST +TESTING +LAST TEST +MODIFIED\nweb:stable +3 +no +smoke +- +version 3 passed in .*\n$/],
  ])('%j', async (words, path, text) => {
    fake.routes(routes);
    const { code, stdout, stderr } = await list(...words);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(text);
    expect(fake.asked).toEqual([{ method: 'GET', path, body: undefined }]);
  });
});

test('as JSON a list is a page, also of what is a part of something', async () => {
  fake.routes(routes);
  expect(JSON.parse((await list('--versions', '--json')).stdout)).toMatchObject({ items: [{ id: version.id }, { number: 2 }], cursor: null });
  expect(JSON.parse((await list('--providerimages', 'web@3', '--json')).stdout)).toEqual({ items: version.pushes, cursor: null });
  expect(JSON.parse((await list('--targets', '--json')).stdout).items[0]).toEqual({ target: 'raw', providers: ['disks'] });
});

test('a list goes on where the page ended, and an empty one says what to do', async () => {
  fake.routes({ 'GET images': [200, { items: [image], cursor: 'next' }], 'GET versions': page(), 'GET providers': page() });
  expect((await list()).stdout).toMatch(/\nMore: --cursor next\n$/);
  expect((await list('--versions', '--all')).stdout).toBe('No versions.\n');
  expect((await list('--providers')).stdout).toBe('No providers: save one with `berth image provider set FILE`.\n');
});

test.each<[string[], RegExp]>([
  [['--versions', '--channels'], /^berth: --versions and --channels do not go together: give one of them\.\n$/],
  [['--providers', '--label', 'a=b'], /^berth: --label does not go with --providers\.\n$/],
  [['--region', 'eu-central-1'], /^berth: --region does not go with --images: that takes --status, --environment, --sort, --limit, --cursor\.\n$/],
  [['--versions', '--label', 'ring'], /Use KEY=VALUE/],
  [['--versions', '--label', 'a=b', '--label', 'c=d'], /A list is asked for by one label/],
  [['--targetimages'], /argument missing/],
  [['--verions'], /unknown option '--verions'\n\(Did you mean --versions\?\)/],
  [['--limit', 'many'], /Use a whole number/],
])('%j is used wrongly, and nothing is asked', async (words, message) => {
  fake.routes({});
  expect(await list(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  expect(fake.asked).toEqual([]);
});

describe('what is refused', () => {
  test('a filter tells its flag', async () => {
    fake.routes({ 'GET images': problem(422, 'invalid-data', 'The query is refused.', [{ field: 'status', message: 'must be NEW, …' }]) });
    expect(await list('--status', 'new')).toEqual({ code: 1, stdout: '', stderr: 'berth: The query is refused.\n  --status: must be NEW, …\n' });
  });

  test('a name that is nearly right is said right, whatever it is the name of', async () => {
    const unknown = (what: string) => problem(404, 'unknown-image', `There is no image "${what}": /api/v1/images shows what there is.`);
    fake.routes({ 'GET versions/*': unknown('wbe'), 'GET versions': unknown('wbe'), 'GET images': page(image) });
    expect((await list('--targetimages', 'wbe@3')).stderr).toBe('berth: There is no image "wbe": `berth image list` shows what there is. Did you mean web@3?\n');
    expect((await list('--versions', 'wbe')).stderr).toContain('Did you mean web?\n');
    expect((await list('--targetimages', 'mail@3')).stderr).toBe('berth: There is no image "wbe": `berth image list` shows what there is.\n');
    expect(JSON.parse((await list('--targetimages', 'wbe@3', '--json')).stdout)).toMatchObject({ error: { code: 'unknown-image', message: expect.stringContaining('Did you mean web@3?') } });
  });

  test('an id that is not known is looked for nowhere else', async () => {
    fake.routes({ 'GET versions/*': problem(404, 'unknown-version', `There is no version "${version.id}": /api/v1/versions shows what there is.`) });
    expect((await list('--targetimages', version.id)).stderr).toBe(`berth: There is no version "${version.id}": \`berth image list --versions\` shows what there is.\n`);
    expect(fake.asked).toHaveLength(1);
  });
});
