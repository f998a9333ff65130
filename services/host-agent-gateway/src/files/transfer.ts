import { createHash, randomUUID } from 'node:crypto';
import { HostError } from '../transports/errors.js';
import { BLOCK_BYTES, readRange, REQUEST_BYTES } from '../transports/read-range.js';
import type { HostFile, HostFiles } from '../transports/transport.js';
import { resolveInside, resolveTarget } from './resolve.js';

/** What was written. */
export interface PutResult {
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** Writes under way at a time; 2 MiB together, which is what OpenSSH gives an SFTP channel as its window. */
const AHEAD = 10;

/** What files are moved over: a connection, or several that stand for one. */
export interface Over {
  readonly files: HostFiles;
}

/**
 * Writes a file inside `root`. It appears under its name only when it is complete; missing folders are made.
 * `mode` is the permission bits, 0o644 when absent. `temporary` names it until then: an unfinished one of that name is replaced.
 * `check` throws when it is not what it should be.
 * @throws HostError `path-outside` and those of the host's files; also what `source` throws. Nothing is left behind then.
 */
export async function putFile(
  { files }: Over,
  root: string,
  relative: string,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: { mode?: number; temporary?: string; check?: (written: PutResult) => void } = {},
): Promise<PutResult> {
  const { folder, name } = await resolveTarget(files, root, relative);
  const target = `${folder}/${name}`;
  await refuseFolder(files, target);
  const temporary = `${folder}/.berth-put-${options.temporary ?? randomUUID()}`;
  if (options.temporary !== undefined) await unlessMissing(files.unlink(temporary));
  const file = await files.open(temporary, 'create', 0o600);
  try {
    const result = await writeAll(file, source).finally(() => file.close());
    options.check?.(result);
    await files.chmod(temporary, options.mode ?? 0o644);
    await files.rename(temporary, target);
    return result;
  } catch (error) {
    // On a lost connection it cannot be removed now; it goes with the working copy.
    await files.unlink(temporary).catch(() => undefined);
    throw error;
  }
}

async function refuseFolder(files: HostFiles, path: string): Promise<void> {
  const there = await unlessMissing(files.lstat(path));
  if (there?.kind === 'folder') throw new HostError('already-exists', `${path} is a folder, so no file can be written there.`);
}

/** @returns undefined for what is not there */
export async function unlessMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error: unknown) => {
    if (error instanceof HostError && error.code === 'not-found') return undefined;
    throw error;
  });
}

async function writeAll(file: HostFile, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<PutResult> {
  const hash = createHash('sha256');
  const underWay = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  let bytes = 0;
  const send = async (block: Buffer): Promise<void> => {
    while (underWay.size >= AHEAD) await Promise.race(underWay);
    const write: Promise<void> = file
      .write(bytes, block)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => underWay.delete(write));
    underWay.add(write);
    bytes += block.length;
  };
  try {
    for await (const block of inBlocks(source, BLOCK_BYTES, REQUEST_BYTES)) {
      hash.update(block);
      await send(block);
      if (failure) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failure) throw failure.error;
  return { bytes, sha256: hash.digest('hex') };
}

/** The same bytes in blocks of at most `size`. What is `least` or longer is handed on as it is; what is shorter is put together. */
export async function* inBlocks(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, least: number, size: number): AsyncGenerator<Buffer> {
  let waiting: Buffer | undefined;
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length; ) {
      const length = Math.min(size - filled, chunk.length - at);
      const part = Buffer.from(chunk.buffer, chunk.byteOffset + at, length);
      at += length;
      if (!waiting && length >= least) {
        yield part;
        continue;
      }
      // Sent blocks are not written over: they are on their way until the host has answered.
      waiting ??= Buffer.allocUnsafe(size);
      part.copy(waiting, filled);
      filled += length;
      if (filled < size) continue;
      yield waiting;
      [waiting, filled] = [undefined, 0];
    }
  }
  if (waiting) yield waiting.subarray(0, filled);
}

/** A file that is being fetched: its size first, then its bytes in order. */
export interface GetResult {
  bytes: number;
  mode: number;
  /** Exactly `bytes` bytes, in pieces of at most 64 KiB; can be read once. Rejects with `file-failed` when the file became shorter meanwhile. */
  content: AsyncIterable<Buffer>;
}

/**
 * Opens a file inside `root` for reading. What grows while it is read is fetched up to the size it had.
 * @throws HostError `path-outside`, `not-found`, `file-failed` when it is not a plain file
 */
export async function getFile({ files }: Over, root: string, relative: string): Promise<GetResult> {
  const path = await resolveInside(files, root, relative);
  const stat = await files.stat(path);
  if (stat.kind !== 'file') throw new HostError('file-failed', `'${relative}' in ${root} is not a plain file.`);
  return { bytes: stat.size, mode: stat.mode, content: contentOf(files, path, stat.size) };
}

/** The first `size` bytes of a file, in pieces of at most 64 KiB. Rejects with `file-failed` when it has become shorter meanwhile. */
export async function* contentOf(files: HostFiles, path: string, size: number): AsyncGenerator<Buffer> {
  const file = await files.open(path, 'read');
  try {
    let seen = 0;
    for await (const part of readRange(file, 0, size)) {
      seen += part.length;
      yield part;
    }
    if (seen < size) throw new HostError('file-failed', `${path} became shorter while it was read: ${seen} of ${size} bytes.`);
  } finally {
    // Only a lost connection makes this fail, and the reads before it have said so.
    await file.close().catch(() => undefined);
  }
}
