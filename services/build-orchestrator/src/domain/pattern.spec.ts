import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches } from './pattern.js';

test.each([
  ['a', 'a', true], ['a', 'b', false], ['*', 'a', true], ['*', 'a/b', false], ['*', '', true], ['?', 'a', true], ['?', '/', false], ['?', '', false],
  ['*.tgz', 'x.tgz', true], ['*.tgz', 'a/x.tgz', false], ['**/*.tgz', 'x.tgz', true], ['**/*.tgz', 'a/b/x.tgz', true], ['a/**', 'a/b/c', true], ['a/**', 'b/a', false], ['**', 'a/b', true],
  ['a/**/z', 'a/z', true], ['a/**/z', 'a/b/c/z', true], ['a/**/z', 'a/b/c', false], ['**/a/**/a', 'a/a', true], ['a*b*c', 'aXbYc', true], ['a*b*c', 'aXcYb', false], ['[a]', '[a]', true], ['.', 'a', false],
])('%s, %s: %s', (pattern, name, does) => expect(matches(pattern, name)).toBe(does));

/** The same by trying everything. */
function slowly(pattern: string, name: string): boolean {
  const part = (p: string, n: string): boolean => {
    if (p === '') return n === '';
    if (p[0] === '*') return part(p.slice(1), n) || (n !== '' && part(p, n.slice(1)));
    return n !== '' && (p[0] === '?' || p[0] === n[0]) && part(p.slice(1), n.slice(1));
  };
  const folders = ([p, ...ps]: string[], names: string[]): boolean => {
    if (p === undefined) return names.length === 0;
    if (p === '**') return folders(ps, names) || (names.length > 0 && folders([p, ...ps], names.slice(1)));
    return names.length > 0 && part(p, names[0]!) && folders(ps, names.slice(1));
  };
  return folders(pattern.split('/'), name.split('/'));
}
const of = (...words: string[]) => fc.array(fc.constantFrom(...words), { maxLength: 8 }).map((all) => all.join(''));
test('as it is by trying everything', () => {
  fc.assert(fc.property(of('a', 'b', '*', '**', '?', '/', '/**/'), of('a', 'b', '/', 'ab'), (pattern, name) => matches(pattern, name) === slowly(pattern, name)), { numRuns: 3000 });
});
test('no pattern takes long: by trying everything these would not end', () => {
  expect(matches(`${'*a'.repeat(120)}b`, 'a'.repeat(256))).toBe(false);
  expect(matches(`${'**/a/'.repeat(40)}b`, `${'a/'.repeat(120)}c`)).toBe(false);
});
