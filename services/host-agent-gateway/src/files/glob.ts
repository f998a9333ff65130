/**
 * Patterns of paths: `*` is any run of characters within a name, `?` one of them, `[abc]`, `[a-z]` and `[!abc]` one of a set, and
 * `**` as a whole part any number of folders. A name that begins with a dot is only matched where the pattern has that dot.
 * Pure; a backslash is a character like any other, so a special one is written as a set: `[[]id].tsx`.
 */

type Token = { kind: 'one'; char: string } | { kind: 'any' } | { kind: 'run' } | { kind: 'set'; negated: boolean; ranges: readonly (readonly [string, string])[] };
type Part = { kind: 'literal'; name: string } | { kind: 'folders' } | { kind: 'name'; tokens: readonly Token[] };

/** A pattern that was read. */
export interface Glob {
  pattern: string;
  parts: readonly Part[];
  /** The folder that all it can match is in, as the pattern writes it; of a pattern without special characters, all but the last part. */
  base: readonly string[];
  /** It has no special characters: it names one thing. */
  literal: boolean;
}

/** How far a pattern is matched by the folders entered so far: positions in its parts. Empty: nothing below can match. */
export type Progress = ReadonlySet<number>;

export function parseGlob(pattern: string): Glob {
  const parts: Part[] = [];
  const names = pattern.split('/').filter((name) => name !== '' && name !== '.');
  for (const [index, name] of names.entries()) {
    if (name === '**') {
      if (parts.at(-1)?.kind !== 'folders') parts.push({ kind: 'folders' });
      // At the end it means what is in these folders, and not the first of them itself.
      if (index === names.length - 1) parts.push({ kind: 'name', tokens: [{ kind: 'run' }] });
      continue;
    }
    const tokens = tokensOf(name);
    parts.push(tokens.every((token) => token.kind === 'one') ? { kind: 'literal', name } : { kind: 'name', tokens });
  }
  const special = parts.findIndex((part) => part.kind !== 'literal');
  const base = parts.slice(0, special === -1 ? -1 : special).map((part) => (part.kind === 'literal' ? part.name : ''));
  return { pattern, parts, base, literal: special === -1 };
}

/** Before anything was entered. */
export const beginning = (glob: Glob): Progress => spread(glob, [0]);

/** After entering, or finding, something of this name. */
export function advance(glob: Glob, progress: Progress, name: string): Progress {
  const next: number[] = [];
  for (const at of progress) {
    const part = glob.parts[at];
    if (part?.kind === 'folders') {
      if (!name.startsWith('.')) next.push(at);
    } else if (part && matchesPart(part, name)) next.push(at + 1);
  }
  return spread(glob, next);
}

/** Is what was found last a match? */
export const isMatch = (glob: Glob, progress: Progress): boolean => progress.has(glob.parts.length);

/** The names that can come next when they are known without looking; undefined when a folder has to be listed. */
export function namesAhead(glob: Glob, progress: Progress): string[] | undefined {
  const names: string[] = [];
  for (const at of progress) {
    const part = glob.parts[at];
    if (part === undefined) continue;
    if (part.kind !== 'literal') return undefined;
    names.push(part.name);
  }
  return names;
}

/** Does the pattern match this path? */
export function matches(glob: Glob, path: string): boolean {
  return isMatch(glob, path.split('/').reduce((progress, name) => advance(glob, progress, name), beginning(glob)));
}

/** `**` may stand for no folder at all, so with it goes what comes after it. */
function spread(glob: Glob, positions: readonly number[]): Progress {
  const all = new Set<number>();
  for (let at of positions) {
    all.add(at);
    while (glob.parts[at]?.kind === 'folders') all.add(++at);
  }
  return all;
}

function matchesPart(part: Exclude<Part, { kind: 'folders' }>, name: string): boolean {
  if (part.kind === 'literal') return part.name === name;
  const [first] = part.tokens;
  if (name.startsWith('.') && !(first?.kind === 'one' && first.char === '.')) return false;
  return matchesTokens(part.tokens, [...name]);
}

/** Goes back to the last `*` alone, which is enough and takes no more steps than name times pattern. */
function matchesTokens(tokens: readonly Token[], chars: readonly string[]): boolean {
  let [t, c] = [0, 0];
  let star: { token: number; char: number } | undefined;
  while (c < chars.length) {
    const token = tokens[t];
    const char = chars[c] ?? '';
    if (token?.kind === 'run') {
      star = { token: t++, char: c };
    } else if (token && matchesChar(token, char)) {
      t++;
      c++;
    } else if (star) {
      t = star.token + 1;
      c = ++star.char;
    } else return false;
  }
  while (tokens[t]?.kind === 'run') t++;
  return t === tokens.length;
}

function matchesChar(token: Exclude<Token, { kind: 'run' }>, char: string): boolean {
  switch (token.kind) {
    case 'one':
      return token.char === char;
    case 'any':
      return true;
    case 'set':
      return token.ranges.some(([from, to]) => from <= char && char <= to) !== token.negated;
  }
}

function tokensOf(name: string): Token[] {
  const chars = [...name];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const set = char === '[' ? setAt(chars, at) : undefined;
    if (set) {
      tokens.push(set.token);
      at = set.last;
    } else if (char === '*') {
      if (tokens.at(-1)?.kind !== 'run') tokens.push({ kind: 'run' });
    } else tokens.push(char === '?' ? { kind: 'any' } : { kind: 'one', char });
  }
  return tokens;
}

/** The set that begins here; a bracket without its other one is a character. `]` right after the beginning is one of the set. */
function setAt(chars: readonly string[], start: number): { token: Token; last: number } | undefined {
  let at = start + 1;
  const negated = chars[at] === '!' || chars[at] === '^';
  if (negated) at++;
  const last = chars.indexOf(']', at + 1);
  if (last === -1) return undefined;
  const ranges: [string, string][] = [];
  while (at < last) {
    const from = chars[at] ?? '';
    const to = chars[at + 2];
    if (chars[at + 1] === '-' && at + 2 < last && to !== undefined) {
      ranges.push([from, to]);
      at += 3;
    } else {
      ranges.push([from, from]);
      at++;
    }
  }
  return { token: { kind: 'set', negated, ranges }, last };
}
