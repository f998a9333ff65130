import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { fieldOf, pathOf, tell, YamlSource } from './index.js';

const read = (text: string) => new YamlSource(text, 'menu');
/** The errors of a text as `field | message`. */
const errorsOf = (text: string) => read(text).errors.map(({ field, message }) => `${field} | ${message}`);
const whole = 'data.source';

test('a path is written as people do', () => {
  expect(fieldOf(['steps', 0, 'run'])).toBe('steps[0].run');
  expect(fieldOf([])).toBe(whole);
  for (const path of [[], ['name'], ['steps', 0, 'run'], ['files', 12, 'lines', 3]]) expect(pathOf(fieldOf(path))).toEqual(path);
});

test('each value has its place, and what is missing the place of what it is missing from', () => {
  const source = read('name: p\nlist:\n  - { a: 1 }\n  -\n');
  expect(source.value).toEqual({ name: 'p', list: [{ a: 1 }, null] });
  expect(source.tell(['list', 0, 'a'], 'value', 'x')).toEqual({ field: 'list[0].a', message: 'line 3, column 10: x' });
  expect(source.tell(['list', 0, 'a'], 'key', 'x').message).toBe('line 3, column 7: x');
  expect(source.tell(['list', 0, 'b'], 'key', 'x').message).toBe('line 3, column 5: x');
  expect(source.tell(['list', 0, 'b', 'c'], 'key', 'x').message).toBe('line 3, column 5: x');
  expect([source.has(['list', 1]), source.has(['list', 2]), source.isEmpty(['list', 1]), source.isEmpty(['name'])]).toEqual([true, false, true, false]);
});

test('a value behind an alias has the place where it is written', () => {
  expect(read('a: &a { b: x }\nc: *a\n').tell(['c', 'b'], 'value', 'x').message).toBe('line 1, column 12: x');
});

describe('not YAML', () => {
  test.each([
    ['a missing quote', 'name: "p\n', 'line 2, column 1: Missing closing "quote'],
    ['a tab', 'name: p\nsteps:\n\t- x\n', 'line 3, column 1: Tabs are not allowed as indentation'],
    ['two documents', 'a: 1\n---\nb: 2\n', 'line 2, column 1: one document is enough: remove what follows "---"'],
    ['an unknown tag', 'name: !js p\n', 'line 1, column 7: remove the tag, it means nothing here: !js'],
    ['an anchor that is not there', 'name: *p\n', 'line 1, column 7: no anchor &p stands before *p'],
    ['a key that is no text', '? [a]\n: b\n', 'line 1, column 3: a key must be text'],
  ])('%s', (_what, text, error) => expect(errorsOf(text)).toContain(`${whole} | ${error}`));
  test('a key that stands there twice is told where it stands, and the rest can be read', () => {
    const source = read('a: 1\na: 2\n');
    expect(source.errors).toEqual([{ field: 'a', message: 'line 2, column 1: the key "a" stands there twice: remove one' }]);
    expect(source.value).toEqual({ a: 2 });
  });
});

/** Each of these took the parser seconds, gigabytes or the whole process before there were limits. */
describe('texts that are meant to hurt', () => {
  const many = (count: number, part: (i: number) => string) => Array.from({ length: count }, (_, i) => part(i)).join('');
  test.each([
    ['open brackets', '['.repeat(200_000), 'at most 50 brackets may be open'],
    ['open braces', '{a: '.repeat(50_000), 'at most 50 brackets may be open'],
    ['lists in lists', '- '.repeat(100_000), 'too many levels begin on this line'],
    ['keys of keys', '? '.repeat(100_000), 'too many levels begin on this line'],
    ['values of values', 'a: '.repeat(100_000), 'too many levels begin on this line'],
    ['a staircase', many(800, (i) => `${' '.repeat(i)}a:\n`), 'lines may be indented by 100 columns'],
    ['aliases that multiply', `a: &a [x,x]\n${many(9, (i) => `b${i}: &b${i} [${many(9, (j) => `*${i ? `b${i - 1}` : 'a'}${j < 8 ? ',' : ''}`)}]\n`)}`, 'its aliases repeat too much'],
    ['many aliases', `a: &a x\nb: [${'*a,'.repeat(500)}]\n`, 'has too many aliases: at most 100 may stand in a menu'],
    ['many keys', many(60_000, (i) => `a${i}: 1\n`), 'has too many parts to be a menu'],
    ['one key often', 'a: 1\n'.repeat(20_000), 'stands there twice'],
  ])('%s', (_what, text, message) => expect(errorsOf(text)[0]).toContain(message));
});

describe('what a schema finds', () => {
  const schema = z.strictObject({ name: z.string().min(2), size: z.number().max(9).optional(), tags: z.array(z.string()).default([]), inner: z.strictObject({ colour: z.string() }).optional(), any: z.union([z.string(), z.number()]).optional() });
  const found = (text: string) => {
    const source = read(text);
    return (schema.safeParse(source.value).error?.issues ?? []).flatMap((finding) => tell(source, finding, [], schema)).map(({ field, message }) => `${field} | ${message}`);
  };
  test.each([
    ['what is missing', 'size: 1\n', ['name | line 1, column 1: is required']],
    ['what is empty', 'name:\n', ['name | line 1, column 6: is empty: it must be text']],
    ['what is of another type', 'name: nn\ntags: {}\n', ['tags | line 2, column 7: must be a list']],
    ['what is of none of the types', 'name: nn\nany: []\n', ['any | line 2, column 6: must be text or a number']],
    ['what is too long or too large', 'name: n\nsize: 10\n', ['name | line 1, column 7: must have at least 2 characters', 'size | line 2, column 7: must be at most 9']],
    ['a key that is meant otherwise', 'name: nn\ninner: { color: red }\n', ['inner.colour | line 2, column 1: is required', 'inner.color | line 2, column 10: unknown key "color": did you mean "colour"?']],
    ['a key that is like nothing', 'name: nn\nabcdefgh: 1\n', ['abcdefgh | line 2, column 1: unknown key "abcdefgh": the keys here are name, size, tags, inner, any']],
  ])('%s', (_what, text, errors) => expect(found(text)).toEqual(errors));
});
