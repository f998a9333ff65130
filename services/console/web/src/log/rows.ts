/** Lines of a part that can be folded behind its first one. */
export interface Fold {
  firstLine: number;
  /** null while it is open */
  lastLine: number | null;
}
/** One try of a step, as it is shown. */
export interface Part {
  section: number;
  /** how many there are by now */
  lines: number;
  /** false: only its heading is shown */
  open: boolean;
  /** those of its groups that are folded */
  folded: readonly Fold[];
}
/** One row on the screen. */
export type Row = { kind: 'heading'; section: number } | { kind: 'line'; section: number; line: number };

/** Rows in a run that begin at `row`; of lines the first is `line`. */
interface Run {
  row: number;
  section: number;
  /** undefined: a heading */
  line?: number;
  length: number;
}

/** Pure: which line is in which row, for logs of millions of lines of which few are here. */
export class Rows {
  private readonly runs: Run[] = [];
  readonly count: number;

  constructor(parts: readonly Part[]) {
    let row = 0;
    const push = (run: Omit<Run, 'row'>): void => {
      this.runs.push({ row, ...run });
      row += run.length;
    };
    for (const { section, lines, open, folded } of parts) {
      push({ section, length: 1 });
      if (!open) continue;
      for (const [line, last] of shown(lines, folded)) push({ section, line, length: last - line + 1 });
    }
    this.count = row;
  }

  at(row: number): Row | undefined {
    if (row < 0 || row >= this.count) return undefined;
    const run = lastOf(this.runs, (one) => one.row <= row)!;
    return run.line === undefined ? { kind: 'heading', section: run.section } : { kind: 'line', section: run.section, line: run.line + row - run.row };
  }

  /** Where a line is; undefined when it is folded away or not there. */
  rowOf(section: number, line: number): number | undefined {
    const run = this.runs.find((one) => one.section === section && one.line !== undefined && line >= one.line && line < one.line + one.length);
    return run && run.row + line - run.line!;
  }
}

/** Ranges of lines, first and last, that no folded group hides. */
function shown(lines: number, folded: readonly Fold[]): [number, number][] {
  const ranges: [number, number][] = [];
  let next = 1;
  for (const { firstLine, lastLine } of [...folded].sort((a, b) => a.firstLine - b.firstLine)) {
    if (firstLine < next || firstLine > lines) continue;
    ranges.push([next, firstLine]);
    next = (lastLine ?? lines) + 1;
  }
  if (next <= lines) ranges.push([next, lines]);
  return ranges;
}

function lastOf<T>(sorted: readonly T[], holds: (one: T) => boolean): T | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

/** Place of a line in the address: `#L2:120` is line 120 of section 2, as the API says it; `#L120` of the last one shown. */
export function spotOf(hash: string, sections: readonly number[]): { section: number; line: number } | undefined {
  const match = /^#L(?:(\d{1,9}):)?(\d{1,15})$/.exec(hash);
  const section = match?.[1] === undefined ? sections.at(-1) : Number(match[1]);
  if (!match || section === undefined || Number(match[2]) < 1) return undefined;
  return { section, line: Number(match[2]) };
}
export const hashOf = (section: number, line: number): string => `#L${section}:${line}`;
