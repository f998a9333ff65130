import { evaluate, ExpressionFault, parse, text, type Expression, type Scope } from './expression.js';

/** A text with expressions in it, in order: plain parts and expressions take turns. */
export interface Template {
  parts: readonly (string | Expression)[];
}

const OPEN = '${{';
const CLOSE = '}}';
/** Of an expression so much is quoted in a message. */
const MAX_SHOWN = 80;

/**
 * Reads a text with `${{ … }}` in it.
 * @throws {ExpressionFault} its `at` counts from the beginning of the text
 */
export function parseTemplate(source: string): Template {
  const parts: (string | Expression)[] = [];
  let from = 0;
  for (;;) {
    const open = source.indexOf(OPEN, from);
    if (open < 0) break;
    const close = closing(source, open + OPEN.length);
    if (close < 0) throw new ExpressionFault(`${OPEN} has no ${CLOSE}`, open);
    if (open > from) parts.push(source.slice(from, open));
    const inner = source.slice(open + OPEN.length, close);
    try {
      parts.push(parse(inner));
    } catch (error) {
      if (!(error instanceof ExpressionFault)) throw error;
      const shown = inner.length > MAX_SHOWN ? `${inner.slice(0, MAX_SHOWN)}…` : inner;
      throw new ExpressionFault(`${OPEN}${shown}${CLOSE} ${error.message}`, open + OPEN.length + error.at);
    }
    from = close + CLOSE.length;
  }
  if (from < source.length) parts.push(source.slice(from));
  return { parts };
}

/** Where the expression ends: braces inside quotes are text. */
function closing(source: string, from: number): number {
  let quoted = false;
  for (let at = from; at < source.length; at++) {
    if (source[at] === "'") quoted = !quoted;
    else if (!quoted && source.startsWith(CLOSE, at)) return at;
  }
  return -1;
}

const known = new Map<string, Template>();
/** Templates kept read: plans use a handful. */
const KEEP = 2000;

/** {@link parseTemplate}, for texts that were looked at when their plan was saved. */
export function templateOf(source: string): Template {
  const cached = known.get(source);
  if (cached) return cached;
  const made = parseTemplate(source);
  if (known.size >= KEEP) known.clear();
  known.set(source, made);
  return made;
}

/** The text with every expression replaced by its value, each made safe for where it stands. */
export function render(source: string, scope: Scope, escape: (value: string) => string = (value) => value): string {
  if (!source.includes(OPEN)) return source;
  return templateOf(source).parts.map((part) => (typeof part === 'string' ? part : escape(text(evaluate(part, scope))))).join('');
}

/** How a shell is told to use a variable. The variable is read after the script was: its value can never become a part of it. */
const references = {
  sh: (name: string) => `\${${name}}`,
  bash: (name: string) => `\${${name}}`,
  powershell: (name: string) => `\${env:${name}}`,
  // Delayed expansion: %NAME% would be put in before the line is read.
  cmd: (name: string) => `!${name}!`,
} as const;

/**
 * A script in which every expression is a reference to a variable of its own, and those variables. So a value with quotes,
 * line breaks or `$(…)` stays a value in every shell.
 */
export function renderScript(source: string, shell: keyof typeof references, scope: Scope): { script: string; env: Record<string, string> } {
  if (!source.includes(OPEN)) return { script: source, env: {} };
  const env: Record<string, string> = {};
  let count = 0;
  const parts = templateOf(source).parts.map((part) => {
    if (typeof part === 'string') return part;
    const name = `BERTH_V${++count}`;
    env[name] = text(evaluate(part, scope));
    return references[shell](name);
  });
  return { script: parts.join(''), env };
}
