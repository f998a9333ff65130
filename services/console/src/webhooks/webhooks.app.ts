import type { AnyRecorded, Answer, CommandData, WebhookEvent } from '@berth/contracts';
import { aggregates, type Aggregates, type Command, type Follower, type Runtime } from '@berth/runtime';
import { webhookDecider, type Webhook, type WebhookCommand } from '../domain/webhook.js';

type Data<T extends 'SaveWebhook' | 'RemoveWebhook' | 'SuspendWebhook' | 'ResumeWebhook' | 'RotateWebhookKey'> = Command<CommandData<'console', T>>;

/** How long the key before goes on to sign too: whoever checks has a day to learn the new one. */
const OVERLAP_MS = 86_400_000;

/** The one writer of webhooks. */
export class WebhooksApp {
  private readonly webhooks: Aggregates<Webhook, WebhookCommand, WebhookEvent>;

  /** @param changed called when the feed has shown a change */
  constructor(
    runtime: Pick<Runtime, 'store'>,
    private readonly follower: () => Pick<Follower, 'feed' | 'reached'>,
    private readonly changed: () => void,
  ) {
    this.webhooks = aggregates('webhook', webhookDecider, runtime.store, () => this.follower().feed);
  }

  /** All that there are and were, by name. */
  *all(): IterableIterator<readonly [string, Webhook]> {
    for (const [name, { state }] of this.webhooks.entries()) yield [name, state];
  }

  get(name: string): Webhook | undefined {
    return this.webhooks.get(name)?.state;
  }

  // --- commands ---

  save(command: Data<'SaveWebhook'>): Promise<Answer> {
    const { name, ...spec } = command.data;
    const others = [...this.all()].filter(([other, { status }]) => other !== name && status !== 'none').length;
    return this.handle(name, { type: 'Save', spec, others }, command);
  }

  remove(command: Data<'RemoveWebhook'>): Promise<Answer> {
    return this.handle(command.data.webhook, { type: 'Remove' }, command);
  }

  suspend(command: Data<'SuspendWebhook'>): Promise<Answer> {
    return this.handle(command.data.webhook, { type: 'Suspend', reason: command.data.reason }, command);
  }

  resume(command: Data<'ResumeWebhook'>): Promise<Answer> {
    return this.handle(command.data.webhook, { type: 'Resume' }, command);
  }

  rotateKey(command: Data<'RotateWebhookKey'>): Promise<Answer> {
    return this.handle(command.data.webhook, { type: 'RotateKey', until: new Date(Date.now() + OVERLAP_MS).toISOString() }, command);
  }

  private async handle(name: string, what: WebhookCommand, command: Command): Promise<Answer> {
    await this.follower().reached(command.after);
    return this.webhooks.handle(name, what, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString(), base: command.base });
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'webhook') return;
    this.webhooks.apply(recorded);
    this.changed();
  }
}
