import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { ProblemError } from '@berth/client';
import { tempFolder } from '../../../test/support/cleanup.js';
import { downloadArtifact, type Fetch } from './download.js';

const bytes = randomBytes(100_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const artifact = { name: 'dist/app/bundle.bin', bytes: bytes.length, sha256 };
const partOf = (name: string) => `${name}.${sha256.slice(0, 16)}.part`;

let folder: string;
let asked: (number | undefined)[];
beforeEach(async () => {
  folder = join(await tempFolder('download'), 'kept');
  asked = [];
});

/** A server that ends each answer after so many bytes; `begin` is what it makes of a range. */
const server = (cuts: number[], { content = bytes, ranges = true } = {}): Fetch => (rest) => {
  asked.push(rest?.from);
  expect(rest?.sha256 ?? sha256).toBe(sha256);
  const start = ranges ? (rest?.from ?? 0) : 0;
  const cut = cuts.shift();
  const stream = Readable.from(
    (async function* () {
      yield await Promise.resolve(content.subarray(start, cut === undefined ? undefined : start + cut));
      if (cut !== undefined) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
    })(),
  );
  return Promise.resolve({ bytes: content.length, start, sha256, stream });
};
const download = (fetch: Fetch, one = artifact) => downloadArtifact(fetch, one, folder, { pauseMs: 1 });

test('under its name, whose folders are made; once it is there it is not asked for again', async () => {
  const path = await download(server([]));
  expect(path).toBe(join(folder, 'dist/app/bundle.bin'));
  expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(readdirSync(join(folder, 'dist/app'))).toEqual(['bundle.bin']);
  await download(server([]));
  expect(asked).toEqual([undefined]);
  writeFileSync(path, 'mine');
  await download(server([]));
  expect(readFileSync(path).equals(bytes)).toBe(true);
});

test('a connection that is cut is gone on with, at the byte where it ended', async () => {
  expect(readFileSync(await download(server([30_000, 0, 50_000]))).equals(bytes)).toBe(true);
  expect(asked).toEqual([undefined, 30_000, 30_000, 80_000]);
});

test('a part that is there is gone on with; one of other bytes is not touched, and of one that is too long nothing is kept', async () => {
  mkdirSync(join(folder, 'dist/app'), { recursive: true });
  const part = join(folder, partOf(artifact.name));
  writeFileSync(part, bytes.subarray(0, 99_999));
  writeFileSync(join(folder, 'dist/app/bundle.bin.0123456789abcdef.part'), 'of another version');
  expect(readFileSync(await download(server([]))).equals(bytes)).toBe(true);
  expect(existsSync(part)).toBe(false);
  writeFileSync(join(folder, artifact.name), '');
  writeFileSync(part, Buffer.alloc(100_001));
  expect(readFileSync(await download(server([]))).equals(bytes)).toBe(true);
  writeFileSync(join(folder, artifact.name), '');
  writeFileSync(part, bytes);
  await download(server([]));
  expect(asked).toEqual([99_999, undefined]);
  expect(readdirSync(join(folder, 'dist/app')).sort()).toEqual(['bundle.bin', 'bundle.bin.0123456789abcdef.part']);
});

test('a server that sends all instead of the rest', async () => {
  expect(readFileSync(await download(server([30_000, 40_000], { ranges: false }))).equals(bytes)).toBe(true);
  expect(asked).toEqual([undefined, 30_000, 40_000]);
});

test('one that never comes to its end: what came is kept for the next call', async () => {
  await expect(download(server([60_000, 0, 0, 0, 0, 0, 0, 0]))).rejects.toThrow('came incomplete (60000 of 100000 bytes): the same command goes on where it ended.');
  expect(asked).toHaveLength(7);
  expect(readFileSync(await download(server([]))).equals(bytes)).toBe(true);
  expect(asked.at(-1)).toBe(60_000);
});

test('damaged bytes are told, and nothing of them is kept', async () => {
  await expect(download(server([], { content: randomBytes(100_000) }))).rejects.toThrow('came with other bytes than the build kept');
  // What was damaged before is not gone on with for ever.
  writeFileSync(join(folder, partOf(artifact.name)), randomBytes(500));
  await expect(download(server([]))).rejects.toMatchObject({ code: 'damaged' });
  expect(readdirSync(join(folder, 'dist/app'))).toEqual([]);
});

test('a "no" is told at once; an empty artifact is an empty file', async () => {
  const no = new ProblemError(404, 'not-found', 'gone');
  await expect(download(() => Promise.reject(no))).rejects.toBe(no);
  const empty = { name: 'empty', bytes: 0, sha256: createHash('sha256').digest('hex') };
  expect(readFileSync(await downloadArtifact(() => Promise.resolve({ bytes: 0, start: 0, sha256: empty.sha256, stream: Readable.from([]) }), empty, folder)).length).toBe(0);
});

test.each(['../out', '/etc/passwd', 'a/../../out', '..', '', 'a//b', 'a\\..\\b', 'a\0b'])('never out of the folder: %j', async (name) => {
  await expect(download(server([]), { ...artifact, name })).rejects.toThrow('its name is no path inside a folder');
  expect(existsSync(join(folder, '..', 'out'))).toBe(false);
});

test('nor through a link, and a file is no folder', async () => {
  mkdirSync(folder);
  symlinkSync(await tempFolder('elsewhere'), join(folder, 'dist'));
  await expect(download(server([]))).rejects.toThrow('dist is there and is no folder');
  writeFileSync(join(folder, 'lib'), 'a file');
  await expect(download(server([]), { ...artifact, name: 'lib/x' })).rejects.toThrow('lib is there and is no folder');
  mkdirSync(join(folder, 'bin'));
  await expect(download(server([]), { ...artifact, name: 'bin' })).rejects.toThrow('there is a folder of that name');
});
