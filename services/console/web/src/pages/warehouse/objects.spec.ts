import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { replicationPolicy } from '@berth/contracts';
import { EXAMPLE } from './example';
import { attributesOf, kindOf } from './objects';

test('an object is told by what it is, and by attributes that stand nowhere else', () => {
  const object = { id: 'v/raw/sbom', image: 'web', attributes: { image: 'web', number: '3', kind: 'sbom', target: 'raw', arch: 'x86_64', 'os.version': '12' } };
  expect([kindOf(object), kindOf({ id: 'v/raw/image' }), attributesOf(object)]).toEqual(['bill of materials', 'image', 'arch=x86_64, os.version=12']);
});

test('a new policy begins with an example that is accepted', () => expect(replicationPolicy.safeParse(parse(EXAMPLE)).error).toBeUndefined());
