import { expect, test } from 'vitest';
import { withoutLineBreak, wordsOf } from './words';

test('what is typed with commas or spaces between is a list', () => {
  expect(wordsOf(' compilers,graphics  web,\n')).toEqual(['compilers', 'graphics', 'web']);
  expect(wordsOf(' , ')).toEqual([]);
});

test('one line break at the end of a value does not count, and nothing else is taken away', () => {
  expect(withoutLineBreak('a\nb\n')).toBe('a\nb');
  expect(withoutLineBreak('a\r\n')).toBe('a');
  expect(withoutLineBreak(' a \n\n')).toBe(' a \n');
});
