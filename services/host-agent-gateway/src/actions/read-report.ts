import { reportFormat, type ActionSpec, type Report, type ReportFormat } from '@berth/contracts';
import { mergeReports, readReport as parse, ReportFault } from '@berth/reports';
import { FileFault, plain, some } from '../files/fault.js';
import { contentOf } from '../files/transfer.js';
import type { ActionContext, ActionHandler } from './action.js';
import { findAll, keep, type Named } from './keep.js';
import { moving, type Moving } from './moving.js';

type ReadReport = Extract<ActionSpec, { kind: 'read-report' }>;

/** A report is read into memory, some at a time. */
const MAX_BYTES = 16 * 1024 * 1024;
const MAX_FILES = 200;
/** Of the merged report as JSON: it goes into one event, beside the names of the files. */
const TOLD_BYTES = 256 * 1024;

/** Keeps reports of tests or of static analysis as artifacts, and tells what they say. */
export const readReport: ActionHandler<ReadReport> = (context) =>
  moving(context, async (files) => {
    const { spec } = context;
    const format = reportFormat.safeParse(spec.format);
    if (!format.success) throw new FileFault('invalid-value', `There is no format of reports ${plain(spec.format)}: use ${reportFormat.options.join(', ')}.`);
    const found = await findAll(files, { paths: spec.paths, prefix: spec.prefix, folder: spec.name, whenNone: spec.whenNone, maxFiles: MAX_FILES, maxBytes: MAX_BYTES });
    const read = await files.each(found, (file) => keepAndRead(context, files, file, format.data));
    const artifacts = read.map(({ kept }) => kept);
    if (read.length === 0) return { artifacts };
    try {
      return { artifacts, report: bounded(mergeReports(read.map((one) => one.report)), TOLD_BYTES) };
    } catch (error) {
      throw named(some(found.map(({ path }) => plain(path)), 3), error);
    }
  });

/** Kept before it is read: what cannot be read is there to be looked at. */
async function keepAndRead(context: ActionContext<ReadReport>, files: Moving, file: Named, format: ReportFormat) {
  const parts: Buffer[] = [];
  for await (const part of contentOf(files.files, file.real, file.bytes)) {
    files.signal.throwIfAborted();
    parts.push(part);
  }
  const content = Buffer.concat(parts);
  const kept = await keep(context, files, file, context.spec.prefix, MAX_BYTES, content);
  try {
    return { kept, report: await parse(content, format) };
  } catch (error) {
    throw named(plain(file.path), error);
  }
}

/** What is wrong with a report, with the file that it is wrong with. */
const named = (what: string, error: unknown): unknown => (error instanceof ReportFault ? new FileFault('report', `${what}: ${error.message}.`) : error);

/** Pure. The report with as many findings as so many bytes hold; what is left out is counted. */
export function bounded(report: Report, most: number): Report {
  let room = most - Buffer.byteLength(JSON.stringify({ ...report, findings: [] }));
  const fit = report.findings.findIndex((finding) => (room -= Buffer.byteLength(JSON.stringify(finding)) + 1) < 0);
  if (fit === -1) return report;
  return { ...report, findings: report.findings.slice(0, fit), more: report.more + report.findings.length - fit };
}
