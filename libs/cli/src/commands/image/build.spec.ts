import { beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../../../../test/support/wait.js';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { as, feed, ID, image, page, problem, raw, version } from './images.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const build = (...words: string[]) => fake.berth('image', 'build', ...words);
const uuid = /^[0-9a-f-]{36}\n$/;
const accepted = [202, { id: ID, position: 10 }] as const;

describe('berth image build', () => {
  test.each<[string[], unknown]>([
    [['web'], {}],
    [['web', '--target', 'raw,oci', '--label', 'ring=canary', 'by=ci', '--reason', 'new kernel'], { targets: ['raw', 'oci'], labels: { ring: 'canary', by: 'ci' }, reason: 'new kernel' }],
    [['web', '--target', 'raw', '--target', 'oci', '--label', 'a=b', '--label', 'c='], { targets: ['raw', 'oci'], labels: { a: 'b', c: '' } }],
  ])('%j', async (words, body) => {
    fake.routes({ 'POST images/web/build': accepted });
    expect(await build(...words)).toEqual({ code: 0, stdout: expect.stringMatching(uuid), stderr: '' });
    expect(fake.asked).toEqual([{ method: 'POST', path: 'images/web/build', body }]);
    expect(JSON.parse((await build(...words, '--json')).stdout)).toEqual({ id: expect.any(String) });
  });

  test('with a template: it is saved, then built', async () => {
    fake.routes({ 'POST images': [202, { id: 'web', name: 'web', version: 2 }], 'POST images/web/build': accepted });
    expect((await fake.piped('name: web\n', 'image', 'build', '--template', '-', '--environment', 'production', '--target', 'raw')).code).toBe(0);
    expect(fake.asked.map(({ path, body }) => [path, body])).toEqual([['images', { source: 'name: web\n', unsaid: 'kept', environment: 'production' }], ['images/web/build', { targets: ['raw'] }]]);
    fake.routes({ 'POST images': problem(422, 'invalid-template', "The template can't be used.", [{ field: 'os', message: 'is required' }]) });
    expect((await fake.piped('name: web\n', 'image', 'build', '--template', '-')).stderr).toBe("berth: The template can't be used.\n  standard input: os: is required\n");
    expect(fake.asked).toHaveLength(1);
  });

  test.each<[string[], RegExp]>([
    [[], /^berth: Give an image or --template\.\n$/],
    [['web', '--template', 'x.yaml'], /^berth: an image and --template do not go together: give one of them\.\n$/],
    [['web', '--environment', 'e'], /^berth: --environment is saved with the template of an image: give --template too/],
    [['web', '--targets', 'raw'], /To build only some targets of it, use --target\.\n$/],
    [['web', '--target', 'vmdk'], /There is no target "vmdk": use raw, oci, ec2, mock\./],
    [['web', '--label', 'ring'], /Use KEY=VALUE/],
  ])('%j is used wrongly, and nothing is sent', async (words, message) => {
    fake.routes({});
    expect(await build(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('a refusal tells its flag; an image that is not known the one that was meant', async () => {
    fake.routes({ 'POST images/*/build': problem(422, 'unbuildable-target', "Image web can't be built as oci.", [{ field: 'targets', message: 'has oci, which its template or its environment does not: use raw' }]) });
    expect((await build('web', '--target', 'oci')).stderr).toBe("berth: Image web can't be built as oci.\n  --target: has oci, which its template or its environment does not: use raw\n");
    fake.routes({ 'POST images/*/build': problem(404, 'unknown-image', 'There is no image wbe.'), 'GET images': page(image) });
    expect(await build('wbe')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no image wbe. Did you mean web?\n' });
  });
});

describe('what is watched', () => {
  const building = { ...version, status: 'BUILDING', percent: 10, position: 10, targets: [{ ...raw, status: 'BUILDING', percent: 10, activity: 'installs packages' }, { ...raw, target: 'oci', status: 'PENDING', percent: 0 }] };
  const ended = (oci: object, status: string) => ({ ...version, status, targets: [raw, { ...raw, target: 'oci', ...oci }] });
  const course = (last: object) => ({ 'POST images/web/*': accepted, 'POST versions/*/targets/*/rebuild': accepted, 'GET versions/*': as({ 10: building, 11: building, 12: last }), 'GET events': feed(11, 2) });

  test('ends with 0 when all of it is complete: a line for each change, then the version', async () => {
    const whole = ended({}, 'COMPLETE');
    fake.routes(course(whole));
    const { code, stdout, stderr } = await build('web', '--watch');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^raw: BUILDING 10% installs packages\noci: PENDING 0%\nraw: COMPLETE\noci: COMPLETE\n\nversion +web@3\n/);
    expect(fake.asked.map(({ path }) => path)).toEqual(['images/web/build', expect.stringMatching(/^versions\/[0-9a-f-]{36}\?after=10$/), 'events?after=10&kinds=image&ids=web', `versions/${ID}?after=11`, `versions/${ID}?after=12`]);
    const asJson = await build('web', '--watch', '--json');
    expect([asJson.code, JSON.parse(asJson.stdout), asJson.stderr]).toEqual([0, whole, 'raw: BUILDING 10% installs packages\noci: PENDING 0%\nraw: COMPLETE\noci: COMPLETE\n']);
  });

  test.each([
    [ended({ status: 'FAILED', percent: 40, error: 'no space left' }, 'PARTIAL'), 'oci: FAILED: no space left\n'],
    [{ ...version, status: 'FAILED', targets: [{ ...raw, status: 'FAILED', error: 'it was aborted: enough' }] }, 'raw: FAILED: it was aborted: enough\n'],
  ])('ends with 1 when a part of it has failed (%#)', async (last, line) => {
    fake.routes(course(last));
    const { code, stdout } = await build('web', '--watch');
    expect([code, stdout]).toEqual([1, expect.stringContaining(line)]);
  });

  test('build-all, and one target that is rebuilt, whatever became of the others', async () => {
    fake.routes(course(ended({}, 'COMPLETE')));
    expect((await fake.berth('image', 'build-all', 'web')).stdout).toBe(`${ID}\n`);
    expect(fake.asked).toEqual([{ method: 'POST', path: 'images/web/build-all', body: {} }]);
    expect((await fake.berth('image', 'build-all', 'web', '--watch')).code).toBe(0);
    fake.routes(course(ended({ status: 'FAILED', error: 'no' }, 'PARTIAL')));
    expect(await fake.berth('image', 'rebuild', 'web@3', 'raw', '--watch')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^raw: BUILDING 10% installs packages\nraw: COMPLETE\n\n/) });
    expect((await fake.berth('image', 'rebuild', 'web@3', 'oci', '--watch')).code).toBe(1);
    expect(fake.asked[0]).toEqual({ method: 'POST', path: 'versions/web%403/targets/raw/rebuild', body: {} });
  });

  test('what is over already is not waited for, and a projection that is late is asked again', async () => {
    let late = 1;
    fake.routes({ 'GET versions/*': ({ path }) => (path.includes('after=13') && late-- > 0 ? problem(425, 'not-yet', 'not yet') : path.includes('after=13') ? [200, { ...version, targets: [raw] }] : [200, { ...version, pushes: [{ ...version.pushes[0], status: 'BUILDING', percent: 5 }] }]), 'GET events': feed(13) });
    expect(await fake.berth('image', 'watch', 'web@3')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^raw: COMPLETE\neu: BUILDING 5%\neu: COMPLETE\n/) });
    expect(late).toBe(-1);
    fake.routes({ 'GET versions/*': [200, version] });
    expect((await fake.berth('image', 'watch', 'web@3')).code).toBe(0);
    fake.routes({ 'GET versions/*': problem(404, 'unknown-version', 'There is no version "web@9": /api/v1/versions shows what there is.'), 'GET images': page(image) });
    expect(await fake.berth('image', 'watch', 'web@9')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no version "web@9": `berth image list --versions` shows what there is.\n' });
  });

  test('interrupted, it goes on and says how', async () => {
    fake.routes({ ...course(building), 'GET events': () => new Promise(() => undefined) });
    const watching = fake.berth('image', 'watch', 'web@3');
    await eventually(() => expect(fake.asked.some(({ path }) => path.startsWith('events'))).toBe(true));
    process.emit('SIGINT');
    expect(await watching).toMatchObject({ code: 130, stderr: 'It goes on: follow it with `berth image watch web@3`, end what is being built with `berth image abort web@3`.\n' });
  });
});

describe('berth image rebuild and abort', () => {
  test('are told to the version', async () => {
    fake.routes({ 'POST versions/*/targets/*/rebuild': accepted, 'POST versions/*/abort': accepted });
    expect((await fake.berth('image', 'rebuild', 'web@3', 'raw')).stdout).toContain('`berth image watch web@3`');
    expect((await fake.berth('image', 'abort', 'web:latest', '--reason', 'enough')).stdout).toBe('Building web:latest is ended.\n');
    expect(fake.asked.at(-1)).toEqual({ method: 'POST', path: 'versions/web%3Alatest/abort', body: { reason: 'enough' } });
    expect(await fake.berth('image', 'rebuild', 'web@3', 'rwa')).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no target "rwa": use raw, oci, ec2, mock.') });
    expect(await fake.berth('image', 'rebuild', 'web@3')).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'target'") });
  });

  test('a target that has not failed', async () => {
    fake.routes({ 'POST versions/*/targets/*/rebuild': problem(409, 'target-not-failed', 'Target raw of version 3 has not failed: it is COMPLETE.', [{ field: 'target', message: 'has not failed: build a new version instead' }]) });
    expect((await fake.berth('image', 'rebuild', 'web@3', 'raw')).stderr).toBe('berth: Target raw of version 3 has not failed: it is COMPLETE.\n  TARGET: has not failed: build a new version instead\n');
  });
});
