import { z } from 'zod';
import { instant } from '@berth/contracts';

/** What the HTTP API says of how an installation does. */

/** A command that could not be carried out. */
export const deadLetterView = z
  .object({
    id: z.string().describe('its sequence in BERTH_DEAD'),
    service: z.string(),
    type: z.string(),
    reason: z.string().describe('why it was given up'),
    at: instant,
    tries: z.int(),
    command: z.unknown().describe('what was sent: parsed where it is JSON of at most 4 KiB, else the beginning of its text'),
  })
  .describe('A command that could not be carried out.');
export type DeadLetterView = z.infer<typeof deadLetterView>;

/** What became of a dead letter that was sent to its service once more. */
export const deadLetterRetry = z
  .object({
    id: z.string(),
    command: z.string().nullable().describe('id of the command; null when the dead letter was gone already'),
    outcome: z.enum(['accepted', 'refused', 'waiting', 'gone']).describe('`waiting`: stored, its service has not answered yet; `gone`: it had been retried or dropped before'),
    code: z.string().nullable().describe('of a refusal'),
    message: z.string().nullable().describe('of a refusal'),
  })
  .describe('What became of a dead letter that was sent to its service once more.');
export type DeadLetterRetry = z.infer<typeof deadLetterRetry>;

/** One line of `berth doctor`. */
export const doctorFinding = z
  .object({
    check: z.string().describe('what was looked at, such as `database` or `machine box`'),
    status: z.enum(['ok', 'warning', 'failed']),
    message: z.string().describe('one sentence'),
    hint: z.string().nullable().describe('the way out; null when all is well'),
  })
  .describe('One thing that was looked at, and what is wrong with it.');
export type DoctorFinding = z.infer<typeof doctorFinding>;
