import type { KnownReportFormat, Report, ReportFormat } from '@berth/contracts';
import { readCheckstyle } from './checkstyle.js';
import { decode } from './decode.js';
import { ReportFault } from './fault.js';
import { readJunit, type TestsRead } from './junit.js';
import type { ReportLimits } from './limits.js';
import { lines } from './lines.js';
import { readSarif } from './sarif.js';
import { readTap } from './tap.js';
import { tapLine } from './tap-line.js';

/** Reads a report in the calling thread: in time and memory that grow with its bytes and no faster. @throws {ReportFault} */
export function parse(bytes: Uint8Array, format: ReportFormat, limits: ReportLimits): Report {
  const text = decode(bytes);
  switch (format) {
    case 'junit':
      return tests('junit', readJunit(text, limits));
    case 'tap':
      return tests('tap', readTap(text, limits));
    case 'node-test':
      return tests('node-test', isXml(text) ? readJunit(text, limits) : readTap(text, limits));
    case 'sarif':
      return readSarif(text, limits).report('sarif');
    case 'checkstyle':
      return readCheckstyle(text, limits).report('checkstyle');
    case 'auto':
      return recognised(text, limits);
  }
}

function tests(format: KnownReportFormat, { tally, durationMs }: TestsRead): Report {
  return tally.report(format, durationMs);
}

const isXml = (text: string): boolean => text.trimStart().startsWith('<');

function recognised(text: string, limits: ReportLimits): Report {
  if (isXml(text)) {
    const root = rootOf(text);
    if (root === 'checkstyle') return readCheckstyle(text, limits).report('checkstyle');
    // For want of a root, the reader says what is wrong with the XML.
    if (root !== undefined && root !== 'testsuites' && root !== 'testsuite') {
      throw new ReportFault(`has the root element <${root}>, and neither that of JUnit XML (<testsuites>, <testsuite>) nor of checkstyle (<checkstyle>): name the file that is meant`);
    }
    const read = readJunit(text, limits);
    return tests(read.node ? 'node-test' : 'junit', read);
  }
  if (looksLikeTap(text)) {
    const read = readTap(text, limits);
    return tests(read.node ? 'node-test' : 'tap', read);
  }
  if (/^\s{0,64}[{[]/.test(text.slice(0, 128))) return readSarif(text, limits).report('sarif');
  throw new ReportFault('is none of JUnit XML, TAP, SARIF and checkstyle XML: name the file that is meant');
}

/** The first element, behind the declaration and comments. */
function rootOf(text: string): string | undefined {
  let at = 0;
  for (;;) {
    at = text.indexOf('<', at);
    if (at === -1) return undefined;
    const comment = text.startsWith('<!--', at);
    if (!comment && text[at + 1] !== '?' && text[at + 1] !== '!') return /^[\w:.-]{1,80}/.exec(text.slice(at + 1, at + 100))?.[0];
    const end = text.indexOf(comment ? '-->' : '>', at);
    if (end === -1) return undefined;
    at = end;
  }
}

/** A runner may print before its first test, but not for ever. */
const LOOK_LINES = 2000;

function looksLikeTap(text: string): boolean {
  for (const { line, number } of lines(text)) {
    if (number > LOOK_LINES) return false;
    const { is } = tapLine(line.trim());
    if (is === 'version' || is === 'plan' || is === 'test' || is === 'bail') return true;
  }
  return false;
}
