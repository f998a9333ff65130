import { createHash } from 'node:crypto';
import { UnavailableError } from '@berth/artifacts';
import type { KeptFile } from '@berth/contracts';
import type { Call } from './provider.js';
import { Trouble } from './trouble.js';

/** What is stored is not what was built. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
  constructor({ name }: KeptFile, why: string) {
    super(`the stored bytes of ${name} are not those that were built: ${why}. Build it again`);
  }
}

/** @throws {Trouble} when the file is not in the store */
export async function contentOf(call: Call, file: KeptFile): Promise<AsyncIterable<Uint8Array>> {
  try {
    return await call.read(file.object);
  } catch (error) {
    if (error instanceof UnavailableError || !(error instanceof Error)) throw error;
    throw new Trouble(`${file.name} can't be read from the store of artifacts: ${error.message}. Build it again`, false, '', { cause: error });
  }
}

/**
 * The bytes as they come, one piece late: the last one goes out only once all of them are known to be right.
 * @throws {DamagedError} others than were built, more, or fewer
 */
export async function* checked(file: KeptFile, source: AsyncIterable<Uint8Array>, moved: (bytes: number) => void): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  let bytes = 0;
  let held: Uint8Array | undefined;
  for await (const piece of source) {
    hash.update(piece);
    bytes += piece.byteLength;
    if (bytes > file.bytes) throw new DamagedError(file, `there are more than ${file.bytes} bytes`);
    if (held !== undefined) yield held;
    held = piece;
    moved(bytes);
  }
  if (bytes !== file.bytes) throw new DamagedError(file, `${bytes} of ${file.bytes} bytes are there`);
  const sha256 = hash.digest('hex');
  if (sha256 !== file.sha256) throw new DamagedError(file, `their SHA-256 is ${sha256}, and was ${file.sha256}`);
  if (held !== undefined) yield held;
}

/** How much of it that is, in a span of percent. */
export function share({ bytes }: KeptFile, moved: number, from: number, to: number): number {
  return from + Math.floor(((to - from) * moved) / Math.max(1, bytes));
}
