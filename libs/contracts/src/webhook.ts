import { z } from 'zod';
import { instant, name } from './scalars.js';

/** Kinds of things that have a status. */
export const statusKinds = ['machine', 'blueprint', 'resource', 'fleet', 'lease', 'action', 'build', 'image', 'hardware', 'job'] as const;

/** Where statuses are sent. No password in it: it is shown to all who may see webhooks. */
const target = z
  .url({ protocol: /^https?$/, error: 'use a URL that begins with http:// or https://' })
  .max(2048)
  .refine((url) => !URL.canParse(url) || (new URL(url).username === '' && new URL(url).password === ''), 'must not hold a user or a password: what is sent is signed instead')
  .refine((url) => !URL.canParse(url) || new URL(url).hash === '', 'must not have a part after "#": it is never sent');

export const webhookSpec = z.object({
  url: target.describe('takes each status as a POST'),
  kinds: z.array(z.enum(statusKinds)).max(statusKinds.length).default([]).describe('of which things; none = all'),
  statuses: z.array(z.string().min(1).max(32)).max(32).default([]).describe('only these, such as passed or failed; none = all'),
});
/** What a webhook is told and where, as it was saved. */
export type WebhookSpec = z.output<typeof webhookSpec>;

export const webhookCommands = {
  SaveWebhook: webhookSpec.extend({ name }).describe('Begins to send statuses to a URL, or changes what is sent where. It begins with what happens from then on.'),
  RemoveWebhook: z.object({ webhook: name }).describe('Sends nothing more there.'),
  SuspendWebhook: z.object({ webhook: name, reason: z.string().min(1).max(256).default('suspended') }).describe('Sends nothing more until ResumeWebhook; what happens meanwhile waits.'),
  ResumeWebhook: z.object({ webhook: name }).describe('Goes on where it was suspended.'),
  RotateWebhookKey: z.object({ webhook: name }).describe('Signs with a new key. For a day what is sent carries the signature of the key before too.'),
} as const;

export const webhookEvents = {
  WebhookSaved: webhookSpec.extend({ version: z.number().int().positive() }).describe('Statuses are sent there from now on.'),
  WebhookRemoved: z.object({}).describe('Nothing more is sent there.'),
  WebhookSuspended: z.object({ reason: z.string() }).describe('Nothing is sent until it is resumed: somebody said so, or its target answered that it is gone for good (410).'),
  WebhookResumed: z.object({}).describe('What waited is sent.'),
  WebhookKeyRotated: z
    .object({ key: z.number().int().positive().describe('counts its keys'), until: instant.describe('what is sent before is signed with the key before too') })
    .describe('It is signed with another key.'),
} as const;
