import { describe, expect, test } from 'vitest';
import { counts, read, recorded, told } from './report.testing.js';

describe('JUnit XML as programs have written it', () => {
  test('pytest', () => {
    const report = read(recorded('pytest.xml'));
    expect(report).toMatchObject({ format: 'junit', kind: 'tests', tests: { total: 7, passed: 2, failed: 2, skipped: 2, broken: 1, durationMs: 53 }, more: 0 });
    expect(told(report)).toEqual([
      'failed test_a > test_fails = AssertionError: they differ',
      'broken test_a > test_setup = failed on setup with "RuntimeError: no database #x1B[31m"',
      'failed test_a.TestCart > test_n[2] = assert 2 == 1',
      'skipped test_a > test_skipped = not on this system',
      'skipped test_a > test_xfail = known',
    ]);
  });

  test('pytest in its older dialect, which counts lines from 0', () => {
    const report = read(recorded('pytest-xunit1.xml'));
    expect(counts(report)).toBe('2 2 2 1');
    expect(told(report)[0]).toBe('failed test_a > test_fails @ test_a.py:3 = AssertionError: they differ');
  });

  test('vitest', () => {
    const report = read(recorded('vitest.xml'));
    expect(report.tests).toEqual({ total: 6, passed: 1, failed: 3, skipped: 2, broken: 0, durationMs: 43.62 });
    expect(told(report)).toEqual([
      'failed a.test.js > cart > fails <here> & "there" = AssertionError: expected { a: 1 } to deeply equal { a: 2 }',
      'failed a.test.js > cart > deep > slow = Error: Test timed out in 20ms.',
      "failed b.test.js > b.test.js = Error: Cannot find module './missing.js' imported from /home/build/shop/b.test.js",
      'skipped a.test.js > cart > skipped',
      'skipped a.test.js > cart > to do',
    ]);
  });
});

describe('dialects of JUnit XML', () => {
  test('Surefire: reruns, flaky tests, thousands in a time, one suite as the root', () => {
    const report = read(`<?xml version="1.0" encoding="UTF-8"?>
      <testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="shop.CartTest" time="1,002.5" tests="5" errors="1" skipped="1" failures="1">
        <properties><property name="java.version" value="21"/></properties>
        <testcase name="adds" classname="shop.CartTest" time="1,000.5"><system-out><![CDATA[<failure>]]></system-out></testcase>
        <testcase name="flaky" classname="shop.CartTest" time="0.5"><flakyFailure message="once" type="E"><stackTrace>at x</stackTrace></flakyFailure></testcase>
        <testcase name="fails" classname="shop.CartTest" time="1"><failure message="expected: &lt;1&gt; but was: &lt;2&gt;" type="AssertionFailedError"><![CDATA[org.opentest4j.AssertionFailedError: expected: <1> but was: <2>
        at shop.CartTest.fails(CartTest.java:12)]]></failure><rerunFailure message="again"/></testcase>
        <testcase name="throws" classname="shop.CartTest" time="0.25"><error type="java.lang.NullPointerException">java.lang.NullPointerException</error></testcase>
        <testcase name="later" classname="shop.CartTest"><skipped message="not yet"/></testcase>
      </testsuite>`);
    expect(report.tests).toEqual({ total: 5, passed: 2, failed: 1, skipped: 1, broken: 1, durationMs: 1_002_500 });
    expect(told(report)).toEqual([
      'failed shop.CartTest > fails = org.opentest4j.AssertionFailedError: expected: <1> but was: <2>',
      'broken shop.CartTest > throws = java.lang.NullPointerException',
      'skipped shop.CartTest > later = not yet',
    ]);
  });

  test('jest-junit: the class is the name again, the file is in the suite', () => {
    const report = read(`<testsuites name="jest tests" tests="2" failures="1" errors="0" time="1.5">
      <testsuite name="cart" errors="0" failures="1" skipped="0" time="0.4" tests="2" file="src/cart.test.js">
        <testcase classname="cart adds" name="cart adds" time="0.001"></testcase>
        <testcase classname="cart takes away" name="cart takes away" time="0.002"><failure>Error: no
          at src/cart.test.js:3:1</failure></testcase>
      </testsuite></testsuites>`);
    expect(report.tests).toMatchObject({ passed: 1, failed: 1, durationMs: 1500 });
    expect(told(report)).toEqual(['failed cart > cart takes away @ src/cart.test.js = Error: no']);
  });

  test('suites inside each other name the groups of a test', () => {
    const report = read('<testsuites><testsuite name="a" file="a.js"><testsuite name="b"><testcase name="t" classname="c"><failure message="m"/></testcase></testsuite><testcase name="u"/></testsuite></testsuites>');
    expect(told(report)).toEqual(['failed a > b > t @ a.js = m']);
    expect(counts(report)).toBe('1 1 0 0');
  });

  test('GoogleTest: a disabled test has no element that says so', () => {
    expect(counts(read('<testsuites><testsuite name="A"><testcase name="x" status="run" result="completed"/><testcase name="y" status="notrun" result="suppressed"/></testsuite></testsuites>'))).toBe('1 0 1 0');
  });

  test('a suite that did not come as far as its tests is broken', () => {
    expect(told(read('<testsuites><testsuite name="A" file="a.js" errors="1" tests="0"/></testsuites>'))).toEqual(['broken A @ a.js = says that 1 went wrong in it, and lists no test']);
    expect(told(read('<testsuites><testsuite name="A"><error message="no such class"/></testsuite></testsuites>'))).toEqual(['broken A = no such class']);
  });

  test('one verdict a test: the first that is worse than skipped', () => {
    expect(told(read('<testsuite><testcase name="t"><skipped message="a"/><failure message="b"/><error message="c"/></testcase></testsuite>'))).toEqual(['failed t = b']);
    expect(told(read('<testsuite><testcase name="t"><failure message="b"/><skipped type="todo" message="later"/></testcase></testsuite>'))).toEqual(['skipped t = later']);
  });

  test('no tests are no tests', () => expect(read('<testsuites/>')).toEqual({ format: 'junit', kind: 'tests', tests: { total: 0, passed: 0, failed: 0, skipped: 0, broken: 0 }, findings: [], more: 0 }));

  test('colours and characters that XML forbids do not make a report unreadable', () => {
    const report = read('<testsuite><testcase name="a\x01b"><failure message="\x1b[31mred\x1b[39m &#27;[1mbold&#27;[0m \x00"/></testcase></testsuite>');
    expect(report.findings).toEqual([{ kind: 'test', name: 'a\ufffdb', outcome: 'failed', message: 'red bold \ufffd' }]);
  });
});
