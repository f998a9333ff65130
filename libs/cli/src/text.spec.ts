import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellLine } from './quote.js';
import { relative, size, span, table } from './text.js';

test('times and sizes as people read them', () => {
  expect([0, 850, 12_345, 60_000, 250_000, 3_600_000, 90_061_000].map(span)).toEqual(['0 ms', '850 ms', '12.3 s', '1m', '4m 10s', '1h', '1d 1h']);
  expect(relative('2030-01-01T00:00:00Z', Date.parse('2030-01-01T00:03:00Z'))).toBe('3m ago');
  expect(relative('2030-01-01T02:00:00Z', Date.parse('2030-01-01T00:00:00Z'))).toBe('in 2h');
  expect(relative(null)).toBe('-');
  expect([0, 1023, 1024, 5_000_000, 2 ** 31].map(size)).toEqual(['0 B', '1023 B', '1.0 KiB', '4.8 MiB', '2.0 GiB']);
});

test('columns are as wide as their widest text; nothing in them moves the cursor', () => {
  expect(table([{ a: 'x', b: null }, { a: 'long', b: 'z\u001b[2J\n' }], [['A', (r) => r.a], ['BEE', (r) => r.b]])).toBe('A     BEE\nx     -\nlong  z [2J');
});

test('words reach the command as they are', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }).filter((word) => !word.includes('\0')), { minLength: 1, maxLength: 5 }), (words) => {
      const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${shellLine(words)}`], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 50 },
  );
});
