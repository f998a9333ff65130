import type { FieldError } from '@berth/contracts';

/** A path into the values of a document. */
export type Path = readonly PropertyKey[];
export type Mapping = Record<string, unknown>;

/** More errors than this nobody corrects before the next try. */
export const MAX_ERRORS = 50;
/** What is wrong with the text as a whole is told of the field that it was sent in. */
export const WHOLE = 'data.source';

/** A text with values in it, and where each of them stands. */
export interface Places {
  /** A sentence with the line and the column of the value at a path, of its key, or of what it is missing from. */
  tell(path: Path, prefer: 'key' | 'value', message: string): FieldError;
  /** True when something is written at a path, even if it is empty. */
  has(path: Path): boolean;
  /** True when a key stands there with nothing behind it. */
  isEmpty(path: Path): boolean;
}

/** A path as people write it: `steps[0].run`. */
export function fieldOf(path: Path): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text || WHOLE;
}

/** The path that {@link fieldOf} has written. Keys that have dots or brackets in them come apart. */
export const pathOf = (field: string): Path => (field === WHOLE ? [] : [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) => (index === undefined ? part : Number(index))));

export const isMapping = (value: unknown): value is Mapping => typeof value === 'object' && value !== null && !Array.isArray(value);
