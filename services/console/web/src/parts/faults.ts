import type { FieldError } from '@berth/contracts';
import { ProblemError } from '../api/problem';
import { readSource } from './source';

/** What is wrong with a text, and where. */
export interface Fault {
  /** 0: of the text as a whole */
  line: number;
  /** 0: the line is known, and no more */
  column: number;
  /** undefined: the text as a whole */
  field: string | undefined;
  message: string;
}

/**
 * Pure: errors of the service, which begin with "line 3, column 5: ", by their places; those without one stand first.
 * One that only names its field is found in the text, where that is YAML.
 */
export function faultsOf(errors: readonly FieldError[], text = ''): Fault[] {
  const lineOf = linesOf(text);
  return errors
    .map(({ field, message }) => {
      const match = /^line (\d+), column (\d+): (.*)$/s.exec(message);
      const known = field === 'source' ? undefined : field;
      return { line: match ? Number(match[1]) : known === undefined ? 0 : lineOf(known), column: Number(match?.[2] ?? 0), field: known, message: match?.[3] ?? message };
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

/** The line of a field, as far as that can be found out: a text need not be YAML, nor whole. */
function linesOf(text: string): (field: string) => number {
  try {
    return readSource(text).lineOf;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return () => 0;
  }
}

/** Pure: where a line and a column are in a text. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, Math.max(0, line - 1)).reduce((sum, { length }) => sum + length + 1, 0);
  return Math.min(text.length, before + Math.min(Math.max(0, column - 1), lines[line - 1]?.length ?? 0));
}
