import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/cleanup.js';
import { folderObjects } from './folder.js';
import { layered } from './layered.js';
import type { Objects } from './objects.js';
import { pieces, whole } from './objects.contract.js';

let store: Objects;
let older: Objects;
let both: Objects;
beforeEach(async () => {
  const root = await tempFolder('layered');
  [store, older] = [folderObjects(join(root, 'new')), folderObjects(join(root, 'old'))];
  both = layered(store, older);
});
const put = (objects: Objects, name: string, text: string) => objects.put(name, pieces(Buffer.from(text)));
const text = async (name: string) => {
  const opened = await both.open(name);
  return opened && (await whole(opened.read())).toString();
};

test('what was kept before is found, until the name gets other bytes', async () => {
  await put(older, 'build/1/x', 'old');
  expect(await text('build/1/x')).toBe('old');
  await put(both, 'build/1/x', 'new');
  expect(await text('build/1/x')).toBe('new');
  expect((await older.open('build/1/x'))!.bytes).toBe(3);
  expect(await text('build/1/y')).toBeUndefined();
});

test('each name is listed once, and what is removed is gone from both', async () => {
  await put(older, 'build/1/both', 'longer than new');
  await put(older, 'build/1/old', 'old');
  await put(both, 'build/1/both', 'new');
  const listed: [string, number][] = [];
  for await (const { name, bytes } of both.list('build/')) listed.push([name, bytes]);
  expect(listed.sort()).toEqual([['build/1/both', 3], ['build/1/old', 3]]);
  for (const name of ['build/1/both', 'build/1/old']) await both.remove(name);
  expect([await text('build/1/both'), await text('build/1/old')]).toEqual([undefined, undefined]);
  await both.remove('build/1/old');
});
