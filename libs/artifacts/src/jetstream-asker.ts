import { AckPolicy, DeliverPolicy, ReplayPolicy, type ConsumerConfig, type ConsumerInfo, type MsgHdrs, type NatsConnection, type NatsError } from 'nats';
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

interface ApiError {
  code: number;
  err_code: number;
  description: string;
}

/** JetStream error 10071: somebody else wrote to the subject meanwhile. */
export const WRONG_SEQUENCE = 10071;
/** JetStream error 10037: there is no such message. */
const NO_MESSAGE = 10037;
/** JetStream errors of a server, account or stream without room; 10077 is any reason, so its words count. */
const FULL = new Set([10047, 10023, 10002, 10028]);
const LIMIT = /maximum (bytes|messages) exceeded|insufficient/i;

const TIMEOUT_MS = 10_000;
const PAUSE_MS = 100;
const IDLE_NANOS = 30_000 * 1_000_000;

/** What is asked of the stream of one bucket. Every call rejects with {@link UnavailableError} for no answer. */
export type Asker = ReturnType<typeof asker>;

export function asker(connection: NatsConnection, bucket: string, patienceMs: number) {
  const stream = `OBJ_${bucket}`;
  const requests = requestsOf(connection);
  let opening: Promise<unknown> | undefined;

  async function told<T>(what: () => Promise<T>): Promise<T> {
    try {
      return await what();
    } catch (error) {
      const passing = isOutage(error) || (error as NatsError).api_error?.code === 503 || connection.isClosed();
      if (passing) throw new UnavailableError(`the bucket ${bucket} on the bus (${(error as Error).message})`, { cause: error });
      throw error;
    }
  }

  /** Makes the bucket when there is none. */
  const opened = (): Promise<unknown> => {
    opening ??= connection.jetstream().views.os(bucket);
    opening.catch(() => (opening = undefined)); // told to whoever asked; the next one tries again
    return opening;
  };

  function refusal(error: ApiError, object: string): Error {
    if (FULL.has(error.err_code) || LIMIT.test(error.description)) return new FullError(object, `bucket ${bucket}: ${error.description}`);
    if (error.code === 503) return new UnavailableError(`the bucket ${bucket} on the bus (${error.description})`);
    return new Refused(error.err_code, `the bucket ${bucket} refuses ${object}: ${error.description}`);
  }

  const ask = (subject: string, data: Uint8Array | string, object: string, headers?: MsgHdrs) =>
    told(async () => {
      await opened();
      const reply = await requests.ask(subject, data, { timeoutMs: TIMEOUT_MS, ...(headers && { headers }) });
      const answer = reply.json<{ error?: ApiError } & Record<string, unknown>>();
      if (answer.error) throw refusal(answer.error, object);
      return answer;
    });
  const api = (what: string, request: object) => ask(`$JS.API.${what}`, JSON.stringify(request), what);

  /** From the server that leads the stream: others may be behind. */
  async function get(request: object): Promise<Stored | undefined> {
    try {
      const { message } = (await api(`STREAM.MSG.GET.${stream}`, request)) as unknown as { message: { seq: number; data?: string } };
      return { data: Buffer.from(message.data ?? '', 'base64'), sequence: message.seq };
    } catch (error) {
      if (error instanceof Refused && error.code === NO_MESSAGE) return undefined;
      throw error;
    }
  }

  /** The quick way, in which any server answers that has the stream, with the bytes as they are. */
  const getDirect = (request: object) =>
    told(async (): Promise<Stored | undefined> => {
      await opened();
      const reply = await requests.ask(`$JS.API.DIRECT.GET.${stream}`, JSON.stringify(request), { timeoutMs: TIMEOUT_MS });
      const found = Number(reply.headers?.get('Nats-Sequence'));
      return found > 0 ? { data: reply.data, sequence: found } : get(request);
    });

  async function consumer(filter_subject: string, more: Partial<ConsumerConfig>): Promise<ConsumerInfo> {
    const config = { filter_subject, ack_policy: AckPolicy.None, replay_policy: ReplayPolicy.Instant, mem_storage: true, num_replicas: 1, inactive_threshold: IDLE_NANOS, ...more };
    return (await api(`CONSUMER.CREATE.${stream}`, { stream_name: stream, config })) as unknown as ConsumerInfo;
  }
  const forget = async (name: string): Promise<void> => {
    await api(`CONSUMER.DELETE.${stream}.${name}`, {}).catch(() => undefined); // its inactivity ends it otherwise
  };

  return {
    /** Resolves once it is stored. @throws {FullError} {@link Refused} */
    async store(object: string, subject: string, data: Uint8Array, headers?: MsgHdrs): Promise<void> {
      const { seq } = await ask(subject, data, object, headers);
      // Something else that listens on the subject: no answer of a stream, so nothing is stored.
      if (typeof seq !== 'number') throw new Refused(0, `the bucket ${bucket} does not say that it stored ${object}`);
    },

    /** The last message of a subject. */
    last: (subject: string) => get({ last_by_subj: subject }),

    /** The first message of a subject at that sequence or behind it. Asked again while the server is away: who reads comes through its restart. */
    async next(subject: string, sequence: number): Promise<Stored | undefined> {
      const end = Date.now() + patienceMs;
      for (;;) {
        try {
          return await getDirect({ seq: sequence, next_by_subj: subject });
        } catch (error) {
          if (!(error instanceof UnavailableError) || Date.now() + PAUSE_MS > end || connection.isClosed()) throw error;
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    },

    /** How many messages of a subject there are at that sequence and behind it. */
    async countFrom(subject: string, sequence: number): Promise<number> {
      const info = await consumer(subject, { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence });
      await forget(info.name);
      return info.num_pending;
    },

    /** The last message of every subject that there is now, asked for so many at a time. */
    async *lasts(subject: string, page: number): AsyncGenerator<Uint8Array, void, undefined> {
      const info = await consumer(subject, { deliver_policy: DeliverPolicy.LastPerSubject });
      try {
        const reader = await told(() => connection.jetstream().consumers.get(stream, info.name));
        for (let left = info.num_pending; left > 0; ) {
          const batch = await told(() => reader.fetch({ max_messages: Math.min(left, page), expires: TIMEOUT_MS }));
          let came = 0;
          for await (const message of batch) {
            came++;
            yield message.data;
          }
          if (came === 0) throw new UnavailableError(`the bucket ${bucket} on the bus (a list stopped ${left} before its end)`);
          left -= came;
        }
      } finally {
        await forget(info.name);
      }
    },

    /** Removes what is on a subject, with `before` only what stands before that sequence. */
    async purge(subject: string, before?: number): Promise<void> {
      await api(`STREAM.PURGE.${stream}`, { filter: subject, ...(before !== undefined && { seq: before }) });
    },
  };
}
