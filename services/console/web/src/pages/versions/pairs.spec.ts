import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changed, changesOf, pairsIn, textOf } from './pairs';

describe('names and values', () => {
  test('are read line by line', () => expect(pairsIn('team = web\n\nos.codename=bookworm\n=x\nno\nurl=a=b')).toEqual({ given: { team: 'web', 'os.codename': 'bookworm', url: 'a=b' }, wrong: [4, 5] }));

  test('come back as they were written', () => {
    const pairs = fc.dictionary(fc.stringMatching(/^[A-Za-z][A-Za-z0-9._-]{0,8}$/), fc.stringMatching(/^[a-z0-9=.-]{0,8}$/), { noNullPrototype: true });
    fc.assert(
      fc.property(pairs, (of) => {
        expect(pairsIn(textOf(of))).toEqual({ given: of, wrong: [] });
      }),
    );
  });

  test('are sent as far as they differ; what is gone, as nothing', () => expect(changesOf({ a: '1', b: '2', c: '3' }, { a: '1', b: '4', d: '5' })).toEqual({ b: '4', c: '', d: '5' }));

  test('that others add meanwhile stay, and what they take away or say otherwise does as well, as far as it was not touched', () => {
    const opened = { a: '1', b: '2', c: '3' };
    const now = { a: '9', c: '3', new: 'x' };
    expect(changed(now, changesOf(opened, { a: '1', b: '2', c: '4' }))).toEqual({ a: '9', c: '4', new: 'x' });
    expect(changed(now, changesOf(opened, { b: '2' }))).toEqual({ new: 'x' });
  });
});
