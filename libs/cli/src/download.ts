import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ProblemError, type ArtifactView, type Download } from '@berth/client';
import { artifactName } from '@berth/contracts';
import { Failure } from './failure.js';

/** Gets what is missing, or without `rest` all. */
export type Fetch = (rest?: { from: number; sha256: string }) => Promise<Download>;

/** How often it is tried again without a byte more. */
const FRUITLESS = 5;
const PAUSE_MS = 300;
const TAG_LETTERS = 16;

/**
 * Saves an artifact in a folder, under its name, whose folders are made. Until it is whole it is a `.part` file that has a
 * piece of the hash in its name: so it is gone on with as long as the artifact is the same, also by a later call.
 *
 * @returns the path of the file
 * @throws {Failure} its name leads out of the folder, it came incomplete or damaged
 */
export async function downloadArtifact(fetch: Fetch, artifact: ArtifactView, folder: string, { pauseMs = PAUSE_MS } = {}): Promise<string> {
  const file = await placeFor(artifact.name, folder);
  if ((await lengthOf(file)) === artifact.bytes && (await hashOf(file)).digest('hex') === artifact.sha256) return file;
  const part = `${file}.${artifact.sha256.slice(0, TAG_LETTERS)}.part`;
  for (let fruitless = 0, began = false; ; ) {
    const before = (await lengthOf(part)) ?? 0;
    try {
      const hash = await goOn(fetch, artifact, part, () => (began = true));
      if (hash === artifact.sha256) break;
      // Going on with it would end the same way.
      await rm(part, { force: true });
      throw new Failure('damaged', `${artifact.name} came with other bytes than the build kept (sha256 ${hash} instead of ${artifact.sha256}): try again, and if it is the same then, its stored bytes are damaged.`);
    } catch (error) {
      if (!began || !isCut(error)) throw error;
      const now = (await lengthOf(part)) ?? 0;
      fruitless = now > before ? 0 : fruitless + 1;
      if (fruitless > FRUITLESS) throw new Failure('incomplete', `${artifact.name} came incomplete (${now} of ${artifact.bytes} bytes): the same command goes on where it ended.`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  await rename(part, file);
  return file;
}

/** Gets what the part lacks; resolves with the hash of the whole. @throws {@link Cut} when it ends too early */
async function goOn(fetch: Fetch, { name, bytes, sha256 }: ArtifactView, part: string, began: () => void): Promise<string> {
  let from = (await lengthOf(part)) ?? 0;
  // Of other bytes, whatever its name says.
  if (from > bytes) await truncate(part, (from = 0));
  let hash = await hashOf(part);
  if (from < bytes || bytes === 0) {
    const download = await fetch(from > 0 ? { from, sha256 } : undefined);
    began();
    if (download.start !== from) {
      from = 0;
      hash = createHash('sha256');
    }
    const file = await open(part, from === 0 ? 'w' : 'r+');
    try {
      // Piece by piece into the file: what came before a cut is kept, to the last byte.
      for await (const chunk of download.stream as AsyncIterable<Buffer>) {
        for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at, chunk.byteLength - at, from + at)).bytesWritten;
        hash.update(chunk);
        from += chunk.byteLength;
      }
    } finally {
      await file.close();
    }
    if (from < bytes) throw new Cut(`${name} ended after ${from} of ${bytes} bytes`);
  }
  return hash.digest('hex');
}

/** The connection ended before the artifact did. */
class Cut extends Error {}

function isCut(error: unknown): boolean {
  if (error instanceof Failure) return false;
  if (error instanceof ProblemError) return error.status === 0 || error.status === 503;
  return error instanceof Cut || ['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'EPIPE', 'ETIMEDOUT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Where it goes; the folders are made. */
async function placeFor(name: string, folder: string): Promise<string> {
  const refused = (why: string): Failure => new Failure('file', `The artifact ${JSON.stringify(name)} can't be saved in ${folder}: ${why}.`);
  // Whatever the server says: a name must not lead out of the folder.
  if (!artifactName.safeParse(name).success) throw refused('its name is no path inside a folder');
  await mkdir(folder, { recursive: true });
  const segments = name.split('/');
  const file = join(folder, ...segments);
  let parent = folder;
  for (const segment of segments.slice(0, -1)) {
    parent = join(parent, segment);
    // Nor must a link that is there already.
    if (!(await madeFolder(parent))) throw refused(`${relative(folder, parent)} is there and is no folder; save the artifacts in an empty folder`);
  }
  const there = await lstat(file).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : Promise.reject(error)));
  if (there?.isDirectory()) throw refused('there is a folder of that name; save the artifacts in an empty folder');
  return file;
}

async function madeFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return (await lstat(path)).isDirectory();
  }
}

/** undefined when it is not there */
async function lengthOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Of what is there; more can be added. */
async function hashOf(file: string): Promise<Hash> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return hash;
}
