import { headers as natsHeaders, ErrorCode, type Msg, type NatsConnection, type NatsError } from 'nats';
import { streams } from '@berth/nats';
import { subjects, type Commit, type EventOf, type Kind, type Recorded } from '@berth/contracts';
import { ConflictError, UnavailableError, type EventStore } from './store.js';
import { decodeCommit, encodeCommit, streamOf } from './commit.js';
import { jetStreamFeed } from './feed.js';
import { requestsOf, type Requests } from './requests.js';

/** JetStream's word for "the subject is not at the sequence you expected". */
const WRONG_LAST_SEQUENCE = 10071;
/** Of W3C Trace Context. */
const TRACE_HEADER = 'traceparent';
const decoder = new TextDecoder();

interface PubAck {
  seq?: number;
  duplicate?: boolean;
  error?: { code: number; err_code: number; description: string };
}

/** Codes of a request that may have been stored all the same: the answer is what got lost. */
export function isOutage(error: unknown): boolean {
  const code = (error as NatsError | undefined)?.code;
  return (
    code === ErrorCode.Timeout || code === ErrorCode.NoResponders || code === ErrorCode.Disconnect || code === ErrorCode.ConnectionClosed ||
    code === ErrorCode.ConnectionDraining || code === ErrorCode.JetStreamNotEnabled || code === '503'
  );
}

/**
 * The event store on JetStream. One commit is one message with the expected-last-subject-sequence header, so it is atomic on
 * every server version; its message id is the commit id, so appending it again is harmless.
 *
 * @param options.timeoutMs how long one try may take before the same commit is sent again (default 1,500)
 * @param options.trace the `traceparent` that commits are stored with, and read with by feeds; without it neither is looked at
 * @param options.patienceMs how long to go on trying before an outage is told (default 20,000: a server restart fits in)
 */
export function jetStreamStore(connection: NatsConnection, options: { timeoutMs?: number; patienceMs?: number; trace?: () => string | undefined } = {}): EventStore {
  const timeout = options.timeoutMs ?? 1500;
  const patience = options.patienceMs ?? 20_000;
  const requests = requestsOf(connection);

  /** Sends until something is answered; a lost answer is not a lost commit. */
  async function insist<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    const end = Date.now() + patience;
    for (let pause = 20; ; pause = Math.min(pause * 2, 500)) {
      try {
        return await attempt();
      } catch (error) {
        if (!isOutage(error)) throw error;
        if (connection.isClosed() || Date.now() + pause > end) throw new UnavailableError(`${what} (${(error as Error).message})`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  return {
    async append(kind: Kind, id: string, expected: number, commit: Commit) {
      const subject = subjects.event(kind, id);
      const headers = natsHeaders();
      headers.set('Nats-Msg-Id', commit.id);
      headers.set('Nats-Expected-Last-Subject-Sequence', String(expected));
      const trace = options.trace?.();
      if (trace !== undefined) headers.set(TRACE_HEADER, trace);
      const data = encodeCommit(commit);
      const ack = await insist(`append to ${kind} ${id}`, async () => {
        const reply = await requests.ask(subject, data, { timeoutMs: timeout, headers });
        const parsed = JSON.parse(decoder.decode(reply.data)) as PubAck;
        if (parsed.error?.code === 503) throw Object.assign(new Error(parsed.error.description), { code: '503' });
        return parsed;
      });
      if (ack.error?.err_code === WRONG_LAST_SEQUENCE) {
        // Past the server's window for message ids (2 minutes) our own first copy looks like somebody else's commit.
        const own = (await this.load(kind, id)).find((r) => r.commit.id === commit.id);
        if (own) return own.sequence;
        throw new ConflictError(`${kind} ${id}`, expected);
      }
      if (ack.error || ack.seq === undefined) throw new Error(`${subject} was not stored: ${ack.error?.description ?? 'no sequence in the acknowledgement'}`);
      return ack.seq;
    },

    async load<E extends EventOf<string, unknown>>(kind: Kind, id: string) {
      const subject = subjects.event(kind, id);
      const found: Recorded<E>[] = [];
      for (let sequence = 1; ; ) {
        const message = await insist(`read of ${kind} ${id}`, () => directGet(requests, subject, sequence, timeout));
        if (!message) return found;
        found.push(decodeCommit(subject, message.sequence, message.data) as Recorded<E>);
        sequence = message.sequence + 1;
      }
    },

    feed(after, onCommit, onError, kinds) {
      const wanted = kinds && new Set<string>(kinds);
      const onMessage = (subject: string, sequence: number, data: Uint8Array, message: Msg) => {
        if (wanted && !wanted.has(streamOf(subject)?.kind ?? '')) return;
        const recorded = decodeCommit(subject, sequence, data);
        // Headers are parsed when somebody asks: 1 µs that nobody pays without traces.
        const trace = options.trace && message.headers?.get(TRACE_HEADER);
        onCommit(trace ? { ...recorded, trace } : recorded);
      };
      return jetStreamFeed(connection, streams.events.name, after, onMessage, onError);
    },
  };
}

/** The first message of a subject at or after a sequence, straight from the stream's storage; undefined when there is none. */
async function directGet(requests: Requests, subject: string, sequence: number, timeout: number): Promise<{ sequence: number; data: Uint8Array } | undefined> {
  const reply = await requests.ask(`$JS.API.DIRECT.GET.${streams.events.name}`, JSON.stringify({ seq: sequence, next_by_subj: subject }), { timeoutMs: timeout });
  if (reply.headers?.code === 404) return undefined;
  const stored = Number(reply.headers?.get('Nats-Sequence'));
  if (!stored) throw Object.assign(new Error(`the server answered ${reply.headers?.code ?? ''} ${reply.headers?.description ?? 'without a sequence'}`), { code: '503' });
  return { sequence: stored, data: reply.data };
}
