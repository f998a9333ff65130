import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { ProblemError } from '@berth/client';
import { fieldErrors, type FieldError } from '@berth/contracts';
import type { Io } from './context.js';
import { Failure, FAILED } from './failure.js';

/** A document as it stands in a file. */
export interface Written<T> {
  /** as written: the service reads it */
  raw: Record<string, unknown>;
  /** as it is understood */
  value: T;
  /** such as `pool.yaml, document 2 (linux)` */
  place: string;
  /** A field error with the place in the file. */
  tell(error: FieldError): FieldError;
}

/** What a file is read as. */
export interface Form<T> {
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Parameters<typeof fieldErrors>[0] } };
  /** what a document is called in its place */
  nameOf?: (document: { name?: unknown }) => string | undefined;
  /** what a file without a document is told */
  empty: string;
}

/** A name that no other document of the file may have. */
export const byName = ({ name }: { name?: unknown }): string | undefined => (typeof name === 'string' ? name : undefined);

/** The text of a file, or of standard input for `-`. */
export async function textOf(io: Pick<Io, 'cwd' | 'stdin'>, file: string): Promise<string> {
  if (file !== '-') {
    return readFile(resolve(io.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new Failure('file', `${file} can't be read (${error.code}).`);
    });
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of io.stdin ?? process.stdin) pieces.push(Buffer.from(piece as string));
  return Buffer.concat(pieces).toString('utf8');
}

/** What a file is called in a sentence. */
export const called = (file: string): string => (file === '-' ? 'standard input' : file);

/**
 * Documents of a file: YAML or JSON, one or several.
 * @throws {Failure} with every error, each with its document, field, line and column
 */
export function readDocuments<T>(text: string, file: string, { schema, nameOf, empty }: Form<T>): Written<T>[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const errors: FieldError[] = [];
  const found: Written<T>[] = [];
  const seen = new Map<string, number>();
  for (const [i, document] of (Array.isArray(documents) ? documents : []).entries()) {
    const nth = i + 1;
    const lineOf = (offset: number) => {
      const { line, col } = lines.linePos(offset);
      return `line ${Math.max(line, 1)}, column ${Math.max(col, 1)}`;
    };
    const place = (name?: string) => `${file}, document ${nth}${name === undefined ? '' : ` (${name})`}`;
    if (document.errors.length > 0) {
      errors.push(...document.errors.map(({ message, pos }) => ({ field: place(), message: `${lineOf(pos[0])}: ${message}` })));
      continue;
    }
    const raw = valueOf(document, place(), errors);
    // What a trailing "---" leaves behind.
    if (raw === null || raw === undefined) continue;
    const name = typeof raw === 'object' ? nameOf?.(raw) : undefined;
    const tell = ({ field, message }: FieldError): FieldError => {
      // A key that should not be there is what to look at, not what it is in.
      const [, key] = /^unknown key "([^"]+)"/.exec(message) ?? [];
      const inside = field === WHOLE ? '' : field;
      const at = offsetOf(document, key === undefined ? inside : `${inside}.${key}`);
      return { field: inside === '' ? place(name) : `${place(name)}: ${field}`, message: `${lineOf(at)}: ${message}` };
    };
    const parsed = schema.safeParse(raw);
    if (!parsed.success) errors.push(...fieldErrors(parsed.error).map(tell));
    else {
      const before = name === undefined ? undefined : seen.get(name);
      if (before !== undefined) errors.push(tell({ field: 'name', message: `${name} is in document ${before} already` }));
      if (name !== undefined) seen.set(name, nth);
      found.push({ raw: raw as Record<string, unknown>, value: parsed.data, place: place(name), tell });
    }
  }
  if (errors.length > 0) throw new Failure('invalid-data', refusal(errors), errors);
  if (found.length === 0) throw new Failure('invalid-data', empty);
  return found;
}

/** The refusal of the service, with the place in the file, and with what was saved before it. */
export function refusedAt({ place, tell }: Pick<Written<unknown>, 'place' | 'tell'>, error: unknown, before: readonly string[] = []): unknown {
  if (!(error instanceof ProblemError) || error.status === 0) return error;
  const done = before.length === 0 ? '' : ` Saved before it: ${before.join(', ')}.`;
  const told = error.errors.map(tell);
  // What the sentence says already gets its place there, and is not said again below it.
  const sentence = error.errors.reduce((text, { message }, i) => text.replace(message, () => told[i]!.message), error.message);
  return new Failure(error.code, `${place}: ${sentence}${done}`, told, FAILED);
}

/** The field of an error that is about no part of it. */
const WHOLE = '(the whole)';

/** The first error as a sentence; the others follow it. */
function refusal(errors: readonly FieldError[]): string {
  const { field, message } = errors[0]!;
  return `Nothing is saved. ${field}: ${message}${errors.length > 1 ? ` (and more: ${errors.length} errors in all)` : ''}.`;
}

function valueOf(document: Document, place: string, errors: FieldError[]): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    // An alias without its anchor, or aliases that unfold into too much.
    if (!(error instanceof ReferenceError)) throw error;
    errors.push({ field: place, message: error.message });
    return undefined;
  }
}

/** Where the value of a field such as `types[0].type` begins; what is missing stands where it is missing from. */
function offsetOf(document: Document, field: string): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const part of field.match(/[^.[\]]+/g) ?? []) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const key = /^\d+$/.test(part) ? Number(part) : part;
    const next: unknown = node.get(key, true);
    const pair = isMap(node) ? node.items.find((item) => isScalar(item.key) && item.key.value === part) : undefined;
    const where = (pair?.key ?? next) as Node | undefined;
    if (!isNode(where)) break;
    offset = where.range?.[0] ?? offset;
    node = next;
  }
  return offset;
}
