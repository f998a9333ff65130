import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CorruptError, UnavailableError } from '@berth/artifacts';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { folderProvider } from './folder.js';
import type { Call } from './provider.js';
import { account, crashes, grow, kept, provider, Rehearsal } from './provider.testing.js';

const { signal } = new AbortController();
const quickly = () => folderProvider({ pollMs: 5 });
type Folder = ReturnType<typeof folderProvider>;

const disk = kept('out/disk.raw', Buffer.alloc(3_000_000, 'disk'));
const nas = account({ name: 'nas', provider: 'files' });
const into = (folder: string) => provider({ name: 'files', kind: 'folder', target: 'raw', folder });

function pushing(folder: string, read: Call['read'] = disk.read): Rehearsal<Folder> {
  return new Rehearsal((by, call) => by.push({ ...call, object: disk.file, os: undefined }), { account: nas, provider: into(folder), read, number: 7 });
}

function removing(folder: string, id: string): Rehearsal<Folder> {
  return new Rehearsal((by, call) => by.remove({ ...call, id }), { account: nas, provider: into(folder) });
}

const files = async (folder: string) => (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));

describe('a file', () => {
  it.each(crashes)('is put into the folder once when the process dies: %s', async (crash) => {
    const folder = await tempFolder();
    const one = pushing(folder);
    const path = join(folder, 'web', '7', 'disk.raw');
    expect(await one.until(quickly, { crash })).toEqual({ is: 'done', id: path });
    expect(await files(folder)).toEqual([path]);
    expect((await readFile(path)).equals(Buffer.alloc(3_000_000, 'disk'))).toBe(true);
    // After a crash the bytes begin anew.
    if (crash === 'never') expect(grow(one.percents())).toBe(true);
  });

  it('is not seen before it is whole, and tells how far it is', async () => {
    const folder = await tempFolder();
    let go = (): void => undefined;
    const half = new Promise<void>((resolve) => (go = resolve));
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1_500_000, 'disk');
      await half;
      yield Buffer.alloc(1_500_000, 'disk');
    }
    const one = pushing(folder, async () => slow());
    const by = quickly();
    await one.until(() => ({ ...by, close: async () => undefined }), { enough: (step) => 'percent' in step && step.percent === 49 });
    expect(await files(folder)).toEqual([join(folder, 'web', '7', `.${one.call.version}-1.part`)]);
    go();
    expect(await one.until(() => by)).toMatchObject({ is: 'done' });
    expect(await files(folder)).toEqual([join(folder, 'web', '7', 'disk.raw')]);
  });

  it('that is there and right stays; one that is wrong is written over', async () => {
    const folder = await tempFolder();
    const one = pushing(folder);
    await one.until(quickly);
    const before = disk.reads();
    await pushing(folder).until(quickly);
    expect(disk.reads()).toBe(before);
    const path = join(folder, 'web', '7', 'disk.raw');
    await writeFile(path, Buffer.alloc(3_000_000, 'other'));
    await pushing(folder).until(quickly);
    expect((await readFile(path)).subarray(0, 4).toString()).toBe('disk');
  });

  it('that is damaged, or not to be had, is refused, and nothing of it is left', async () => {
    const folder = await tempFolder();
    async function* other(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3_000_000, 'other');
    }
    async function* short(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1000, 'disk');
    }
    async function* long(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3_000_001, 'disk');
    }
    async function* corrupt(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1000, 'disk');
      throw new CorruptError('build/out/disk.raw', 'as the test arranged');
    }
    for (const [read, error] of [
      [async () => other(), /not those that were built: their SHA-256 is/],
      [async () => short(), /1000 of 3000000 bytes are there/],
      [async () => long(), /there are more than 3000000 bytes/],
      [async () => corrupt(), /damaged: as the test arranged/],
      [() => Promise.reject(new Error('there is no object')), /^account nas: out\/disk\.raw can't be read from the store of artifacts: there is no object/],
    ] as const) {
      expect(await pushing(folder, read).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(error) });
      expect(await files(folder)).toEqual([]);
    }
    const none = new Rehearsal<Folder>((by, call) => by.push({ ...call, os: undefined }), { account: nas, provider: into(folder) });
    expect(await none.until(quickly)).toEqual({ is: 'failed', error: expect.stringContaining('build it for the target raw') });
  });

  it('waits while the store of artifacts is away', async () => {
    const folder = await tempFolder();
    let asked = 0;
    const one = pushing(folder, (object) => (++asked < 3 ? Promise.reject(new UnavailableError('it is switched off')) : disk.read(object)));
    expect(await one.until(quickly)).toMatchObject({ is: 'done' });
    expect(one.steps).toContainEqual({ is: 'keep', facts: { troubleSince: expect.any(String) } });
  });

  it('has no place where a file is in the way', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'web'), '');
    expect(await pushing(folder).until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^account nas: a part of the path is a file/) });
  });

  it('that is not gone on with is cleared away', async () => {
    const folder = await tempFolder();
    let go = (): void => undefined;
    const never = new Promise<void>((resolve) => (go = resolve));
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(1000, 'disk');
      yield Buffer.alloc(1000, 'disk');
      await never;
    }
    const one = pushing(folder, async () => stuck());
    const by = quickly();
    await one.next(by);
    await one.next(by);
    const abandoned = by.abandon?.(one.now);
    go();
    expect(await abandoned).toEqual({ is: 'gone', manual: [] });
    expect(await readdir(folder)).toEqual([]);
    await by.close();
  });
});

describe('removing', () => {
  it('takes the file, and the folders that are empty without it', async () => {
    const folder = await tempFolder();
    const one = pushing(folder);
    await one.until(quickly);
    const path = join(folder, 'web', '7', 'disk.raw');
    await mkdir(join(folder, 'web', '8'));
    expect(await removing(folder, path).until(quickly, { crash: 'before a step is stored' })).toEqual({ is: 'gone', manual: [] });
    expect(await readdir(join(folder, 'web'))).toEqual(['8']);
    expect(await removing(folder, path).until(quickly)).toEqual({ is: 'gone', manual: [] });
  });

  it('leaves what is not in the folder', async () => {
    const [folder, elsewhere] = [await tempFolder(), await tempFolder()];
    const path = join(elsewhere, 'disk.raw');
    await writeFile(path, '');
    for (const id of [path, join(folder, '..', 'x'), folder, 'disk.raw']) {
      expect(await removing(folder, id).until(quickly)).toEqual({ is: 'gone', manual: [`${id} is not in the folder of the provider files any more`] });
    }
    expect((await stat(path)).isFile()).toBe(true);
  });
});

describe('an account on a folder', () => {
  it('finds files in it, and no others', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'golden.raw'), '');
    const find = (id: string) => quickly().find(nas, into(folder), id, signal);
    expect(await find(join(folder, 'golden.raw'))).toEqual({ name: 'golden.raw' });
    expect(await find(join(folder, 'other.raw'))).toBeUndefined();
    await mkdir(join(folder, 'sub'));
    expect(await find(join(folder, 'sub'))).toBeUndefined();
    await expect(find('/etc/hosts')).rejects.toThrow('use an absolute path in there');
  });

  it('is checked by making the folder and writing into it, and nothing stays', async () => {
    const folder = await tempFolder();
    const check = (path: string) => quickly().check(nas, into(path), signal);
    expect(await check(join(folder, 'new', 'one'))).toBeUndefined();
    expect(await files(folder)).toEqual([]);
    expect(await check(join(folder, 'new'))).toBeUndefined();
    await writeFile(join(folder, 'file'), '');
    expect(await check(join(folder, 'file', 'under'))).toMatch(/^account nas: a part of the path is a file/);
    expect(await check('/proc/berth')).toMatch(/^account nas: /);
    await symlink(join(folder, 'nowhere'), join(folder, 'link'));
    expect(await check(join(folder, 'link'))).toMatch(/^account nas: /);
    expect(await quickly().check(nas, { ...into(folder), folder: 'here' } as ReturnType<typeof into>, signal)).toContain('is not an absolute path');
  });
});
