import type { FieldError } from '@berth/contracts';
import { isMap, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import { ProblemError } from '../api/problem';

/** A specification as it was typed. */
export interface Source {
  data: Record<string, unknown>;
  /** where in the text a field of the API is, such as `types[0].type`; of one that is missing, where it belongs */
  lineOf(field: string): number;
}

/** Reads YAML, of which JSON is a part. @throws {ProblemError} with the line that cannot be read */
export function readSource(text: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [fault] = document.errors;
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw new ProblemError(0, 'invalid-yaml', `This is not YAML: ${fault.message}.`, [{ field: `line ${line}`, message: `column ${col}: ${fault.message}` }]);
  }
  const data: unknown = document.toJS();
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new ProblemError(0, 'invalid-yaml', 'A specification is a map of fields, such as "name: value".');
  const lineOf = (field: string): number => {
    const path = field.split(/[.[\]]+/).filter((part) => part !== '').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    for (let length = path.length; length > 0; length--) {
      const offset = keyAt(document, path.slice(0, length));
      if (offset !== undefined) return lines.linePos(offset).line;
    }
    return 1;
  };
  return { data: data as Record<string, unknown>, lineOf };
}

/** Where the key of a path stands; of an item in a list, the item. */
function keyAt(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number | undefined {
  const above = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
  const last = path.at(-1);
  if (isMap(above)) {
    const pair = above.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === last);
    return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  }
  return (document.getIn(path, true) as { range?: [number, number, number] } | undefined)?.range?.[0];
}

/** What is wrong, each with its line. */
export function located(errors: readonly FieldError[], lineOf: (field: string) => number): { line: number; field: string; message: string }[] {
  return errors.map((error) => ({ ...error, line: /^line (\d+)$/.test(error.field) ? Number(error.field.slice(5)) : lineOf(error.field) })).sort((a, b) => a.line - b.line);
}
