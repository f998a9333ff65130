import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnsiStripper, stripAnsi } from './ansi.js';

const stripped = (text: string): string => Buffer.from(stripAnsi(Buffer.from(text))).toString();

test.each([
  ['colours', '\u001b[1;31mred\u001b[0m €', 'red €'],
  ['movements and modes', 'a\u001b[2K\u001b[?25lb\u001b[10;20Hc', 'abc'],
  ['a title and a link', '\u001b]0;title\u0007x\u001b]8;;http://a\u001b\\link\u001b]8;;\u001b\\', 'xlink'],
  ['character sets and single ones', '\u001b(B\u001b=\u001b7a\u001b8', 'a'],
  ['carriage returns stay', '10%\r20%\r\n', '10%\r20%\r\n'],
  ['a string without an end hides its line only', 'a\u001b]0;never\nb', 'a\nb'],
  ['a broken sequence hides nothing else', 'a\u001b[31\nb\u001b', 'a\nb'],
  ['ESC twice', '\u001b\u001b[31mx', 'x'],
])('%s', (_what, text, left) => expect(stripped(text)).toBe(left));

test('cut anywhere, the same is left', () => {
  const part = fc.constantFrom('\u001b', '[', ']', '(', '0;1', 'm', '\u0007', '\\', '\n', 'text', '€', '\r');
  fc.assert(
    fc.property(fc.array(part, { maxLength: 30 }), fc.array(fc.nat(60), { maxLength: 6 }), (parts, cuts) => {
      const bytes = Buffer.from(parts.join(''));
      const stripper = new AnsiStripper();
      const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.byteLength)).sort((a, b) => a - b), bytes.byteLength];
      const pieces = places.slice(1).map((end, i) => stripper.strip(bytes.subarray(places[i], end)));
      expect(Buffer.concat(pieces).toString()).toBe(stripped(bytes.toString()));
    }),
  );
});
