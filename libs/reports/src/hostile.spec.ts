import { report } from '@berth/contracts';
import { reportBounds } from '@berth/contracts/report-bounds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReportFault } from './fault.js';
import { fault, read, recorded } from './report.testing.js';

const MiB = 2 ** 20;
const most = (unit: string, bytes = MiB): string => unit.repeat(Math.floor(bytes / Buffer.byteLength(unit)));

describe('what is refused, with a sentence', () => {
  test.each<[what: string, text: string, sentence: string]>([
    ['entities that multiply', '<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>\n<testsuite name="&b;"/>', 'line 2: declares entities or other markup of its own in its DOCTYPE, which no report needs: have it written without'],
    ['an entity that is a file', '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><testsuite name="&a;"/>', 'line 1: declares entities'],
    ['a parameter entity', '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1/"> %a;]><testsuite/>', 'line 1: declares entities'],
    ['an entity that nobody declared', '<!DOCTYPE testsuite SYSTEM "http://127.0.0.1/x.dtd">\n<testsuite name="&nbsp;"/>', 'line 2: uses an entity that XML does not have: write the character itself'],
    ['elements inside each other', most('<testsuite>\n'), 'line 65: has more than 64 elements inside each other'],
    ['a report that was cut off', '<testsuites>\n<testsuite>\n<testcase name="a"/>', 'line 3: ends inside <testsuite>, so its program was ended while it wrote: look at the output of that program'],
    ['a report that was cut off inside of a tag', '<testsuite><testcase name="a', 'line 1: ends inside <testsuite>'],
    ['tags that do not fit', '<testsuite>\n</testsuites>', 'line 2: is not well-formed XML (unexpected close tag): publish the file just as'],
    ['an attribute twice', '<testsuite name="a" name="b"/>', 'line 1: is not well-formed XML (duplicate attribute: name)'],
    ['two reports in one file', '<testsuite/><testsuite/>', 'line 1: is not well-formed XML (documents may contain only one root)'],
    ['JSON inside JSON', most('['), 'line 1: has more than 64 values inside each other'],
    ['more values than memory', `{"version":"2.1.0","runs":[${most('[],', 7 * MiB)}[]]}`, 'line 1: has more than 2000000 values: publish several smaller files'],
    ['subtests inside each other', Array.from({ length: 70 }, (_, i) => `${' '.repeat(4 * i)}ok\n`).join(''), 'line 66: has more than 64 subtests inside each other'],
  ])('%s', (_what, text, sentence) => expect(fault(text)).toContain(sentence));
});

describe('what is read, in time and memory that grow with its bytes', () => {
  // Each is of the kind that costs a careless reader the square of its length, or a pattern that goes back for ever.
  test.each<[what: string, text: string]>([
    ['one long name', `<testsuite><testcase name="${most('a ')}"><failure message="${most('\n')}"/></testcase></testsuite>`],
    ['references to characters that XML forbids', `<testsuite>${most('&#1;')}</testsuite>`],
    ['attributes', `<testsuite ${Array.from({ length: 50_000 }, (_, i) => `a${i}=""`).join(' ')}/>`],
    ['colours that never end', `<testsuite><testcase><failure message="${most('&#27;[')}${most('0')}"/></testcase></testsuite>`],
    ['comments', `<testsuite>${most('<!---->')}</testsuite>`],
    ['a line of "#"', `1..1\nnot ok 1 - ${most('#')}`],
    ['a line of backslashes', `1..1\nnot ok 1 - ${most('\\')}#`],
    ['a line of spaces', `1..1\nnot ok 1${most(' ')}x`],
    ['a diagnostic of one key', `1..1\nnot ok 1\n  ---\n  error: |\n${most('    x\n')}`],
    ['a diagnostic of many keys', `1..1\nnot ok 1\n  ---\n${most('  a: b\n')}`],
    ['a place of colons', `1..1\nnot ok 1\n  ---\n  at: ${most('1:')}\n  ...\n`],
    ['groups', `${most('    not ok 1 - a\nnot ok 1 - g\n')}`],
    ['groups that open and close', most(Array.from({ length: 60 }, (_, i) => `${' '.repeat(4 * i)}not ok\n`).join(''))],
    ['a message of placeholders', JSON.stringify({ version: '2.1.0', runs: [{ results: Array(20).fill({ message: { text: most('{0}', 50_000), arguments: [most('x', 50_000)] } }) }] })],
    ['settings for each rule', JSON.stringify({ version: '2.1.0', runs: [{ invocations: [{ ruleConfigurationOverrides: Array(20_000).fill({ descriptor: { id: 'z' } }) }], results: Array(20_000).fill({ message: { text: 'x' } }) }] })],
    ['keys that objects have', '{"version":"2.1.0","__proto__":{"runs":[]},"runs":[{"tool":{"driver":{"rules":[{"id":"__proto__","messageStrings":{}}]}},"results":[{"ruleId":"__proto__","level":"constructor","kind":"toString","message":{"id":"constructor"}}]}]}'],
  ])('%s', (_what, text) => {
    const found = read(text);
    expect(() => report.parse(found)).not.toThrow();
    expect(JSON.stringify(found).length).toBeLessThan(reportBounds.findings * (reportBounds.message + 4 * reportBounds.label) * 2);
  });
});

// Whatever the bytes, the end is a report that fits its schema, or a sentence.
function endsWell(bytes: Uint8Array): void {
  for (const format of ['auto', 'junit', 'tap', 'node-test', 'sarif', 'checkstyle'] as const) {
    try {
      report.parse(read(bytes, format));
    } catch (error) {
      if (!(error instanceof ReportFault)) throw error;
      expect(error.message).toMatch(/^(line \d+: )?[a-z].{10,400}$/s);
    }
  }
}

describe('whatever the bytes are', () => {
  test('random ones', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), endsWell), { numRuns: 200 }));

  const pieces = ['<testsuite', '<testcase name="', '">', '/>', '<failure>', '</failure>', '<!--', '-->', '<![CDATA[', ']]>', '<?x', '?>', '&#', '&amp;', ';', '<!DOCTYPE', '[', ']', '>', '<checkstyle>', '<error line="1"', '\n', '    ', '  ---\n', '  ...\n',
    '  error: |-\n', 'not ok 1 - a', 'ok', ' {', '}\n', '1..2', '# SKIP', '\\', 'Bail out!', 'TAP version 13', '{"version":"2.1.0","runs":[', '{"results":[', '{"message":', '{"text":"', '"', ']}', '}', ',', 'null', '\ud800', '\x1b[', '\0', '😀'];
  test('pieces of reports', () => fc.assert(fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 40 }), (list) => endsWell(Buffer.from(list.join('')))), { numRuns: 600 }));

  test('reports that were cut, or had a piece taken out', () => {
    const whole = ['pytest.xml', 'vitest.xml', 'test-more.tap', 'eslint.sarif', 'eslint.checkstyle.xml'].map(recorded);
    const cut = fc.tuple(fc.constantFrom(...whole), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom('', '<', '\0', '    ', '{', '&x;'));
    fc.assert(fc.property(cut, ([bytes, a, b, piece]) => {
      const [from, to] = [Math.floor(Math.min(a, b) * bytes.length), Math.floor(Math.max(a, b) * bytes.length)];
      endsWell(Buffer.concat([bytes.subarray(0, from), Buffer.from(piece), bytes.subarray(to)]));
    }), { numRuns: 300 });
  });
});
