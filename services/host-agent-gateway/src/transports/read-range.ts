import type { HostFile } from './transport.js';

/** The largest piece of anything we hand on: a chunk of output on the bus, a part of a file. */
export const BLOCK_BYTES = 64 * 1024;
/** Bytes asked for or given at once. Each request is a packet to encrypt, which was a sixth of the time with 64 KiB; OpenSSH allows 255 KiB. */
export const REQUEST_BYTES = 3 * BLOCK_BYTES;

/**
 * Reads `from` to `to` in order and in pieces of at most BLOCK_BYTES, with `ahead` requests under way, so that the round trip is
 * paid once. Ends early at the end of the file.
 */
export async function* readRange(file: HostFile, from: number, to: number, ahead = 12): AsyncGenerator<Buffer> {
  const underWay: { offset: number; length: number; data: Promise<Buffer> }[] = [];
  let next = from;
  try {
    while (next < to || underWay.length > 0) {
      while (next < to && underWay.length < ahead) {
        const length = Math.min(REQUEST_BYTES, to - next);
        const data = file.read(next, length);
        // Awaited in order below; until then a failure must not count as unhandled.
        data.catch(() => undefined);
        underWay.push({ offset: next, length, data });
        next += length;
      }
      const first = underWay.shift();
      if (!first) return;
      for (let done = 0, part = await first.data; ; part = await file.read(first.offset + done, first.length - done)) {
        if (part.length === 0) return;
        for (let at = 0; at < part.length; at += BLOCK_BYTES) yield part.subarray(at, at + BLOCK_BYTES);
        done += part.length;
        // A server may give less than was asked for.
        if (done >= first.length) break;
      }
    }
  } finally {
    await Promise.allSettled(underWay.map(({ data }) => data));
  }
}
