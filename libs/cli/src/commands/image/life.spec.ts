import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { ID, image, page, problem, raw, version } from './images.testing.js';

let fake: FakeBerth;
let folder: string;
beforeAll(async () => {
  [fake, folder] = await Promise.all([fakeBerth(), tempFolder('sbom')]);
});
const run = (...words: string[]) => fake.berth('image', ...words);

test.each<[string[], string, string, unknown, string]>([
  [['revoke', 'web@3'], 'POST', 'revoke', { cascade: true }, 'Version web@3 is revoked.'],
  [['revoke', 'web@3', '--at', '2030-01-31T12:00:00+01:00', '--reason', 'hole', '--no-cascade'], 'POST', 'revoke', { cascade: false, at: '2030-01-31T11:00:00.000Z', reason: 'hole' }, 'Version web@3 is revoked from 2030-01-31T11:00:00.000Z on.'],
  [['restore', 'web@3', '--reason', 'mended'], 'POST', 'restore', { cascade: true, reason: 'mended' }, 'Version web@3 may be used again.'],
  [['restore', 'web@3', '--no-cascade'], 'POST', 'restore', { cascade: false }, 'Version web@3 may be used again.'],
  [['mark', 'web@3', 'deprecated', '--reason', 'old'], 'POST', 'mark', { as: 'deprecated', reason: 'old' }, 'Version web@3 is deprecated.'],
  [['label', 'web@3', 'ring=canary', 'by=ci'], 'PUT', 'labels', { labels: { ring: 'canary', by: 'ci' } }, 'Version web@3 has the labels ring=canary by=ci.'],
  [['label', 'web@3', '--none'], 'PUT', 'labels', { labels: {} }, 'Version web@3 has no labels.'],
  [['attributes', 'web@3', 'audited=yes', 'ticket='], 'PUT', 'attributes', { attributes: { audited: 'yes', ticket: '' } }, 'The attributes of version web@3 are set.'],
])('%j', async (words, method, path, body, said) => {
  fake.routes({ 'POST versions/*/*': [202, { id: ID }], 'PUT versions/*/*': [202, { id: ID }] });
  expect(await run(...words)).toEqual({ code: 0, stderr: '', stdout: `${said}\n` });
  expect(fake.asked).toEqual([{ method, path: `versions/web%403/${path}`, body }]);
  expect(JSON.parse((await run(...words, '--json')).stdout)).toEqual({ id: ID });
});

test.each<[string[], RegExp]>([
  [['revoke'], /missing required argument 'version'/],
  [['revoke', 'web@3', '--at', 'tomorrow'], /Use a time such as 2030-01-31T12:00:00Z/],
  [['mark', 'web@3', 'gone'], /Allowed choices are active, deprecated, disabled/],
  [['mark', 'web@3'], /missing required argument 'use'/],
  [['label', 'web@3'], /^berth: Give labels as KEY=VALUE, or --none\.\n$/],
  [['label', 'web@3', 'a=b', '--none'], /^berth: Give labels as KEY=VALUE, or --none\.\n$/],
  [['label', 'web@3', 'ring'], /Use KEY=VALUE/],
  [['attributes', 'web@3'], /missing required argument 'key=value'/],
  [['revok', 'web@3'], /unknown command 'revok'\n\(Did you mean revoke\?\)/],
  [['sbom', 'web@3', '--target', 'vmdk'], /There is no target "vmdk"/],
])('%j is used wrongly, and nothing is sent', async (words, message) => {
  fake.routes({});
  expect(await run(...words)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
  expect(fake.asked).toEqual([]);
});

test('a refusal tells the argument or the flag that caused it', async () => {
  fake.routes({ 'PUT versions/*/labels': problem(409, 'labels-frozen', 'Version 3 is complete.', [{ field: 'labels', message: 'stay as they are: set attributes instead' }]), 'POST versions/*/revoke': problem(422, 'invalid-data', 'The body is refused.', [{ field: 'at', message: 'is long ago' }]) });
  expect((await run('label', 'web@3', 'a=b')).stderr).toBe('berth: Version 3 is complete.\n  KEY=VALUE: stay as they are: set attributes instead\n');
  expect((await run('revoke', 'web@3', '--at', '2000-01-01T00:00:00Z')).stderr).toBe('berth: The body is refused.\n  --at: is long ago\n');
  fake.routes({ 'POST versions/*/mark': problem(404, 'unknown-image', 'There is no image wbe.'), 'GET images': page(image) });
  expect((await run('mark', 'wbe:stable', 'active')).stderr).toBe('berth: There is no image wbe. Did you mean web:stable?\n');
});

test('lineage: what it is made of, and what is made of it', async () => {
  const of = (name: string, number: number) => ({ image: name, version: `v-${name}`, number });
  const view = {
    version: of('web', 3), ancestors: [{ ...of('base', 7), channel: 'stable', outdated: true, revoked: false }],
    descendants: [{ ...of('shop', 2), depth: 1, outdated: false, revoked: false, channels: ['latest'] }, { ...of('shop-de', 1), depth: 2, outdated: true, revoked: true, channels: [] }],
  };
  fake.routes({ 'GET versions/*/lineage': [200, view] });
  expect((await run('lineage', 'web@3')).stdout).toMatch(/^version {2}web@3\n\nMADE OF +BY CHANNEL +STATE\nbase@7 +base:stable +outdated\n\nMADE OF IT +CHANNELS +STATE\nshop@2 +latest +-\n {2}shop-de@1 +- +revoked, outdated\n$/);
  expect(JSON.parse((await run('lineage', 'web@3', '--json')).stdout)).toEqual(view);
  fake.routes({ 'GET versions/*/lineage': [200, { ...view, ancestors: [], descendants: [] }] });
  expect((await run('lineage', 'web@3')).stdout).toBe('version  web@3\n\nIt is made of no other image.\n\nNothing is made of it.\n');
});

describe('berth image sbom', () => {
  const text = '{"spdxVersion":"SPDX-2.3"}\n';
  const sbom = { name: 'web.spdx.json', bytes: text.length, sha256: createHash('sha256').update(text).digest('hex') };
  const routes = (kept: object | null) => ({ 'GET versions/*/sbom': [200, text] as const, 'GET versions/*': [200, { ...version, targets: [{ ...raw, target: 'mock' }, { ...raw, sbom: kept }] }] as const });

  test('on standard output, as it is', async () => {
    fake.routes(routes(sbom));
    expect(await run('sbom', 'web@3', '--target', 'raw')).toEqual({ code: 0, stdout: text, stderr: '' });
    expect(fake.asked[0]!.path).toBe('versions/web%403/sbom?target=raw');
    fake.routes({ 'GET versions/*/sbom': problem(404, 'not-found', 'No target of version 3 has an SBOM.') });
    expect(await run('sbom', 'web@3')).toEqual({ code: 1, stdout: '', stderr: 'berth: No target of version 3 has an SBOM.\n' });
  });

  test('into a file, once it has come whole', async () => {
    fake.routes(routes(sbom));
    const path = join(folder, 'web.json');
    expect((await run('sbom', 'web@3', '-o', path)).stdout).toBe(`${path}  27 B  sha256 ${sbom.sha256}\n`);
    expect(await readFile(path, 'utf8')).toBe(text);
    expect(fake.asked.map((one) => one.path)).toEqual(['versions/web%403', `versions/${ID}/sbom?target=raw`]);
    expect(JSON.parse((await run('sbom', 'web@3', '--output', join(folder, 'b.json'), '--json')).stdout)).toEqual({ path: join(folder, 'b.json'), bytes: 27, sha256: sbom.sha256 });
    fake.routes(routes({ ...sbom, sha256: '00' }));
    expect(await run('sbom', 'web@3', '-o', join(folder, 'damaged.json'))).toMatchObject({ code: 1, stderr: expect.stringContaining('came with other bytes') });
    expect((await readdir(folder)).sort()).toEqual(['b.json', 'web.json']);
  });

  test('a target without one', async () => {
    fake.routes(routes(null));
    expect((await run('sbom', 'web@3', '-o', join(folder, 'x'))).stderr).toBe('berth: No target of web@3 says what it is made of: `berth image list --targetimages web@3` shows which do.\n');
    expect((await run('sbom', 'web@3', '--target', 'mock', '-o', join(folder, 'x'))).stderr).toContain('berth: Target mock of web@3 says');
  });
});
