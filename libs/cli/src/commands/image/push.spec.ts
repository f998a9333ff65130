import { beforeAll, describe, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { as, eu, feed, ID, image, page, problem, raw, version } from './images.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const push = (...words: string[]) => fake.berth('image', 'push', ...words);
const accepted = [202, { id: ID, position: 10 }] as const;
const us = { ...eu, account: 'us', region: 'us-east-1', id: null };
const unpushed = { ...version, pushes: [], position: 9 };
const begun = { ...version, pushes: [{ ...us, status: 'BUILDING', percent: 5, activity: 'uploads' }], position: 10 };
const before = (view: object, after: object) => ({ path }: { path: string }) => [200, path.includes('after') ? after : view] as const;
const board = { image: 'web', environment: 'production', accounts: [{ account: 'eu', provider: 'aws', region: 'eu-central-1', target: 'raw' }, { account: 'files', provider: 'disks', region: null, target: 'oci' }], versions: [], buildAll: true, pushAll: null };

describe('berth image push', () => {
  test.each<[string[], string[], unknown]>([
    [['web@3', '--account', 'us,eu'], ['versions/web%403', `versions/${ID}/push`], { accounts: ['us', 'eu'] }],
    [['web:latest', '--all'], ['versions/web%3Alatest', `versions/${ID}/push-all`], {}],
    [['--build', ID, '--account', 'us', '--account', 'eu'], [`versions/${ID}`, `versions/${ID}/push`], { accounts: ['us', 'eu'] }],
    [['--image', 'web', '--account', 'us'], ['images/web', `versions/${ID}`, `versions/${ID}/push`], { accounts: ['us'] }],
    [['--targetimage', 'web@3/raw', '--account', 'us'], ['versions/web%403', 'accounts/us', `versions/${ID}/push`], { accounts: ['us'] }],
    [['--targetimage', 'web@3/raw', '--all'], ['versions/web%403', 'images/web/board', `versions/${ID}/push`], { accounts: ['eu'] }],
  ])('%j', async (words, paths, body) => {
    fake.routes({ 'GET versions/*': before(unpushed, { ...begun, pushes: [...begun.pushes, eu] }), 'GET images/web': [200, image], 'GET images/web/board': [200, board], 'GET accounts/*': [200, { name: 'us', target: 'raw' }], 'POST versions/*/*': accepted });
    const { code, stdout, stderr } = await push(...words);
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringMatching(/ is pushed to (us|eu|us, eu): follow it with `berth image watch /)]);
    expect(fake.asked.map(({ path }) => path)).toEqual([...paths, `versions/${ID}?after=10`]);
    expect(fake.asked.find(({ method }) => method === 'POST')!.body).toEqual(body);
  });

  test('what is everywhere already', async () => {
    fake.routes({ 'GET versions/*': [200, version], 'POST versions/*/*': [202, { id: ID }] });
    expect((await push('web@3', '--all')).stdout).toBe('web@3 is everywhere already where it can be.\n');
    expect(JSON.parse((await push('web@3', '--all', '--json')).stdout)).toEqual({ id: ID, accounts: [] });
    expect((await push('web@3', '--all', '--watch')).code).toBe(0);
  });

  test.each<[string[], RegExp]>([
    [['--all'], /^berth: Give a version, --image, --build or --targetimage\.\n$/],
    [['web@3'], /^berth: Give --account or --all\.\n$/],
    [['web@3', '--account', 'eu', '--all'], /^berth: --account and --all do not go together: give one of them\.\n$/],
    [['web@3', '--image', 'web', '--all'], /^berth: a version and --image do not go together/],
    [['--targetimage', 'web@3', '--all'], /--targetimage is VERSION\/TARGET, such as web@3\/raw\./],
    [['--targetimage', 'web@3/disk', '--all'], /There is no target "disk"/],
    [['web@3', '--account', 'eu,'], /Use one name, or several with commas/],
  ])('%j is used wrongly, and nothing is asked', async (words, message) => {
    fake.routes({});
    expect(await push(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('an image without a version, an account that takes something else, and none that takes it', async () => {
    fake.routes({ 'GET images/web': [200, { ...image, newest: null }], 'GET versions/*': [200, unpushed], 'GET accounts/*': [200, { name: 'files', target: 'oci' }], 'GET images/web/board': [200, board] });
    expect(await push('--image', 'web', '--all')).toEqual({ code: 1, stdout: '', stderr: 'berth: Image web has no version yet: build one with `berth image build web`.\n' });
    expect((await push('--targetimage', 'web@3/raw', '--account', 'files')).stderr).toBe("berth: Target raw can't be pushed to files.\n  --account: files takes oci, and not raw\n");
    expect((await push('--targetimage', 'web@3/mock', '--all')).stderr).toMatch(/^berth: No account that web is pushed to takes mock: `berth image board web` shows them\.\n/);
    expect(fake.asked.every(({ method }) => method === 'GET')).toBe(true);
  });

  test('a refusal tells its flag', async () => {
    fake.routes({ 'GET versions/*': [200, unpushed], 'POST versions/*/*': problem(422, 'unknown-account', 'There is no account asia that the image is pushed to.', [{ field: 'accounts', message: 'has asia, which is no account: use one of eu, us' }]) });
    expect((await push('web@3', '--account', 'asia')).stderr).toBe('berth: There is no account asia that the image is pushed to.\n  --account: has asia, which is no account: use one of eu, us\n');
  });
});

describe('a push that is watched', () => {
  const course = (last: object) => ({ 'GET versions/*': ({ path }: { path: string }) => [200, path.includes('after=11') ? { ...version, pushes: last } : path.includes('after=10') ? begun : unpushed] as const, 'POST versions/*/*': accepted, 'GET events': feed(11) });

  test.each([['--account', 'us'], ['--all']])('%j %j ends with 0 when it is there', async (...words) => {
    fake.routes(course([{ ...us, id: 'ami-2' }]));
    const { code, stdout } = await push('web@3', ...words, '--watch');
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^us: BUILDING 5% uploads\nus: COMPLETE\n\nversion +web@3\n/)]);
  });

  test('ends with 1 when it has failed; what failed elsewhere and before is another matter', async () => {
    const failed = { ...us, status: 'FAILED', error: 'access denied' };
    fake.routes(course([failed, eu]));
    expect(await push('web@3', '--account', 'us', '--watch')).toMatchObject({ code: 1, stdout: expect.stringContaining('us: FAILED: access denied\n') });
    expect((await push('web@3', '--all', '--watch')).code).toBe(1);
    fake.routes(course([us, { ...failed, account: 'eu' }]));
    expect((await push('web@3', '--account', 'us', '--watch')).code).toBe(0);
  });

  test('what is removed meanwhile is not there', async () => {
    fake.routes(course([]));
    expect(await push('web@3', '--account', 'us', '--watch')).toMatchObject({ code: 1, stdout: expect.stringContaining('us: BUILDING 5% uploads\nus: DELETED\n') });
  });

  test('one that has failed at once is not taken for nothing to do', async () => {
    const again = { ...version, pushes: [{ ...us, status: 'FAILED', attempt: 2, error: 'access denied' }], position: 10 };
    fake.routes({ 'GET versions/*': before({ ...again, pushes: [{ ...again.pushes[0], attempt: 1 }] }, again), 'POST versions/*/*': accepted });
    expect((await push('web@3', '--all', '--watch')).code).toBe(1);
  });
});

describe('berth image import', () => {
  const bringIn = (...words: string[]) => fake.berth('image', 'import', ...words);
  const needed = ['--account', 'eu', '--id', 'ami-9', '--image', 'base'];

  test.each<[string[], unknown]>([
    [[], {}],
    [['--os', 'debian', '--os-version', '12', '--arch', 'aarch64', '--label', 'from=vendor'], { os: { name: 'debian', version: '12', arch: 'aarch64' }, labels: { from: 'vendor' } }],
  ])('%j', async (words, more) => {
    fake.routes({ 'POST images/import': [202, { id: ID }] });
    expect((await bringIn(...needed, ...words)).stdout).toMatch(/^[0-9a-f-]{36}\n$/);
    expect(fake.asked).toEqual([{ method: 'POST', path: 'images/import', body: { image: 'base', account: 'eu', id: 'ami-9', ...(more as object) } }]);
  });

  test.each<[string[], RegExp]>([
    [needed.slice(2), /required option '--account <name>' not specified/],
    [needed.slice(0, 4), /required option '--image <name>' not specified/],
    [[...needed, '--os', 'debian'], /takes both --os and --os-version/],
    [[...needed, '--arch', 'aarch64'], /takes both --os and --os-version/],
    [[...needed, '--os', 'debian', '--os-version', '12', '--arch', 'arm'], /--arch is x86_64 or aarch64, not "arm"/],
  ])('%j is used wrongly', async (words, message) => {
    fake.routes({});
    expect(await bringIn(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('what its provider does not have', async () => {
    fake.routes({ 'POST images/import': problem(422, 'provider-refused', 'Account eu has no image ami-9.', [{ field: 'id', message: 'is not there: look up what the provider calls it' }]) });
    expect((await bringIn(...needed)).stderr).toBe('berth: Account eu has no image ami-9.\n  --id: is not there: look up what the provider calls it\n');
  });
});

describe('berth image status', () => {
  const status = (...words: string[]) => fake.berth('image', 'status', ...words);
  const failing = { ...version, status: 'PARTIAL', percent: 70, targets: [raw, { ...raw, target: 'oci', status: 'FAILED', percent: 40, error: 'no space left' }], pushes: [{ ...eu, status: 'BUILDING', percent: 30, activity: 'uploads' }] };
  const lines = { build: 'build +web@3 +PARTIAL +70% +- +-\n', raw: 'targetimage +web@3/raw +COMPLETE +100% +- +-\n', oci: 'targetimage +web@3/oci +FAILED +40% +- +no space left\n', eu: 'providerimage +web@3/eu +BUILDING +30% +uploads +-\n' };

  test.each([
    [['web'], [lines.build, lines.raw, lines.oci, lines.eu]],
    [['web@3'], [lines.build, lines.raw, lines.oci, lines.eu]],
    [['--build', ID], [lines.build, lines.raw, lines.oci, lines.eu]],
    [['--targetimage', 'web@3/oci'], [lines.oci]],
    [['--providerimage', 'web:latest/eu'], [lines.eu]],
  ])('%j: one line for each thing', async (words, expected) => {
    fake.routes({ 'GET images/web': [200, image], 'GET versions/*': [200, failing] });
    const { code, stdout } = await status(...words);
    expect([code, stdout]).toEqual([0, expect.stringMatching(new RegExp(`^KIND +ID +STATUS +DONE +ACTIVITY +ERROR\n${expected.join('')}$`))]);
  });

  test('as JSON, and of an image that was never built', async () => {
    fake.routes({ 'GET images/web': [200, { ...image, newest: null, status: 'NEW' }], 'GET versions/*': [200, failing] });
    expect(JSON.parse((await status('--targetimage', 'web@3/oci', '--json')).stdout)).toEqual({ items: [{ kind: 'targetimage', id: 'web@3/oci', status: 'FAILED', percent: 40, activity: null, error: 'no space left' }], cursor: null });
    expect((await status('web')).stdout).toMatch(/\nimage +web +NEW +0% +- +-\n$/);
  });

  const half = { ...failing, status: 'BUILDING', targets: [raw, { ...raw, target: 'oci', status: 'BUILDING', percent: 40 }], position: 10 };
  test.each<[string[], object, number]>([
    [['web@3', '--exit-code'], version, 0],
    [['web@3', '--exit-code'], half, 3],
    [['web@3', '--exit-code'], failing, 3],
    [['web@3', '--exit-code'], { ...failing, pushes: [eu] }, 1],
    [['web@3', '--exit-code'], { ...version, pushes: [{ ...eu, status: 'DELETED' }] }, 1],
    [['web', '--exit-code'], half, 3],
    [['--targetimage', 'web@3/raw', '--exit-code'], half, 0],
    [['--targetimage', 'web@3/oci', '--exit-code'], half, 3],
    [['--providerimage', 'web@3/eu', '--exit-code'], failing, 3],
    [['web@3'], { ...failing, pushes: [eu] }, 0],
    [['web@3', '--wait'], version, 0],
  ])('%j ends as its status says (%#)', async (words, shown, expected) => {
    fake.routes({ 'GET images/web': [200, image], 'GET versions/*': [200, shown] });
    const { code, stdout, stderr } = await status(...words);
    expect([code, stdout.split('\n')[0], stderr]).toEqual([expected, expect.stringMatching(/^KIND +ID/), '']);
  });

  test('an image that was never built has nothing to wait for, and is not complete', async () => {
    fake.routes({ 'GET images/web': [200, { ...image, newest: null, status: 'NEW' }] });
    for (const flag of ['--exit-code', '--wait']) expect(await status('web', flag)).toMatchObject({ code: 1, stdout: expect.stringContaining('NEW') });
  });

  test('waits until nothing is under way: of a whole version, or of one part of it, and tells that part', async () => {
    const partial = { ...failing, pushes: [eu] };
    const course = (last: object) => ({ 'GET images/web': [200, image] as const, 'GET versions/*': as({ 10: half, 11: half, 12: last }), 'GET events': feed(11, 2) });
    fake.routes(course({ ...version, targets: [raw, { ...raw, target: 'oci' }] }));
    expect(await status('web', '--wait')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^raw: COMPLETE\noci: BUILDING 40%\neu: BUILDING 30% uploads\noci: COMPLETE\neu: COMPLETE\nKIND [^\n]*\nbuild +web@3 +COMPLETE /) });
    fake.routes(course(partial));
    const { code, stdout, stderr } = await status('--targetimage', 'web:latest/oci', '--wait', '--json');
    expect([code, JSON.parse(stdout), stderr]).toEqual([1, { items: [expect.objectContaining({ id: 'web@3/oci', status: 'FAILED', error: 'no space left' })], cursor: null }, 'oci: BUILDING 40%\noci: FAILED: no space left\n']);
    // What a channel points at can change meanwhile: it is asked for by its id.
    expect(fake.asked.filter(({ path }) => path.startsWith('versions')).map(({ path }) => path)).toEqual(['versions/web%3Alatest', `versions/${ID}`, `versions/${ID}?after=11`, `versions/${ID}?after=12`]);
    fake.routes(course({ ...partial, pushes: [eu] }));
    expect(await status('--providerimage', 'web@3/eu', '--wait')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^eu: BUILDING 30% uploads\neu: COMPLETE\nKIND [^\n]*\nproviderimage +web@3\/eu +COMPLETE /) });
  });

  test('what is not there', async () => {
    fake.routes({ 'GET versions/*': [200, failing], 'GET images/wbe': problem(404, 'unknown-image', 'There is no image wbe.'), 'GET images': page(image) });
    expect((await status('--targetimage', 'web@3/ec2')).stderr).toBe('berth: web@3 has no target ec2.\n  --targetimage: targets that it has: raw, oci\n');
    expect((await status('--providerimage', 'web@3/us')).stderr).toBe('berth: web@3 was not pushed to us.\n  --providerimage: accounts that it was pushed to: eu\n');
    expect((await status('wbe')).stderr).toBe('berth: There is no image wbe. Did you mean web?\n');
    expect(await status()).toMatchObject({ code: 2, stderr: 'berth: Give an image or a version, --build, --targetimage or --providerimage.\n' });
    expect((await status('web', '--build', ID)).code).toBe(2);
    expect((await status('--providerimage', 'web@3')).code).toBe(2);
  });
});

describe('berth image delete', () => {
  const remove = (...words: string[]) => fake.berth('image', 'delete', ...words);

  test.each<[string[], string, string]>([
    [['web@3'], 'versions/web%403', 'Version web@3 is removed.'],
    [[ID, '--cascade'], `versions/${ID}?cascade=true`, `Version ${ID} is removed.`],
    [['--targetimage', 'web@3/raw', '--cascade'], 'versions/web%403/targets/raw?cascade=true', 'Target raw of web@3 is removed.'],
    [['--providerimage', 'web@3/eu'], 'versions/web%403/accounts/eu', 'What was pushed of web@3 to eu is removed.'],
  ])('%j', async (words, path, said) => {
    const manual = ['ami-9 of account eu', 'snap-9 of account eu'];
    fake.routes({ 'DELETE versions/*': [202, { id: ID, manual }], 'DELETE versions/*/*/*': [202, { id: ID, manual }] });
    expect(await remove(...words)).toEqual({ code: 0, stderr: '', stdout: `${said}\nTo be removed by hand:\n  ami-9 of account eu\n  snap-9 of account eu\n` });
    expect(fake.asked).toEqual([{ method: 'DELETE', path, body: undefined }]);
    expect(JSON.parse((await remove(...words, '--json')).stdout)).toEqual({ id: ID, manual });
  });

  test.each<[string[], RegExp]>([
    [[], /^berth: Give a version, --targetimage or --providerimage\.\n$/],
    [['web@3', '--targetimage', 'web@3/raw'], /do not go together/],
    [['--providerimage', 'web@3/eu', '--cascade'], /^berth: --cascade does not go with --providerimage/],
    [['--providerimage', '/eu'], /--providerimage is VERSION\/ACCOUNT, such as web@3\/eu\./],
  ])('%j is used wrongly', async (words, message) => {
    fake.routes({});
    expect(await remove(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('a refusal tells its flag', async () => {
    fake.routes({ 'DELETE versions/*': problem(409, 'version-in-use', 'Version 3 is pushed to eu.', [{ field: 'cascade', message: 'must be true to remove what was pushed of it too' }]), 'DELETE versions/*/accounts/*': problem(409, 'not-pushed', 'Version 3 was not pushed to us.', [{ field: 'account', message: 'does not have it' }]) });
    expect((await remove('web@3')).stderr).toBe('berth: Version 3 is pushed to eu.\n  --cascade: must be true to remove what was pushed of it too\n');
    expect((await remove('--providerimage', 'web@3/us')).stderr).toBe('berth: Version 3 was not pushed to us.\n  --providerimage: does not have it\n');
  });
});
