import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ActionIndex } from './line-index.js';
import { LineScanner, LONGEST_LINE, type Line, type Mark } from './lines.js';
import { BEGINNING, type Chunk, type OutputStream } from './place.js';

/** Chunks one after the other, as they are stored. */
function chunks(...parts: (readonly [stream: OutputStream, text: string | Uint8Array])[]): Chunk[] {
  let place = BEGINNING;
  return parts.map(([stream, text], i) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    const reached = place[stream].reached + bytes.byteLength;
    place = { ...place, sequence: i + 1, [stream]: { reached, given: reached, open: true } };
    return { stream, bytes, time: `t${i}`, after: place };
  });
}
const shown = ({ n, stream, bytes, time, group }: Line) => [n, stream, Buffer.from(bytes).toString(), time, group.join('/')];
function linesOf(all: readonly Chunk[], from?: Mark): unknown[][] {
  const lines: unknown[][] = [];
  const scanner = new LineScanner(from);
  for (const chunk of all) scanner.feed(chunk, (line) => lines.push(shown(line)));
  scanner.rest((line) => lines.push(shown(line)));
  return lines;
}

describe('lines', () => {
  test('are cut in each stream for itself, numbered as they end, with the time of their beginning', () => {
    expect(linesOf(chunks(['stdout', 'one\ntw'], ['stderr', 'E1\nE2'], ['stdout', 'o\n\r10%\r20%\n\n'], ['stderr', '!']))).toEqual([
      [1, 'stdout', 'one', 't0', ''],
      [2, 'stderr', 'E1', 't1', ''],
      [3, 'stdout', 'two', 't0', ''],
      [4, 'stdout', '\r10%\r20%', 't2', ''],
      [5, 'stdout', '', 't2', ''],
      [6, 'stderr', 'E2!', 't1', ''],
    ]);
  });

  test('without an end are given in pieces, between characters', () => {
    const euros = Buffer.from('€'.repeat(60_000));
    const lines = linesOf(chunks(['stdout', euros.subarray(0, 100_000)], ['stdout', euros.subarray(100_000)], ['stdout', '\nx\n']));
    expect(lines.map(([, , text]) => text as string).slice(0, -1).join('')).toBe(euros.toString());
    expect(lines.every(([, , text]) => Buffer.byteLength(text as string) <= LONGEST_LINE)).toBe(true);
    expect(lines.at(-1)![2]).toBe('x');
  });

  test('are the same wherever the chunks were cut, and from any mark on', () => {
    const text = fc.constantFrom('a', '\n', '\n\n', 'bb', '::group::G\n', '::endgroup::\n', '€', '\u001b[1m::group::C\u001b[0m\n');
    fc.assert(
      fc.property(fc.array(text, { maxLength: 40 }), fc.array(fc.nat(200), { maxLength: 10 }), fc.nat(10), (parts, cuts, at) => {
        const bytes = Buffer.from(parts.join(''));
        const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.byteLength)).sort((a, b) => a - b), bytes.byteLength];
        const pieces = chunks(...places.slice(1).map((end, i) => ['stdout', bytes.subarray(places[i], end)] as const));
        const bare = (lines: unknown[][]) => lines.map(([n, stream, line, , group]) => [n, stream, line, group]);
        const all = linesOf(pieces);
        expect(bare(all)).toEqual(bare(linesOf(chunks(['stdout', bytes]))));
        const cut = Math.min(at, pieces.length);
        const scanner = new LineScanner();
        const before: unknown[][] = [];
        for (const piece of pieces.slice(0, cut)) scanner.feed(piece, (line) => before.push(shown(line)));
        expect([...before, ...linesOf(pieces.slice(cut), scanner.mark())]).toEqual(all);
      }),
    );
  });
});

describe('groups', () => {
  const printed = chunks(['stdout', 'a\n::group::Compile\nb\n::group:: Link \nc\n::endgroup::\n'], ['stderr', '::group::E\nd\n::endgroup::\n'], ['stdout', '::endgroup::\n::endgroup::\ne\n::group::Last\nf']);

  test('lines know theirs, and the lines that open and close one belong to it', () => {
    expect(linesOf(printed).map(([n, , , , group]) => [n, group])).toEqual([
      [1, ''], [2, 'Compile'], [3, 'Compile'], [4, 'Compile/Link'], [5, 'Compile/Link'], [6, 'Compile/Link'],
      [7, 'Compile/E'], [8, 'Compile/E'], [9, 'Compile/E'], [10, 'Compile'], [11, ''], [12, ''], [13, 'Last'], [14, 'Last'],
    ]);
  });

  test('are listed by the index, each once, whoever reads first and again', () => {
    const index = new ActionIndex();
    for (let times = 0; times < 2; times++) {
      const { feed } = index.scanner(index.before(1));
      for (const chunk of printed) feed(chunk, () => undefined);
    }
    expect(index.groups).toEqual([
      { name: 'Compile', within: [], firstLine: 2, lastLine: 10 },
      { name: 'Link', within: ['Compile'], firstLine: 4, lastLine: 6 },
      { name: 'E', within: ['Compile'], firstLine: 7, lastLine: 9 },
      { name: 'Last', within: [], firstLine: 13, lastLine: null },
    ]);
  });
});

test('the index finds a line without reading all before it, and forgets nothing that it needs', () => {
  const index = new ActionIndex();
  const line = (i: number) => `line ${i} ${'x'.repeat(90)}`;
  const text = Array.from({ length: 40_000 }, (_, i) => `${line(i + 1)}\n`).join('');
  const pieces = Array.from({ length: Math.ceil(text.length / 60_000) }, (_, i) => ['stdout', text.slice(i * 60_000, (i + 1) * 60_000)] as const);
  const all = chunks(...pieces);
  const counting = index.scanner(index.before(1));
  for (const chunk of all) counting.feed(chunk, () => undefined, () => false);
  const mark = index.before(30_000);
  expect(mark.lines).toBeGreaterThan(20_000);
  const { scanner, feed } = index.scanner(mark);
  const found: string[] = [];
  for (const chunk of all.filter(({ after }) => after.sequence > mark.place.sequence)) feed(chunk, ({ bytes }) => found.push(Buffer.from(bytes).toString()), (n) => n === 30_000);
  expect(found).toEqual([line(30_000)]);
  expect(scanner.lines).toBe(40_000);
});
