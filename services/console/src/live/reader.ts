import { AckPolicy, DeliverPolicy, Events, ReplayPolicy, type JetStreamManager, type Msg, type MsgHdrs, type NatsConnection, type Subscription } from 'nats';
import { isOutage, UnavailableError } from '@berth/event-store';
import { inboxOf } from '@berth/nats';

/** A message of a stream, as stored. */
export interface Stored {
  subject: string;
  sequence: number;
  data: Uint8Array;
  headers: MsgHdrs | undefined;
}

const HEARTBEAT_MS = 1000;
const PULL_MS = 15_000;

/**
 * Reads a stream, or one subject of it, in order: each message once, at the reader's own speed, and on into what is still
 * to come. It asks for a number of messages at a time, so a slow reader holds at most two such portions in memory.
 *
 * Nothing depends on the ephemeral consumer behind it: a lost connection, a restarted server or a hole in its sequence
 * makes a new one right after the last message received. One filter subject only: nats-server 2.9 knows no more.
 */
export class StreamReader {
  private queue: Stored[] = [];
  private received: number;
  private consumer: string | undefined;
  private delivered = 0;
  private asked = 0;
  private heard = Date.now();
  private inbox: Subscription | undefined;
  private opening: Promise<void> | undefined;
  private error: Error | undefined;
  private wake: (() => void) | undefined;
  private closed = false;
  private readonly watch: NodeJS.Timeout;
  /** messages asked for at a time */
  portion: number;
  private manager: JetStreamManager | undefined;
  private readonly statuses: { stop?(): void };

  constructor(
    private readonly connection: NatsConnection,
    private readonly stream: string,
    private readonly options: { subject?: string; after?: number; portion?: number } = {},
  ) {
    this.received = options.after ?? 0;
    this.portion = options.portion ?? 500;
    this.watch = setInterval(() => this.lookAfter(), HEARTBEAT_MS / 2);
    this.watch.unref();
    const statuses = connection.status();
    this.statuses = statuses as { stop?(): void };
    void (async () => {
      for await (const status of statuses) if (status.type === Events.Reconnect) this.reopen();
    })();
  }

  /**
   * Waits for messages, at least one unless `signal` says stop or the reader is closed.
   * @param lingerMs after the first message, how long to wait for more
   * @throws when the stream can't be read at all
   */
  async take(max: number, { lingerMs = 0, signal }: { lingerMs?: number; signal?: AbortSignal } = {}): Promise<Stored[]> {
    const stopped = () => this.closed || signal?.aborted === true;
    while (this.queue.length === 0 && !stopped()) {
      this.ask();
      await this.change(signal);
    }
    if (lingerMs > 0 && this.queue.length < max && !stopped()) {
      const end = Date.now() + lingerMs;
      while (this.queue.length < max && !stopped() && Date.now() < end) {
        this.ask();
        await this.change(signal, end - Date.now());
      }
    }
    const taken = this.queue.splice(0, max);
    this.ask();
    return taken;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.watch);
    this.statuses.stop?.();
    this.drop();
    this.wake?.();
  }

  /** Resolves when something came, failed or was stopped, or when the time is up. */
  private change(signal?: AbortSignal, ms?: number): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.wake = undefined;
        if (this.error) reject(this.error);
        else resolve();
      };
      const timer = ms === undefined ? undefined : setTimeout(done, ms);
      signal?.addEventListener('abort', done, { once: true });
      this.wake = done;
      if (this.error) done();
    });
  }

  /** Asks for the next portion when the last one is used up and the queue has room. */
  private ask(): void {
    if (this.closed || this.asked > 0 || this.queue.length >= this.portion) return;
    if (!this.consumer) return this.reopen();
    this.asked = this.portion;
    this.heard = Date.now();
    const request = { batch: this.portion, expires: PULL_MS * 1_000_000, idle_heartbeat: HEARTBEAT_MS * 1_000_000 };
    this.connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${this.stream}.${this.consumer}`, JSON.stringify(request), { reply: this.inbox!.getSubject() });
  }

  private receive(message: Msg, own: Subscription): void {
    if (own !== this.inbox || this.closed) return;
    this.heard = Date.now();
    const code = message.headers?.code ?? 0;
    if (code === 100) return;
    if (code === 408 || code === 404) {
      this.asked = 0;
      this.ask();
      return;
    }
    // 409: the consumer went away or moved; 503: nobody has it
    if (code >= 400) return this.reopen();
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>
    const parts = (message.reply ?? '').split('.');
    if (Number(parts[6]) !== this.delivered + 1) return this.reopen();
    this.delivered++;
    this.asked = Math.max(0, this.asked - 1);
    this.received = Number(parts[5]);
    this.queue.push({ subject: message.subject, sequence: this.received, data: message.data, headers: message.headers });
    this.wake?.();
  }

  private lookAfter(): void {
    if (this.asked > 0 && Date.now() - this.heard > 2.5 * HEARTBEAT_MS) this.reopen();
    else if (this.wake) this.ask();
  }

  private drop(): void {
    this.inbox?.unsubscribe();
    this.inbox = undefined;
    if (this.consumer && !this.connection.isClosed()) void this.manager?.consumers.delete(this.stream, this.consumer).catch(() => undefined); // its inactivity ends it otherwise
    this.consumer = undefined;
    this.asked = 0;
    this.delivered = 0;
  }

  /** One at a time; an outage is tried again by the watch. */
  private reopen(): void {
    if (this.closed || this.opening) return;
    this.opening = this.open()
      .then(
        () => undefined,
        (error: unknown) => {
          this.drop();
          const passing = isOutage(error) || (error as { api_error?: { code?: number } }).api_error?.code === 503;
          if (passing && !this.connection.isClosed()) return;
          this.error = error as Error;
        },
      )
      .finally(() => {
        this.opening = undefined;
        if (this.consumer) this.ask();
        else if (this.error) this.wake?.();
      });
  }

  private async open(): Promise<void> {
    this.drop();
    this.manager ??= await this.connection.jetstreamManager({ checkAPI: false });
    const info = await this.manager.consumers.add(this.stream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.received + 1,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 30_000 * 1_000_000,
      ...(this.options.subject !== undefined && { filter_subject: this.options.subject }),
    });
    this.consumer = info.name;
    if (this.closed) return this.drop();
    const own: Subscription = this.connection.subscribe(inboxOf(this.connection), {
      callback: (error, message) => {
        if (!error) return this.receive(message, own);
        this.error = error;
        this.wake?.();
      },
    });
    this.inbox = own;
  }
}

const PATIENCE_MS = 10_000;

/**
 * Sequence of the last message of a subject; 0 when there is none.
 * @throws {UnavailableError} no answer for ten seconds
 */
export async function lastSequence(connection: NatsConnection, stream: string, subject: string): Promise<number> {
  return insist(connection, `where ${subject} ends in ${stream}`, `$JS.API.DIRECT.GET.${stream}`, JSON.stringify({ last_by_subj: subject }), ({ headers }) => {
    if (headers?.code === 404) return 0;
    return Number(headers?.get('Nats-Sequence')) || undefined;
  });
}

/**
 * Sequence of the first message that a stream still keeps.
 * @throws {UnavailableError} no answer for ten seconds
 */
export async function firstSequence(connection: NatsConnection, stream: string): Promise<number> {
  return insist(connection, `where ${stream} begins`, `$JS.API.STREAM.INFO.${stream}`, '', (message) => message.json<{ state?: { first_seq: number } }>().state?.first_seq);
}

/** Asks until there is an answer that says it: a server that is still starting answers without. */
async function insist(connection: NatsConnection, what: string, subject: string, body: string, read: (message: Msg) => number | undefined): Promise<number> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      const reply = await connection.request(subject, body, { timeout: 2000 });
      const value = read(reply);
      if (value !== undefined) return value;
      if (Date.now() > end) throw new UnavailableError(`nobody says ${what} (${reply.headers?.description || 'no reason given'})`);
    } catch (error) {
      if (!isOutage(error)) throw error;
      if (connection.isClosed() || Date.now() > end) throw new UnavailableError(`nobody says ${what} (${(error as Error).message})`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
