import { rejected, unreachable, type EventsOf, type Refusal, type WebhookSpec } from '@berth/contracts';

export type WebhookEvent = EventsOf<'webhook'>;

/** A webhook by its name, tagged by what it is doing. `version` and `key` count on when one of that name is saved again. */
export type Webhook =
  | { status: 'none'; version: number; key: number }
  | (Saved & { status: 'active' })
  /** nothing is sent, for a reason */
  | (Saved & { status: 'suspended'; reason: string });

interface Saved {
  spec: WebhookSpec;
  version: number;
  /** number of the key that it is signed with */
  key: number;
  /** the key before is good until then, RFC 3339: absent when there was none */
  overlap?: { key: number; until: string };
}

export type WebhookCommand =
  | { type: 'Save'; spec: WebhookSpec; others: number }
  | { type: 'Remove' }
  | { type: 'Suspend'; reason: string }
  | { type: 'Resume' }
  | { type: 'RotateKey'; until: string };

/** More would each read the whole feed of statuses. */
const MOST_WEBHOOKS = 100;

const unknown = (): Refusal => rejected('unknown-webhook', 'There is no such webhook.', [{ field: 'data.webhook', message: 'is not the name of a webhook: see `berth webhook list`' }]);
const isSame = (a: WebhookSpec, b: WebhookSpec): boolean => a.url === b.url && a.kinds.join() === b.kinds.join() && a.statuses.join() === b.statuses.join();

/** Pure. A refusal is for the asker; no events means that the command has had its effect. */
export function decide(command: WebhookCommand, webhook: Webhook): readonly WebhookEvent[] | Refusal {
  switch (command.type) {
    case 'Save': {
      if (webhook.status === 'none' && command.others >= MOST_WEBHOOKS) return rejected('limit-in-use', `The webhook is not saved: there are ${command.others} already, which is the most.`, [{ field: 'data.name', message: 'remove one that is not needed, or change it' }]);
      if (webhook.status !== 'none' && isSame(webhook.spec, command.spec)) return [];
      const { url, kinds, statuses } = command.spec;
      return [{ type: 'WebhookSaved', data: { url, kinds, statuses, version: webhook.version + 1 } }];
    }
    case 'Remove':
      return webhook.status === 'none' ? (webhook.version === 0 ? unknown() : []) : [{ type: 'WebhookRemoved', data: {} }];
    case 'Suspend':
      if (webhook.status === 'none') return unknown();
      return webhook.status === 'suspended' ? [] : [{ type: 'WebhookSuspended', data: { reason: command.reason } }];
    case 'Resume':
      if (webhook.status === 'none') return unknown();
      return webhook.status === 'active' ? [] : [{ type: 'WebhookResumed', data: {} }];
    case 'RotateKey':
      return webhook.status === 'none' ? unknown() : [{ type: 'WebhookKeyRotated', data: { key: webhook.key + 1, until: command.until } }];
    default:
      return unreachable(command);
  }
}

export function evolve(webhook: Webhook, event: WebhookEvent): Webhook {
  switch (event.type) {
    case 'WebhookSaved': {
      const { version, ...spec } = event.data;
      // One that comes again after it was removed has another key than the one before.
      return webhook.status === 'none' ? { status: 'active', spec, version, key: webhook.key + 1 } : { ...webhook, spec, version };
    }
    case 'WebhookRemoved':
      return { status: 'none', version: webhook.version, key: webhook.key };
    case 'WebhookSuspended':
      return webhook.status === 'none' ? webhook : { ...saved(webhook), status: 'suspended', reason: event.data.reason };
    case 'WebhookResumed':
      return webhook.status === 'none' ? webhook : { ...saved(webhook), status: 'active' };
    case 'WebhookKeyRotated':
      return webhook.status === 'none' ? webhook : { ...webhook, key: event.data.key, overlap: { key: webhook.key, until: event.data.until } };
    default:
      return unreachable(event);
  }
}

const saved = ({ spec, version, key, overlap }: Exclude<Webhook, { status: 'none' }>): Saved => ({ spec, version, key, ...(overlap && { overlap }) });

export const webhookDecider = {
  initial: { status: 'none', version: 0, key: 0 } as Webhook,
  decide,
  evolve,
  // Few, and asked for by every status.
  ended: () => false,
  says: ({ type }: WebhookEvent) => (type === 'WebhookSaved' || type === 'WebhookRemoved' ? 'webhook' : undefined),
};
