import { AckPolicy, DeliverPolicy, NatsError, type Consumer, type ConsumerConfig, type JetStreamManager, type JsMsg } from 'nats';
import { derivedId, statusEvent, unreachable, type Kind, type StatusEvent, type WebhookSpec } from '@berth/contracts';
import { isOutage } from '@berth/event-store';
import { streams } from '@berth/nats';
import { signedHeaders, signingKey, type Living, type Runtime } from '@berth/runtime';
import type { Webhook } from '../domain/webhook.js';
import type { DeliveryLog } from './log.js';
import { post } from './post.js';

type Saved = Exclude<Webhook, { status: 'none' }>;

/** First pause after a failure; each is twice as long as the one before. */
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 300_000;
/** A target that says no is asked so often: others behind must not wait for ever for what it never takes. */
const REFUSALS = 5;
/** How long the server waits for word of a delivery: longer than one may take. */
const ACK_WAIT_MS = 60_000;
/** How long one look for the next status lasts. */
const LOOK_MS = 1000;
const OUTAGE_PAUSE_MS = 500;
/** JetStream error 10014. */
const CONSUMER_NOT_FOUND = 10014;

/** Durable consumer of a webhook on the feed of statuses. */
export const consumerName = (webhook: string) => `webhook-${webhook}`;

/** Consumer of a webhook: it remembers on the server how far its target has come, one status at a time and in order. */
const consumerConfig = (webhook: string, { kinds }: WebhookSpec): Partial<ConsumerConfig> => ({
  durable_name: consumerName(webhook),
  ack_policy: AckPolicy.Explicit,
  ack_wait: ACK_WAIT_MS * 1_000_000,
  // The next one only after the one before: a target sees the order of things.
  max_ack_pending: 1,
  max_deliver: -1,
  deliver_policy: DeliverPolicy.New,
  // One filter is all that nats-server 2.9 has; of several kinds the others are passed over here.
  filter_subject: kinds.length === 1 ? `berth.status.${kinds[0]}.*` : 'berth.status.>',
});

/**
 * Sends the statuses of things to those who can't listen on the bus: each webhook in order, again until its target takes it.
 * Since the bus keeps the last status of each thing, a target that was away is told what is true now, not all that was.
 * How far each has come is kept by the bus, so another process, or the next one, goes on where this one was.
 */
export class Deliveries implements Living {
  private readonly running = new Map<string, { version: number; stop: () => Promise<void> }>();
  private turn: Promise<void> = Promise.resolve();
  private stopped = false;

  /**
   * @param webhooks as they are now
   * @param master what the keys are derived from
   * @param gone a target said that it is gone for good
   */
  constructor(
    private readonly runtime: Pick<Runtime, 'connection' | 'fail'> & { log: Pick<Runtime['log'], 'warn'> },
    private readonly webhooks: { all(): Iterable<readonly [string, Webhook]>; get(name: string): Webhook | undefined },
    private readonly master: Buffer,
    private readonly deliveries: Pick<DeliveryLog, 'note'>,
    private readonly gone: (webhook: string, id: string, reason: string) => Promise<unknown>,
    private readonly firstPauseMs = FIRST_PAUSE_MS,
  ) {}

  async start(): Promise<void> {
    await this.agree();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.turn;
    await Promise.all([...this.running.values()].map(({ stop }) => stop()));
  }

  /** Makes what runs agree with the webhooks that there are; one after the other, however often it is asked for. */
  agree(): Promise<void> {
    this.turn = this.turn.then(() => this.agreeNow()).catch((error: unknown) => this.runtime.fail(error as Error));
    return this.turn;
  }

  private async agreeNow(): Promise<void> {
    const wanted = new Map(this.webhooks.all());
    for (const [name, { stop, version }] of this.running) {
      const webhook = wanted.get(name);
      if (webhook?.status === 'active' && webhook.version === version) continue;
      this.running.delete(name);
      await stop();
    }
    for (const [name, webhook] of wanted) {
      if (webhook.status === 'none') {
        if (webhook.version > 0) await this.insist((manager) => drop(manager, name));
        continue;
      }
      if (this.stopped || this.running.has(name)) continue;
      // One that is suspended has its consumer too: what happens meanwhile waits there.
      await this.insist((manager) => ensure(manager, name, webhook.spec));
      if (webhook.status === 'active') this.running.set(name, { version: webhook.version, stop: this.run(name) });
    }
  }

  /** An outage of the bus delays what has to be done there, and loses nothing. */
  private async insist(work: (manager: JetStreamManager) => Promise<unknown>): Promise<void> {
    while (!this.stopped) {
      try {
        await work(await this.runtime.connection.jetstreamManager({ checkAPI: false }));
        return;
      } catch (error) {
        if (this.runtime.connection.isClosed() || !isOutage(error)) throw error;
        await pause(OUTAGE_PAUSE_MS);
      }
    }
  }

  /** Returns how to end it. What is on its way to a target then is waited for. */
  private run(name: string): () => Promise<void> {
    let over = false;
    let wake = (): void => undefined;
    const rest = (ms: number) =>
      new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    const loop = async () => {
      let consumer: Consumer | undefined;
      while (!over && !this.runtime.connection.isClosed()) {
        try {
          consumer ??= await this.runtime.connection.jetstream().consumers.get(streams.status.name, consumerName(name));
          const message = await consumer.next({ expires: LOOK_MS });
          // One that came with the end of it is for the next one, at once.
          if (message && over) message.nak();
          else if (message) {
            const ms = await this.deliver(name, message);
            // Nothing comes before. A look that ends in the very moment when it comes would lose it, until the server misses word of it.
            if (ms !== undefined && !over) await rest(ms);
          }
        } catch (error) {
          if (over || this.runtime.connection.isClosed()) return;
          this.runtime.log.warn({ error, webhook: name }, 'a webhook waits for the bus');
          consumer = undefined;
          await pause(OUTAGE_PAUSE_MS);
        }
      }
    };
    const ended = loop();
    return async () => {
      over = true;
      wake();
      await ended;
    };
  }

  /** @returns when it comes again, ms; undefined when that is not put off */
  private async deliver(name: string, message: JsMsg): Promise<number | undefined> {
    const webhook = this.webhooks.get(name);
    const kind = message.subject.split('.')[2] as Kind;
    const event = statusEvent.safeParse(json(message));
    if (webhook?.status !== 'active') return void message.nak();
    if (!event.success || !isWanted(webhook.spec, kind, event.data)) return void message.ack();
    const body = message.string();
    const id = `${kind}.${event.data.subject}.${event.data.id}`;
    const tried = await post(webhook.spec.url, body, signedHeaders(this.keys(name, webhook), id, Math.floor(Date.now() / 1000), body));
    const attempt = message.info.redeliveryCount;
    const givenUp = tried.outcome === 'refused' && attempt >= REFUSALS;
    await this.deliveries.note(name, {
      id, type: event.data.type, at: new Date().toISOString(), attempt, outcome: givenUp ? 'given-up' : tried.outcome, status: tried.status, durationMs: tried.durationMs, error: 'error' in tried ? tried.error : null,
    });
    switch (tried.outcome) {
      case 'delivered':
        return void message.ack();
      case 'refused':
        return givenUp ? void message.ack() : putOff(message, pauseAfter(attempt, this.firstPauseMs));
      case 'failed':
        return putOff(message, tried.retryAfterMs ?? pauseAfter(attempt, this.firstPauseMs));
      case 'gone':
        message.nak();
        await this.gone(name, derivedId(`webhook-gone ${name}`, String(message.seq)), `its target says that it is gone (${tried.error})`.slice(0, 256));
        return undefined;
      default:
        return unreachable(tried);
    }
  }

  /** The key before the present one is good for a while. */
  private keys(name: string, { key, overlap }: Saved): string[] {
    const good = overlap && Date.parse(overlap.until) > Date.now() ? [key, overlap.key] : [key];
    return good.map((each) => signingKey(this.master, name, each));
  }
}

export function isWanted({ kinds, statuses }: WebhookSpec, kind: Kind, { data }: StatusEvent): boolean {
  return (kinds.length === 0 || kinds.some((one) => one === kind)) && (statuses.length === 0 || statuses.includes(data.status));
}

function putOff(message: JsMsg, ms: number): number {
  message.nak(ms);
  return ms;
}

/** Pause after so many tries, ms. */
export const pauseAfter = (attempt: number, firstMs = FIRST_PAUSE_MS): number => Math.min(LONGEST_PAUSE_MS, firstMs * 2 ** (attempt - 1));

async function ensure(manager: JetStreamManager, name: string, spec: WebhookSpec): Promise<void> {
  const config = consumerConfig(name, spec);
  try {
    const { config: present } = await manager.consumers.info(streams.status.name, consumerName(name));
    if (present.filter_subject !== config.filter_subject) await manager.consumers.update(streams.status.name, consumerName(name), { ...present, ...config });
  } catch (error) {
    if (!isMissing(error)) throw error;
    await manager.consumers.add(streams.status.name, config);
  }
}

async function drop(manager: JetStreamManager, name: string): Promise<void> {
  try {
    await manager.consumers.delete(streams.status.name, consumerName(name));
  } catch (error) {
    if (!isMissing(error)) throw error; // else it is gone already
  }
}

const isMissing = (error: unknown): boolean => error instanceof NatsError && error.api_error?.err_code === CONSUMER_NOT_FOUND;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Undefined when it is none: what is on the feed of statuses and is none is nobody's to send. */
function json(message: JsMsg): unknown {
  try {
    return message.json();
  } catch {
    return undefined;
  }
}
