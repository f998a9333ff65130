import { headers as natsHeaders, type NatsConnection } from 'nats';
import { isOutage, requestsOf } from '@berth/event-store';
import { outputHeaders, subjects } from '@berth/contracts';
import { streams } from '@berth/nats';

/** Chunks on their way to the server, per action: enough to keep it busy, few enough to bound memory (4 MiB). */
const WINDOW = 64;

export interface Offsets {
  stdout: number;
  stderr: number;
}

/** Where the output of one action goes. */
export interface OutputSink {
  /** Bytes of each stream that were handed over so far. */
  readonly reached: Offsets;
  /** Resolves when there is room for more; the chunk itself is stored by `settled`. */
  chunk(stream: 'stdout' | 'stderr', offset: number, bytes: Buffer): Promise<void>;
  /** Resolves when every chunk is stored. */
  settled(): Promise<void>;
}

/** How far an action's output is stored, from its last chunk. */
export async function storedOutput(connection: NatsConnection, action: string): Promise<Offsets> {
  for (;;) {
    try {
      const reply = await requestsOf(connection).ask(`$JS.API.DIRECT.GET.${streams.output.name}`, JSON.stringify({ last_by_subj: subjects.output(action) }), { timeoutMs: 2000 });
      if (reply.headers?.code === 404) return { stdout: 0, stderr: 0 };
      const [stdout = 0, stderr = 0] = (reply.headers?.get(outputHeaders.reached) ?? '').split(',').map(Number);
      return { stdout, stderr };
    } catch (error) {
      if (!isOutage(error) || connection.isClosed()) throw error;
    }
  }
}

export function outputSink(connection: NatsConnection, action: string, from: Offsets): OutputSink {
  const subject = subjects.output(action);
  const requests = requestsOf(connection);
  const reached = { ...from };
  const pending = new Set<Promise<void>>();
  let failure: Error | undefined;

  async function store(stream: 'stdout' | 'stderr', offset: number, bytes: Buffer, mark: string): Promise<void> {
    const headers = natsHeaders();
    headers.set(outputHeaders.stream, stream);
    headers.set(outputHeaders.offset, String(offset));
    headers.set(outputHeaders.reached, mark);
    headers.set(outputHeaders.time, new Date().toISOString());
    headers.set('Nats-Msg-Id', `${action}:${stream}:${offset}`);
    for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
      try {
        const reply = await requests.ask(subject, bytes, { timeoutMs: 5000, headers });
        const ack = JSON.parse(new TextDecoder().decode(reply.data)) as { seq?: number; error?: { code: number; description: string } };
        if (ack.seq !== undefined) return;
        if (ack.error?.code !== 503) throw new Error(`output of ${action} was not stored: ${ack.error?.description ?? 'no sequence'}`);
      } catch (error) {
        if (!isOutage(error) || connection.isClosed()) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  return {
    reached,
    async chunk(stream, offset, bytes) {
      if (failure) throw failure;
      reached[stream] = Math.max(reached[stream], offset + bytes.length);
      const stored: Promise<void> = store(stream, offset, bytes, `${reached.stdout},${reached.stderr}`)
        .catch((error: unknown) => {
          failure ??= error as Error;
        })
        .finally(() => pending.delete(stored));
      pending.add(stored);
      while (pending.size >= WINDOW) await Promise.race(pending);
    },
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
      if (failure) throw failure;
    },
  };
}
