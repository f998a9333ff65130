import { BLOCK_BYTES, readRange } from '../transports/read-range.js';
import { HostError } from '../transports/errors.js';
import type { HostFile, HostFiles } from '../transports/transport.js';

/** Takes one piece of output. It is called in order; several calls of one stream may be unfinished at a time. */
export type ChunkSink = (offset: number, bytes: Buffer) => Promise<void>;

/** Follows one growing file over any number of connections, each byte handed on exactly once. */
export interface Tail {
  /** Bytes handed on so far, counted from the start of the file. */
  readonly offset: number;
  /** Hands on all that is in the file at `path` now, which need not exist yet; the number of new bytes. Stops early on `stop`. Rejects with what the sink or the file rejects with. */
  pump(files: HostFiles, path: string, stop: AbortSignal): Promise<number>;
  /** Waits until the sink has taken everything. */
  settle(): Promise<void>;
  /** Lets go of the open file, before another connection is used or at the end. */
  release(): void;
}

/** Unfinished sink calls at a time; with 64 KiB chunks this bounds what one stream holds in memory. */
const WINDOW = 8;

/** A tail that has handed on the first `start` bytes already. */
export function createTail(start: number, sink: ChunkSink): Tail {
  let offset = start;
  let open: HostFile | undefined;
  const unfinished = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;

  const handOn = async (bytes: Buffer): Promise<void> => {
    while (unfinished.size >= WINDOW) await Promise.race(unfinished);
    if (failure) throw failure.error;
    // A small piece must not keep a whole block alive.
    const piece = bytes.length < BLOCK_BYTES / 4 ? Buffer.from(bytes) : bytes;
    const call: Promise<void> = sink(offset, piece)
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => unfinished.delete(call));
    unfinished.add(call);
    offset += piece.length;
  };

  return {
    get offset() {
      return offset;
    },
    pump: async (files, path, stop) => {
      const before = offset;
      open ??= await openExisting(files, path);
      if (!open) return 0;
      const file = open;
      for (;;) {
        const [head, size] = await Promise.all([file.read(offset, BLOCK_BYTES), file.size()]);
        if (head.length === 0) return offset - before;
        await handOn(head);
        for await (const block of readRange(file, offset, size)) {
          await handOn(block);
          if (stop.aborted) return offset - before;
        }
        if (head.length < BLOCK_BYTES && offset >= size) return offset - before;
      }
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
