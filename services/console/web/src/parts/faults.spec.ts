import { describe, expect, it } from 'vitest';
import { faultsOf, offsetOf } from './faults';

describe('what is wrong with a text', () => {
  it('is told by line and column', () => {
    expect(
      faultsOf([
        { field: 'steps[1].run', message: 'line 7, column 5: must be text\nof some kind' },
        { field: 'source', message: 'line 2, column 1: is not YAML' },
        { field: 'source', message: 'takes more than 896 KiB' },
      ]),
    ).toEqual([
      { line: 0, column: 0, field: undefined, message: 'takes more than 896 KiB' },
      { line: 2, column: 1, field: undefined, message: 'is not YAML' },
      { line: 7, column: 5, field: 'steps[1].run', message: 'must be text\nof some kind' },
    ]);
  });

  it('is found in the text when only its field is known', () => {
    const errors = [{ field: 'targets.raw.size', message: 'is too small' }, { field: 'source', message: 'is odd' }];
    expect(faultsOf(errors, 'name: web\ntargets:\n  raw:\n    size: 1MiB\n')).toEqual([
      { line: 0, column: 0, field: undefined, message: 'is odd' },
      { line: 4, column: 0, field: 'targets.raw.size', message: 'is too small' },
    ]);
    expect(faultsOf(errors, '<template>').map(({ line }) => line)).toEqual([0, 0]);
  });

  it.each([
    [1, 1, 0],
    [2, 3, 6],
    [2, 99, 7],
    [9, 1, 8],
    [0, 0, 0],
  ])('line %i, column %i is found in the text', (line, column, offset) => {
    expect(offsetOf('abc\ndef\n', line, column)).toBe(offset);
  });
});
