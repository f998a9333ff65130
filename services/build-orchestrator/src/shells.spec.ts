import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Scope } from './domain/language/expression.js';
import { renderScript } from './domain/language/template.js';
import { hostile } from './spec/hostile.testing.js';

const seeing = (...values: string[]): Scope => ({ value: ([, name]) => values[Number(name?.slice(1))], succeeded: () => true, failed: () => false });

describe.each(['sh', 'bash'] as const)('in a real %s', (shell) => {
  /** What the script prints, the values in its environment. */
  const run = (source: string, ...values: string[]) => {
    const { script, env } = renderScript(source, shell, seeing(...values));
    return execFileSync(shell, ['-ec', script], { env: { PATH: process.env['PATH'] ?? '', ...env }, cwd: '/', encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  };
  test('hostile values come out as they went in', () => {
    // One process for all of them: a NUL, which no value can have, between two.
    const source = `printf '%s\\0' ${hostile.map((_, i) => `"\${{ vars.v${i} }}"`).join(' ')}`;
    expect(run(source, ...hostile).split('\0').slice(0, -1)).toEqual(hostile);
  });
  test('so does whatever else there is', () => {
    const values = fc.sample(fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => text.replaceAll('\0', '')), { numRuns: 200, seed: 7 });
    expect(run(`printf '%s\\0' ${values.map((_, i) => `"\${{ vars.v${i} }}"`).join(' ')}`, ...values).split('\0').slice(0, -1)).toEqual(values);
  });
  test('without quotes a value becomes several words, and never a command', () => expect(run('printf "[%s]" ${{ vars.v0 }}', 'a b $(touch owned); touch owned')).toBe('[a][b][$(touch][owned);][touch][owned]'));
  test('in single quotes nothing is put in', () => expect(run("printf %s '${{ vars.v0 }}'", 'x')).toBe('${BERTH_V1}'));
});
