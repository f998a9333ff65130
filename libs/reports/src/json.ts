import { asWritten, ReportFault } from './fault.js';
import type { ReportLimits } from './limits.js';

/** An object as JSON has it; what its properties are is found out one by one. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * Reads JSON, after looking at how deep it is and how many values it has: that decides the memory it takes, not its length.
 * @throws {ReportFault}
 */
export function readJson(text: string, limits: ReportLimits): unknown {
  measure(text, limits);
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const position = /at position (\d+)/.exec(error.message)?.[1];
    if (position === undefined) throw new ReportFault('ends in the middle of its JSON, so its program was ended while it wrote: look at the output of that program', lineAt(text, text.length));
    throw new ReportFault(`is not JSON there: ${asWritten}`, lineAt(text, Number(position)));
  }
}

function measure(text: string, limits: ReportLimits): void {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at += 1; // a backslash, and what it stands before
      else if (code === 0x22) inString = false;
      continue;
    }
    switch (code) {
      case 0x22: // "
        inString = true;
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        values += 1;
        if (depth > limits.maxDepth) throw new ReportFault(`has more than ${limits.maxDepth} values inside each other: ${asWritten}`, lineAt(text, at));
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
        break;
    }
    if (values > limits.maxValues) throw new ReportFault(`has more than ${limits.maxValues} values: publish several smaller files`, lineAt(text, at));
  }
}

function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

export function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The objects of a list; what is no list has none. */
export function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object).filter((one) => one !== undefined) : [];
}

/** One value of a list, by an index that may be anything. */
export function nth(value: unknown, index: unknown): Json | undefined {
  return Array.isArray(value) && typeof index === 'number' && index >= 0 ? object(value[index]) : undefined;
}

export function string(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
