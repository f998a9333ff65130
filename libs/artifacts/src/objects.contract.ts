import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventually } from '../../../test/support/wait.js';
import { CorruptError, InvalidNameError, TooLargeError, UnavailableError } from './errors.js';
import type { Listed, Objects } from './objects.js';

/** A store, and the hands that do to it what stores suffer. */
export interface Subject {
  objects: Objects;
  /** Changes a stored byte of the object, near its beginning. */
  corrupt(name: string): Promise<void>;
  /** Takes the end of the stored bytes away. */
  shorten(name: string): Promise<void>;
  /** What is stored and belongs to no object: parts, drafts, chunks. */
  leftovers(): Promise<number>;
  /** The store can't be reached until the returned function is called. */
  away(): Promise<() => Promise<void>>;
  /** The store takes what is sent and answers nothing until the returned function is called; absent where it is written when the call is back. */
  hold?(): () => void;
}

const KiB = 1024;
const MiB = 1024 * KiB;
let made = 0;
const fresh = (): string => `build-${process.pid}-${++made}/1/file.bin`;
const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function* pieces(bytes: Uint8Array, size = 50_000): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.byteLength; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

export async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const taken: Uint8Array[] = [];
  for await (const piece of source) taken.push(piece);
  return Buffer.concat(taken);
}

async function all(objects: Objects, prefix?: string): Promise<Listed[]> {
  const listed: Listed[] = [];
  for await (const one of objects.list(prefix)) listed.push(one);
  return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What holds for every store of objects. Each test has names of its own, so that all can share one store. */
export function objectsContract(subject: () => Subject, { holds }: { holds: boolean }): void {
  const contentOf = async (name: string): Promise<Buffer | undefined> => {
    const opened = await subject().objects.open(name);
    return opened && whole(opened.read());
  };

  test.each([0, 1, 48, 128 * KiB - 1, 128 * KiB, 128 * KiB + 1, 6 * MiB + 5])('what was put is read, again and again: %i bytes', async (length) => {
    const { objects } = subject();
    const name = fresh();
    const bytes = randomBytes(length);
    expect(await objects.put(name, pieces(bytes))).toEqual({ bytes: length, sha256: hashOf(bytes) });
    const opened = await objects.open(name);
    expect(opened).toMatchObject({ bytes: length, sha256: hashOf(bytes) });
    for (let time = 0; time < 2; time++) expect((await whole(opened!.read())).equals(bytes)).toBe(true);
    expect(await subject().leftovers()).toBe(0);
  });

  test('what is not there is not there, and removing it is no error', async () => {
    const { objects } = subject();
    const name = fresh();
    expect(await objects.open(name)).toBeUndefined();
    await objects.remove(name);
    await objects.put(name, pieces(Buffer.from('x')));
    await objects.remove(name);
    expect(await objects.open(name)).toBeUndefined();
    expect(await all(objects, name)).toEqual([]);
    await objects.remove(name);
    expect(await subject().leftovers()).toBe(0);
  });

  test('a name may be the folder of another, and holds any letters', async () => {
    const { objects } = subject();
    const root = fresh();
    const names = ['dist', 'dist/app.js', 'dist/app.js/map', 'dist.d', 'dist.artifact', 'dist.artifact/x', 'a b+c#d?e%2F&f=g', '.hidden/..x', 'größe/数据.txt', "it's (1)*!", 'x'.repeat(200), 'CON:<>|"'];
    for (const name of names) await objects.put(`${root}/${name}`, pieces(Buffer.from(name)));
    for (const name of names) expect([name, (await contentOf(`${root}/${name}`))?.toString()]).toEqual([name, name]);
    expect((await all(objects, `${root}/`)).map((one) => one.name)).toEqual(names.map((name) => `${root}/${name}`).sort());
    await objects.remove(`${root}/dist`);
    expect(await contentOf(`${root}/dist/app.js`)).toBeDefined();
    await objects.remove(`${root}/dist/app.js`);
    expect(await contentOf(`${root}/dist/app.js/map`)).toBeDefined();
  });

  test.each(['', '/', '/a', 'a/', 'a//b', '..', '../a', 'a/..', 'a/../b', './a', 'a/./b', 'a\nb', 'a\0b', 'a\u0085b', 'a\u2028b', 'a\\b', '\ud800', '.incoming/a', 'x'.repeat(201), `${'ab/'.repeat(270)}a`].map((name) => [JSON.stringify(name).slice(0, 20), name] as const))('no name: %s', async (_, name) => {
    const { objects } = subject();
    for (const refused of [() => objects.put(name, pieces(Buffer.from('x'))), () => objects.open(name), () => objects.remove(name)]) await expect(refused()).rejects.toBeInstanceOf(InvalidNameError);
  });

  test('a name gets other bytes in one moment: whoever opens it has the ones or the others', async () => {
    const { objects } = subject();
    const name = fresh();
    const versions = [randomBytes(300 * KiB), randomBytes(200 * KiB), randomBytes(100 * KiB)];
    await objects.put(name, pieces(versions[0]!));
    let over = false;
    const reading = (async () => {
      let seen = 0;
      while (!over) {
        const opened = await objects.open(name);
        expect(versions.map(hashOf)).toContain(opened!.sha256);
        seen++;
      }
      return seen;
    })();
    for (let time = 1; time <= 9; time++) await objects.put(name, pieces(versions[time % 3]!));
    over = true;
    expect(await reading).toBeGreaterThan(0);
    expect((await contentOf(name))!.equals(versions[0]!)).toBe(true);
    expect((await all(objects, name)).map(({ bytes }) => bytes)).toEqual([300 * KiB]);
    expect(await subject().leftovers()).toBe(0);
  });

  test('of many that put one name at a time, one is there in the end, whole, and nothing else', async () => {
    const { objects } = subject();
    const name = fresh();
    const versions = Array.from({ length: 8 }, () => randomBytes(150 * KiB));
    await Promise.all(versions.map((bytes) => objects.put(name, pieces(bytes))));
    expect(versions.map(hashOf)).toContain(hashOf((await contentOf(name))!));
    expect(await all(objects, name)).toHaveLength(1);
    expect(await subject().leftovers()).toBe(0);
  });

  test.each([10, 300 * KiB, 7 * MiB])('a byte more than is allowed, of %i: refused, and what was there before stays', async (maxBytes) => {
    const { objects } = subject();
    const name = fresh();
    await objects.put(name, pieces(Buffer.alloc(maxBytes, 'a')), { maxBytes });
    const refused = objects.put(name, pieces(Buffer.alloc(maxBytes + 1, 'b'), 64 * KiB), { maxBytes });
    await expect(refused).rejects.toEqual(expect.objectContaining({ object: name, maxBytes }));
    await expect(refused).rejects.toBeInstanceOf(TooLargeError);
    expect((await contentOf(name))!.equals(Buffer.alloc(maxBytes, 'a'))).toBe(true);
    expect(await subject().leftovers()).toBe(0);
  });

  test('a source that fails: its own error comes out, and nothing is kept', async () => {
    const { objects } = subject();
    const broken = Object.assign(new Error('the host is away'), { code: 'ENOSPC' });
    for (const length of [0, 200 * KiB, 12 * MiB]) {
      const name = fresh();
      async function* failing() {
        yield* pieces(randomBytes(length));
        throw broken;
      }
      await expect(objects.put(name, failing())).rejects.toBe(broken);
      expect(await objects.open(name)).toBeUndefined();
    }
    expect(await subject().leftovers()).toBe(0);
  });

  test('a put that nobody wants any more ends at once, though its source is silent', async () => {
    const { objects } = subject();
    for (const length of [0, 200 * KiB, 12 * MiB]) {
      const name = fresh();
      const stop = new AbortController();
      async function* silent() {
        yield* pieces(randomBytes(length));
        stop.abort(new Error('not wanted'));
        await new Promise(() => undefined);
      }
      await expect(objects.put(name, silent(), { signal: stop.signal })).rejects.toThrow('not wanted');
      expect(await objects.open(name)).toBeUndefined();
    }
    expect(await subject().leftovers()).toBe(0);
  });

  test('any range is those bytes', async () => {
    const { objects } = subject();
    const name = fresh();
    const bytes = randomBytes(1000 * KiB + 7);
    // Others write at the same time: in some stores their bytes stand between.
    await Promise.all([objects.put(name, pieces(bytes)), objects.put(fresh(), pieces(bytes)), objects.put(fresh(), pieces(bytes))]);
    const opened = (await objects.open(name))!;
    const place = fc.oneof(fc.integer({ min: 0, max: bytes.length }), fc.constantFrom(0, 128 * KiB - 1, 128 * KiB, 128 * KiB + 1, 256 * KiB, bytes.length - 1, bytes.length));
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect((await whole(opened.read({ start, end }))).equals(bytes.subarray(start, end))).toBe(true);
      }),
      { numRuns: 25 },
    );
    expect((await whole(opened.read({ start: 900 * KiB }))).equals(bytes.subarray(900 * KiB))).toBe(true);
    for (const range of [{ start: -1 }, { start: 5, end: 4 }, { start: 0, end: bytes.length + 1 }, { start: 0.5 }]) await expect(async () => whole(opened.read(range))).rejects.toBeInstanceOf(RangeError);
  });

  test.each([100, 128 * KiB, 700 * KiB])('damaged bytes, of %i: told by name, before the last of them is handed over', async (length) => {
    const { objects } = subject();
    const name = fresh();
    await objects.put(name, pieces(randomBytes(length)));
    await subject().corrupt(name);
    const opened = (await objects.open(name))!;
    let taken = 0;
    const reading = (async () => {
      for await (const piece of opened.read()) taken += piece.byteLength;
    })();
    await expect(reading).rejects.toBeInstanceOf(CorruptError);
    await expect(reading).rejects.toThrow(name);
    expect(taken).toBeLessThan(length);
  });

  test('bytes that are missing at the end: told as damage', async () => {
    const name = fresh();
    await subject().objects.put(name, pieces(randomBytes(300 * KiB)));
    await subject().shorten(name);
    await expect(contentOf(name)).rejects.toBeInstanceOf(CorruptError);
  });

  test('a list: every name that begins so, with its length and time, page by page', async () => {
    const { objects } = subject();
    const root = fresh();
    const names = Array.from({ length: 13 }, (_, i) => `${root}/${i % 2 ? 'odd' : 'even'}/${i}`);
    const before = Date.now();
    await Promise.all(names.map((name, i) => objects.put(name, pieces(Buffer.alloc(i)))));
    const listed = await all(objects, root);
    expect(listed.map((one) => [one.name, one.bytes])).toEqual(names.map((name, i) => [name, i]).sort());
    // Some stores tell time by the second, and by another clock.
    for (const { time } of listed) expect(Math.abs(time.getTime() - before)).toBeLessThan(10_000);
    expect((await all(objects, `${root}/odd/`)).map((one) => one.name)).toEqual(names.filter((name) => name.includes('/odd/')).sort());
    expect((await all(objects, `${root}/ev`)).length).toBe(7);
    expect((await all(objects, root.slice(0, -6))).length).toBe(13);
    expect((await all(objects)).map((one) => one.name)).toEqual(expect.arrayContaining(names));
    expect(await all(objects, 'nobody')).toEqual([]);
  });

  test('an outage is told as one, never as absent', async () => {
    const { objects, away } = subject();
    const [there, absent] = [fresh(), fresh()];
    await objects.put(there, pieces(randomBytes(400 * KiB)));
    const opened = (await objects.open(there))!;
    const back = await away();
    const asked = [() => objects.open(there), () => objects.open(absent), () => objects.put(absent, pieces(Buffer.from('x'))), () => whole(opened.read()), () => whole(opened.read({ start: 1 })), () => objects.remove(there), () => all(objects, there)];
    const outcomes = await Promise.allSettled(asked.map((ask) => ask()));
    await back();
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 'rejected', reason: expect.any(UnavailableError) as unknown });
    await eventually(async () => expect(await objects.open(absent)).toBeUndefined(), { timeoutMs: 10_000 });
    expect((await contentOf(there))?.length).toBe(400 * KiB);
  });

  if (!holds) return;
  test('a store that does not come on holds its source back', async () => {
    const { objects, hold } = subject();
    const total = 32 * MiB;
    const piece = Buffer.alloc(MiB);
    let taken = 0;
    async function* source() {
      for (; taken < total; taken += MiB) yield await Promise.resolve(piece);
    }
    const release = hold!();
    const putting = objects.put(fresh(), source());
    putting.catch(() => undefined); // looked at below
    try {
      let before = -1;
      // Until no more is taken for a while.
      await eventually(() => {
        const still = taken > 0 && taken === before;
        before = taken;
        return still;
      }, { everyMs: 200, timeoutMs: 15_000 });
      expect(taken).toBeLessThanOrEqual(24 * MiB);
    } finally {
      release();
    }
    expect((await putting).bytes).toBe(total);
  });
}
