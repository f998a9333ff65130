import { z } from 'zod';
import { instant, uuid } from './scalars.js';

/** The one reason that a blueprint or a resource was not chosen, for programs. */
export const consideredCode = z.enum([
  'free', 'can-launch', 'other-type', 'not-asked-for', 'not-authorised', 'disabled', 'breaker-open', 'attributes', 'limit', 'quota', 'no-resources',
  'no-free-slot', 'quarantined', 'held', 'draining', 'ending', 'broken', 'unreachable', 'booting', 'behind', 'reserved',
]);
export type ConsideredCode = z.infer<typeof consideredCode>;

/** A blueprint, or one of its resources, that was looked at for a request. */
export const considered = z.object({
  blueprint: z.string(),
  resource: uuid.optional(),
  name: z.string().optional().describe('of the resource'),
  code: consideredCode,
  reason: z.string().describe('one sentence part, such as "attribute os=mac, wanted linux"'),
  until: instant.optional().describe('when that may change by itself'),
  holders: z.array(z.object({ lease: uuid.optional().describe('absent when it acts for another project than whoever asks sees'), owner: z.string().describe('`another project` then'), until: instant.optional() })).max(8).optional().describe('who holds the slots'),
});
export type Considered = z.infer<typeof considered>;

/** Why a request waits, or what would become of it. */
export const explanation = z.object({
  verdict: z.enum(['now', 'wait', 'never']).describe('it can be served at once; it has to wait; nothing there could ever serve it'),
  reason: z.string().describe('the whole in one sentence'),
  next: z.string().describe('what happens next'),
  by: instant.optional().describe('and by when, where that is known'),
  ahead: z.number().int().nonnegative().describe('requests that come before it for the same hosts'),
  considered: z.array(considered).max(64),
  more: z.number().int().nonnegative().describe('resources that were looked at and are not listed'),
});
export type Explanation = z.infer<typeof explanation>;
