import { describe, expect, it } from 'vitest';
import { createLastLines } from './last-lines.js';

function last(...printed: [string, string | Buffer][]): string {
  const lines = createLastLines();
  for (const [stream, text] of printed) lines.add(stream, Buffer.from(text));
  return lines.text();
}

describe('the last lines of a command', () => {
  it('are those of both streams, in the order they came', () => {
    expect(last(['stdout', 'one\n'], ['stderr', 'bad\n'], ['stdout', 'two\n'])).toBe('one\nbad\ntwo');
    expect(last(['stdout', 'half'], ['stderr', 'bad\n'], ['stdout', ' a line\n'])).toBe('half\nbad\n a line');
    expect(last(['stdout', 'in '], ['stdout', 'parts'])).toBe('in parts');
    expect(last()).toBe('');
  });

  it('have no colours and nothing that was written over', () => {
    expect(last(['stdout', '\x1b[1;31merror\x1b[0m: \x1b]8;;http://x\x07link\x1b]8;;\x07\x1b(B\r\n'])).toBe('error: link');
    expect(last(['stdout', ' 10%\r 50%\r100%\ndone\0\x07\n\n\n'])).toBe('100%\ndone');
  });

  it('are at most twenty, and at most 2 KiB without half a character', () => {
    const numbers = Array.from({ length: 5000 }, (_, index) => `line ${index}\n`);
    expect(last(...numbers.map((text): [string, string] => ['stdout', text])).split('\n')).toEqual(numbers.slice(-20).map((text) => text.trim()));
    const long = last(['stdout', `x${'ä'.repeat(40_000)}`]);
    expect(long).toBe('ä'.repeat(1024));
    expect(last(['stdout', Buffer.concat([Buffer.alloc(100_000, 0xff), Buffer.from('\nend\n')])])).toMatch(/\nend$/);
  });
});
