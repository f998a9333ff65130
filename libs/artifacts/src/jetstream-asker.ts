import { AckPolicy, DeliverPolicy, ErrorCode, ReplayPolicy, type ConsumerConfig, type JetStreamManager, type MsgHdrs, type NatsConnection, type NatsError } from 'nats';
import { isOutage, requestsOf } from '@berth/event-store';
import { FullError, UnavailableError } from './errors.js';

/** A message of the bucket's stream. */
export interface Stored {
  data: Uint8Array;
  sequence: number;
}

/** The server would not. */
export class Refused extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** JetStream error 10071: somebody else wrote to the subject meanwhile. */
export const WRONG_SEQUENCE = 10071;
/** JetStream error 10077 (a limit of the stream is reached, in words) and those of a server or account without room. */
const FULL = new Set([10077, 10047, 10023, 10002, 10028]);
const LIMIT = /maximum (bytes|messages) exceeded|insufficient/i;

const TIMEOUT_MS = 10_000;
const NO_MESSAGE = 404;

/** What is asked of the stream of one bucket. Every call rejects with {@link UnavailableError} for no answer. */
export type Asker = ReturnType<typeof asker>;

export function asker(connection: NatsConnection, bucket: string) {
  const stream = `OBJ_${bucket}`;
  const requests = requestsOf(connection);
  let opening: Promise<JetStreamManager> | undefined;

  /** Makes the bucket when there is none. */
  const opened = (): Promise<JetStreamManager> => {
    opening ??= (async () => {
      const manager = await connection.jetstreamManager({ checkAPI: false });
      await connection.jetstream().views.os(bucket);
      return manager;
    })();
    opening.catch(() => (opening = undefined)); // told to whoever asked; the next one tries again
    return opening;
  };

  async function told<T>(what: () => Promise<T>): Promise<T> {
    try {
      return await what();
    } catch (error) {
      const { api_error: api } = error as NatsError;
      if (isOutage(error) || api?.code === 503 || connection.isClosed()) throw new UnavailableError(`the bucket ${bucket} on the bus (${(error as Error).message})`, { cause: error });
      throw error;
    }
  }

  const get = (request: object) =>
    told(async (): Promise<Stored | undefined> => {
      const manager = await opened();
      try {
        const { data, seq } = await manager.streams.getMessage(stream, request as { seq: number });
        return { data, sequence: seq };
      } catch (error) {
        if ((error as NatsError).code === ErrorCode.JetStream404NoMessages || (error as NatsError).api_error?.code === NO_MESSAGE) return undefined;
        throw error;
      }
    });

  const consumer = (subject: string, more: Partial<ConsumerConfig>) =>
    told(async () => {
      const manager = await opened();
      return manager.consumers.add(stream, { filter_subject: subject, ack_policy: AckPolicy.None, replay_policy: ReplayPolicy.Instant, mem_storage: true, num_replicas: 1, inactive_threshold: 30_000 * 1_000_000, ...more });
    });
  const forget = (name: string): Promise<unknown> =>
    opened()
      .then((manager) => manager.consumers.delete(stream, name))
      .catch(() => undefined); // its inactivity ends it otherwise

  return {
    /** Resolves with its sequence once it is stored. @throws {FullError} {@link Refused} */
    store: (object: string, subject: string, data: Uint8Array, headers?: MsgHdrs) =>
      told(async (): Promise<number> => {
        await opened();
        const answer = await requests.ask(subject, data, { timeoutMs: TIMEOUT_MS, ...(headers && { headers }) });
        const { error, seq } = answer.json<{ error?: { code: number; err_code: number; description: string }; seq?: number }>();
        if (seq !== undefined && error === undefined) return seq;
        if (error?.code === 503 && !FULL.has(error.err_code)) throw new UnavailableError(`the bucket ${bucket} on the bus (${error.description})`);
        if (error && (FULL.has(error.err_code) || LIMIT.test(error.description))) throw new FullError(object, `bucket ${bucket}: ${error.description}`);
        throw new Refused(error?.err_code ?? 0, `the bucket ${bucket} did not take ${object}: ${error?.description ?? 'no reason is given'}`);
      }),

    /** The last message of a subject, from the server that leads the stream: others may be behind. */
    last: (subject: string) => get({ last_by_subj: subject }),

    /** The first message of a subject at that sequence or behind it. */
    next: (subject: string, sequence: number) =>
      told(async (): Promise<Stored | undefined> => {
        await opened();
        const request = { seq: sequence, next_by_subj: subject };
        // The quick way, in which any server answers that has the stream, with the bytes as they are.
        const reply = await requests.ask(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(request), { timeoutMs: TIMEOUT_MS });
        const found = Number(reply.headers?.get('Nats-Sequence'));
        return found > 0 ? { data: reply.data, sequence: found } : get(request);
      }),

    /** How many messages of a subject there are at that sequence and behind it. */
    async countFrom(subject: string, sequence: number): Promise<number> {
      const info = await consumer(subject, { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence });
      await forget(info.name);
      return info.num_pending;
    },

    /** Every message that is there now, asked for so many at a time. */
    async *page(subject: string, size: number, deliver: DeliverPolicy): AsyncGenerator<Uint8Array, void, undefined> {
      const info = await consumer(subject, { deliver_policy: deliver });
      try {
        const reader = await told(() => connection.jetstream().consumers.get(stream, info.name));
        for (let left = info.num_pending; left > 0; ) {
          const batch = await told(() => reader.fetch({ max_messages: Math.min(left, size), expires: TIMEOUT_MS }));
          let came = 0;
          for await (const message of batch) {
            came++;
            yield message.data;
          }
          if (came === 0) throw new UnavailableError(`the bucket ${bucket} on the bus (the list stopped ${left} before its end)`);
          left -= came;
        }
      } finally {
        await forget(info.name);
      }
    },

    /** Removes what is on a subject, with `before` only what stands before that sequence. */
    purge: (subject: string, before?: number) => told(async () => void (await (await opened()).streams.purge(stream, { filter: subject, ...(before !== undefined && { seq: before }) }))),
  };
}
