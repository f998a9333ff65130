import fc from 'fast-check';
import type { JsonSchema } from '@berth/contracts';

/** Values by a JSON Schema: as it says, nearly so, and not at all. */

type Value = fc.Arbitrary<unknown>;

/** Text that things break on: NUL, lone halves of letters, right-to-left marks, names of prototypes, much of it. */
export const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\0', 'a\0b', '\ud800', '\u202e', '\ufeff', '../../etc/passwd', '%00', '%', '%zz', '{{7*7}}', '${x}', "'; DROP TABLE lease; --", '__proto__', 'constructor', 'null', 'NaN', '-0', '1e999', '9'.repeat(40), 'é'.normalize('NFD'), '𝒳'.repeat(20)),
  fc.integer({ min: 1000, max: 60_000 }).map((length) => 'x'.repeat(length)),
);

const deep = fc.integer({ min: 50, max: 500 }).map((depth) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown);

/** Any JSON. */
export const hostile: Value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, -0, 2 ** 53, 1e308, -1e308, '', [], {}, [[]], { a: null }) },
  { weight: 4, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: deep },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 3000 }).map((count) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]))) },
  { weight: 1, arbitrary: fc.constantFrom(...['__proto__', 'constructor', 'toString', 'then'].map((key) => JSON.parse(`{"${key}":{"a":1}}`) as unknown)) },
);

/** What a schema takes, as far as it says. */
export function valid(schema: JsonSchema, components: Record<string, JsonSchema>, depth = 0): Value {
  const of = (inner: unknown): Value => valid(inner as JsonSchema, components, depth + 1);
  const { $ref, type, format, pattern } = schema as { $ref?: string; type?: string; format?: string; pattern?: string };
  if ($ref !== undefined) return of(components[$ref.split('/').at(-1)!]);
  if (schema['const'] !== undefined) return fc.constant(schema['const']);
  if (schema['enum'] !== undefined) return fc.constantFrom(...(schema['enum'] as unknown[]));
  const alternatives = (schema['oneOf'] ?? schema['anyOf']) as unknown[] | undefined;
  if (alternatives) return fc.oneof(...alternatives.map(of));
  switch (type) {
    case 'object':
      return object(schema, of, depth);
    case 'array':
      return fc.array(of(schema['items'] ?? {}), { minLength: (schema['minItems'] as number | undefined) ?? 0, maxLength: Math.min((schema['maxItems'] as number | undefined) ?? 4, 4) });
    case 'integer':
    case 'number':
      return integer(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return string(schema, format, pattern);
    default:
      return fc.jsonValue({ maxDepth: 1 });
  }
}

function object(schema: JsonSchema, of: (inner: unknown) => Value, depth: number): Value {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, unknown>);
  const required = (schema['required'] ?? []) as string[];
  // What need not be there and goes deep is left out, or there would be no end to it.
  const kept = properties.filter(([name]) => depth < 6 || required.includes(name));
  const own = fc.record(Object.fromEntries(kept.map(([name, inner]) => [name, of(inner)])), { requiredKeys: required });
  const more = schema['additionalProperties'];
  if (typeof more !== 'object' || more === null) return own;
  const key = (schema['propertyNames'] as JsonSchema | undefined) ?? {};
  return fc.dictionary(string(key, undefined, key['pattern'] as string | undefined), of(more), { maxKeys: 3 });
}

function integer(schema: JsonSchema): fc.Arbitrary<number> {
  const least = (schema['minimum'] as number | undefined) ?? ((schema['exclusiveMinimum'] as number | undefined) === undefined ? -1000 : (schema['exclusiveMinimum'] as number) + 1);
  const most = (schema['maximum'] as number | undefined) ?? Math.max(least, 0) + 100_000;
  return fc.oneof(fc.integer({ min: Math.ceil(Math.max(least, -(2 ** 31))), max: Math.min(most, 2 ** 31 - 1) }), fc.constantFrom(least, most));
}

function string(schema: JsonSchema, format: string | undefined, pattern: string | undefined): fc.Arbitrary<string> {
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return fc.date({ min: new Date('2030-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
  if (format === 'uri') return fc.webUrl();
  const bounds = { minLength: (schema['minLength'] as number | undefined) ?? 0, maxLength: Math.min((schema['maxLength'] as number | undefined) ?? 20, 20) };
  if (pattern === undefined) return fc.string(bounds);
  if (/\(\\d\+d\)/.test(pattern)) return fc.constantFrom('90s', '10m', '1h30m', '2d');
  try {
    return fc.stringMatching(new RegExp(pattern));
  } catch {
    // Of a form that can't be made up; what does not match is a nearly valid value.
    return fc.string(bounds);
  }
}

/** What a schema takes but for one thing: something is missing, is another thing, or is there besides. */
export function nearly(schema: JsonSchema, components: Record<string, JsonSchema>): Value {
  return fc.tuple(valid(schema, components), fc.nat(), hostile, fc.constantFrom('drop', 'replace', 'add') as fc.Arbitrary<'drop' | 'replace' | 'add'>).map(([value, at, odd, how]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return odd;
    const keys = Object.keys(value);
    const key = keys[at % Math.max(1, keys.length)];
    const rest = Object.entries(value).filter(([name]) => name !== key);
    if (how === 'add' || key === undefined) return Object.fromEntries([...Object.entries(value), ['boat', odd]]);
    return Object.fromEntries(how === 'drop' ? rest : [...rest, [key, odd]]);
  });
}
