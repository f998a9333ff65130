import { z } from 'zod';
import { instant, webhookSpec } from '@berth/contracts';

/** What the HTTP API says of webhooks. */

export type WebhookInput = z.input<typeof webhookSpec>;

/** What became of an event that was sent to try a webhook. */
export const webhookTest = z
  .object({
    outcome: z.enum(['delivered', 'refused', 'failed', 'given-up', 'gone']).describe('`refused` and `failed` are tried again; `given-up` is the last of several refusals'),
    status: z.int().nullable().describe('of the answer; null when there was none'),
    durationMs: z.int(),
    error: z.string().nullable(),
  })
  .describe('What became of an event that was sent to try a webhook.');
export type WebhookTest = z.infer<typeof webhookTest>;

/** One try to deliver a status. */
export const deliveryView = webhookTest
  .extend({
    id: z.string().describe('of what was sent, in its header `webhook-id`: the same for each try'),
    type: z.string().describe('type of the CloudEvent'),
    at: instant,
    attempt: z.int().describe('counts the tries, from 1'),
  })
  .describe('One try to deliver a status.');
export type DeliveryView = z.infer<typeof deliveryView>;

/** Where statuses are sent. */
export const webhookView = webhookSpec
  .extend({
    name: z.string(),
    status: z.enum(['active', 'suspended']),
    reason: z.string().nullable().describe('why it is suspended'),
    version: z.int(),
    waiting: z.int().describe('statuses that have not been delivered yet'),
    last: deliveryView.nullable().describe('null: nothing was sent in the last days'),
  })
  .describe('Where statuses are sent.');
export type WebhookView = z.infer<typeof webhookView>;
