import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkedId, envWords, shQuote } from './quote.js';

/** Arbitrary text without NUL, rich in what shells treat as special. */
const text = fc.string({
  unit: fc.oneof(fc.constantFrom("'", '"', '\\', '$', '`', '\n', '\r', '!', '~', '*', '?', '#', '&', ';', '|', '<', '>', '(', ')', ' ', '\t', '-', '\x01', '\x7f', '\x81'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })),
  maxLength: 60,
}).filter((value) => !value.includes('\0'));

describe('quoting for sh', () => {
  it.each(['sh', 'bash'])('passes any words through %s unchanged', (shell) => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 12 }), (words) => {
        const printed = execFileSync(shell, [], { input: `printf '%s\\0' ${words.map(shQuote).join(' ')}` });
        expect(printed.toString().split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 150 },
    );
  });

  it('sets any environment value', () => {
    fc.assert(
      fc.property(text, (value) => {
        const line = `export ${envWords({ VALUE: value }).map(shQuote).join(' ')}; exec printenv VALUE`;
        expect(execFileSync('sh', ['-s'], { input: line }).toString()).toBe(`${value}\n`);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a NUL', () => {
    expect(() => shQuote('a\0b')).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });

  it.each(['', '1A', 'A-B', 'A B', 'A=B', 'Ä', 'A\n', 'BERTH_ACTION'])('refuses the variable name %j', (name) => {
    expect(() => envWords({ [name]: 'x' })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });

  it.each(['', '.', '..', '.x', '-x', 'a/b', 'a b', 'a\n', 'x'.repeat(129)])('refuses the id %j', (id) => {
    expect(() => checkedId(id)).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });
});
