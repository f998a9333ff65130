import { headers as natsHeaders, type NatsConnection } from 'nats';
import { isOutage, requestsOf } from '@berth/event-store';
import { outputHeaders, subjects } from '@berth/contracts';
import { streams } from '@berth/nats';

/** Chunks on their way to the server, per action: enough to keep it busy, few enough to bound memory (4 MiB). */
const WINDOW = 64;
const OUTAGE_PAUSE_MS = 50;

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
  /** Says that what is between `offset` and `to` was left out. Resolves as `chunk` does. */
  cut(stream: 'stdout' | 'stderr', offset: number, to: number): Promise<void>;
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
    // While there is no server the answer is at hand at once: without a pause nothing else would ever get its turn.
    await new Promise((resolve) => setTimeout(resolve, OUTAGE_PAUSE_MS));
  }
}

/** A chunk that is not known to be stored. */
interface Piece {
  stream: 'stdout' | 'stderr';
  offset: number;
  bytes: Buffer;
  /** so many bytes are left out here */
  cut?: number;
  reached: string;
  stored: boolean;
}

/**
 * Readers take an action's chunks in the order in which they are stored, so none may be stored before one that stands in
 * front of it. Many are on their way at a time; when one is not answered, all from that one on are sent again, and the
 * first of them alone until it is stored.
 */
export function outputSink(connection: NatsConnection, action: string, from: Offsets): OutputSink {
  const subject = subjects.output(action);
  const requests = requestsOf(connection);
  const reached = { ...from };
  const queue: Piece[] = [];
  const underWay = new Set<Promise<void>>();
  let failure: Error | undefined;
  let goingBack: Promise<void> | undefined;
  /** counts the times that chunks were stored out of order: the server must not take their next copies for repeats */
  let round = 0;

  async function store({ stream, offset, bytes, cut, reached: mark }: Piece): Promise<void> {
    const headers = natsHeaders();
    headers.set(outputHeaders.stream, stream);
    headers.set(outputHeaders.offset, String(offset));
    headers.set(outputHeaders.reached, mark);
    headers.set(outputHeaders.time, new Date().toISOString());
    if (cut !== undefined) headers.set(outputHeaders.cut, String(cut));
    headers.set('Nats-Msg-Id', `${action}:${stream}:${offset}${cut === undefined ? '' : ':cut'}${round === 0 ? '' : `:${round}`}`);
    const reply = await requests.ask(subject, bytes, { timeoutMs: 5000, headers });
    const ack = JSON.parse(new TextDecoder().decode(reply.data)) as { seq?: number; error?: { code: number; description: string } };
    if (ack.seq !== undefined) return;
    const why = `output of ${action} was not stored: ${ack.error?.description ?? 'no sequence'}`;
    throw ack.error?.code === 503 ? Object.assign(new Error(why), { code: '503' }) : new Error(why);
  }

  /** @returns whether it may be tried again */
  function passing(error: unknown): boolean {
    if (isOutage(error) && !connection.isClosed()) return true;
    failure ??= error as Error;
    return false;
  }

  function send(piece: Piece): void {
    const sent: Promise<void> = store(piece)
      .then(
        () => {
          piece.stored = true;
          while (queue[0]?.stored) queue.shift();
        },
        (error: unknown) => {
          if (passing(error)) goingBack ??= goBack();
        },
      )
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
  }

  async function goBack(): Promise<void> {
    for (let pause = 50; ; pause = Math.min(pause * 2, 1000)) {
      await Promise.all(underWay);
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (queue.some((piece) => piece.stored)) round++;
      for (const piece of queue) piece.stored = false;
      try {
        if (queue[0]) await store(queue[0]);
        queue.shift();
        break;
      } catch (error) {
        if (!passing(error)) break;
      }
    }
    goingBack = undefined;
    if (!failure) for (const piece of queue) send(piece);
  }

  const progress = () => goingBack ?? Promise.race(underWay);

  async function add(piece: Omit<Piece, 'reached' | 'stored'>): Promise<void> {
    if (failure) throw failure;
    reached[piece.stream] = Math.max(reached[piece.stream], piece.offset + piece.bytes.length + (piece.cut ?? 0));
    const queued = { ...piece, reached: `${reached.stdout},${reached.stderr}`, stored: false };
    queue.push(queued);
    if (!goingBack) send(queued);
    while (queue.length >= WINDOW && !failure) await progress();
  }

  return {
    reached,
    chunk: (stream, offset, bytes) => add({ stream, offset, bytes }),
    cut: (stream, offset, to) => add({ stream, offset, bytes: Buffer.alloc(0), cut: to - offset }),
    async settled() {
      while (queue.length > 0 && !failure) await progress();
      if (failure) throw failure;
    },
  };
}
