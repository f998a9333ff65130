import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { commands } from '@berth/contracts';
import { unreadFields } from './unread-fields.js';

const leaf = z.object({ ref: z.string().optional() });
const fields = (schema: z.ZodType, value: unknown) => unreadFields(schema, value).map(({ field }) => field);

describe('fields that nobody reads', () => {
  test.each<[string, z.ZodType, unknown, string[]]>([
    ['of an object', leaf, { ref: 'x', reff: 1, more: {} }, ['reff', 'more']],
    ['none', leaf, { ref: 'x' }, []],
    ['inside of another', z.object({ copy: leaf.optional() }), { copy: { reff: 1 } }, ['copy.reff']],
    ['of what may be null, or has a default', z.object({ a: leaf.nullable(), b: leaf.prefault({}), c: leaf.default({}) }), { a: { x: 1 }, b: { x: 1 }, c: { x: 1 } }, ['a.x', 'b.x', 'c.x']],
    ['of a list', z.array(leaf), [{}, { reff: 1 }], ['[1].reff']],
    ['of what has names of its own', z.object({ also: z.record(z.string(), leaf) }), { also: { lib: { reff: 1 } } }, ['also.lib.reff']],
    ['of what is changed when it is read', z.object({ a: leaf.transform(String) }), { a: { x: 1 } }, ['a.x']],
    ['of the branch that is named', z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), one: z.number() }), z.object({ kind: z.literal('b'), two: z.number() })]), { kind: 'b', one: 1 }, ['one']],
    ['of a branch that there is not', z.discriminatedUnion('kind', [z.object({ kind: z.literal('a') })]), { kind: 'c', one: 1 }, []],
    ['of the branch that knows most', z.union([z.string(), leaf, z.object({ uri: z.string() })]), { uri: 'x', name: 1 }, ['name']],
    ['of what says so itself', z.strictObject({ a: leaf }), { b: 1, a: { x: 1 } }, ['a.x']],
    ['of what may have any', z.looseObject({}), { b: 1 }, []],
    ['of what is of another type', leaf, 'x', []],
    ['of an own property that objects have anyway', leaf, JSON.parse('{"__proto__": {}, "toString": 1}'), ['__proto__', 'toString']],
  ])('%s', (_name, schema, value, expected) => expect(fields(schema, value)).toEqual(expected));

  test('are told with what there is', () => {
    expect(unreadFields(z.object({ copy: leaf }), { copy: { reff: 1 } })).toEqual([{ field: 'copy.reff', known: ['ref'] }]);
  });

  test('of a real command', () => {
    const { RequestLease } = commands.lease;
    expect(fields(RequestLease, { type: 'host', attributes: { anything: 'goes' }, prefer: [{ as: 'here' }], exclusive: { machine: 'm', forced: true }, for: '1h' })).toEqual(['exclusive.forced', 'for']);
  });
});
