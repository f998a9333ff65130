import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashOf, Rows, spotOf, type Part } from './rows.js';

const part = (section: number, lines: number, more: Partial<Part> = {}): Part => ({ section, lines, open: true, folded: [], ...more });
const all = (rows: Rows) => Array.from({ length: rows.count }, (_, row) => {
  const its = rows.at(row)!;
  return its.kind === 'heading' ? `#${its.section}` : `${its.section}:${its.line}`;
});

describe('the rows of a log', () => {
  it('has a heading for each try of a step, and its lines', () => {
    expect(all(new Rows([part(0, 2), part(1, 0), part(2, 1)]))).toEqual(['#0', '0:1', '0:2', '#1', '#2', '2:1']);
    expect(new Rows([]).at(0)).toBeUndefined();
  });

  it('leaves out what is folded, but for its first line', () => {
    const folded = [{ firstLine: 4, lastLine: null }, { firstLine: 2, lastLine: 3 }];
    expect(all(new Rows([part(0, 6, { folded }), part(1, 9, { open: false })]))).toEqual(['#0', '0:1', '0:2', '0:4', '#1']);
  });

  it('folds what is inside of something folded with it', () => {
    expect(all(new Rows([part(0, 5, { folded: [{ firstLine: 1, lastLine: 4 }, { firstLine: 2, lastLine: 3 }] })]))).toEqual(['#0', '0:1', '0:5']);
  });

  it('finds ten million lines as fast as ten', () => {
    const rows = new Rows([part(0, 10_000_000, { folded: [{ firstLine: 5, lastLine: 14 }] }), part(1, 3)]);
    expect(rows.at(9_999_992)).toEqual({ kind: 'heading', section: 1 });
    expect(rows.at(9_999_991)).toEqual({ kind: 'line', section: 0, line: 10_000_000 });
    expect(rows.rowOf(0, 15)).toBe(6);
    expect(rows.rowOf(0, 14)).toBeUndefined();
    expect(rows.rowOf(2, 1)).toBeUndefined();
  });

  it('finds each line again where it is', () => {
    const folds = fc.array(fc.record({ firstLine: fc.integer({ min: 1, max: 20 }), lastLine: fc.option(fc.integer({ min: 1, max: 20 })) }).filter(({ firstLine, lastLine }) => lastLine === null || lastLine >= firstLine), { maxLength: 4 });
    const parts = fc.array(fc.record({ lines: fc.nat(20), open: fc.boolean(), folded: folds }), { maxLength: 4 });
    fc.assert(
      fc.property(parts, (given) => {
        const rows = new Rows(given.map((one, section) => ({ section, ...one })));
        for (let row = 0; row < rows.count; row++) {
          const its = rows.at(row)!;
          if (its.kind === 'line') expect(rows.rowOf(its.section, its.line)).toBe(row);
        }
      }),
    );
  });
});

describe('the place of a line in the address', () => {
  it.each([
    ['#L2:120', { section: 2, line: 120 }],
    ['#L7', { section: 5, line: 7 }],
    ['#L0', undefined],
    ['#L1:', undefined],
    ['', undefined],
    ['#main', undefined],
  ])('%j', (hash, expected) => {
    expect(spotOf(hash, [1, 5])).toEqual(expected);
  });

  it('is the same again', () => {
    expect(spotOf(hashOf(3, 14), [])).toEqual({ section: 3, line: 14 });
    expect(spotOf('#L7', [])).toBeUndefined();
  });
});
