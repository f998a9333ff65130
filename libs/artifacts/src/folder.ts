import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, open, opendir, readdir, rename, rm, rmdir, stat, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ChangedError, CorruptError, FullError, UnavailableError } from './errors.js';
import type { Listed, ObjectFacts, Objects, OpenObject, PutOptions } from './objects.js';
import { readSeal, SEAL_BYTES, sealOf } from './seal.js';
import { checkName, Intake, span, verified } from './stream.js';

const PIECE = 256 * 1024;
/** What a process left behind that ended in the middle of a put. One under way is written to all the time. */
const STALE_MS = 24 * 3_600_000;
/** Of each shard, too: three hexadecimal digits make 4,096 folders. */
const SHARD_DIGITS = 3;
/** Where files are until they are whole. No name of an object begins with a dot. */
const INCOMING = '.incoming';
const FOLDER = '.d';
const OBJECT = '.artifact';

/** How names become paths, and what is behind the bytes of a file. */
interface Layout {
  /** below the root */
  objects: string;
  sealed: boolean;
  folder: string;
  object: string;
  shardOf(segment: string): string;
}
const sharded: Layout = { objects: 'objects', sealed: true, folder: FOLDER, object: OBJECT, shardOf: (segment) => createHash('sha256').update(segment).digest('hex').slice(0, SHARD_DIGITS) };
const plain: Layout = { objects: '', sealed: false, folder: '', object: '', shardOf: () => '' };

/**
 * Objects as files below a folder: `objects/<shard>/<build>.d/<generation>.d/<name>.artifact`, each with a seal behind its
 * bytes. The marks keep apart an object `a` and a folder `a` of an object `a/b`.
 */
export function folderObjects(root: string): Objects {
  return new FolderObjects(root, sharded);
}

/**
 * Objects as the files that they are, under their names: for people and programs that know nothing of Berth. Nothing is
 * stored beside the bytes, so an object that is opened has no hash, and whoever reads it compares; and where an object is
 * `a`, none can be `a/b`.
 */
export function plainFolderObjects(root: string): Objects {
  return new FolderObjects(root, plain);
}

class FolderObjects implements Objects {
  private readonly objects: string;
  private readonly incoming: string;
  private preparing: Promise<void> | undefined;

  constructor(
    private readonly root: string,
    private readonly layout: Layout,
  ) {
    this.objects = join(root, layout.objects);
    this.incoming = join(root, INCOMING);
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    checkName(name);
    await this.prepared();
    const intake = new Intake(name, content, options);
    const draft = join(this.incoming, randomUUID());
    try {
      const file = await this.told(name, () => open(draft, 'wx', 0o640));
      try {
        // Only what writing says is about the store: the content has errors of its own.
        for await (const piece of intake.pieces()) await this.told(name, () => writeAll(file, piece));
        const sha256 = intake.digest();
        await this.told(name, async () => {
          if (this.layout.sealed) await writeAll(file, sealOf(intake.bytes, sha256));
          await file.sync();
        });
        await file.close();
        await this.told(name, () => this.moveIn(draft, this.pathOf(name)));
        return { bytes: intake.bytes, sha256 };
      } finally {
        await file.close(); // once more is harmless
      }
    } catch (error) {
      await rm(draft, { force: true }).catch(() => undefined); // goes at a later start; why the put failed is what is told
      throw error;
    }
  }

  async open(name: string): Promise<OpenObject | undefined> {
    checkName(name);
    const opened = await this.opened(name);
    if (!opened) return undefined;
    await opened.file.close();
    const { facts } = opened;
    return {
      ...facts,
      read: (range, signal) => (range ? this.bytes(name, facts, span(range, facts.bytes), signal) : verified(name, facts, this.bytes(name, facts, { start: 0, end: facts.bytes }, signal))),
    };
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    await this.prepared();
    const path = this.pathOf(name);
    await this.told(name, async () => {
      try {
        await rm(path);
      } catch (error) {
        if (!isAbsent(error)) throw error;
        await this.here();
        return;
      }
      await syncFolder(dirname(path));
      for (let folder = dirname(path); folder.length > this.objects.length; folder = dirname(folder)) {
        try {
          await rmdir(folder);
        } catch (error) {
          if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '')) return;
          throw error;
        }
      }
    });
  }

  async *list(prefix = ''): AsyncGenerator<Listed, void, undefined> {
    await this.prepared();
    const first = prefix.split('/')[0]!;
    // With a slash in it the prefix names its first part whole, and so its shard.
    const shards = prefix.includes('/') ? [this.layout.shardOf(first)] : this.layout.sealed ? await this.told('the list', () => readdir(this.objects)) : [''];
    for (const shard of shards) yield* this.walk(join(this.objects, shard), '', prefix);
  }

  private async *walk(folder: string, before: string, prefix: string): AsyncGenerator<Listed, void, undefined> {
    const entries = await this.told('the list', () => opendir(folder).catch((error: unknown) => (isAbsent(error) ? this.here() : Promise.reject(error as Error))));
    if (!entries) return;
    try {
      for (let entry; (entry = await this.told('the list', () => entries.read())); ) {
        const path = join(folder, entry.name);
        if (path === this.incoming) continue;
        if (entry.isDirectory() && entry.name.endsWith(this.layout.folder)) {
          const name = `${before}${without(entry.name, this.layout.folder)}/`;
          if (name.startsWith(prefix) || prefix.startsWith(name)) yield* this.walk(path, name, prefix);
        } else if (entry.isFile() && entry.name.endsWith(this.layout.object)) {
          const name = before + without(entry.name, this.layout.object);
          if (!name.startsWith(prefix)) continue;
          const facts = await this.told('the list', () => stat(path).catch((error: unknown) => (isAbsent(error) ? undefined : Promise.reject(error as Error)))); // removed meanwhile
          if (facts) yield { name, bytes: Math.max(0, facts.size - (this.layout.sealed ? SEAL_BYTES : 0)), time: facts.mtime };
        }
      }
    } finally {
      await entries.close();
    }
  }

  private async *bytes(name: string, facts: ObjectFacts, { start, end }: { start: number; end: number }, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const opened = await this.opened(name);
    if (!opened) throw new ChangedError(name);
    const { file } = opened;
    try {
      if (opened.facts.sha256 !== facts.sha256 || opened.facts.bytes !== facts.bytes) throw new ChangedError(name);
      for (let at = start; at < end; ) {
        signal?.throwIfAborted();
        const { bytesRead, buffer } = await this.told(name, () => file.read(Buffer.allocUnsafe(Math.min(PIECE, end - at)), 0, Math.min(PIECE, end - at), at));
        if (bytesRead === 0) throw new CorruptError(name, `the file ends at byte ${at}`);
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  /** The file and what is known of it; undefined when there is none. */
  private async opened(name: string): Promise<{ file: FileHandle; facts: ObjectFacts } | undefined> {
    await this.prepared();
    const file = await this.told(name, () => open(this.pathOf(name), 'r').catch((error: unknown) => (isAbsent(error) ? this.here() : Promise.reject(error as Error))));
    if (!file) return undefined;
    try {
      return { file, facts: await this.told(name, () => (this.layout.sealed ? readSeal(name, file) : plainFacts(file))) };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** A rename is the one moment at which the object is there. */
  private async moveIn(draft: string, path: string): Promise<void> {
    let top: string | undefined;
    for (let tries = 0; ; tries++) {
      const made = await mkdir(dirname(path), { recursive: true, mode: 0o750 });
      if (made !== undefined && made.length < (top ?? path).length) top = made;
      try {
        await rename(draft, path);
      } catch (error) {
        // A folder that was just emptied by somebody else's remove.
        if ((error as NodeJS.ErrnoException).code === 'ENOENT' && tries < 10) continue;
        throw error;
      }
      // New folders are on the disk once the folders are that they are in.
      const last = top === undefined ? dirname(path) : dirname(top);
      for (let folder = dirname(path); ; folder = dirname(folder)) {
        await syncFolder(folder);
        if (folder.length <= last.length) return;
      }
    }
  }

  /** Once for each process: makes the folders, and removes what a process left behind that ended in the middle of a put. */
  private prepared(): Promise<void> {
    this.preparing ??= this.told(this.root, async () => {
      for (const folder of [this.objects, this.incoming]) await mkdir(folder, { recursive: true, mode: 0o750 });
      for (const left of await readdir(this.incoming)) {
        const path = join(this.incoming, left);
        const facts = await stat(path).catch((error: unknown) => (isAbsent(error) ? undefined : Promise.reject(error as Error))); // another process was quicker
        if (facts && Date.now() - facts.mtimeMs > STALE_MS) await rm(path, { force: true });
      }
    });
    this.preparing.catch(() => (this.preparing = undefined)); // told to whoever asked; the next one tries again
    return this.preparing;
  }

  /** Nothing is absent in a folder that is itself not there: a disk that is not mounted (any more), say. */
  private async here(): Promise<undefined> {
    await access(this.layout.sealed ? this.objects : this.incoming);
  }

  private async told<T>(object: string, what: () => Promise<T>): Promise<T> {
    try {
      return await what();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error; // not of the file system
      if (code === 'ENOSPC' || code === 'EDQUOT') throw new FullError(object, `folder ${this.root}: ${code}`, { cause: error });
      const hint = code === 'ENOENT' ? 'is it mounted?' : code === 'EACCES' || code === 'EPERM' || code === 'EROFS' ? 'may Berth write there?' : message;
      throw new UnavailableError(`the folder ${this.root} can't be used (${code}): ${hint}`, { cause: error });
    }
  }

  private pathOf(name: string): string {
    const segments = name.split('/');
    const leaf = segments.pop()!;
    const { folder, object, shardOf } = this.layout;
    return join(this.objects, shardOf(segments[0] ?? leaf), ...segments.map((segment) => segment + folder), leaf + object);
  }
}

const without = (name: string, end: string): string => name.slice(0, name.length - end.length);
const plainFacts = async (file: FileHandle): Promise<ObjectFacts> => ({ bytes: (await file.stat()).size });

const isAbsent = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '');

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength; ) at += (await file.write(bytes, at)).bytesWritten;
}

async function syncFolder(path: string): Promise<void> {
  let folder: FileHandle;
  try {
    folder = await open(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return; // emptied and removed by somebody else meanwhile
    throw error;
  }
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
