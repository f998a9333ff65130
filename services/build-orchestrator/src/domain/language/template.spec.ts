import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExpressionFault, type Scope } from './expression.js';
import { hostile } from '../../spec/hostile.testing.js';
import { parseTemplate, render, renderScript } from './template.js';

const seeing = (...values: string[]): Scope => ({ value: ([, name]) => values[Number(name?.slice(1))], succeeded: () => true, failed: () => false });

describe('a text with expressions in it', () => {
  test.each([
    ['nothing in it', 'nothing in it'], ['${{ vars.v0 }}', 'one'], ['a ${{vars.v0}}b${{ vars.v1 }}', 'a oneb two'], ["${{ '}}' }}!", '}}!'], ["${{ 'it''s }}' }}", "it's }}"], ['${{ vars.v9 }}', ''], ['$ { } }} {{ ${', '$ { } }} {{ ${'], ['${{ 1 == 1 }}', 'true'],
  ])('%s', (source, text) => expect(render(source, seeing('one', ' two'))).toBe(text));
  test('a value is not read again', () => expect(render('${{ vars.v0 }}', seeing('${{ vars.v0 }}'))).toBe('${{ vars.v0 }}'));
  test('each value is made safe, the text around it is not', () => expect(render('a/b?x=${{ vars.v0 }}', seeing('c/d&e'), encodeURIComponent)).toBe('a/b?x=c%2Fd%26e'));
  test.each<[string, number, string]>([
    ['a ${{ b', 2, '${{ has no }}'], ["${{ 'b }}", 0, '${{ has no }}'], ['x${{ }}', 5, '${{ }} is empty'], ['${{ a = b }} ${{', 6, '${{ a = b }} use == to compare'],
    [`\${{ ${'x'.repeat(5000)} }}`, 3, `\${{ ${'x'.repeat(79)}…}} is too long: 5002 characters, at most 4096`],
  ])('%s is refused with its place', (source, at, message) => {
    let fault: unknown;
    try {
      parseTemplate(source);
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(ExpressionFault);
    expect(fault).toMatchObject({ at, message });
  });
  test('whatever is written is read or refused with its place', () => {
    const part = fc.constantFrom('${{', '}}', "'", ' a ', '$', '{', '}', '\n', '&&', 'vars.v0');
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string({ maxLength: 5 })), { maxLength: 12 }).map((parts) => parts.join('')), (source) => {
        try {
          expect(typeof render(source, seeing('x'))).toBe('string');
        } catch (error) {
          if (!(error instanceof ExpressionFault)) throw error;
          expect(error.at).toBeLessThanOrEqual(source.length);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

// --- scripts ---

const shells = ['sh', 'bash', 'powershell', 'cmd'] as const;

test.each([
  ['sh', 'echo "${BERTH_V1}" ${BERTH_V2}'], ['bash', 'echo "${BERTH_V1}" ${BERTH_V2}'], ['powershell', 'echo "${env:BERTH_V1}" ${env:BERTH_V2}'], ['cmd', 'echo "!BERTH_V1!" !BERTH_V2!'],
] as const)('%s is given references', (shell, script) => expect(renderScript('echo "${{ vars.v0 }}" ${{ vars.v1 }}', shell, seeing('a', 'b'))).toEqual({ script, env: { BERTH_V1: 'a', BERTH_V2: 'b' } }));
test('a script without expressions is as it was', () => expect(renderScript('echo $HOME', 'sh', seeing())).toEqual({ script: 'echo $HOME', env: {} }));

test('no character of a value ever stands in a script', () => {
  fc.assert(
    fc.property(fc.constantFrom(...shells), fc.oneof(fc.string(), fc.constantFrom(...hostile)), fc.string(), (shell, one, two) => {
      const source = 'a "${{ vars.v0 }}" \'${{ vars.v1 }}\' ${{ vars.v0 == vars.v1 }} z';
      const { script, env } = renderScript(source, shell, seeing(one, two));
      // The same script for all values: so nothing of any is in it.
      expect(script).toBe(renderScript(source, shell, seeing('', 'x')).script);
      expect(env).toEqual({ BERTH_V1: one, BERTH_V2: two, BERTH_V3: String(one === two || (/^-?\d+(\.\d+)?$/.test(one) && /^-?\d+(\.\d+)?$/.test(two) && Number(one) === Number(two))) });
    }),
  );
});
