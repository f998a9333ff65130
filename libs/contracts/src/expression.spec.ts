import { describe, expect, test } from 'vitest';
import { expression, ExpressionFault, satisfies } from './expression.js';

describe('what a request wants of an attribute', () => {
  const rows: [text: string, value: string | undefined, satisfied: boolean][] = [
    ['linux', 'linux', true], ['linux', 'mac', false], ['linux', undefined, false],
    ['linux|mac', 'mac', true], ['linux | mac', 'linux', true], ['linux|mac', 'windows', false],
    ['!windows', 'linux', true], ['!windows', undefined, true], ['!windows', 'windows', false], ['!=windows', 'windows', false],
    ['*', 'anything', true], ['*', undefined, false], ['!*', undefined, true], ['!*', 'x', false],
    ['>=8', '8', true], ['>=8', '16', true], ['>=8', '7', false], ['>=8', undefined, false], ['>=8', 'many', false],
    ['>8', '8', false], ['<8', '7.5', true], ['<=8', '8', true], ['>=10', '9', false],
    ['>=8 <16', '8', true], ['>=8 <16', '16', false], ['>= 8  < 16', '12', true],
    ['>=16GiB', '16GiB', true], ['>=16GiB', '15.9GiB', false], ['>=16GiB', '32768MiB', true], ['>=16GiB', '17179869184', true], ['>=16GiB', '16GB', false],
    ['>=2.30.1', '2.39.5', true], ['>=2.30.1', '2.9.5', false], ['>=2.30', '2.39.5', true], ['>=2.30', '2.9.5', false], ['<3', '2.39.5', true],
    ['<4|>=16', '2', true], ['<4|>=16', '8', false], ['<4|>=16', '32', true],
    ['=a|b', 'a|b', true], ['=a|b', 'a', false], ['=>=8', '>=8', true],
    ['two words', 'two words', true],
  ];
  test.each(rows)('%s of %s: %s', (text, value, satisfied) => expect(expression(text).satisfiedBy(value)).toBe(satisfied));

  test.each([
    ['>=lots', 'compares with "lots": use a number, a size such as 16GiB, or a version such as 2.30.1'],
    ['>=', 'compares with "": use a number, a size such as 16GiB, or a version such as 2.30.1'],
    ['linux|', 'has an empty alternative: write a value on both sides of "|"'],
    ['', 'has an empty alternative: write a value on both sides of "|"'],
    ['>=8 <4', '">=8 <4" can never be true: no value is in that range'],
    ['>8 <=8', '">8 <=8" can never be true: no value is in that range'],
  ])('%s is refused', (text, sentence) => expect(() => expression(text)).toThrow(new ExpressionFault(sentence)));

  test('all wants must be satisfied, by the resource itself and not by what every object has', () => {
    expect(satisfies({ os: 'linux', cpus: '8' }, { os: 'linux', cpus: '>=4' })).toBe(true);
    expect(satisfies({ os: 'linux', cpus: '2' }, { os: 'linux', cpus: '>=4' })).toBe(false);
    expect(satisfies({}, {})).toBe(true);
    expect(satisfies({}, { constructor: '*' })).toBe(false);
  });
});
