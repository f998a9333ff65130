import { randomUUID } from 'node:crypto';
import { connect, ErrorCode, Events, type NatsConnection } from 'nats';
import {
  answer as answerSchema, statusEvent, subjects, type Answer, type CommandInput, type CommandType, type Kind, type ServiceName, type StatusEvent,
} from '@berth/contracts';
import { addressOptions, streams, type TlsFiles } from '@berth/nats';
import { Channel } from './channel.js';

const decoder = new TextDecoder();
const TRY_MS = 3000;
/** Nothing more happens to a thing in one of these. */
const ENDED = ['passed', 'failed', 'aborted', 'error', 'destroyed', 'succeeded', 'lost', 'cancelled'];

/** A frontend's or script's connection to the bus. */
export interface BusClient {
  readonly connection: NatsConnection;
  /**
   * Sends one command until it is answered. The same id is sent again when no answer comes, and has one effect.
   *
   * @param options.id a UUID of the asker's; made here when absent
   * @param options.patienceMs how long to go on (default 20,000)
   * @throws when nothing answered in that time; the outcome is unknown then, and the same id may be sent again
   */
  command<S extends ServiceName, T extends CommandType<S>>(
    service: S,
    type: T,
    data: CommandInput<S, T>,
    options?: { id?: string; actor?: string; patienceMs?: number },
  ): Promise<Answer>;
  /** What is told of one thing: the last that was kept first, then live, each newer than the one before. */
  status(kind: Kind, id: string, options?: { signal?: AbortSignal }): AsyncGenerator<StatusEvent, void, undefined>;
  /**
   * Waits for a status.
   *
   * @param wanted names of statuses, or a test; by default any that is final
   * @throws when `timeoutMs` (default: for ever) is over, with the last status seen
   */
  waitForStatus(kind: Kind, id: string, wanted?: readonly string[] | ((event: StatusEvent) => boolean), options?: { timeoutMs?: number }): Promise<StatusEvent>;
  close(): Promise<void>;
}

/**
 * Connects to the bus.
 *
 * @param natsUrl with the login, such as `natsUrl` in `cli.json`
 * @param tls files for TLS; what the system trusts when absent
 * @throws when no server answers there
 */
export async function connectBus(natsUrl: string, tls?: TlsFiles): Promise<BusClient> {
  const connection = await connect({ ...addressOptions(natsUrl, tls), name: 'berth-client', maxReconnectAttempts: -1, reconnectTimeWait: 100, reconnectJitter: 50 });

  async function lastStatus(subject: string): Promise<StatusEvent | undefined> {
    const reply = await connection.request(`$JS.API.DIRECT.GET.${streams.status.name}`, JSON.stringify({ last_by_subj: subject }), { timeout: TRY_MS });
    return reply.headers?.code === 404 ? undefined : readStatus(reply.data);
  }

  async function* status(kind: Kind, id: string, options: { signal?: AbortSignal } = {}): AsyncGenerator<StatusEvent, void, undefined> {
    const subject = subjects.status(kind, id);
    const channel = new Channel<StatusEvent>();
    const subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) channel.end(error);
        else channel.push(readStatus(message.data));
      },
    });
    // A status that came while the connection was down is only in the stream: it is read again after each reconnect.
    const refresh = () =>
      insist(connection, `status of ${kind} ${id}`, 20_000, () => lastStatus(subject)).then(
        (event) => {
          if (event) channel.push(event);
        },
        (error: unknown) => channel.end(error as Error),
      );
    const end = () => channel.end();
    options.signal?.addEventListener('abort', end, { once: true });
    if (options.signal?.aborted) end();
    const events = connection.status();
    void (async () => {
      for await (const event of events) if (event.type === Events.Reconnect) await refresh();
    })();
    try {
      await insist(connection, 'the bus', 20_000, () => connection.flush());
      await refresh();
      let position = 0;
      for await (const event of channel) {
        if (Number(event.id) <= position) continue;
        position = Number(event.id);
        yield event;
      }
    } finally {
      options.signal?.removeEventListener('abort', end);
      subscription.unsubscribe();
      (events as unknown as { stop?(): void }).stop?.();
    }
  }

  return {
    connection,
    command(service, type, data, options = {}) {
      const id = options.id ?? randomUUID();
      const payload = JSON.stringify({ id, type, data, actor: options.actor });
      return insist(connection, `${service} on ${type}`, options.patienceMs ?? 20_000, async () => {
        const reply = await connection.request(subjects.command(service, type), payload, { timeout: TRY_MS });
        return answerSchema.parse(JSON.parse(decoder.decode(reply.data)));
      });
    },
    status,
    async waitForStatus(kind, id, wanted = ENDED, options = {}) {
      const fits = typeof wanted === 'function' ? wanted : (event: StatusEvent) => wanted.includes(event.data.status);
      const limit = new AbortController();
      const timer = options.timeoutMs === undefined ? undefined : setTimeout(() => limit.abort(), options.timeoutMs);
      let last: StatusEvent | undefined;
      try {
        for await (const event of status(kind, id, { signal: limit.signal })) {
          last = event;
          if (fits(event)) return event;
        }
      } finally {
        clearTimeout(timer);
      }
      throw new Error(`${kind} ${id} did not get there in ${options.timeoutMs} ms: ${last ? `it is ${last.data.status} (${last.data.activity ?? 'nothing more is said'})` : 'nothing was told of it'}`);
    },
    async close() {
      if (!connection.isClosed()) await connection.drain();
    },
  };
}

const readStatus = (data: Uint8Array): StatusEvent => statusEvent.parse(JSON.parse(decoder.decode(data)));

/** Tries again while it is the server or the service that is away. */
async function insist<T>(connection: NatsConnection, what: string, patienceMs: number, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + patienceMs;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2000)) {
    try {
      return await attempt();
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (connection.isClosed() || Date.now() + pause > end) throw new Error(`no answer from ${what}: ${(error as Error).message}`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function isOutage(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return code === ErrorCode.Timeout || code === ErrorCode.NoResponders || code === ErrorCode.Disconnect || code === ErrorCode.ConnectionClosed || code === '503';
}
