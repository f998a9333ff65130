import type { HostFile } from './transport.js';

/** Bytes asked for at once; also the largest chunk of output on the bus. */
export const BLOCK_BYTES = 64 * 1024;

/** Reads `from` to `to` in order with several requests under way, so that the round trip is paid once. Ends early at the end of the file. */
export async function* readRange(file: HostFile, from: number, to: number, ahead = 16): AsyncGenerator<Buffer> {
  const underWay: { offset: number; length: number; data: Promise<Buffer> }[] = [];
  let next = from;
  try {
    while (next < to || underWay.length > 0) {
      while (next < to && underWay.length < ahead) {
        const length = Math.min(BLOCK_BYTES, to - next);
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
        yield part;
        done += part.length;
        // A server may give less than was asked for.
        if (done >= first.length) break;
      }
    }
  } finally {
    await Promise.allSettled(underWay.map(({ data }) => data));
  }
}
