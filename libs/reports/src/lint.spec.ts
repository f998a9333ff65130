import { describe, expect, test } from 'vitest';
import { fault, read, recorded, told } from './report.testing.js';

const sarif = (run: object): string => JSON.stringify({ version: '2.1.0', runs: [run] });
const at = (uri: string, startLine: number): object => ({ physicalLocation: { artifactLocation: { uri }, region: { startLine, startColumn: 2 } } });

test("ESLint's SARIF and its checkstyle say the same", () => {
  const a = read(recorded('eslint.sarif'));
  const b = read(recorded('eslint.checkstyle.xml'));
  expect([a.format, b.format]).toEqual(['sarif', 'checkstyle']);
  expect(a.lint).toEqual({ errors: 3, warnings: 2, notes: 0 });
  expect(b.lint).toEqual(a.lint);
  expect(told(a)).toEqual([
    "error no-undef @ /home/build/shop/src/a.js:2 = 'window' is not defined.",
    "error no-undef @ /home/build/shop/src/a.js:2 = 'undefinedCall' is not defined.",
    'error ESL0999 @ /home/build/shop/src/b c.js:1 = Parsing error: Unexpected token ;',
    "warning no-unused-vars @ /home/build/shop/src/a.js:1 = 'unused' is assigned a value but never used.",
    "warning eqeqeq @ /home/build/shop/src/a.js:2 = Expected '===' and instead saw '=='.",
  ]);
  expect(told(b).map((line) => line.replace(/ \([a-z-]+\)$/, '').replace('eslint.rules.', ''))).toEqual(told(a).map((line) => line.replace('ESL0999', '-')));
});

describe('SARIF 2.1.0', () => {
  test('a level: the result, what was configured, the default of the rule, "warning"', () => {
    const report = read(sarif({
      tool: {
        driver: { name: 't', rules: [{ id: 'A', defaultConfiguration: { level: 'error' } }, { id: 'B' }, { id: 'C', defaultConfiguration: { level: 'note' } }] },
        extensions: [{ name: 'e', rules: [{ id: 'X', defaultConfiguration: { level: 'error' }, messageStrings: { m: { text: 'no {0} in {1}{2}' } } }] }],
      },
      invocations: [{ executionSuccessful: true, ruleConfigurationOverrides: [{ descriptor: { id: 'C' }, configuration: { level: 'error' } }] }],
      results: [
        { ruleId: 'A', message: { text: '1' } }, { ruleIndex: 0, message: { text: '2' } }, { ruleId: 'A/1', message: { text: '3' } }, { ruleId: 'A', level: 'note', message: { text: '4' } },
        { ruleId: 'B', message: { text: '5' } }, { ruleId: 'C', message: { text: '6' } }, { message: { text: '7' } },
        { rule: { id: 'X', index: 0, toolComponent: { index: 0 } }, message: { id: 'm', arguments: ['x', 'y'] } },
        { ruleId: 'A', kind: 'review', message: { text: '9' } }, { ruleId: 'A', level: 'none', message: { markdown: '*10*' } },
      ],
    }));
    expect(told(report)).toEqual([
      'error A = 1', 'error A = 2', 'error A/1 = 3', 'error C = 6', 'error X = no x in y{2}', 'warning B = 5', 'warning - = 7', 'note A = 4', 'note A = 9', 'note A = *10*',
    ]);
    expect(report.lint).toEqual({ errors: 5, warnings: 2, notes: 3 });
  });

  test('left out: what passed, what is gone, what was suppressed', () => {
    const result = { level: 'error', message: { text: 'x' } };
    const report = read(sarif({
      results: [
        { ...result, kind: 'pass', level: 'none' }, { ...result, kind: 'notApplicable' }, { ...result, baselineState: 'absent' }, { ...result, suppressions: [{ kind: 'inSource' }] },
        { ...result, suppressions: [{ kind: 'external', status: 'accepted' }] },
        { ...result, message: { text: 'asked for' }, suppressions: [{ kind: 'external', status: 'underReview' }] }, { ...result, message: { text: 'old' }, baselineState: 'unchanged', suppressions: [] },
      ],
    }));
    expect(told(report)).toEqual(['error - = asked for', 'error - = old']);
  });

  test('a place: the file, a list of files, or what it is called in the code', () => {
    const report = read(sarif({
      artifacts: [{ location: { uri: 'src/b.c' } }],
      results: [
        { message: { text: '1' }, locations: [at('file:///a%20b/100%25.c', 7)] }, { message: { text: '2' }, locations: [{ physicalLocation: { artifactLocation: { index: 0 } } }] },
        { message: { text: '3' }, locations: [{ logicalLocations: [{ fullyQualifiedName: 'shop::cart' }] }] }, { message: { text: '4' }, locations: [at('100%.c', -1)] }, { message: { text: '5' } },
      ],
    }));
    expect(told(report)).toEqual(['warning - @ /a b/100%.c:7 = 1', 'warning - @ src/b.c = 2', 'warning - @ shop::cart = 3', 'warning - @ 100%.c = 4', 'warning - = 5']);
  });

  test('a tool that could not do its work is an error', () => {
    expect(told(read(sarif({ results: null, invocations: [{ executionSuccessful: false, exitCodeDescription: 'no license' }] })))).toEqual(['error - = the tool says that it did not run to its end: no license']);
    expect(told(read(sarif({ invocations: [{ executionSuccessful: false, toolExecutionNotifications: [{ level: 'error', descriptor: { id: 'N1' }, message: { text: 'crashed' } }, { level: 'note', message: { text: 'x' } }] }] })))).toEqual(['error N1 = crashed']);
  });

  test.each<[text: string, sentence: string]>([
    ['{"version":"2.0.0","runs":[]}', 'is SARIF "2.0.0", and 2.1.0 is read: let the tool write that version, or convert it'],
    ['{"numTotalTests":3}', 'is JSON and has no "version", so it is not SARIF: name the format that it has, or the file that is meant'],
    ['[]', 'is JSON and has no "version", so it is not SARIF: name the format that it has, or the file that is meant'],
    ['{"version":"2.1.0"}', 'is SARIF without a list of "runs": let its tool run again, and look at its output'],
    ['{"version":"2.1.0",\n"runs":[', 'line 2: ends in the middle of its JSON, so its program was ended while it wrote: look at the output of that program'],
    ['{"version":"2.1.0",\n\nruns:[]}', 'line 3: is not JSON there: publish the file just as the program wrote it, after that program has ended'],
  ])('%j is refused', (text, sentence) => expect(fault(text, 'sarif')).toBe(sentence));

  test.each(['null', '3', '"x"', '[[]]', '{"version":"2.1.0","runs":[null,3,[],{"results":[null,{"message":null,"locations":{}}],"tool":[],"invocations":{}}]}'])('values of any shape: %s', (text) => {
    expect(fault(text, 'sarif')).toMatch(/^(is |read: )/);
  });
});

describe('checkstyle XML', () => {
  test('severities, and a file that could not be looked at', () => {
    const report = read(`<checkstyle version="10.0"><file name="A.java">
      <error line="1" severity="info" message="i" source="com.x.Y"/><error line="2" column="0" severity="ignore" message="no"/><error line="0" message="none said"/><error severity="warning" message="w"/>
      </file><file name="B.java"><exception><![CDATA[java.lang.IllegalStateException: 3:1]]></exception></file><file name="C.java"/></checkstyle>`);
    expect(report.lint).toEqual({ errors: 2, warnings: 1, notes: 1 });
    expect(told(report)).toEqual(['error - @ A.java = none said', 'error - @ B.java = java.lang.IllegalStateException: 3:1', 'warning - @ A.java = w', 'note com.x.Y @ A.java:1 = i']);
  });

  test('another format under its name is refused', () => {
    expect(fault('<testsuites/>', 'checkstyle')).toBe('line 1: has the root element <testsuites>, and checkstyle XML has <checkstyle>: name the format that it has, or the file that is meant');
    expect(fault('<checkstyle/>', 'junit')).toContain('has the root element <checkstyle>, and JUnit XML has');
    expect(fault('<html/>')).toContain('has the root element <html>, and neither that of JUnit XML');
  });
});
