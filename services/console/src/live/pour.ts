import type { FastifyReply } from 'fastify';
import type { Runtime } from '@berth/runtime';

/** What a response is filled with. The signal says that nobody listens any more. */
export type Source = (signal: AbortSignal) => AsyncIterable<Uint8Array | string>;
/** The same of what goes on for ever once it has come to the present. */
export type EndlessSource = (signal: AbortSignal) => AsyncIterable<Uint8Array | string | Live>;

/**
 * The last of what a response is filled with when that has no end: begins to hand pieces over, one after the other and without
 * waiting, each with whom to tell when it was taken; returns how to stop. A step of an iterator for each piece and each of a
 * thousand readers would take longer than the sending itself.
 */
export type Live = (send: (piece: Uint8Array, taken: () => void) => void, fail: (error: Error) => void) => () => void;

/**
 * Sends a body piece by piece, no faster than it is taken. The headers go out at once, so whoever follows a silent log knows
 * that it is being followed. A body that can't be finished is cut off, never ended as if it were whole.
 */
export async function pour(reply: FastifyReply, headers: Record<string, string | number>, source: EndlessSource, log: Runtime['log'], status = 200): Promise<void> {
  const response = reply.raw;
  const gone = new AbortController();
  let resume: (() => void) | undefined;
  const go = () => resume?.();
  const leave = () => {
    gone.abort();
    go();
  };
  const follow = (live: Live): Promise<void> =>
    new Promise((resolve, reject) => {
      let stop: (() => void) | undefined;
      let over = false;
      const end = (error?: Error) => {
        if (over) return;
        over = true;
        stop?.();
        if (error) reject(error);
        else resolve();
      };
      gone.signal.addEventListener('abort', () => end(), { once: true });
      stop = live((part, taken) => {
        if (!over) response.write(part, taken);
      }, end);
      // It was over before it had told how to stop it.
      if (over || gone.signal.aborted) stop();
    });
  reply.hijack();
  response.once('close', leave);
  // One listener for the whole body: one for each wait would come and go with every piece for every follower.
  response.on('drain', go);
  if (response.destroyed) leave();
  response.writeHead(status, { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...headers });
  response.flushHeaders();
  try {
    if (reply.request.method !== 'HEAD') {
      for await (const piece of source(gone.signal)) {
        if (gone.signal.aborted) return;
        if (typeof piece === 'function') await follow(piece);
        else if (!response.write(piece) && !gone.signal.aborted) await new Promise<void>((resolve) => (resume = resolve));
      }
    }
    response.end();
  } catch (error) {
    if (gone.signal.aborted) return;
    log.warn({ error, path: reply.request.url.split('?')[0] }, 'a response could not be finished');
    response.destroy();
  } finally {
    response.off('close', leave);
    response.off('drain', go);
    leave();
  }
}

/** Leaves out the first bytes: for whoever has them already. */
export async function* skip(source: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void, undefined> {
  let left = count;
  for await (const piece of source) {
    if (left >= piece.byteLength) left -= piece.byteLength;
    else {
      yield left > 0 ? piece.subarray(left) : piece;
      left = 0;
    }
  }
}
