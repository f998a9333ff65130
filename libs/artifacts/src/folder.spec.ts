import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/cleanup.js';
import { CorruptError, UnavailableError } from './errors.js';
import { folderObjects, plainFolderObjects } from './folder.js';
import type { Objects } from './objects.js';
import { objectsContract, pieces, whole } from './objects.contract.js';

describe('objects in a folder', () => {
  let root: string;
  let objects: Objects;
  beforeAll(async () => {
    root = join(await tempFolder('artifacts'), 'deep', 'store');
    objects = folderObjects(root);
  });

  const files = (): string[] => readdirSync(join(root, 'objects'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.artifact'));
  const fileOf = (name: string): string => {
    const path = `${name.split('/').join('.d/')}.artifact`;
    return join(root, 'objects', files().find((file) => file.slice(4) === path)!);
  };

  objectsContract(() => ({
    objects,
    corrupt: async (name) => {
      const bytes = readFileSync(fileOf(name));
      bytes[5]! ^= 1;
      await Promise.resolve(writeFileSync(fileOf(name), bytes));
    },
    shorten: async (name) => {
      // The seal stays: as after a copy that lost its middle.
      const bytes = readFileSync(fileOf(name));
      await Promise.resolve(writeFileSync(fileOf(name), Buffer.concat([bytes.subarray(0, bytes.length - 1000), bytes.subarray(-48)])));
    },
    leftovers: () => Promise.resolve(readdirSync(join(root, '.incoming')).length),
    away: () => {
      renameSync(root, `${root}-elsewhere`);
      writeFileSync(root, 'no folder'); // so that nothing can be made there either
      return Promise.resolve(async () => {
        renameSync(root, `${root}-file`);
        await Promise.resolve(renameSync(`${root}-elsewhere`, root));
      });
    },
  }), { holds: false });

  test('builds are spread over folders, and what becomes empty goes', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `spread-${i}/1/x`);
    await Promise.all(names.map((name) => objects.put(name, pieces(Buffer.from('x')))));
    const shards = new Set(files().filter((file) => file.includes('spread-')).map((file) => file.slice(0, 3)));
    expect(shards.size).toBeGreaterThan(30);
    await Promise.all(names.map((name) => objects.remove(name)));
    expect(readdirSync(join(root, 'objects'), { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('spread-'))).toEqual([]);
  });

  test('puts and removes of one folder at a time do not disturb each other', async () => {
    const work = Array.from({ length: 60 }, async (_, i) => {
      await objects.put(`crowd/1/${i}/x`, pieces(Buffer.from('x')));
      await objects.remove(`crowd/1/${i}/x`);
    });
    await Promise.all(work);
    const left: string[] = [];
    for await (const { name } of objects.list('crowd/')) left.push(name);
    expect(left).toEqual([]);
  });

  test('only its owner and group may read; a file that was cut, or has no seal, is damaged and not absent', async () => {
    await objects.put('cut/1/x', pieces(randomBytes(1000)));
    expect(statSync(fileOf('cut/1/x')).mode & 0o007).toBe(0);
    truncateSync(fileOf('cut/1/x'), 500);
    await expect(objects.open('cut/1/x')).rejects.toBeInstanceOf(CorruptError);
    truncateSync(fileOf('cut/1/x'), 0);
    await expect(objects.open('cut/1/x')).rejects.toThrow('the stored bytes of cut/1/x are damaged');
  });

  test('drafts of a process that was killed go at the next start, those of a living one stay', async () => {
    const [old, live] = ['old', 'live'].map((name) => join(root, '.incoming', name)) as [string, string];
    for (const file of [old, live]) writeFileSync(file, 'half');
    utimesSync(old, new Date(0), new Date(0));
    await folderObjects(root).open('any/1/x');
    expect(readdirSync(join(root, '.incoming'))).toEqual(['live']);
    rmSync(live);
  });

  test('a disk that is gone while we run is an outage', async () => {
    renameSync(root, `${root}-unmounted`);
    mkdirSync(root); // the empty folder that a disk was mounted on
    await expect(objects.open('any/1/x')).rejects.toThrow('is it mounted?');
    await expect(objects.put('any/1/x', pieces(Buffer.from('x')))).rejects.toBeInstanceOf(UnavailableError);
    renameSync(`${root}`, `${root}-empty`);
    renameSync(`${root}-unmounted`, root);
    await objects.put('any/1/x', pieces(Buffer.from('x')));
    expect((await whole((await objects.open('any/1/x'))!.read())).toString()).toBe('x');
  });
});

describe('plain files in a folder', () => {
  let root: string;
  let objects: Objects;
  beforeAll(async () => {
    root = join(await tempFolder('copies'), 'deep', 'store');
    objects = plainFolderObjects(root);
  });
  const names = async (prefix?: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { name } of objects.list(prefix)) found.push(name);
    return found.sort();
  };

  test('an object is a file of its name, with its bytes and no more, and can be read, replaced and removed', async () => {
    const bytes = randomBytes(600_000);
    const { sha256 } = await objects.put('web/1/raw/out/disk.raw', pieces(bytes));
    expect(readFileSync(join(root, 'web/1/raw/out/disk.raw')).equals(bytes)).toBe(true);
    expect(statSync(join(root, 'web/1/raw/out/disk.raw')).mode & 0o007).toBe(0);
    const opened = (await objects.open('web/1/raw/out/disk.raw'))!;
    expect({ bytes: opened.bytes, sha256: opened.sha256 }).toEqual({ bytes: 600_000, sha256: undefined });
    expect((await whole(opened.read())).equals(bytes)).toBe(true);
    expect((await whole(opened.read({ start: 10, end: 20 }))).equals(bytes.subarray(10, 20))).toBe(true);
    await objects.put('web/1/raw/out/disk.raw', pieces(Buffer.from('other')));
    await expect(whole(opened.read())).rejects.toThrow('was replaced or removed');
    await objects.put('web/1/raw/out/disk.raw', pieces(bytes));
    expect((await objects.put('web/2/raw/x', pieces(Buffer.alloc(0)))).sha256).not.toBe(sha256);
    expect([await names(), await names('web/2'), await names('web/1/raw/'), await names('we/')]).toEqual([['web/1/raw/out/disk.raw', 'web/2/raw/x'], ['web/2/raw/x'], ['web/1/raw/out/disk.raw'], []]);
    await objects.remove('web/1/raw/out/disk.raw');
    await objects.remove('web/2/raw/x');
    expect([await objects.open('web/2/raw/x'), readdirSync(root)]).toEqual([undefined, ['.incoming']]);
  });

  test('what breaks off in the middle leaves nothing, and what was there stays', async () => {
    await objects.put('web/3/raw/x', pieces(Buffer.from('before')));
    const breaking = async function* () {
      yield await Promise.resolve(randomBytes(1000));
      throw new Error('cut off');
    };
    await expect(objects.put('web/3/raw/x', breaking())).rejects.toThrow('cut off');
    expect([readFileSync(join(root, 'web/3/raw/x'), 'utf8'), readdirSync(join(root, '.incoming'))]).toEqual(['before', []]);
  });

  test('a disk that is gone while we run is an outage, and nothing is absent on it', async () => {
    renameSync(root, `${root}-unmounted`);
    mkdirSync(root); // the empty folder that a disk was mounted on
    await expect(objects.open('web/3/raw/x')).rejects.toThrow('is it mounted?');
    await expect(objects.put('web/3/raw/x', pieces(Buffer.from('x')))).rejects.toBeInstanceOf(UnavailableError);
    expect(readdirSync(root)).toEqual([]);
    rmSync(root, { recursive: true });
    renameSync(`${root}-unmounted`, root);
    expect((await whole((await objects.open('web/3/raw/x'))!.read())).toString()).toBe('before');
  });
});
