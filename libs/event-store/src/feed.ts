import { AckPolicy, DeliverPolicy, Events, ReplayPolicy, type Msg, type NatsConnection, type Subscription } from 'nats';
import { inboxOf } from '@berth/nats';
import type { Feed } from './store.js';
import { isOutage } from './jetstream.js';
import { PositionWaiters } from './position.js';

const HEARTBEAT_MS = 1000;

/**
 * Follows a whole stream in order over an ephemeral push consumer: each message once, whatever happens to the server or
 * the connection. A hole in the consumer's sequence, a silent consumer or a reconnect makes a new consumer that starts
 * right after the last message handed over.
 *
 * Ours and not the client's ordered consumer, because that one wraps each message (measured: half the replay speed) and
 * notices a restarted server only after two missed heartbeats of 5 s.
 */
export async function jetStreamFeed(
  connection: NatsConnection,
  stream: string,
  after: number,
  onMessage: (subject: string, sequence: number, data: Uint8Array, message: Msg) => void,
  onError: (error: Error) => void,
): Promise<Feed> {
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const waiters = new PositionWaiters();
  waiters.position = after;
  let stopped = false;
  let subscription: Subscription | undefined;
  let consumer: string | undefined;
  let delivered = 0;
  let heard = Date.now();
  let opening: Promise<void> | undefined;

  function fail(error: Error): void {
    if (stopped) return;
    stopped = true;
    clearInterval(watch);
    subscription?.unsubscribe();
    waiters.end(error);
    onError(error);
  }

  function take(message: Msg, own: Subscription): void {
    if (own !== subscription || stopped) return;
    heard = Date.now();
    const reply = message.reply ?? '';
    if (message.headers && message.headers.code === 100) {
      // Flow control asks for a word from us; a heartbeat may carry the same question for a stalled consumer.
      const stalled = message.headers.get('Nats-Consumer-Stalled');
      if (reply) message.respond();
      else if (stalled) connection.publish(stalled);
      else if (Number(message.headers.get('Nats-Last-Consumer') || delivered) !== delivered) reopen();
      return;
    }
    // $JS.ACK.<stream>.<consumer>.<deliveries>.<stream sequence>.<consumer sequence>.<time>.<pending>
    const parts = reply.split('.');
    const sequence = Number(parts[5]);
    if (Number(parts[6]) !== delivered + 1) return reopen();
    delivered++;
    // Whoever reacts to this one has seen it: what they say they decided on includes it.
    waiters.position = sequence;
    try {
      onMessage(message.subject, sequence, message.data, message);
    } catch (error) {
      fail(error as Error);
      return;
    }
    waiters.advance(sequence);
  }

  async function open(): Promise<void> {
    const inbox = inboxOf(connection);
    subscription?.unsubscribe();
    if (consumer) void manager.consumers.delete(stream, consumer).catch(() => undefined); // it may be gone with its server; its inactivity ends it otherwise
    consumer = undefined;
    delivered = 0;
    const own: Subscription = connection.subscribe(inbox, { callback: (error, message) => (error ? fail(error) : take(message, own)) });
    subscription = own;
    const info = await manager.consumers.add(stream, {
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: waiters.position + 1,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      max_deliver: 1,
      mem_storage: true,
      num_replicas: 1,
      flow_control: true,
      idle_heartbeat: HEARTBEAT_MS * 1_000_000,
      inactive_threshold: 30_000 * 1_000_000,
    });
    consumer = info.name;
    heard = Date.now();
  }

  /** One at a time; an outage is tried again by the watch. */
  function reopen(): void {
    if (stopped || opening) return;
    const started: Promise<void> = open()
      .catch((error: unknown) => {
        if (!isOutage(error) && !connection.isClosed() && !isPassing(error)) fail(error as Error);
        else heard = 0;
      })
      .finally(() => {
        opening = undefined;
      });
    opening = started;
  }

  const watch = setInterval(() => {
    if (Date.now() - heard > 2.5 * HEARTBEAT_MS) reopen();
  }, HEARTBEAT_MS / 4);
  watch.unref();
  void (async () => {
    for await (const status of connection.status()) {
      if (stopped) return;
      if (status.type === Events.Reconnect) reopen();
    }
  })();

  const { state } = await manager.streams.info(stream);
  await open();
  const live = waiters.reached(state.last_seq);
  live.catch(() => undefined); // told to whoever waits for it, and by onError
  return {
    get position() {
      return waiters.position;
    },
    live,
    reached: (sequence) => waiters.reached(sequence),
    async stop() {
      if (stopped) return;
      stopped = true;
      clearInterval(watch);
      subscription?.unsubscribe();
      waiters.end(new Error('the feed was stopped'));
      if (consumer && !connection.isClosed()) await manager.consumers.delete(stream, consumer).catch(() => undefined); // inactivity ends it too
    },
  };
}

/** While a server starts, its JetStream answers with errors that pass by themselves. */
function isPassing(error: unknown): boolean {
  const code = (error as { api_error?: { code?: number } }).api_error?.code;
  return code === 503 || code === 408;
}
