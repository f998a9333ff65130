import { describe, expect, test } from 'vitest';
import { counts, fault, read, recorded, told } from './report.testing.js';

const tap = (...lines: string[]): string => `${lines.join('\n')}\n`;

describe('TAP', () => {
  test("Perl's Test::More, with what it prints to stderr in between", () => {
    const report = read(recorded('test-more.tap'));
    expect(report).toMatchObject({ format: 'tap', tests: { total: 8, passed: 2, failed: 3, skipped: 3, broken: 0 }, more: 0 });
    expect(told(report)).toEqual([
      "failed second # with hash = Failed test 'second # with hash'",
      "failed group > deep > very deep = Failed test 'very deep'",
      'failed test 7 = Failed test at a.t line 8.',
      'skipped test 3 = no network',
      'skipped unfinished = later',
      'skipped test 6 = nothing here',
    ]);
  });

  test.each<[what: string, text: string, counted: string]>([
    ['version 12, the plan first', tap('1..2', 'ok 1 first', 'not ok 2 second'), '1 1 0 0'],
    ['the plan last', tap('TAP version 13', 'ok', 'ok 2', '1..2'), '2 0 0 0'],
    ['version 14', tap('TAP version 14', '1..1', 'ok 1 - a'), '1 0 0 0'],
    ['Windows line breaks', tap('TAP version 13', '1..2', 'ok 1 - a', 'not ok 2 - b').replaceAll('\n', '\r\n'), '1 1 0 0'],
    ['not ok, but skipped or yet to be done', tap('1..4', 'not ok 1 # SKIP x', 'not ok 2 a # TODO', 'ok 3 # skipped: y', 'ok 4 # todo'), '0 0 4 0'],
    ['a "#" that is escaped is part of the name', tap('1..2', 'not ok 1 - a \\# SKIP x', 'not ok 2 - b \\\\# SKIP x'), '0 1 1 0'],
    ['a "#" that says nothing is part of the name', tap('1..1', 'not ok 1 - issue #12 skips'), '0 1 0 0'],
    ['lines of other kinds', tap('hello', '1..1', 'okay then', 'pragma +strict', 'ok 1', 'not okay', '    some output'), '1 0 0 0'],
    ['all of it skipped', tap('1..0 # SKIP no display'), '0 0 1 0'],
    ['nothing planned, nothing done', tap('TAP version 13', '1..0'), '0 0 0 0'],
    ['fewer than planned', tap('1..3', 'ok 1', 'ok 2'), '2 0 0 1'],
    ['more than planned', tap('1..1', 'ok 1', 'ok 2'), '2 0 0 1'],
    ['no plan', tap('TAP version 13', 'ok 1'), '1 0 0 1'],
    ['a bail-out', tap('1..3', 'ok 1', 'Bail out! no database'), '1 0 0 1'],
    ['a bail-out in a subtest, told once', tap('1..3', '    ok 1', '    Bail out! x', 'Bail out! x'), '1 0 0 1'],
    ['subtests', tap('1..2', '    ok 1 - a', '    not ok 2 - b', '    1..2', 'not ok 1 - group', 'ok 2 - c'), '2 1 0 0'],
    ['subtests in braces', tap('1..2', 'not ok 1 - group {', '    ok 1 - a', '    not ok 2 - b', '    1..2', '}', 'ok 2 - c # time=12ms'), '2 1 0 0'],
    ['a group that failed itself', tap('1..1', '    ok 1 - a', '    1..1', 'not ok 1 - group'), '1 1 0 0'],
    ['a group that does not count', tap('1..1', '    not ok 1 - a', '    1..1', 'not ok 1 - group # TODO later'), '0 0 1 0'],
    ['an empty group', tap('1..1', '    1..0', 'ok 1 - group'), '0 0 0 0'],
    ['cut short in a subtest', tap('1..1', '    ok 1 - a'), '1 0 0 1'],
    ['two streams in one file', tap('TAP version 13', '1..1', 'ok 1', 'TAP version 13', '1..2', 'ok 1', 'not ok 2'), '2 1 0 0'],
    ['cut short in a diagnostic', tap('1..1', 'not ok 1', '  ---', '  error: x'), '0 1 0 0'],
    ['a diagnostic that never ends', tap('1..2', '    ok 1', '      ---', '      a: b', 'ok 1', 'ok 2'), '2 0 0 0'],
  ])('%s', (_what, text, counted) => expect(counts(read(text, 'tap'))).toBe(counted));

  test('what is wrong with the whole of it is told', () => {
    const whole = (text: string): string | undefined => told(read(text, 'tap')).at(-1);
    expect(whole(tap('1..3', 'ok 1'))).toBe('broken the whole run = 3 tests were planned, and 1 were reported');
    expect(whole(tap('ok 1'))).toBe('broken the whole run = the report ends after 1 tests and without a plan, so its program was ended before its time');
    expect(whole(tap('1..1', '    ok 1'))).toBe('broken the whole run = the report ends inside a subtest, so its program was ended before its time');
    expect(whole(tap('Bail out! no database'))).toBe('broken Bail out! = no database');
    expect(fault(tap('TAP version 15', '1..1'), 'tap')).toBe('line 1: says TAP version 15, and 12, 13 and 14 are read: have it written in one of those');
    expect(fault('hello\n', 'tap')).toContain('has no line of TAP');
  });

  test('diagnostics: of tape, of node-tap, and of a text in several lines', () => {
    const report = read(tap(
      'TAP version 13', 'not ok 1 should be equal', '  ---', '    operator: equal', '    expected: 1', '    actual:   2', '    at: Test.<anonymous> (/shop/a.js:5:7)', '  ...',
      'not ok 2 - b', '  ---', '  message: "two\\nlines"', '  severity: fail', '  at:', '    line: 9', '    file: other.js', '  file: b.js', '  line: 3', '  ...',
      'not ok 3 - c', '  ---', '  error: >-', '    first', '', '      second', '  duration_ms: 12.5', '  ...', '1..3',
    ));
    expect(report.findings).toEqual([
      { kind: 'test', name: 'should be equal', outcome: 'failed', file: '/shop/a.js', line: 5, message: 'equal: expected 1, actual 2' },
      { kind: 'test', name: 'b', outcome: 'failed', file: 'b.js', line: 3, message: 'two\nlines' },
      { kind: 'test', name: 'c', outcome: 'failed', message: 'first\n\n  second', durationMs: 12.5 },
    ]);
  });
});
