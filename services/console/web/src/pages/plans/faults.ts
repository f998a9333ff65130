import type { FieldError } from '@berth/contracts';

/** What is wrong with a plan, and where. */
export interface Fault {
  line: number;
  column: number;
  /** undefined: the text as a whole */
  field: string | undefined;
  message: string;
}

/** Pure: errors of the service, which begin with "line 3, column 5: ", by their places; those without one stand first. */
export function faultsOf(errors: readonly FieldError[]): Fault[] {
  return errors
    .map(({ field, message }) => {
      const match = /^line (\d+), column (\d+): (.*)$/s.exec(message);
      return { line: Number(match?.[1] ?? 0), column: Number(match?.[2] ?? 0), field: field === 'source' ? undefined : field, message: match?.[3] ?? message };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** Pure: where a line and a column are in a text. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, Math.max(0, line - 1)).reduce((sum, { length }) => sum + length + 1, 0);
  return Math.min(text.length, before + Math.min(Math.max(0, column - 1), lines[line - 1]?.length ?? 0));
}
