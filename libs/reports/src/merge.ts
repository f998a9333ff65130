import type { Finding, LintCounts, Report, TestCounts } from '@berth/contracts';
import { rounded } from './clean.js';
import { ReportFault } from './fault.js';
import { Kept } from './tally.js';

/**
 * Several reports of one step as one: counts are added, and of the findings the worst are kept. The format is that of the first.
 * @throws {ReportFault} there are none, or some are of tests and some of lint
 */
export function mergeReports(reports: readonly Report[]): Report {
  const [first] = reports;
  if (!first) throw new ReportFault('no report was found: check the pattern that names the files');
  const other = reports.find((report) => report.kind !== first.kind);
  if (other) throw new ReportFault(`has reports of tests and of lint together (${first.format} and ${other.format}): publish them in two steps`);
  const kept = new Kept<Finding>();
  for (const report of reports) for (const finding of report.findings) kept.add(finding);
  const findings = kept.all();
  const all = sum(reports.map((report) => report.findings.length + report.more));
  const tests = reports.flatMap((report) => report.tests ?? []);
  const lint = reports.flatMap((report) => report.lint ?? []);
  return {
    format: first.format, kind: first.kind, ...(tests.length > 0 ? { tests: addTests(tests) } : {}), ...(lint.length > 0 ? { lint: addLint(lint) } : {}),
    findings, more: all - findings.length,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function addTests(counts: readonly TestCounts[]): TestCounts {
  const add = (key: 'total' | 'passed' | 'failed' | 'skipped' | 'broken'): number => sum(counts.map((one) => one[key]));
  const durations = counts.flatMap((one) => one.durationMs ?? []);
  return {
    total: add('total'), passed: add('passed'), failed: add('failed'), skipped: add('skipped'), broken: add('broken'),
    ...(durations.length > 0 ? { durationMs: rounded(sum(durations)) } : {}),
  };
}

function addLint(counts: readonly LintCounts[]): LintCounts {
  const add = (key: keyof LintCounts): number => sum(counts.map((one) => one[key]));
  return { errors: add('errors'), warnings: add('warnings'), notes: add('notes') };
}
