import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { blueprintSpec, fieldErrors, type FieldError } from '@berth/contracts';
import { Failure } from './failure.js';

/** A blueprint as it stands in a file. */
export interface WrittenBlueprint {
  name: string;
  /** as written: the service reads it */
  spec: Record<string, unknown>;
  /** such as `pool.yaml, document 2 (linux)` */
  place: string;
  /** A field error with the place in the file. */
  tell(error: FieldError): FieldError;
}

/**
 * Blueprints of a file: YAML or JSON, one or several documents.
 * @throws {Failure} with every error, each with its document, field, line and column
 */
export function readBlueprints(text: string, file: string): WrittenBlueprint[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const errors: FieldError[] = [];
  const found: WrittenBlueprint[] = [];
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
    const spec = valueOf(document, place(), errors);
    // What a trailing "---" leaves behind.
    if (spec === null || spec === undefined) continue;
    const name = isNamed(spec) ? spec.name : undefined;
    const tell = ({ field, message }: FieldError): FieldError => {
      // A key that should not be there is what to look at, not what it is in.
      const [, key] = /^unknown key "([^"]+)"/.exec(message) ?? [];
      const inside = field === WHOLE ? '' : field;
      const at = offsetOf(document, key === undefined ? inside : `${inside}.${key}`);
      return { field: inside === '' ? place(name) : `${place(name)}: ${field}`, message: `${lineOf(at)}: ${message}` };
    };
    const parsed = blueprintSpec.safeParse(spec);
    if (!parsed.success) errors.push(...fieldErrors(parsed.error).map(tell));
    else {
      const before = seen.get(parsed.data.name);
      if (before !== undefined) errors.push(tell({ field: 'name', message: `${parsed.data.name} is in document ${before} already` }));
      seen.set(parsed.data.name, nth);
      found.push({ name: parsed.data.name, spec: spec as Record<string, unknown>, place: place(parsed.data.name), tell });
    }
  }
  if (errors.length > 0) throw new Failure('invalid-data', refusal(errors), errors);
  if (found.length === 0) throw new Failure('invalid-data', `${file} holds no blueprint: \`berth blueprint example KIND\` prints one.`);
  return found;
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

const isNamed = (spec: unknown): spec is { name: string } => typeof spec === 'object' && spec !== null && typeof (spec as { name?: unknown }).name === 'string';

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
