import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { FieldError } from '@berth/contracts';

/** A path into the values of a document. */
export type Path = readonly PropertyKey[];

/** Aliases may repeat this many nodes in all: enough for people, too few for a document that unfolds into gigabytes. */
const MAX_ALIASES = 100;
/** What is wrong with the text as a whole is told of the field that it was sent in. */
const WHOLE = 'data.source';

/** A path as people write it: `steps[0].run`. */
export function fieldOf(path: Path): string {
  let text = '';
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : `${text ? '.' : ''}${String(part)}`;
  return text || WHOLE;
}

/** A YAML text with its values, and where each of them stands. */
export class YamlSource {
  /** all that is wrong with it as YAML */
  readonly errors: FieldError[] = [];
  /** undefined when it could not be read at all */
  readonly value: unknown;
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed | undefined;

  constructor(text: string) {
    try {
      this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, stringKeys: true });
      this.value = this.read(this.document);
    } catch (error) {
      // The parser calls itself for every level of nesting.
      if (!(error instanceof RangeError)) throw error;
      this.errors.push({ field: WHOLE, message: 'is nested too deeply to be read' });
    }
  }

  private read(document: Document.Parsed): unknown {
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      const found = code === 'DUPLICATE_KEY' ? this.keyAt(document, pos[0]) : undefined;
      this.errors.push(found ? { field: fieldOf(found), message: this.at(pos[0], `the key ${JSON.stringify(String(found.at(-1)))} stands there twice: remove one`) } : { field: WHOLE, message: this.at(pos[0], plain(message)) });
    }
    // Whatever is still a tree can be looked at further, so that all errors are told at once.
    if (document.errors.some((error) => error.code !== 'DUPLICATE_KEY')) return undefined;
    visit(document, {
      Alias: (_key, alias) => {
        if (!alias.resolve(document)) this.errors.push({ field: WHOLE, message: this.at(alias.range?.[0] ?? 0, `no anchor &${alias.source} stands before *${alias.source}`) });
      },
    });
    if (this.errors.some((error) => error.field === WHOLE)) return undefined;
    try {
      return document.toJS({ maxAliasCount: MAX_ALIASES }) as unknown;
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      this.errors.push({ field: WHOLE, message: `its aliases repeat too much: write the parts out (${error.message})` });
      return undefined;
    }
  }

  /** A sentence with the line and the column of the value at a path, of its key, or of what it is missing from. */
  tell(path: Path, prefer: 'key' | 'value', message: string): FieldError {
    return { field: fieldOf(path), message: this.at(this.offset(path, prefer), message) };
  }

  /** True when something is written at a path, even if it is empty. */
  has(path: Path): boolean {
    return this.walk(path).length === path.length;
  }

  private at(offset: number, message: string): string {
    const { line, col } = this.lines.linePos(offset);
    return `line ${Math.max(line, 1)}, column ${Math.max(col, 1)}: ${message}`;
  }

  private offset(path: Path, prefer: 'key' | 'value'): number {
    const steps = this.walk(path);
    const last = steps.at(-1);
    const whole = steps.length === path.length;
    const first = whole && prefer === 'value' ? last?.value : last?.key;
    return (first ?? last?.value ?? last?.key ?? this.document?.contents)?.range?.[0] ?? 0;
  }

  /** The nodes along a path, as far as there are any. */
  private walk(path: Path): { key: Node | undefined; value: Node | undefined }[] {
    const found: { key: Node | undefined; value: Node | undefined }[] = [];
    let node: Node | undefined = this.document?.contents ?? undefined;
    for (const part of path) {
      if (isAlias(node) && this.document) node = node.resolve(this.document);
      if (isMap(node)) {
        const pair: { key: unknown; value: unknown } | undefined = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
        if (!pair) break;
        found.push({ key: isNode(pair.key) ? pair.key : undefined, value: isNode(pair.value) ? pair.value : undefined });
      } else if (isSeq(node) && typeof part === 'number' && part < node.items.length) {
        const item: unknown = node.items[part];
        found.push({ key: undefined, value: isNode(item) ? item : undefined });
      } else break;
      node = found.at(-1)?.value;
    }
    return found;
  }

  /** The path of the key that begins at an offset. */
  private keyAt(document: Document.Parsed, offset: number): Path | undefined {
    const search = (node: unknown, path: Path): Path | undefined => {
      if (isSeq(node)) return first(node.items, (item, i) => search(item, [...path, i]));
      if (!isMap(node)) return undefined;
      return first(node.items, ({ key, value }) => {
        const here = [...path, isScalar(key) ? String(key.value) : '?'];
        return isNode(key) && key.range?.[0] === offset ? here : search(value, here);
      });
    };
    return search(document.contents, []);
  }
}

function first<T, R>(items: readonly T[], find: (item: T, index: number) => R | undefined): R | undefined {
  for (const [index, item] of items.entries()) {
    const found = find(item, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The parser speaks to programmers here and there. */
const plain = (message: string): string => message.replace('Source contains multiple documents; please use YAML.parseAllDocuments()', 'one document is enough: remove what follows "---"');
