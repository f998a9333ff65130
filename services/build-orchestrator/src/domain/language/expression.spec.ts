import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asksOutcome, evaluate, ExpressionFault, functions, namesIn, parse, type Scope, type Value } from './expression.js';

const values: Record<string, string> = { 'vars.color': 'red', 'vars.count': '10', 'vars.off': 'false', 'vars.empty': '', 'steps.test.outcome': 'failed' };
const scope = (failed = false): Scope => ({ value: (path) => values[path.join('.')], succeeded: () => !failed, failed: () => failed });
const valueOf = (text: string, failed = false): Value => evaluate(parse(text), scope(failed));

describe('values', () => {
  test.each<[string, Value]>([
    ["'a'", 'a'], ["''", ''], ["'it''s'", "it's"], ["'}} && x'", '}} && x'],
    ['1', 1], ['-1.5', -1.5], ['true', true], ['false', false], ['null', null],
    ['vars.color', 'red'], ['vars.nothing', null], ['  vars.color  ', 'red'], ['(vars.color)', 'red'], ['((1))', 1],
    ['success()', true], ['failure()', false], ['always()', true],
    ["contains('abc', 'b')", true], ["startsWith(vars.color, 're')", true], ["endsWith(vars.color, 're')", false], ["contains(vars.nothing, '')", true],
  ])('%s', (text, value) => expect(valueOf(text)).toBe(value));
  test.each<[string, Value]>([
    ["vars.color == 'red'", true], ["vars.color != 'red'", false], ['vars.count > 9', true], ["vars.count > '9'", true], ['vars.count == 10.0', true], ["'b' > 'a'", true], ["'10' < '9'", false], ["'10a' < '9a'", true],
    ['1 < 1', false], ['1 <= 1', true], ['1 >= 2', false], ["null == ''", true], ["true == 'true'", true], ["vars.nothing == 'x'", false],
  ])('compared: %s', (text, value) => expect(valueOf(text)).toBe(value));
  test('ids of many digits are compared digit by digit', () => {
    expect(valueOf("'9007199254740993' == '9007199254740992'")).toBe(false);
    expect(valueOf(`'${'9'.repeat(400)}' == '${'9'.repeat(400)}'`)).toBe(true);
  });
  test.each([["'x' && 'y'", 'y'], ["'' && 'y'", ''], ["'' || 'y'", 'y'], ["'x' || 'y'", 'x'], ['vars.off && 1', 'false'], ['vars.empty || vars.nothing', null]])('both or either give one of the two: %s', (text, value) => expect(valueOf(text)).toBe(value));
  test('a failure before', () => {
    expect(valueOf('failure()', true)).toBe(true);
    expect(valueOf('success()', true)).toBe(false);
    expect(valueOf("failure() && steps.test.outcome == 'failed'", true)).toBe(true);
  });
});

test.each([
  ['true || false && false', true], ['(true || false) && false', false], ['!true || true', true], ['!(true || true)', false], ['!!true', true], ['!!!true', false],
  ["!'x' == 'x'", false], ['1 < 2 && 2 < 3', true], ['false && false || true', true], ['true == false || true', true],
])('what binds first: %s', (text, value) => expect(valueOf(text)).toBe(value));

test.each<[string, number, string]>([
  ['', 0, 'is empty'], ['a &&', 4, 'ends too early: a value is missing'], ['a == ', 5, 'ends too early: a value is missing'],
  ['&& a', 0, 'a value is missing before "&&"'], ['a = b', 2, 'use == to compare'], ['a & b', 2, 'use && for "and", || for "or"'], ['a | b', 2, 'use && for "and", || for "or"'],
  ['a == "b"', 5, 'text stands between single quotes: write \'…\' instead of "…"'], ["a == 'b", 5, "the text that begins with 'b has no closing '"],
  ['(a', 2, '")" is missing'], ['a)', 1, 'can\'t be read from ")" on: an operator is missing before it'], ['a b', 2, 'can\'t be read from "b" on: an operator is missing before it'],
  ['1.2.3', 0, 'can\'t be read at "1.2.3"'], ['a == b == c', 7, 'can\'t be read from "== c" on: an operator is missing before it'], ['a + b', 2, 'can\'t be read at "+ b"'],
  ['toJSON(a)', 0, 'there is no function toJSON: there are success, failure, always, contains, startsWith, endsWith'],
  ['constructor()', 0, 'there is no function constructor: there are success, failure, always, contains, startsWith, endsWith'],
  ['always(a)', 0, 'always takes nothing between its brackets'], ['contains(a)', 0, 'contains takes 2 values'], ['contains(a, b', 13, '")" is missing'],
  ['('.repeat(60), 50, 'is nested too deeply'],
])('%s is refused with its place', (text, at, message) => {
  let fault: unknown;
  try {
    parse(text);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(ExpressionFault);
  expect(fault).toMatchObject({ at, message });
});
test('one that is longer than people write', () => expect(() => parse(`a${' || a'.repeat(50_000)}`)).toThrow(ExpressionFault));

test('what it names, and whether it asks how the steps before ended', () => {
  expect(namesIn(parse("!a.b && contains(c.d-e, 'x.y') || f == 1")).map(({ path, at }) => [path.join('.'), at])).toEqual([['a.b', 1], ['c.d-e', 17], ['f', 34]]);
  for (const asking of ['always()', '!success()', "a == 'b' && (failure() || c)", 'contains(failure(), a)']) expect(asksOutcome(parse(asking))).toBe(true);
  for (const not of ['a', "contains(a, 'b')", "'always()'", '1 == 1']) expect(asksOutcome(parse(not))).toBe(false);
});

const word = fc.constantFrom('a', 'vars.x', "'t'", "''", '1', '-2.5', 'true', 'null', '&&', '||', '!', '==', '<', '>=', '(', ')', ',', 'contains(', 'always()', '"', "'", '=', '&', '.', '\0', 'é', '}}');
test('whatever is written is an expression or a fault with its place, and every expression has a value', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')), fc.array(word, { maxLength: 12 }).map((words) => words.join(''))), fc.option(fc.string()), fc.boolean(), (text, value, failed) => {
      let expression;
      try {
        expression = parse(text);
      } catch (error) {
        if (!(error instanceof ExpressionFault)) throw error;
        expect(error.at).toBeGreaterThanOrEqual(0);
        expect(error.at).toBeLessThanOrEqual(text.length);
        expect(error.message).not.toBe('');
        return;
      }
      const result = evaluate(expression, { value: () => value ?? undefined, succeeded: () => !failed, failed: () => failed });
      expect(['string', 'number', 'boolean', 'object']).toContain(typeof result);
      expect(namesIn(expression).every(({ at }) => at < text.length)).toBe(true);
    }),
    { numRuns: 1500 },
  );
});
test('every function has a number of values', () => expect(Object.values(functions).every((count) => count >= 0)).toBe(true));
