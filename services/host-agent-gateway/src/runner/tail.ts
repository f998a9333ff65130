import { BLOCK_BYTES, readRange } from '../transports/read-range.js';
import { HostError } from '../transports/errors.js';
import type { HostFile, HostFiles } from '../transports/transport.js';
import type { Reader } from './turns.js';

/** Takes output. Its calls come in order; several of one stream may be unfinished at a time. */
export interface TailSink {
  chunk(offset: number, bytes: Buffer): Promise<void>;
  /** What is between the last chunk and `to` is left out; the next chunk begins at `next`, not after `to`. */
  cut(to: number, next: number): Promise<void>;
}

export interface TailOptions {
  /** Where to begin. */
  from: number;
  /** When the file gets larger than this, its first and its last half of so many bytes are handed on. */
  limit?: number;
  /** So many bytes before the last half are handed on too. */
  context?: number;
}

export interface Pumping {
  /** The command has ended, so this is all of it. */
  last: boolean;
  /** It was cancelled: nobody waits for what it had printed and was not read by then. */
  cancelled(): boolean;
  reader: Reader;
  /** Stops early. */
  stop: AbortSignal;
}

/** Follows one growing file over any number of connections, each byte handed on exactly once. */
export interface Tail {
  /** Bytes handed on so far, counted from the start of the file. */
  readonly offset: number;
  /** Hands on all that is in the file at `path` now, which need not exist yet; the number of new bytes. Rejects with what the sink or the file rejects with. */
  pump(files: HostFiles, path: string, how: Pumping): Promise<number>;
  /** Waits until the sink has taken everything. */
  settle(): Promise<void>;
  /** Lets go of the open file, before another connection is used or at the end. */
  release(): void;
}

/** So much of what a cancelled command had printed is read all the same. */
const BACKLOG_BYTES = 4 * 1024 * 1024;
/** Unfinished sink calls at a time; with 64 KiB chunks this bounds what one stream holds in memory. */
const WINDOW = 8;

export function createTail({ from, limit = Infinity, context = 0 }: TailOptions, sink: TailSink): Tail {
  const head = Math.floor(limit / 2);
  let offset = from;
  let open: HostFile | undefined;
  const unfinished = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const handOn = async (begin: () => Promise<void>): Promise<void> => {
    while (unfinished.size >= WINDOW) await Promise.race(unfinished);
    if (failure) throw failure.error;
    const call: Promise<void> = begin()
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => unfinished.delete(call));
    unfinished.add(call);
  };

  const chunk = async (bytes: Buffer): Promise<void> => {
    // A small piece must not keep a whole block alive.
    const piece = bytes.length < BLOCK_BYTES / 4 ? Buffer.from(bytes) : bytes;
    await handOn(() => sink.chunk(offset, piece));
    offset += piece.length;
  };

  /** Reads one turn's worth, not beyond `end`. @returns whether there may be more, and it is wanted */
  const readTurn = async (file: HostFile, end: number, { last, cancelled, reader, stop }: Pumping): Promise<boolean> => {
    const turn = await reader.turn(stop);
    const before = offset;
    const enough = () => stop.aborted || (cancelled() && !last);
    try {
      // Most commands print little: one round trip for both.
      const [first, size] = await Promise.all([file.read(offset, Math.min(BLOCK_BYTES, end - offset)), file.size()]);
      if (first.length === 0) return false;
      await chunk(first);
      const to = Math.min(size, end, before + turn.bytes);
      for await (const block of readRange(file, offset, to)) {
        await chunk(block);
        if (enough() || turn.crowded()) return !enough();
      }
      return !enough() && (offset < Math.min(size, end) || (first.length === BLOCK_BYTES && offset < end));
    } finally {
      turn.end(offset - before);
    }
  };

  /** Leaves out what comes before the last `kept` bytes. */
  const leaveOut = async (size: number, kept: number): Promise<void> => {
    const to = size - kept;
    if (to - context <= offset) return;
    await handOn(() => sink.cut(to, to - context));
    offset = to - context;
  };

  return {
    get offset() {
      return offset;
    },
    pump: async (files, path, how) => {
      const before = offset;
      // While more is still coming, nobody knows what will be the last of it.
      if (offset >= head && !how.last) return 0;
      open ??= await openExisting(files, path);
      if (!open) return 0;
      const file = open;
      const brief = how.last && how.cancelled();
      if (!brief) {
        while (offset < head && (await readTurn(file, head, how)));
        if (!how.last || offset < head) return offset - before;
      }
      // What is written from here on is by somebody whom the command has left behind.
      const size = await file.size();
      if (brief) await leaveOut(size, BACKLOG_BYTES);
      if (size > limit) await leaveOut(size, limit - head);
      while (offset < size && (await readTurn(file, size, how)));
      return offset - before;
    },
    settle: async () => {
      await Promise.all(unfinished);
      if (failure) throw failure.error;
    },
    release: () => {
      // On a lost connection the handle is gone already, and there is nobody to tell.
      open?.close().catch(() => undefined);
      open = undefined;
    },
  };
}

async function openExisting(files: HostFiles, path: string): Promise<HostFile | undefined> {
  try {
    return await files.open(path, 'read');
  } catch (error) {
    if (error instanceof HostError && error.code === 'not-found') return undefined;
    throw error;
  }
}
