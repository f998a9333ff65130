import type { Report, ReportFormat } from '@berth/contracts';
import { readFileSync } from 'node:fs';
import { ReportFault } from './fault.js';
import { defaultLimits } from './limits.js';
import { parse } from './parse.js';

/** Reads a text in this thread. */
export function read(text: string | Uint8Array, format: ReportFormat = 'auto'): Report {
  return parse(typeof text === 'string' ? Buffer.from(text) : text, format, defaultLimits);
}

/** A report that a program has written, from the folder of them; paths of the machine it ran on were changed. */
export function recorded(name: string): Buffer {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
}

/** `passed failed skipped broken`. */
export function counts({ tests }: Report): string {
  return tests === undefined ? 'not of tests' : `${tests.passed} ${tests.failed} ${tests.skipped} ${tests.broken}`;
}

/** Each finding on a line: `outcome suite > name @ file:line = first line of the message`. */
export function told(report: Report): string[] {
  return report.findings.map((finding) => {
    const where = finding.file === undefined ? '' : ` @ ${finding.file}${finding.line === undefined ? '' : `:${finding.line}`}`;
    const said = finding.message === undefined ? '' : ` = ${finding.message.split('\n')[0]}`;
    if (finding.kind === 'lint') return `${finding.severity} ${finding.code ?? '-'}${where}${said}`;
    return `${finding.outcome} ${finding.suite === undefined ? '' : `${finding.suite} > `}${finding.name}${where}${said}`;
  });
}

/** The sentence that a text is refused with. */
export function fault(text: string | Uint8Array, format: ReportFormat = 'auto'): string {
  try {
    return `read: ${JSON.stringify(read(text, format))}`;
  } catch (error) {
    if (!(error instanceof ReportFault)) throw error;
    return error.message;
  }
}
