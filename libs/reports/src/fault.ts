/** Why a report can't be read: one sentence that says where and what to do. The caller puts the file's name before it. */
export class ReportFault extends Error {
  override readonly name = 'ReportFault';

  /** @param line counted from 1, where it is known */
  constructor(readonly sentence: string, readonly line?: number | undefined) {
    super(line === undefined ? sentence : `line ${line}: ${sentence}`);
  }
}

/** The way out of most faults. */
export const asWritten = 'publish the file just as the program wrote it, after that program has ended';
