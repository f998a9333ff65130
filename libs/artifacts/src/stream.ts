import { createHash } from 'node:crypto';
import { fieldErrors, objectName } from '@berth/contracts';
import { CorruptError, InvalidNameError, TooLargeError } from './errors.js';
import type { ObjectFacts, PutOptions, Range } from './objects.js';

/** @throws {InvalidNameError} with the rule that it breaks */
export function checkName(name: string): void {
  const parsed = objectName.safeParse(name);
  if (parsed.success) return;
  throw new InvalidNameError(`the name of the object ${JSON.stringify(name)} can't be used: ${fieldErrors(parsed.error).map(({ message }) => message).join(', ')}`);
}

/** What is being put: its bytes, counted and hashed as they are taken. */
export class Intake {
  bytes = 0;
  /** what ended it before its end: of the content's making and not of the store's */
  fault: unknown;
  private readonly hash = createHash('sha256');
  private sha256: string | undefined;

  constructor(
    private readonly name: string,
    private readonly content: AsyncIterable<Uint8Array>,
    private readonly options: PutOptions,
  ) {}

  /** SHA-256 of all of it, once the end is reached. */
  digest(): string {
    return (this.sha256 ??= this.hash.digest('hex'));
  }

  /**
   * @throws {TooLargeError} as soon as there is a byte too many
   * @throws the signal's reason, also while the source is silent
   */
  async *pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    const { signal, maxBytes = Number.POSITIVE_INFINITY } = this.options;
    const source = this.content[Symbol.asyncIterator]();
    const abort = abortion(signal);
    let ended = false;
    let asked = false;
    try {
      for (;;) {
        signal?.throwIfAborted();
        asked = true;
        const next = await Promise.race([source.next(), ...(abort ? [abort.promise] : [])]);
        asked = false;
        if (next.done) {
          ended = true;
          return;
        }
        const piece = next.value;
        if (piece.byteLength === 0) continue;
        this.bytes += piece.byteLength;
        if (this.bytes > maxBytes) throw new TooLargeError(this.name, maxBytes);
        this.hash.update(piece);
        yield piece;
      }
    } catch (error) {
      this.fault = error;
      throw error;
    } finally {
      abort?.off();
      const closed = ended ? undefined : source.return?.();
      // One that was asked and is silent may never come to it; one that failed has said so already.
      if (asked) closed?.catch(() => undefined);
      else await closed;
    }
  }
}

function abortion(signal: AbortSignal | undefined): { promise: Promise<never>; off(): void } | undefined {
  if (!signal) return undefined;
  let off = () => {};
  const promise = new Promise<never>((_, reject) => {
    const aborted = () => reject(signal.reason as Error);
    signal.addEventListener('abort', aborted, { once: true });
    off = () => signal.removeEventListener('abort', aborted);
  });
  promise.catch(() => undefined); // whoever races it is told; when nobody does, nothing was lost
  return { promise, off };
}

/** The same bytes in pieces of `size`, the last one shorter; nothing at all for no bytes. */
export async function* inPieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const piece of source) {
    let rest = piece;
    while (length + rest.byteLength >= size) {
      const cut = size - length;
      yield Buffer.concat([...held, rest.subarray(0, cut)]);
      held = [];
      length = 0;
      rest = rest.subarray(cut);
    }
    if (rest.byteLength === 0) continue;
    held.push(rest);
    length += rest.byteLength;
  }
  if (length > 0) yield Buffer.concat(held);
}

/**
 * Hands on what comes from a store, one piece late: the last one goes out only once the whole is known to be right, so
 * that nobody who was told the length beforehand takes damaged bytes for complete ones.
 *
 * @throws {CorruptError} other bytes than were put, more, or fewer
 */
export async function* verified(name: string, { bytes, sha256 }: ObjectFacts, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let count = 0;
  let held: Uint8Array | undefined;
  for await (const piece of source) {
    if (piece.byteLength === 0) continue;
    hash.update(piece);
    count += piece.byteLength;
    if (count > bytes) throw new CorruptError(name, `there are more than the ${bytes} that were put`);
    if (held) yield held;
    held = piece;
  }
  if (count !== bytes) throw new CorruptError(name, `${count} of ${bytes} are there`);
  const found = hash.digest('hex');
  if (sha256 !== undefined && found !== sha256) throw new CorruptError(name, `their SHA-256 is ${found}, and was ${sha256}`);
  if (held) yield held;
}

/** A range within an object of that length. @throws RangeError when it is none */
export function span(range: Range, bytes: number): { start: number; end: number } {
  const { start, end = bytes } = range;
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > bytes) throw new RangeError(`there are no bytes from ${start} to ${end} in an object of ${bytes}`);
  return { start, end };
}

/** Leaves out the first `skipped` bytes, and what comes after `length` more. @throws {CorruptError} there are fewer */
export async function* cut(name: string, source: AsyncIterable<Uint8Array>, skipped: number, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = skipped;
  let left = length;
  if (left === 0) return;
  for await (const piece of source) {
    if (skip >= piece.byteLength) {
      skip -= piece.byteLength;
      continue;
    }
    const part = piece.subarray(skip, skip + left);
    skip = 0;
    left -= part.byteLength;
    yield part;
    if (left === 0) return;
  }
  throw new CorruptError(name, `${left} of them are missing at the end`);
}
