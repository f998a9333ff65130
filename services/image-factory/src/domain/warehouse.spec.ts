import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Target, Version } from './image.js';
import { attributesFile, attributesPath, objectsOf, possibleObjects, versionOf } from './warehouse.js';

const file = (name: string, bytes = 3) => ({ name, object: `builds/1/${name}`, bytes, sha256: `of ${name}` });
const target = (more: Partial<Target> = {}): Target => ({ status: 'COMPLETE', attempt: 1, percent: 100, activity: '', facts: {}, failed: [], made: { object: file('out/disk.raw'), sbom: file('sbom.json', 7) }, ...more });
const version = (more: Partial<Version> = {}): Version => ({
  id: 'v1', number: 4, revision: 2, imported: false, targets: new Map([['raw', target()]]), pushes: new Map(), labels: { team: 'web' }, attributes: { tier: 'gold', arch: 'mine' }, use: 'active', followed: [], ended: 'COMPLETE', ...more,
});
const os = { name: 'debian', version: '12', arch: 'x86_64', install: { url: 'https://mirror.example' } };
const ids = (of: Version) => objectsOf('web', of, os).map(({ id }) => id);

describe('what the warehouse has of a version', () => {
  test('an object for the image and one for what it is made of, each with its attributes', () => {
    const [image, sbom] = objectsOf('web', version(), os);
    expect(image).toEqual({
      id: 'v1/raw/image', file: file('out/disk.raw'), path: 'web/4/raw/out/disk.raw',
      attributes: { image: 'web', version: '4', target: 'raw', kind: 'image', 'os.name': 'debian', 'os.version': '12', arch: 'x86_64', bytes: '3', status: 'active', revoked: 'false', 'label.team': 'web', tier: 'gold' },
    });
    expect(sbom).toMatchObject({ id: 'v1/raw/sbom', path: 'web/4/raw/sbom.json', attributes: { kind: 'sbom', bytes: '7' } });
    expect(attributesPath(image!.path)).toBe('web/4/raw/out/disk.raw.attributes.json');
    expect(versionOf(image!.id)).toBe('v1');
  });
  test('only of targets that are complete and are files', () => {
    expect(ids(version({ targets: new Map([['raw', target({ made: { object: file('x') } })], ['oci', target()]]) }))).toEqual(['v1/raw/image', 'v1/oci/image', 'v1/oci/sbom']);
    for (const status of ['BUILDING', 'FAILED', 'DELETING', 'DELETEFAILED', 'DELETED'] as const) expect(ids(version({ targets: new Map([['raw', target({ status })]]) }))).toEqual([]);
    expect(ids(version({ targets: new Map([['ec2', target({ made: { provided: { account: 'a', id: 'ami-1' } } })]]) }))).toEqual([]);
  });
  test('nothing of a version that is being removed, and still of one that was revoked', () => {
    for (const deletion of ['DELETING', 'DELETEFAILED', 'DELETED'] as const) expect(ids(version({ deletion }))).toEqual([]);
    expect(objectsOf('web', version({ use: 'deprecated', revoked: { at: '2030-01-01T00:00:00Z', due: true, cascade: true, reason: 'x' } }), os)[0]).toMatchObject({ attributes: { status: 'deprecated', revoked: 'true' } });
    expect(objectsOf('web', version({ revoked: { at: '2030-01-01T00:00:00Z', due: false, cascade: true, reason: 'x' } }), os)[0]).toMatchObject({ attributes: { revoked: 'false' } });
  });
  test('every object is one of those that a version can have', () => {
    const all = version({ targets: new Map((['raw', 'oci', 'ec2', 'mock'] as const).map((kind) => [kind, target()])) });
    expect(ids(all).sort()).toEqual(possibleObjects('v1').sort());
  });
});

test('the same attributes are the same file, in whatever order they come', () => {
  fc.assert(fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z][a-z.]{0,5}$/), fc.string()), (attributes) => {
    const turned = Object.fromEntries(Object.entries(attributes).reverse());
    expect(attributesFile(turned)).toBe(attributesFile(attributes));
    expect(JSON.parse(attributesFile(attributes))).toEqual({ ...attributes });
  }));
  expect(attributesFile({ b: '2', a: '1' })).toBe('{\n  "a": "1",\n  "b": "2"\n}\n');
});
