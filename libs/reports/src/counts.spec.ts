import type { LintFinding, TestFinding } from '@berth/contracts';
import { report as reportSchema } from '@berth/contracts';
import { reportBounds } from '@berth/contracts/report-bounds';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeReports } from './merge.js';
import { read } from './report.testing.js';

// Any results, written in each format and read again, are as many of each kind, with the same names.

type Outcome = TestFinding['outcome'] | 'passed';
interface Result {
  name: string;
  outcome: Outcome;
  message: string;
}
/** Results, and groups of them. */
interface Group {
  name: string;
  results: Result[];
  groups: Group[];
}

// Whatever stands in names: signs of every format, and of more than one byte.
const name = fc.string({ unit: fc.constantFrom('a', 'B', '7', ' ', '-', '#', '\\', '<', '&', '"', "'", '>', 'ü', '😀', '{', '[', ']'), maxLength: 12 }).map((text) => `n${text}n`.replace(/\s+/g, ' '));
const result = (outcomes: readonly Outcome[]): fc.Arbitrary<Result> => fc.record({ name, outcome: fc.constantFrom(...outcomes), message: name });
const group = (outcomes: readonly Outcome[]): fc.Arbitrary<Group> => fc.letrec<{ group: Group }>((tie) => ({
  group: fc.record({ name, results: fc.array(result(outcomes), { maxLength: 5 }), groups: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant([]), fc.array(tie('group'), { maxLength: 3 })) }),
})).group;

function all({ results, groups }: Group): Result[] {
  return [...results, ...groups.flatMap(all)];
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const verdicts: Readonly<Record<Outcome, (message: string) => string>> = {
  passed: () => '', failed: (message) => `<failure message="${message}"/>`, broken: (message) => `<error><![CDATA[x]]>${message}</error>`, skipped: (message) => `<skipped message="${message}"/>`,
};

function junit({ name: suite, results, groups }: Group): string {
  const cases = results.map((one) => `<testcase name="${xml(one.name)}" time="0.5">${verdicts[one.outcome](xml(one.message))}</testcase>`);
  return `<testsuite name="${xml(suite)}">${cases.join('\n')}${groups.map(junit).join('')}</testsuite>`;
}

const escaped = (text: string): string => text.replace(/[\\#]/g, '\\$&');

/** Node's TAP, which alone can tell failed and broken apart. */
function tap({ results, groups }: Group, indent: string): string[] {
  const lines: string[] = [];
  let number = 0;
  for (const one of results) {
    const bad = one.outcome === 'failed' || one.outcome === 'broken';
    lines.push(`${bad ? 'not ok' : 'ok'} ${++number} - ${escaped(one.name)}${one.outcome === 'skipped' ? ` # SKIP ${escaped(one.message)}` : ''}`, '  ---', '  duration_ms: 500');
    if (bad) lines.push(`  failureType: '${one.outcome === 'failed' ? 'testCodeFailure' : 'hookFailed'}'`, '  error: |-', `    ${one.message}`);
    lines.push('  ...');
  }
  for (const one of groups) {
    const bad = all(one).some(({ outcome }) => outcome === 'failed' || outcome === 'broken');
    lines.push(`# Subtest: ${escaped(one.name)}`, ...tap(one, '    '), `${bad ? 'not ok' : 'ok'} ${++number} - ${escaped(one.name)}`, '  ---', "  type: 'suite'", ...(bad ? ["  failureType: 'subtestsFailed'"] : []), '  ...');
  }
  return [...lines, `1..${number}`].map((line) => indent + line);
}

const tests: readonly Outcome[] = ['passed', 'failed', 'skipped', 'broken'];
const written: [format: 'junit' | 'tap', write: (root: Group) => string][] = [
  ['junit', (root) => `<?xml version="1.0"?>\n<testsuites>${junit(root)}</testsuites>`],
  ['tap', (root) => `TAP version 13\n${tap(root, '').join('\n')}\n`],
];

describe('tests', () => {
  test.each(written)('%s', (format, write) => fc.assert(fc.property(group(tests), (root) => {
    const results = all(root);
    const report = reportSchema.parse(read(write(root), format));
    const many = (outcome: Outcome): number => results.filter((one) => one.outcome === outcome).length;
    expect(report.tests).toEqual({
      total: results.length, passed: many('passed'), failed: many('failed'), skipped: many('skipped'), broken: many('broken'), ...(results.length > 0 ? { durationMs: results.length * 500 } : {}),
    });
    expect(report.more).toBe(0);
    const bad = results.filter((one) => one.outcome !== 'passed');
    const sorted = (list: string[]): string[] => list.sort();
    expect(sorted(report.findings.map((one) => (one.kind === 'test' ? `${one.outcome} ${one.name} ${one.message?.replace(/^x/, '') ?? ''}` : 'not a test')))).toEqual(sorted(bad.map((one) => `${one.outcome} ${one.name} ${one.message}`)));
  }), { numRuns: 150 }));

  test('read by their content they are the same', () => fc.assert(fc.property(group(tests), (root) => {
    for (const [format, write] of written) expect({ ...read(write(root)), format }).toEqual(read(write(root), format));
  }), { numRuns: 50 }));
});

interface Remark {
  file: string;
  line: number;
  severity: LintFinding['severity'];
  message: string;
}
const remark: fc.Arbitrary<Remark> = fc.record({ file: name, line: fc.integer({ min: 1, max: 1e6 }), severity: fc.constantFrom('error', 'warning', 'note'), message: name });

const sarif = (remarks: readonly Remark[]): string => JSON.stringify({
  version: '2.1.0', runs: [{ results: remarks.map(({ file, line, severity, message }) => ({ level: severity, message: { text: message }, locations: [{ physicalLocation: { artifactLocation: { uri: encodeURIComponent(file) }, region: { startLine: line } } }] })) }],
});
const checkstyle = (remarks: readonly Remark[]): string =>
  `<checkstyle>${remarks.map(({ file, line, severity, message }) => `<file name="${xml(file)}"><error line="${line}" severity="${severity === 'note' ? 'info' : severity}" message="${xml(message)}"/></file>`).join('\n')}</checkstyle>`;

test('remarks, as SARIF and as checkstyle', () => fc.assert(fc.property(fc.array(remark, { maxLength: 30 }), (remarks) => {
  const many = (severity: LintFinding['severity']): number => remarks.filter((one) => one.severity === severity).length;
  const byRank = [...remarks].sort((a, b) => ranks[a.severity] - ranks[b.severity]);
  for (const text of [sarif(remarks), checkstyle(remarks)]) {
    const report = reportSchema.parse(read(text));
    expect(report.lint).toEqual({ errors: many('error'), warnings: many('warning'), notes: many('note') });
    expect(report.findings).toEqual(byRank.map((one) => ({ kind: 'lint', ...one })));
  }
}), { numRuns: 150 }));
const ranks: Readonly<Record<LintFinding['severity'], number>> = { error: 0, warning: 1, note: 2 };

describe('no more findings are kept than a report may have', () => {
  const skipped = '<testcase name="s"><skipped/></testcase>';
  const failed = '<testcase name="f"><failure/></testcase>';

  test('the failures, wherever they stand', () => {
    const report = reportSchema.parse(read(`<testsuite>${skipped.repeat(500)}${failed.repeat(150)}</testsuite>`));
    expect(report.findings.map((one) => (one.kind === 'test' ? one.outcome : ''))).toEqual([...Array<string>(150).fill('failed'), ...Array<string>(50).fill('skipped')]);
    expect(report.more).toBe(450);
  });

  test('reports together: counts are added and the worst are kept', () => {
    const first = read(`<testsuite time="1">${skipped.repeat(300)}<testcase name="p"/></testsuite>`);
    const second = read(`<testsuite time="0.5">${failed.repeat(3)}</testsuite>`);
    const merged = reportSchema.parse(mergeReports([first, second]));
    expect(merged).toMatchObject({ format: 'junit', kind: 'tests', tests: { total: 304, passed: 1, failed: 3, skipped: 300, broken: 0, durationMs: 1500 }, more: 103 });
    expect(merged.findings).toHaveLength(reportBounds.findings);
    expect(merged.findings.slice(0, 3)).toEqual(second.findings);
    expect(mergeReports([first])).toEqual(first);
  });

  test('reports of lint together', () => {
    const merged = mergeReports([read(checkstyle([{ file: 'a', line: 1, severity: 'note', message: 'm' }])), read(sarif([{ file: 'b', line: 1, severity: 'error', message: 'm' }]))]);
    expect(merged).toMatchObject({ format: 'checkstyle', kind: 'lint', lint: { errors: 1, warnings: 0, notes: 1 }, findings: [{ file: 'b' }, { file: 'a' }], more: 0 });
  });

  test('none, or of two kinds, are refused', () => {
    expect(() => mergeReports([])).toThrow('no report was found: check the pattern that names the files');
    expect(() => mergeReports([read('<testsuites/>'), read('<checkstyle/>')])).toThrow('has reports of tests and of lint together (junit and checkstyle): publish them in two steps');
  });
});
