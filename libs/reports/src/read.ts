import type { Report, ReportFormat } from '@berth/contracts';
import { ReportFault } from './fault.js';
import { defaultLimits, type ReportLimits } from './limits.js';
import { parse } from './parse.js';
import { parseInThread } from './thread.js';

/**
 * Reads a report that a build has left behind. Its bytes are trusted in nothing: a larger one is read in a thread with a heap
 * and a deadline of its own, so that the caller's other work goes on.
 * @throws {ReportFault} it can't be read
 */
export async function readReport(bytes: Uint8Array, format: ReportFormat, limits: Partial<ReportLimits> = {}): Promise<Report> {
  const all = { ...defaultLimits, ...limits };
  if (bytes.byteLength > all.maxBytes) {
    throw new ReportFault(`has ${bytes.byteLength} bytes, and at most ${all.maxBytes} are read: publish several smaller files, or leave out what tests print`);
  }
  return bytes.byteLength <= all.inThreadBytes ? parse(bytes, format, all) : parseInThread(bytes, format, all);
}
