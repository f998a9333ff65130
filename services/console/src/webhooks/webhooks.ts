import { randomBytes } from 'node:crypto';
import type { JetStreamManager } from 'nats';
import type { DeliveryView, WebhookView } from '@berth/client';
import { UnavailableError, isOutage } from '@berth/event-store';
import { streams } from '@berth/nats';
import { signedHeaders, signingKey, type Living, type Runtime } from '@berth/runtime';
import type { Webhook } from '../domain/webhook.js';
import type { Commands } from '../http/commands.js';
import { consumerName, Deliveries } from './delivery.js';
import { DeliveryLog } from './log.js';
import { post, type Posted } from './post.js';
import type { WebhooksApp } from './webhooks.app.js';

/** Webhooks as they are shown, and what is sent to them. */
export class Webhooks implements Living {
  readonly log: DeliveryLog;
  private readonly deliveries: Deliveries;

  /** @param master what the keys are derived from, at least 32 random bytes */
  constructor(
    private readonly runtime: Runtime,
    private readonly app: WebhooksApp,
    private readonly master: Buffer,
    commands: () => Pick<Commands, 'send'>,
  ) {
    this.log = new DeliveryLog(runtime.connection);
    const suspend = (webhook: string, id: string, reason: string) => commands().send('console', 'SuspendWebhook', { webhook, reason }, id);
    this.deliveries = new Deliveries(runtime, app, master, this.log, suspend);
  }

  start(): Promise<void> {
    return this.deliveries.start();
  }

  stop(): Promise<void> {
    return this.deliveries.stop();
  }

  /** The feed has shown a change. */
  changed(): void {
    void this.deliveries.agree();
  }

  async list(): Promise<WebhookView[]> {
    const known = [...this.app.all()].sort(([a], [b]) => (a < b ? -1 : 1));
    return (await Promise.all(known.map(([name, webhook]) => this.view(name, webhook)))).filter((view) => view !== undefined);
  }

  async get(name: string): Promise<WebhookView | undefined> {
    const webhook = this.app.get(name);
    return webhook && this.view(name, webhook);
  }

  /** The key that it is signed with now: shown when it is made, and never again. */
  key(name: string): string | undefined {
    const webhook = this.app.get(name);
    return webhook === undefined || webhook.status === 'none' ? undefined : signingKey(this.master, name, webhook.key);
  }

  /** Sends one event that says nothing, at once and beside all others. */
  async test(name: string, webhook: Exclude<Webhook, { status: 'none' }>): Promise<Posted> {
    const id = randomBytes(8).toString('hex');
    const body = JSON.stringify({ specversion: '1.0', id, source: 'console', type: 'berth.webhook.test', subject: name, time: new Date().toISOString(), datacontenttype: 'application/json', data: { id: name, status: webhook.status, percent: null, activity: null, error: null } });
    return post(webhook.spec.url, body, signedHeaders([signingKey(this.master, name, webhook.key)], `test.${name}.${id}`, Math.floor(Date.now() / 1000), body));
  }

  private async view(name: string, webhook: Webhook): Promise<WebhookView | undefined> {
    if (webhook.status === 'none') return undefined;
    const manager = await this.runtime.connection.jetstreamManager({ checkAPI: false });
    const [last, waiting] = await Promise.all([this.log.last(name), waitingFor(manager, name)]);
    return { name, ...webhook.spec, status: webhook.status, reason: webhook.status === 'suspended' ? webhook.reason : null, version: webhook.version, waiting, last: last ?? null };
  }

  /** What was tried, the newest first. */
  attempts(name: string): Promise<DeliveryView[]> {
    return this.log.list(name);
  }
}

/** Statuses that its target has not taken. @throws {UnavailableError} */
async function waitingFor(manager: JetStreamManager, name: string): Promise<number> {
  try {
    const { num_pending, num_ack_pending } = await manager.consumers.info(streams.status.name, consumerName(name));
    return num_pending + num_ack_pending;
  } catch (error) {
    if (isOutage(error)) throw new UnavailableError('the bus did not say what waits', { cause: error });
    // It was saved a moment ago, and has no consumer yet.
    return 0;
  }
}
