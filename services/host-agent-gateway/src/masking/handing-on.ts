import { BLOCK_BYTES } from '../transports/read-range.js';
import { createLastLines } from './last-lines.js';
import { createMasker, type Masker, type Piece } from './masker.js';
import type { Patterns } from './patterns.js';

type Stream = 'stdout' | 'stderr';

/** Who takes what a command printed. */
export interface Taker {
  /** How far each stream was taken. */
  readonly reached: { stdout: number; stderr: number };
  chunk(stream: Stream, offset: number, bytes: Buffer): Promise<void>;
  cut(stream: Stream, offset: number, to: number): Promise<void>;
}

/** Hands on what a command prints: masked, and only what its taker does not have yet. */
export interface HandingOn {
  chunk(stream: Stream, offset: number, bytes: Buffer): Promise<void>;
  cut(stream: Stream, to: number, next: number): Promise<void>;
  /** Nothing comes any more: hands on what was held back. */
  end(): Promise<void>;
  /** The last lines that were printed, masked. */
  tail(): string;
}

/** Of what is stored already, so much is read again, for the last lines of a command that then fails. */
const AGAIN_BYTES = 4096;

/** How many bytes before what is wanted reading has to begin, for what is wanted to be masked. */
export const contextOf = (patterns: Patterns): number => Math.max(0, patterns.longest - 1);

/** Where to begin reading, for everything after `reached` to be known and masked. */
export const beginAt = (patterns: Patterns, reached: number, again = AGAIN_BYTES): number => Math.max(0, reached - contextOf(patterns) - again);

export function handOn(patterns: Patterns, taker: Taker): HandingOn {
  const maskers: Partial<Record<Stream, Masker>> = {};
  const last = createLastLines();

  const give = async (stream: Stream, piece: Piece | undefined): Promise<void> => {
    if (!piece) return;
    last.add(stream, piece.bytes);
    const known = Math.max(0, taker.reached[stream] - piece.offset);
    const calls: Promise<void>[] = [];
    for (let at = known; at < piece.bytes.length; at += BLOCK_BYTES) calls.push(taker.chunk(stream, piece.offset + at, piece.bytes.subarray(at, at + BLOCK_BYTES)));
    await Promise.all(calls);
  };

  return {
    chunk(stream, offset, bytes) {
      maskers[stream] ??= createMasker(patterns, offset);
      return give(stream, maskers[stream].take(bytes));
    },
    async cut(stream, to, next) {
      maskers[stream] ??= createMasker(patterns, next);
      maskers[stream].skip(next);
      // A process before this one may have told of it already.
      if (taker.reached[stream] < to) await taker.cut(stream, taker.reached[stream], to);
    },
    async end() {
      for (const stream of ['stdout', 'stderr'] as const) await give(stream, maskers[stream]?.end());
    },
    tail: () => last.text(),
  };
}
