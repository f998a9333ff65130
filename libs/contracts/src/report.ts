import { z } from 'zod';
import { reportBounds } from './report-bounds.js';

/** How a report of tests or of a static analysis is written. `auto`: recognised from its content. */
export const reportFormats = ['junit', 'tap', 'node-test', 'sarif', 'checkstyle', 'auto'] as const;
export const reportFormat = z.enum(reportFormats).describe('how a report is written; auto: recognised from its content');
export type ReportFormat = z.infer<typeof reportFormat>;
/** The format that a report turned out to have. */
export const knownReportFormat = reportFormat.exclude(['auto']);
export type KnownReportFormat = z.infer<typeof knownReportFormat>;

const count = z.number().int().nonnegative();
const label = z.string().max(reportBounds.label);
const message = z.string().max(reportBounds.message);
const place = z.number().int().positive();
const durationMs = z.number().nonnegative().describe('milliseconds');

export const testCounts = z.object({
  total: count.describe('the sum of the four below'),
  passed: count,
  failed: count.describe('an expectation did not hold'),
  skipped: count.describe('not run, or marked as yet to be done'),
  broken: count.describe('could not be run to its end, so it says nothing of the code: an error in its set-up, a timeout, a run cut short'),
  durationMs: durationMs.optional(),
});
export type TestCounts = z.infer<typeof testCounts>;

export const lintCounts = z.object({ errors: count, warnings: count, notes: count });
export type LintCounts = z.infer<typeof lintCounts>;

/** A test that did not pass. */
export const testFinding = z.object({
  kind: z.literal('test'),
  name: label,
  suite: label.optional().describe('the groups that it is in, outermost first, or its class'),
  file: label.optional(),
  line: place.optional(),
  outcome: z.enum(['failed', 'broken', 'skipped']),
  message: message.optional(),
  durationMs: durationMs.optional(),
});
export type TestFinding = z.infer<typeof testFinding>;

/** One remark of a static analysis. */
export const lintFinding = z.object({
  kind: z.literal('lint'),
  file: label.optional().describe('missing where the remark is about no file'),
  line: place.optional(),
  column: place.optional(),
  code: label.optional().describe('the rule'),
  severity: z.enum(['error', 'warning', 'note']),
  message,
});
export type LintFinding = z.infer<typeof lintFinding>;

export const finding = z.discriminatedUnion('kind', [testFinding, lintFinding]);
export type Finding = z.infer<typeof finding>;

/** What a report says in numbers. */
export const reportSummary = z.object({
  format: knownReportFormat,
  kind: z.enum(['tests', 'lint']).describe('which of the two counts there is'),
  tests: testCounts.optional(),
  lint: lintCounts.optional(),
});
export type ReportSummary = z.infer<typeof reportSummary>;

/** What a report says, bounded in size. */
export const report = reportSummary.extend({
  findings: z.array(finding).max(reportBounds.findings).describe('failures and errors first'),
  more: count.describe('findings left out'),
});
export type Report = z.infer<typeof report>;
