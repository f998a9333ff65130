import { describe, expect, test } from 'vitest';
import { located, readSource } from './source';

const text = `# hosts
name: cloud
kind: ec2
types:
  - { type: c7i.large }
  - type: large
    weight: -1
allow:
  projects: [a, b]
`;

describe('a specification as it is typed', () => {
  test.each([
    ['kind', 3], ['types', 4], ['types[0].type', 5], ['types[1].weight', 7], ['types[1]', 6], ['allow.projects[1]', 9],
    ['types[1].attributes.cpus', 6], ['allow.owners', 8], ['region', 1], ['(the whole)', 1],
  ])('%s is in line %i', (field, line) => expect(readSource(text).lineOf(field)).toBe(line));

  test('JSON is read too', () => {
    const { data, lineOf } = readSource('{\n  "kind": "local",\n  "slots": 2\n}');
    expect([data, lineOf('slots')]).toEqual([{ kind: 'local', slots: 2 }, 3]);
  });

  test.each([['a: [1, 2', /^This is not YAML: /], ['- a\n- b', /is a map/], ['', /is a map/], ['just words', /is a map/]])('%j is none', (source, message) => expect(() => readSource(source)).toThrow(message));

  test('what is wrong comes in the order of the text', () => {
    const { lineOf } = readSource(text);
    expect(located([{ field: 'types[1].weight', message: 'too small' }, { field: 'line 2', message: 'odd' }], lineOf).map(({ line, message }) => [line, message])).toEqual([[2, 'odd'], [7, 'too small']]);
  });
});
