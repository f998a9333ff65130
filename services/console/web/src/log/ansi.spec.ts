import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lastWritten, marked, piecesOf, plainOf } from './ansi.js';

const shown = (line: string) => piecesOf(line).map(({ text, style: { classes, color, background } }) => [text, [...classes, ...(color ? [color] : []), ...(background ? [`on ${background}`] : [])].join(' ')]);

describe('the colours of a line', () => {
  it.each([
    ['plain', [['plain', '']]],
    ['\x1b[31mred\x1b[0m not', [['red', 'fore-1'], [' not', '']]],
    ['\x1b[1;92;44mloud\x1b[22;39mblue ground', [['loud', 'is-bold fore-10 back-4'], ['blue ground', 'back-4']]],
    ['\x1b[mempty is reset', [['empty is reset', '']]],
    ['\x1b[7mturned', [['turned', 'fore-ground back-text']]],
    ['\x1b[31;42;7mturned', [['turned', 'fore-2 back-1']]],
    ['\x1b[38;5;9mbright\x1b[38;5;196mcube\x1b[48;5;240mgrey', [['bright', 'fore-9'], ['cube', 'rgb(255 0 0)'], ['grey', 'rgb(255 0 0) on rgb(88 88 88)']]],
    ['\x1b[38;2;1;2;3mtrue\x1b[38;2;1;2;999mkept', [['true', 'rgb(1 2 3)'], ['kept', 'rgb(1 2 3)']]],
    ['\x1b[38:2:1:2:3mcolons', [['colons', 'rgb(1 2 3)']]],
    ['\x1b[2K\x1b[1Gmoved', [['moved', '']]],
    ['\x1b]8;;https://example.org\x07link\x1b]8;;\x1b\\', [['link', '']]],
    ['cut \x1b[3', [['cut ', '']]],
    ['bell\x07 back\x08', [['bell back', '']]],
    ['', []],
  ] as const)('of %j', (line, expected) => {
    expect(shown(line)).toEqual(expected);
  });

  it('shows what a terminal has left of a line that was written over', () => {
    expect(lastWritten('10 %\r50 %\r100 %\r\r')).toBe('100 %');
    expect(plainOf('\x1b[32m10 %\r\x1b[32mdone\r')).toBe('done');
  });

  it('never throws, and shows no control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('\x1b', '[', ']', ';', '3', '8', '5', 'm', 'K', '\x07', '\\', '\r', 'a', 'é', '\0') }), (line) => {
        expect(plainOf(line)).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/);
      }),
    );
  });
});

describe('what was searched for', () => {
  const cut = (line: string, wanted: string) => marked(piecesOf(line), wanted).map(({ text, hit }) => (hit ? `<${text}>` : text));

  it.each([
    ['one two one', 'one', ['<one>', ' two ', '<one>']],
    ['One', 'oNE', ['<One>']],
    ['a\x1b[31mb\x1b[0mc', 'abc', ['<a>', '<b>', '<c>']],
    ['xa\x1b[31mb', 'ab', ['x', '<a>', '<b>']],
    ['aaa', 'aa', ['<aa>', 'a']],
    ['nothing', 'else', ['nothing']],
    ['nothing', '', ['nothing']],
  ])('in %j, %j', (line, wanted, expected) => {
    expect(cut(line, wanted)).toEqual(expected);
  });
});
