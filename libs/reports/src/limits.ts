/** What a report may cost. Real ones stay far below; the files come from builds, so nothing else bounds them. */
export interface ReportLimits {
  /** Bytes of a file. */
  maxBytes: number;
  /** Elements, groups or values inside each other. */
  maxDepth: number;
  /** Values of a JSON file: each costs some 60 bytes of memory however short its text is. */
  maxValues: number;
  /** Up to so many bytes are read in the calling thread: a few milliseconds, where starting a thread takes some thirty. */
  inThreadBytes: number;
  /** Milliseconds that a thread may take. */
  deadlineMs: number;
  /** MiB of heap that a thread may take. */
  heapMiB: number;
}

export const defaultLimits: Readonly<ReportLimits> = {
  maxBytes: 16 * 2 ** 20, maxDepth: 64, maxValues: 2_000_000, inThreadBytes: 64 * 1024, deadlineMs: 30_000, heapMiB: 384,
};
