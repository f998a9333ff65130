import { formsOf, LEAST_BYTES } from './forms.js';

/** Byte strings that are looked for, all at once. */
export interface Patterns {
  /** Bytes of the longest; 0 when there are none. */
  readonly longest: number;
  /**
   * Tells every place where one of them stands, also where they overlap.
   *
   * @returns from where on a pattern may stand that is not whole yet; `bytes.length` when there is no such place
   */
  find(bytes: Buffer, found: (from: number, to: number) => void): number;
}

/** What the values of secrets look like in output. */
export const patternsOf = (secrets: readonly Buffer[]): Patterns => patterns(secrets.flatMap(formsOf));

/**
 * Looks at each byte once: the four bytes that begin there are hashed, and only where a pattern begins with the same hash is
 * more compared. Hundreds of patterns (a key of several lines has them) then cost as much as one.
 */
function patterns(all: readonly Buffer[]): Patterns {
  const filter = new Uint8Array(1 << 16);
  const byStart = new Map<number, Buffer[]>();
  const beginnings = new Set<string>();
  for (const pattern of all) {
    const start = pattern.readInt32BE(0);
    filter[hash(start)] = 1;
    const alike = byStart.get(start);
    if (alike) alike.push(pattern);
    else byStart.set(start, [pattern]);
    for (let length = 1; length < LEAST_BYTES; length++) beginnings.add(pattern.toString('latin1', 0, length));
  }
  return {
    longest: all.reduce((most, pattern) => Math.max(most, pattern.length), 0),
    find(bytes, found) {
      const end = bytes.length;
      if (all.length === 0) return end;
      let open = end;
      let start = 0;
      for (let at = 0; at < end; at++) {
        start = (start << 8) | bytes[at]!;
        if (at < LEAST_BYTES - 1 || filter[hash(start)] === 0) continue;
        const from = at - LEAST_BYTES + 1;
        for (const pattern of byStart.get(start) ?? []) {
          const length = Math.min(pattern.length, end - from);
          if (bytes.compare(pattern, 0, length, from, from + length) !== 0) continue;
          if (length === pattern.length) found(from, from + length);
          else open = Math.min(open, from);
        }
      }
      for (let at = Math.max(0, end - LEAST_BYTES + 1); at < open; at++) if (beginnings.has(bytes.toString('latin1', at, end))) open = at;
      return open;
    },
  };
}

const hash = (start: number): number => Math.imul(start, 0x9e3779b1) >>> 16;
