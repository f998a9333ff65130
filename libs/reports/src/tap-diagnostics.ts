import { label, milliseconds, place } from './clean.js';

/** What the YAML under a test says of it. */
export interface Diagnostics {
  message: string;
  durationMs: number | undefined;
  failureType: string | undefined;
  suite: boolean;
  file: string;
  line: number | undefined;
}

const told = ['message', 'error', 'operator', 'expected', 'actual', 'found', 'wanted', 'duration_ms', 'failureType', 'type', 'location', 'at', 'file', 'line'] as const;
type Key = (typeof told)[number];
const isTold = (key: string): key is Key => (told as readonly string[]).includes(key);

/** More of a value is not kept than could be shown. */
const KEEP = 4096;

/**
 * The YAML block under a test, line by line. No more of YAML is read than harnesses write: the keys of the outermost map, with
 * a value on the same line or a block of text below. Anchors and tags are text here, so nothing can be made larger than it is.
 */
export class DiagnosticsReader {
  readonly #values = new Map<Key, string>();
  /** The key whose block is being read. */
  #block: { key: Key; indent: number | undefined } | undefined;

  constructor(readonly indent: number) {}

  add(line: string): void {
    const content = line.trimStart();
    const indent = line.length - content.length;
    if (indent > this.indent || content === '') {
      if (this.#block) this.#append(this.#block, content === '' ? '' : line, indent);
      return;
    }
    this.#block = undefined;
    const pair = /^([A-Za-z_][\w.-]{0,63})\s*:(?:\s+(.*))?$/.exec(content);
    const key = pair?.[1];
    if (pair === null || key === undefined || !isTold(key)) return;
    const value = pair[2]?.trim() ?? '';
    if (/^[|>][-+\d]{0,2}$/.test(value)) this.#block = { key, indent: undefined };
    else this.#values.set(key, unquoted(value).slice(0, KEEP));
  }

  done(): Diagnostics {
    const said = (key: Key): string => this.#values.get(key)?.trim() ?? '';
    const where = position(said('location') || said('at'));
    const expected = said('expected') || said('wanted');
    const actual = said('actual') || said('found');
    const difference = expected === '' && actual === '' ? '' : `${said('operator') || 'compared'}: expected ${expected}, actual ${actual}`;
    return {
      message: said('error') || said('message') || difference, durationMs: milliseconds(this.#values.get('duration_ms'), 1), failureType: this.#values.get('failureType'),
      suite: this.#values.get('type') === 'suite', file: label(said('file') || where.file), line: place(said('line')) ?? where.line,
    };
  }

  #append(block: { key: Key; indent: number | undefined }, line: string, indent: number): void {
    if (line !== '') block.indent ??= indent;
    const before = this.#values.get(block.key) ?? '';
    if (before.length < KEEP) this.#values.set(block.key, `${before}${line.slice(Math.min(indent, block.indent ?? indent), KEEP)}\n`);
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

/** A value in quotes: YAML's, or those of JavaScript, which Node writes. */
function unquoted(value: string): string {
  const quote = value[0];
  if (value.length < 2 || (quote !== "'" && quote !== '"' && quote !== '`') || !value.endsWith(quote)) return value;
  const inner = value.slice(1, -1).replaceAll("''", "'");
  return inner.replace(/\\x1b/gi, '\x1b').replace(/\\([ntr'"`\\])/g, (_whole, letter: string) => escapes[letter] ?? letter);
}

/** `/a/b.js:3:5`, `fn (file:///a/b.js:3:5)`: the file and its line. */
function position(text: string): { file: string; line: number | undefined } {
  const inner = /\(([^()]*)\)$/.exec(text.slice(0, 1024))?.[1] ?? text.slice(0, 1024);
  const [column, line, ...rest] = inner.split(':').reverse();
  if (place(column) === undefined || place(line) === undefined || rest.length === 0) return { file: '', line: undefined };
  return { file: rest.reverse().join(':').replace(/^file:\/\//, ''), line: place(line) };
}
