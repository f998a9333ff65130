import { expect, test } from 'vitest';
import { changesOf, differing } from './hardware-changes.js';

test('what differs is told by its path', () => {
  const cases: [unknown, unknown, string[]][] = [
    [{ a: 1 }, { a: 1 }, []], [{ a: 1 }, { a: 2 }, ['a']], [{ a: 1 }, {}, ['a']], [{}, { a: 1 }, ['a']], [{ a: undefined }, {}, []],
    [{ a: { b: { c: 1 } } }, { a: { b: { c: 2, d: 3 } } }, ['a.b.c', 'a.b.d']],
    [{ a: [{ b: 1 }, { b: 2 }] }, { a: [{ b: 1 }, { b: 3 }] }, ['a[1].b']], [{ a: [1] }, { a: [1, 2] }, ['a']], [{ a: [1, 2] }, { a: [2, 1] }, ['a[0]', 'a[1]']], [{ a: {} }, { a: [] }, ['a']], [{ a: null }, { a: {} }, ['a']],
  ];
  for (const [one, other, paths] of cases) expect([one, other, differing(one, other)]).toEqual([one, other, paths]);
});

test('each name is added, changed, removed or the same; what is not wanted stays unless it is to go', () => {
  const named = (name: string, more: object = {}) => ({ name, ...more });
  const now = [named('same'), named('other', { x: 1 }), named('gone')];
  const wanted = [named('same'), named('other', { x: 2 }), named('new')];
  expect(changesOf(now, wanted, true)).toEqual([
    { name: 'gone', change: 'removed', paths: [], spec: null }, { name: 'new', change: 'added', paths: [], spec: named('new') }, { name: 'other', change: 'changed', paths: ['x'], spec: named('other', { x: 2 }) },
    { name: 'same', change: 'same', paths: [], spec: named('same') },
  ]);
  expect(changesOf(now, wanted, false).map(({ name }) => name)).toEqual(['new', 'other', 'same']);
  expect(changesOf([], [], true)).toEqual([]);
});
