import { describe, expect, it } from 'vitest';
import { givenOf, initialOf, linesOf, type Variable } from './variables.js';

const variables: Record<string, Variable> = {
  level: { type: 'number', required: false, default: '3' },
  target: { type: 'choice', required: false, default: 'staging', choices: ['staging', 'production'] },
  version: { type: 'string', required: true },
};

describe('the variables of a plan', () => {
  it('begin with what the plan says', () => {
    expect(initialOf(variables)).toEqual({ level: '3', target: 'staging', version: '' });
  });

  it('are asked for where they differ from it', () => {
    expect(givenOf(variables, { level: '3', target: 'production', version: '' })).toEqual({ target: 'production' });
    expect(givenOf(variables, { level: '', target: 'staging', version: '1' })).toEqual({ level: '', version: '1' });
  });
});

describe('variables as lines', () => {
  it('are names and values', () => {
    expect(linesOf('A=1\n\n  b_2 = x = y\nB2=a = b\n')).toEqual({ given: { A: '1', B2: 'a = b' }, wrong: [3] });
    expect(linesOf('')).toEqual({ given: {}, wrong: [] });
  });
});
