import type { Patterns } from './patterns.js';

const STAR = 0x2a;

/** Bytes and where they stand in their stream. */
export interface Piece {
  offset: number;
  bytes: Buffer;
}

/**
 * Masks secrets in one stream: as many `*` as they have bytes, so that every other byte stays where it is. What it gives depends
 * on the stream alone and not on how that is cut: only what may be the beginning of a secret is held back until more comes.
 */
export interface Masker {
  /** Takes the next bytes; what can be said by now, if anything. */
  take(bytes: Buffer): Piece | undefined;
  /** The stream has ended here: what was held back was not a secret. */
  end(): Piece | undefined;
  /** The stream goes on elsewhere. What was held back is not told: it may be the beginning of a secret that goes on in between. */
  skip(to: number): void;
}

/**
 * A stream that is looked at from `from` on. What was before is not known, and a secret may have begun there, so as many bytes
 * as belong to one are not told: begin by that much before what is wanted.
 */
export function createMasker(patterns: Patterns, from = 0): Masker {
  const before = Math.max(0, patterns.longest - 1);
  let held: Buffer = Buffer.alloc(0);
  let at = from;
  let sure = from === 0 ? 0 : from + before;
  let maskedTo = from;

  const tell = (bytes: Buffer, marks: readonly (readonly [number, number])[]): Piece | undefined => {
    let masked = bytes;
    for (const [start, end] of [[0, maskedTo - at] as const, ...marks]) {
      if (start >= bytes.length || end <= start) continue;
      // What was handed in stays as it is: its owner may need it.
      if (masked === bytes) masked = Buffer.from(bytes);
      masked.fill(STAR, start, Math.min(end, bytes.length));
    }
    for (const [, end] of marks) maskedTo = Math.max(maskedTo, at + end);
    const offset = Math.max(at, sure);
    const told = masked.subarray(offset - at);
    at += bytes.length;
    return told.length > 0 ? { offset, bytes: told } : undefined;
  };

  return {
    take(more) {
      const bytes = held.length > 0 ? Buffer.concat([held, more]) : more;
      const marks: [number, number][] = [];
      const open = patterns.find(bytes, (start, end) => void marks.push([start, end]));
      held = open < bytes.length ? Buffer.from(bytes.subarray(open)) : Buffer.alloc(0);
      return tell(bytes.subarray(0, open), marks.filter(([start]) => start < open));
    },
    end() {
      const bytes = held;
      held = Buffer.alloc(0);
      const marks: [number, number][] = [];
      patterns.find(bytes, (start, end) => void marks.push([start, end]));
      return tell(bytes, marks);
    },
    skip(to) {
      held = Buffer.alloc(0);
      at = to;
      maskedTo = to;
      sure = to === 0 ? 0 : to + before;
    },
  };
}

/** Masks all of a text that is whole. */
export function maskText(patterns: Patterns, text: string): string {
  if (patterns.longest === 0) return text;
  const masker = createMasker(patterns);
  return Buffer.concat([masker.take(Buffer.from(text)), masker.end()].map((piece) => piece?.bytes ?? Buffer.alloc(0))).toString();
}
