import { createHash } from 'node:crypto';
import { z } from 'zod';
import { expression, ExpressionFault } from './expression.js';

/** A UUID in its canonical text form: ids of leases, resources, actions, builds and commands. */
export const uuid = z.uuid().describe('UUID in canonical text form');

/** A name people choose (machine, plan): also the id of its stream, so it must be one subject token. */
export const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'use 1 to 63 letters, digits, "-" or "_", starting with a letter or digit')
  .describe('1 to 63 letters, digits, "-" or "_"');

/** An instant, RFC 3339 in UTC. */
export const instant = z.iso.datetime({ offset: true, message: 'use an RFC 3339 time such as 2030-01-31T12:00:00Z' });

const attributeName = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'an attribute name is 1 to 63 letters, digits, ".", "_" or "-"');
const plainValue = z.union([z.string().max(256), z.number(), z.boolean()]);

/** Attributes of a resource. Numbers and booleans are read as text. */
export const attributes = z.record(attributeName, plainValue.transform(String)).describe('names and values');

/** A list, as the text that is stored. */
function anyOf(values: readonly string[]): string {
  return values.join('|');
}

/** What a request wants: an {@link expression} for each attribute. A list is "one of these". */
export const wants = z
  .record(
    attributeName,
    z
      .union([plainValue.transform(String), z.array(plainValue.transform(String)).min(1).max(32).transform(anyOf)])
      .superRefine((text, context) => {
        try {
          expression(text);
        } catch (error) {
          if (!(error instanceof ExpressionFault)) throw error;
          context.addIssue({ code: 'custom', message: error.message });
        }
      }),
  )
  .describe('what each attribute must be: `linux`, `linux|mac`, `!windows`, `>=8`, `>=16GiB`, `>=2.30.1`, `*`');

/** What kind of system a machine runs. */
export const platform = z.enum(['linux', 'mac', 'windows']);

/** A span of time as people write it, such as `90s`, `10m`, `1h30m`, `2d`. Parsed to milliseconds. */
export const duration = z
  .string()
  .regex(/^(?=.)(\d+d)?(\d+h)?(\d+m)?(\d+s)?$/, 'use a duration such as 90s, 10m, 1h30m or 2d')
  .transform(durationMs)
  .refine((ms) => ms > 0, 'must be longer than nothing');

/** The same, or milliseconds as a number: what has been read once can be read again. */
export const span = z.union([duration, z.number().int().positive()]).describe('a duration such as 90s or 10m, or milliseconds');

/** Milliseconds of a text that {@link duration} accepts. */
export function durationMs(text: string): number {
  const unit = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;
  let total = 0;
  for (const [, count, letter] of text.matchAll(/(\d+)([dhms])/g)) total += Number(count) * unit[letter as keyof typeof unit];
  return total;
}

/**
 * The id of a thing that follows from another: the same cause and role always give the same UUID, so whatever is
 * redelivered or decided again names the same thing (name-based UUID, RFC 9562 section 5.5).
 */
export function derivedId(cause: string, role: string): string {
  const bytes = createHash('sha1').update('berth\0').update(cause).update('\0').update(role).digest();
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Marks what the type system proves can't happen; reached only by data that passed no schema. */
export function unreachable(value: never): never {
  throw new Error(`no case for ${JSON.stringify(value)}`);
}
