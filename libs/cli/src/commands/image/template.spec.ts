import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { at, ID, image, page, problem, version } from './images.testing.js';

let fake: FakeBerth;
let folder: string;
beforeAll(async () => {
  [fake, folder] = await Promise.all([fakeBerth(), tempFolder('templates')]);
});
const file = async (name: string, text: string) => {
  await writeFile(join(folder, name), text);
  return join(folder, name);
};
const source = 'name: web\nos: {name: debian, version: "12"}\n';
const saved = { 'POST images': [202, { id: 'web', name: 'web', version: 2 }] } as const;

describe('berth image save', () => {
  test('a template as it stands, with what the flags say beside it', async () => {
    fake.routes(saved);
    const template = await file('web.yaml', source);
    expect(await fake.berth('image', 'save', template)).toEqual({ code: 0, stderr: '', stdout: 'Image web is saved as revision 2: build it with `berth image build web`.\n' });
    const settings = await file('targets.yaml', 'raw: {size: 4GiB, host: {os: linux}}\n');
    await fake.berth('image', 'save', template, '--environment', 'production', '--targets', 'oci,mock', '--targets', 'raw', '--target-settings', settings, '--keep', '5', '--max-age', '30d', '--rebuild', '0 3 * * 1', '--rebuild-on-parent');
    expect(fake.asked.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', 'images', { source, unsaid: 'kept' }],
      ['POST', 'images', {
        source, unsaid: 'kept', environment: 'production', retention: { keep: 5, maxAge: '30d' }, rebuild: { schedule: '0 3 * * 1', onParent: true },
        targets: { oci: { host: {} }, mock: { host: {}, outcome: 'complete' }, raw: { size: '4GiB', host: { os: 'linux' } } },
      }],
    ]);
  });

  test.each<[string[], object]>([
    [['--keep', '5'], { retention: { keep: 5 } }],
    [['--max-age', '30d'], { retention: { maxAge: '30d' } }],
    [['--keep', '5', '--without', 'max-age'], { retention: { keep: 5, maxAge: null } }],
    [['--rebuild', '0 3 * * 1'], { rebuild: { schedule: '0 3 * * 1' } }],
    [['--rebuild-on-parent', '--without', 'rebuild'], { rebuild: { schedule: null, onParent: true } }],
    [['--without', 'rebuild-on-parent'], { rebuild: { onParent: false } }],
    [['--without', 'environment,targets', '--without', 'keep,rebuild,rebuild-on-parent'], { targets: null, environment: null, retention: null, rebuild: null }],
  ])('%j says no more than that: the rest is as it was', async (words, beside) => {
    fake.routes(saved);
    expect((await fake.berth('image', 'save', await file('web.yaml', source), ...words)).code).toBe(0);
    expect(fake.asked[0]!.body).toEqual({ source, unsaid: 'kept', ...beside });
  });

  test('standard input, as JSON', async () => {
    fake.routes(saved);
    expect(JSON.parse((await fake.piped('<template/>', 'image', 'save', '-', '--json')).stdout)).toEqual({ id: 'web', name: 'web', version: 2 });
    expect(fake.asked[0]!.body).toEqual({ source: '<template/>', unsaid: 'kept' });
  });

  test.each<[string[], number, RegExp]>([
    [['--targets', 'raw,vmdk'], 2, /There is no target "vmdk": use raw, oci, ec2, mock\./],
    [['--targets', 'raw,,oci'], 2, /Use one name, or several with commas/],
    [['--targets', 'ec2'], 2, /^berth: --targets ec2 is not enough/],
    [['--without', 'schedule'], 2, /Use environment, targets, keep, max-age, rebuild, rebuild-on-parent\./],
    [['--without', 'max-age,environment', '--environment', 'prod'], 2, /^berth: --without environment does not go with a flag that says it: give one of them\.\n$/],
    [['--without', 'keep', '--max-age', '30d'], 2, /^berth: --without keep does not go/],
    [['--max-age', 'soon', '--keep', '1'], 2, /Use a duration/],
    [['--keep', '0'], 2, /Use a number from 1 on/],
    [['--target-settings', '/nowhere/x.yaml'], 1, /^berth: \/nowhere\/x\.yaml can't be read \(ENOENT\)\.\n$/],
  ])('%j is used wrongly, and nothing is sent', async (words, code, message) => {
    fake.routes({});
    expect(await fake.berth('image', 'save', await file('web.yaml', source), ...words)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('no file, and settings that are wrong, with their line', async () => {
    fake.routes({});
    expect(await fake.berth('image', 'save')).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'file'") });
    expect(await fake.berth('image', 'save', '/nowhere/web.yaml')).toMatchObject({ code: 1, stderr: "berth: /nowhere/web.yaml can't be read (ENOENT).\n" });
    const settings = await file('bad.yaml', 'raw:\n  size: large\n');
    expect((await fake.berth('image', 'save', await file('web.yaml', source), '--target-settings', settings)).stderr).toBe(`berth: Nothing is saved. ${settings}, document 1: raw.size: line 2, column 3: use a size such as 2GiB.\n`);
    expect(fake.asked).toEqual([]);
  });

  test('what is wrong with the template is told with its file, what is wrong beside it with its flag', async () => {
    const template = await file('web.yaml', source);
    const wrong = [{ field: 'os.version', message: 'line 2, column 20: use a version' }, { field: 'source', message: 'parent.image: is not the name of an image' }];
    fake.routes({ 'POST images': problem(422, 'invalid-template', "The template can't be used.", wrong) });
    expect(await fake.berth('image', 'save', template)).toEqual({ code: 1, stdout: '', stderr: `berth: The template can't be used.\n  ${template}: os.version: line 2, column 20: use a version\n  ${template}: parent.image: is not the name of an image\n` });
    expect((await fake.piped(source, 'image', 'validate', '-')).code).toBe(1);
    fake.routes({ 'POST images': problem(422, 'unknown-catalog-entry', 'There is no environment prod.', [{ field: 'environment', message: 'is not the name of an environment' }]) });
    expect((await fake.berth('image', 'save', template, '--environment', 'prod')).stderr).toBe('berth: There is no environment prod.\n  --environment: is not the name of an environment\n');
    fake.routes({ 'POST images': problem(422, 'invalid-data', "The schedule can't be read.", [{ field: 'rebuild.schedule', message: 'write five fields' }, { field: 'targets.raw.size', message: 'too much' }]) });
    expect((await fake.berth('image', 'save', template, '--rebuild', '0 3 * * 9')).stderr).toBe("berth: The schedule can't be read.\n  --rebuild: write five fields\n  --targets (targets.raw.size): too much\n");
  });
});

test('a template is read and nothing saved', async () => {
  const template = { name: 'web', os: { name: 'debian', version: '12', arch: 'x86_64' }, packages: ['nginx'], targets: { raw: { host: {}, size: '2GiB' } } };
  fake.routes({ 'POST images/validate': [200, { template }] });
  expect(await fake.piped(source, 'image', 'validate', '-')).toEqual({ code: 0, stderr: '', stdout: 'Image web can be saved: debian 12 (x86_64), 1 package, targets raw.\n' });
  expect(fake.asked).toEqual([{ method: 'POST', path: 'images/validate', body: { source } }]);
  expect(JSON.parse((await fake.piped(source, 'image', 'validate', '-', '--json')).stdout)).toEqual({ template });
  fake.routes({ 'POST images/validate': [200, { template: { ...template, targets: {} } }] });
  expect((await fake.piped(source, 'image', 'validate', '-')).stdout).toContain('no targets: name them with --targets');
});

describe('berth image show', () => {
  test('an image, with its channels and its template', async () => {
    fake.routes({ 'GET images/web': [200, image] });
    const { stdout } = await fake.berth('image', 'show', 'web');
    expect(stdout).toMatch(/^image +web\ndescription +serves pages\nstatus +COMPLETE\nnewest +web@3 \(7f8c.*\), COMPLETE 100%\nversions +3\ntargets +raw\nenvironment +production\nmade of +base:stable\nkeeps +10 versions, others for 1d\nrebuilt +0 3 \* \* 1, when what it is made of moves on\ntemplate +revision 2 \(yaml\)\n/);
    expect(stdout).toMatch(/\n\nCHANNEL +VERSION +MANAGED\nweb:latest +3 +yes\nweb:stable +- +no\n\nname: web\nos: /);
    expect(JSON.parse((await fake.berth('image', 'show', 'web', '--json')).stdout)).toEqual(image);
  });

  test.each([ID, 'web@3', 'web:latest'])('a version: %s', async (name) => {
    fake.routes({ 'GET versions/*': [200, { ...version, parent: { image: 'base', version: 'x', number: 7 }, outdated: true, revoked: { at: '2999-01-01T00:00:00Z', reason: 'old', holds: false, ancestor: null }, pushes: [{ ...version.pushes[0], failed: [{ attempt: 1, error: 'no such\nbucket', at }] }] }] });
    const { stdout } = await fake.berth('image', 'show', name);
    expect(fake.asked[0]!.path).toBe(`versions/${encodeURIComponent(name)}`);
    expect(stdout).toMatch(new RegExp(`^version +web@3\\nid +${ID}\\nstatus +COMPLETE \\(100%\\)\\nuse +active, revoked in .*\\nrevoked +in .*: old\\nmade of +base@7\\noutdated +yes: `));
    expect(stdout).toMatch(/\n\nTARGET +STATUS .*\nraw +COMPLETE .*\n\nACCOUNT .*\neu +aws .*\n\npush 1 to eu failed: no such\n {2}bucket\n$/);
    expect(JSON.parse((await fake.berth('image', 'show', name, '--json')).stdout)).toMatchObject({ id: ID });
  });
});

describe('berth image remove', () => {
  test('lists what must be removed by hand', async () => {
    fake.routes({ 'DELETE images/web': [202, { id: 'web', manual: ['ami-9 of account eu'] }] });
    expect((await fake.berth('image', 'remove', 'web', '--cascade')).stdout).toBe('Image web is removed.\nTo be removed by hand:\n  ami-9 of account eu\n');
    expect(fake.asked[0]!.path).toBe('images/web?cascade=true');
    fake.routes({ 'DELETE images/web': [202, { id: 'web', manual: [] }] });
    expect((await fake.berth('image', 'remove', 'web')).stdout).toBe('Image web is removed.\n');
    expect(fake.asked[0]!.path).toBe('images/web');
  });

  test('is refused with the flag that would do it', async () => {
    fake.routes({ 'DELETE images/*': problem(409, 'image-in-use', 'Image web has 3 versions.', [{ field: 'cascade', message: 'must be true to remove its versions, and what was pushed of them' }]), 'GET images': page(image) });
    expect(await fake.berth('image', 'remove', 'web')).toEqual({ code: 1, stdout: '', stderr: 'berth: Image web has 3 versions.\n  --cascade: must be true to remove its versions, and what was pushed of them\n' });
  });
});
