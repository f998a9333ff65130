import type { NatsConnection } from 'nats';
import { outputHeaders, subjects } from '@berth/contracts';
import { streams } from '@berth/nats';
import { lastSequence, StreamReader, type Stored } from './reader.js';

export type OutputStream = 'stdout' | 'stderr';

/** New bytes of an action's output. */
export interface Chunk {
  stream: OutputStream;
  bytes: Uint8Array;
}

/** How much an ended action printed, where that is known. */
export interface Totals {
  stdoutBytes: number | null;
  stderrBytes: number | null;
}

/** Chunks are at most 64 KiB: a portion is at most 4 MiB. */
const PORTION = 64;
/** How long chunks that an ended action promises may still be on their way. */
const LATE_MS = 5000;

/**
 * Leaves out what came before. After a crash of the gateway chunks may be stored twice, cut elsewhere the second time, so
 * a byte is new when it stands further in its stream than any byte before it.
 */
export class Deduplicator {
  readonly reached = { stdout: 0, stderr: 0 };

  /** The new part of a stored chunk; undefined when there is none. */
  take(stored: Pick<Stored, 'data' | 'headers' | 'sequence'>): Chunk | undefined {
    const stream = stored.headers?.get(outputHeaders.stream);
    const offset = Number(stored.headers?.get(outputHeaders.offset) || Number.NaN);
    if ((stream !== 'stdout' && stream !== 'stderr') || !Number.isSafeInteger(offset)) throw new Error(`output at ${stored.sequence} does not say where it belongs`);
    const end = offset + stored.data.byteLength;
    const known = this.reached[stream];
    if (end <= known) return undefined;
    this.reached[stream] = end;
    return { stream, bytes: offset < known ? stored.data.subarray(known - offset) : stored.data };
  }

  /** Whether everything that the action printed has been taken. */
  complete(totals: Totals): boolean {
    return this.reached.stdout >= (totals.stdoutBytes ?? 0) && this.reached.stderr >= (totals.stderrBytes ?? 0);
  }
}

/**
 * The output of one action, in the order it was read from the host, each byte once.
 *
 * @param ended resolves when the action has ended; without it, what is stored now is all
 */
export async function* readOutput(connection: NatsConnection, action: string, signal: AbortSignal, ended?: Promise<Totals>): AsyncGenerator<Chunk, void, undefined> {
  const subject = subjects.output(action);
  const reader = new StreamReader(connection, streams.output.name, { subject, portion: PORTION });
  const dedupe = new Deduplicator();
  let position = 0;
  async function* read(stop: AbortSignal, enough: () => boolean): AsyncGenerator<Chunk, void, undefined> {
    while (!stop.aborted && !enough()) {
      for (const stored of await reader.take(PORTION, { signal: stop })) {
        position = stored.sequence;
        const chunk = dedupe.take(stored);
        if (chunk) yield chunk;
      }
    }
  }
  try {
    if (ended) {
      const over = new AbortController();
      const stop = () => over.abort();
      ended.then(stop, stop);
      yield* read(AbortSignal.any([signal, over.signal]), () => false);
      if (signal.aborted) return;
    }
    const totals = await ended;
    const end = await lastSequence(connection, streams.output.name, subject);
    yield* read(signal, () => position >= end);
    // Chunks are stored before the end is told; should the last ones be late all the same, they are given some time.
    if (totals && !dedupe.complete(totals)) yield* read(AbortSignal.any([signal, AbortSignal.timeout(LATE_MS)]), () => dedupe.complete(totals));
  } finally {
    reader.close();
  }
}
