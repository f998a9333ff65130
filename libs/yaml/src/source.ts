import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, type Document, type Node } from 'yaml';
import type { FieldError } from '@berth/contracts';
import { beyondLimits } from './limits.js';
import { fieldOf, MAX_ERRORS, WHOLE, type Path, type Places } from './places.js';

/** Aliases may repeat this many nodes in all: enough for people, too few for a document that unfolds into gigabytes. */
const MAX_ALIAS_COUNT = 100;
/** A YAML text with its values, and where each of them stands. */
export class YamlSource implements Places {
  /** all that is wrong with it as YAML */
  readonly errors: FieldError[] = [];
  /** undefined when it could not be read at all */
  readonly value: unknown = undefined;
  private readonly lines = new LineCounter();
  private readonly document: Document.Parsed | undefined;

  /** @param what the text is to be, for messages: `plan` */
  constructor(text: string, what: string) {
    const beyond = beyondLimits(text, what);
    if (beyond) {
      const before = text.slice(0, beyond.offset).split('\n');
      this.errors.push({ field: WHOLE, message: `line ${before.length}, column ${before.at(-1)!.length + 1}: ${beyond.message}` });
      return;
    }
    // Repeated keys are looked for below: the parser compares each with each.
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false, stringKeys: true, uniqueKeys: false });
    this.value = this.read(this.document);
  }

  private read(document: Document.Parsed): unknown {
    for (const { message, pos } of [...document.errors, ...document.warnings].slice(0, MAX_ERRORS)) this.errors.push({ field: WHOLE, message: this.at(pos[0], plain(message)) });
    if (this.errors.length > 0) return undefined;
    visit(document, {
      Alias: (_key, alias) => {
        if (!alias.resolve(document)) this.errors.push({ field: WHOLE, message: this.at(alias.range?.[0] ?? 0, `no anchor &${alias.source} stands before *${alias.source}`) });
      },
    });
    if (this.errors.length > 0) return undefined;
    this.findRepeatedKeys(document.contents, []);
    try {
      return document.toJS({ maxAliasCount: MAX_ALIAS_COUNT }) as unknown;
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error;
      this.errors.push({ field: WHOLE, message: `its aliases repeat too much: write the parts out (${error.message})` });
      return undefined;
    }
  }

  /** The second of two equal keys would win in silence. The tree can be looked at further, so that all errors are told at once. */
  private findRepeatedKeys(node: unknown, path: Path): void {
    if (isSeq(node)) for (const [i, item] of node.items.entries()) this.findRepeatedKeys(item, [...path, i]);
    if (!isMap(node)) return;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '';
      const here = [...path, name];
      if (seen.has(name) && this.errors.length <= MAX_ERRORS) {
        this.errors.push({ field: fieldOf(here), message: this.at(isNode(key) ? (key.range?.[0] ?? 0) : 0, `the key ${JSON.stringify(name)} stands there twice: remove one`) });
      }
      seen.add(name);
      this.findRepeatedKeys(value, here);
    }
  }

  tell(path: Path, prefer: 'key' | 'value', message: string): FieldError {
    return { field: fieldOf(path), message: this.at(this.offset(path, prefer), message) };
  }

  has(path: Path): boolean {
    return this.walk(path).length === path.length;
  }

  /** A number as it is written there: 22.10 is another version than 22.1. */
  textAt(path: Path): string | undefined {
    const value = this.walk(path).at(-1)?.value;
    return this.has(path) && isScalar(value) ? value.source : undefined;
  }

  isEmpty(path: Path): boolean {
    const value = this.walk(path).at(-1)?.value;
    return value === undefined || (isScalar(value) && value.value === null);
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
}

/** The parser speaks to programmers here and there. */
const plain = (message: string): string =>
  message
    .replace('With stringKeys, all keys must be strings', 'a key must be text')
    .replace('Unresolved tag:', 'remove the tag, it means nothing here:')
    .replace('Source contains multiple documents; please use YAML.parseAllDocuments()', 'one document is enough: remove what follows "---"');
