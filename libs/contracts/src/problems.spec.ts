import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fieldErrors } from './problems.js';

const said = (schema: z.ZodType, value: unknown): string[] => {
  const { error } = schema.safeParse(value);
  return error ? fieldErrors(error).map(({ field, message }) => `${field} ${message}`) : [];
};

const kind = z.enum(['host', 'service', 'working-copy']);
const shapes = z.discriminatedUnion('is', [z.object({ is: z.literal('round'), radius: z.number() }), z.object({ is: z.literal('square'), side: z.number() })]);

describe('what is wrong with a field is a sentence that begins with its name', () => {
  test.each<[z.ZodType, unknown, string]>([
    [z.string(), undefined, 'a is required (text)'],
    [z.number(), undefined, 'a is required (a number)'],
    [kind, undefined, 'a is required (one of "host", "service", "working-copy")'],
    [z.literal('yes'), undefined, 'a is required ("yes")'],
    [z.string(), 7, 'a must be text, not a number'],
    [z.number(), '7', 'a must be a number, not text'],
    [z.number(), Number.NaN, 'a must be a number, not NaN'],
    [z.number().int(), 1.5, 'a must be a whole number, not a number with a fraction'],
    [z.boolean(), 'true', 'a must be true or false, not text'],
    [z.array(z.string()), { b: 1 }, 'a must be a list, not an object'],
    [z.object({}), [], 'a must be an object, not a list'],
    [z.string(), null, 'a must be text, not null'],
    [kind, 'hosts', 'a must be one of "host", "service", "working-copy": did you mean "host"?'],
    [kind, 'boat', 'a must be one of "host", "service", "working-copy"'],
    [z.literal(3), 4, 'a must be 3'],
    [z.string().min(1), '', 'a must not be empty'],
    [z.string().min(3), 'x', 'a must have at least 3 characters'],
    [z.string().max(1), 'xy', 'a must have at most 1 character'],
    [z.array(z.string()).min(1), [], 'a must not be empty'],
    [z.array(z.string()).length(2), [], 'a must have exactly 2 entries'],
    [z.number().min(1), 0, 'a must be at least 1'],
    [z.number().positive(), 0, 'a must be more than 0'],
    [z.number().max(9), 10, 'a must be at most 9'],
    [z.number().multipleOf(5), 7, 'a must be a multiple of 5'],
    [z.uuid(), 'x', 'a must be a UUID'],
    [z.url({ protocol: /^https?$/ }), 'x', 'a must be an http or https URL'],
    [z.url({ protocol: /^https?$/ }), 'ftp://x', 'a must be an http or https URL'],
    [z.iso.datetime(), 'today', 'a must be a time such as 2030-01-31T12:00:00Z'],
    [z.string().regex(/^x+$/), 'y', 'a must match /^x+$/'],
    [z.string().startsWith('x'), 'y', 'a must start with "x"'],
    [z.string().endsWith('x'), 'y', 'a must end with "x"'],
    [z.string().includes('x'), 'y', 'a must contain "x"'],
    [shapes, { is: 'ruond' }, 'a.is must be one of "round", "square": did you mean "round"?'],
    [shapes, {}, 'a.is is required (one of "round", "square")'],
    [shapes, { is: 'round' }, 'a.radius is required (a number)'],
    [z.strictObject({ b: z.string().optional() }), { c: 1 }, 'a unknown key "c": remove it or correct its spelling'],
    [z.string().regex(/^x+$/, 'use letters x alone'), 'y', 'a use letters x alone'],
  ])('%#: %s', (schema, value, sentence) => {
    expect(said(z.object({ a: schema }), { a: value })).toEqual([sentence]);
  });

  test('of the ways to say a thing, what is wrong is told of the one that was missed by least', () => {
    const either = z.union([z.string(), z.object({ name: z.string(), size: z.number() })]);
    expect(said(z.object({ a: either }), { a: { name: 'x', size: 'big' } })).toEqual(['a.size must be a number, not text']);
  });
});
