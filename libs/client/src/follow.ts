import type { IncomingMessage } from 'node:http';
import type { LiveEvent } from './api.js';
import { ProblemError } from './problem.js';
import { send, type Access, type Call } from './transport.js';

/** How long a lost server may be away before a follower gives up: a restart fits in. */
const PATIENCE_MS = 30_000;

/** Opens again for as long as the patience lasts, once it was open before. */
async function insist(access: Access, call: Call, lostAt: number | undefined): Promise<IncomingMessage> {
  for (;;) {
    try {
      return await send(access, call);
    } catch (error) {
      const away = error instanceof ProblemError && (error.status === 0 || error.status === 503);
      if (!away || lostAt === undefined || call.signal?.aborted || Date.now() - lostAt > PATIENCE_MS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** The bytes of a log, each once: after a lost connection it goes on where it was. */
export async function* followBytes(
  access: Access,
  path: string,
  options: { follow?: boolean; stream?: string; signal?: AbortSignal },
): AsyncGenerator<Uint8Array, void, undefined> {
  let offset = 0;
  let lostAt: number | undefined;
  for (;;) {
    const query = { follow: options.follow ? true : undefined, stream: options.stream, offset: offset || undefined };
    const response = await insist(access, { path, query, ...(options.signal && { signal: options.signal }) }, lostAt);
    try {
      for await (const chunk of response) {
        offset += (chunk as Buffer).byteLength;
        yield chunk as Buffer;
      }
      return;
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!isLost(error)) throw error;
      lostAt = Date.now();
    }
  }
}

/** Server-sent events, resumed by the last id. */
export async function* followEvents(
  access: Access,
  path: string,
  options: { after?: string | undefined; kinds?: string[]; ids?: string[]; signal?: AbortSignal },
): AsyncGenerator<LiveEvent & { position: string }, void, undefined> {
  let last = options.after;
  let lostAt: number | undefined;
  for (;;) {
    try {
      const response = await insist(
        access,
        {
          path,
          query: { after: last, kinds: options.kinds?.join(','), ids: options.ids?.join(',') },
          headers: { Accept: 'text/event-stream' },
          ...(options.signal && { signal: options.signal }),
        },
        lostAt,
      );
      for await (const frame of frames(response)) {
        if (frame.id !== undefined) last = frame.id;
        if (frame.data) yield { ...(JSON.parse(frame.data) as LiveEvent), position: last ?? '' };
      }
    } catch (error) {
      if (options.signal?.aborted) return;
      if (!isLost(error)) throw error;
    }
    // Ended or lost, the feed goes on: it has no end of its own.
    lostAt = Date.now();
    if (options.signal?.aborted) return;
  }
}

function isLost(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE' || (error as Error).message === 'aborted';
}

async function* frames(response: IncomingMessage): AsyncGenerator<{ id?: string; data: string }, void, undefined> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    const parts = (rest + (chunk as string)).split('\n\n');
    rest = parts.pop()!;
    for (const part of parts) {
      const frame: { id?: string; data: string } = { data: '' };
      for (const line of part.split('\n')) {
        if (line.startsWith('id:')) frame.id = line.slice(3).trim();
        else if (line.startsWith('data:')) frame.data += line.slice(5).trim();
      }
      yield frame;
    }
  }
}
