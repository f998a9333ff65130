import { compare, quantity, type Quantity } from '../expression.js';
import type { ImageTarget } from './template.js';
import type { VersionUse } from './image.js';

/**
 * A question to attributes, as text: `arch == "x86_64" && os.version >= 12 || !(label.team == 'web') && has(sbom)`.
 *
 * - `NAME == VALUE`, `!=`, `<`, `<=`, `>`, `>=`; `has(NAME)`; `!`, `&&`, `||` and parentheses, which bind in this order
 * - a value in quotes is a text; one without is a number, a size (`2GiB`), a version (`2.30.1`), `true` or `false`
 * - texts are compared with `==` as they are; all else, and every order, as {@link quantity} reads both sides
 * - an attribute that is not there is unequal to everything, and neither less nor greater than anything
 */
export type AttributeQuery = (attributes: Readonly<Record<string, string>>) => boolean;

/** What must hold where a query does: that an attribute has a value, all of these, or any of them. A value in quotes is a text, and is compared as it is. */
export type Needed = { name: string; value: string; is: 'text' | 'number' } | { all: readonly Needed[] } | { any: readonly Needed[] };

/** A part of a query, and what is needed for it to hold, where that can be said. */
interface Part {
  holds: AttributeQuery;
  needs?: Needed;
}

/** What is wrong with a query: a sentence that says where and what to write. */
export class QueryFault extends Error {
  /** @param column where it is, counted from 1 */
  constructor(
    readonly column: number,
    what: string,
  ) {
    super(`column ${column}: ${what}`);
  }
}

/** Characters of a query. */
const MOST_CHARACTERS = 2048;
/** How deep parentheses and `!` may be nested. */
const MOST_DEPTH = 32;

const signs = ['==', '!=', '<=', '>=', '&&', '||', '<', '>', '!', '(', ')'] as const;
type Sign = (typeof signs)[number];
type Token = { is: Sign; at: number } | { is: 'name' | 'text' | 'number'; value: string; at: number } | { is: 'end'; at: number };
const operators = ['==', '!=', '<', '<=', '>', '>='] as const satisfies readonly Sign[];
type Operator = (typeof operators)[number];

const NAME = /[A-Za-z][A-Za-z0-9._-]*/y;
// A unit may stand apart, as `quantity` has it.
const NUMBER = /-?\d+(?:\.\d+)*(?: ?(?:KiB|MiB|GiB|TiB|kB|MB|GB|TB)(?![A-Za-z0-9]))?/y;

/**
 * Reads a query.
 * @throws {QueryFault} it can't be read; says the column and what to write
 */
export function attributeQuery(text: string): AttributeQuery {
  return read(text).holds;
}

/**
 * Reads a query for what an index can look up: less may be needed than the query asks for, and never more.
 * @returns undefined when nothing is needed
 * @throws {QueryFault} like {@link attributeQuery}
 */
export const neededBy = (text: string): Needed | undefined => read(text).needs;

function read(text: string): Part {
  if (text.length > MOST_CHARACTERS) throw new QueryFault(MOST_CHARACTERS + 1, `the query is longer than ${MOST_CHARACTERS} characters: make it shorter`);
  return new Reading(tokens(text)).whole();
}

function tokens(text: string): Token[] {
  const found: Token[] = [];
  const match = (pattern: RegExp, from: number): string | undefined => {
    pattern.lastIndex = from;
    return pattern.exec(text)?.[0];
  };
  let from = 0;
  while (from < text.length) {
    const at = from + 1;
    const letter = text[from]!;
    if (/\s/.test(letter)) {
      from++;
      continue;
    }
    const sign = signs.find((one) => text.startsWith(one, from));
    const name = match(NAME, from);
    const number = match(NUMBER, from);
    if (sign !== undefined) {
      found.push({ is: sign, at });
      from += sign.length;
    } else if (letter === '"' || letter === "'") {
      const { value, end } = quoted(text, from);
      found.push({ is: 'text', value, at });
      from = end;
    } else if (name !== undefined) {
      found.push({ is: 'name', value: name, at });
      from += name.length;
    } else if (number !== undefined) {
      found.push({ is: 'number', value: number, at });
      from += number.length;
    } else throw new QueryFault(at, insteadOf(letter));
  }
  return [...found, { is: 'end', at: text.length + 1 }];
}

const meant: Readonly<Record<string, string>> = { '=': '==', '&': '&&', '|': '||' };
const insteadOf = (letter: string): string => (meant[letter] ? `${JSON.stringify(letter)} alone means nothing: use ${meant[letter]}` : `${JSON.stringify(letter)} means nothing here: put texts in quotes`);

/** A text in quotes: in it, a backslash goes before a quote or a backslash. */
function quoted(text: string, from: number): { value: string; end: number } {
  const quote = text[from]!;
  let value = '';
  for (let i = from + 1; i < text.length; i++) {
    const letter = text[i]!;
    if (letter === quote) return { value, end: i + 1 };
    if (letter !== '\\') {
      value += letter;
      continue;
    }
    const next = text[++i];
    if (next !== '\\' && next !== '"' && next !== "'") throw new QueryFault(i, 'a backslash goes before a quote or a backslash: write it twice to mean itself');
    value += next;
  }
  throw new QueryFault(from + 1, `the text has no end: close it with ${quote}`);
}

/** Goes over the tokens of one query, once. */
class Reading {
  private next = 0;
  private depth = 0;

  constructor(private readonly all: readonly Token[]) {}

  whole(): Part {
    const query = this.either();
    if (this.token.is === ')') throw new QueryFault(this.token.at, 'nothing is open here: leave out the ")", or open it before');
    if (this.token.is !== 'end') throw new QueryFault(this.token.at, 'two conditions stand side by side: put && or || between them');
    return query;
  }

  private get token(): Token {
    return this.all[this.next]!;
  }

  private take(sign: Sign): boolean {
    if (this.token.is !== sign) return false;
    this.next++;
    return true;
  }

  private either(): Part {
    const parts = [this.both()];
    while (this.take('||')) parts.push(this.both());
    if (parts.length === 1) return parts[0]!;
    const any = parts.flatMap(({ needs }) => needs ?? []);
    return { holds: (attributes) => parts.some(({ holds }) => holds(attributes)), ...(any.length === parts.length && { needs: { any } }) };
  }

  private both(): Part {
    const parts = [this.one()];
    while (this.take('&&')) parts.push(this.one());
    if (parts.length === 1) return parts[0]!;
    const all = parts.flatMap(({ needs }) => needs ?? []);
    return { holds: (attributes) => parts.every(({ holds }) => holds(attributes)), ...(all.length > 0 && { needs: { all } }) };
  }

  private one(): Part {
    const { at } = this.token;
    if (this.take('!')) {
      const not = this.deeper(at, () => this.one());
      return { holds: (attributes) => !not.holds(attributes) };
    }
    if (this.take('(')) {
      const inner = this.deeper(at, () => this.either());
      if (!this.take(')')) throw new QueryFault(this.token.at, this.token.is === 'end' ? `the "(" at column ${at} is open: close it with ")"` : 'two conditions stand side by side: put && or || between them');
      return inner;
    }
    return this.condition();
  }

  private deeper<T>(at: number, read: () => T): T {
    if (++this.depth > MOST_DEPTH) throw new QueryFault(at, `it is nested more than ${MOST_DEPTH} deep: make it flatter`);
    const made = read();
    this.depth--;
    return made;
  }

  private condition(): Part {
    const { token } = this;
    if (token.is !== 'name') throw new QueryFault(token.at, token.is === 'end' ? 'a condition is missing: write one such as arch == "x86_64"' : 'a condition begins with the name of an attribute: write it such as arch == "x86_64"');
    this.next++;
    if (token.value === 'has' && this.take('(')) return { holds: this.has() };
    const operator = operators.find((one) => this.take(one));
    if (operator === undefined) throw new QueryFault(this.token.at, `${token.value} is not compared with anything: write ${token.value} == VALUE, or has(${token.value})`);
    const value = this.value();
    const holds = comparison(token.value, operator, value);
    return operator === '==' ? { holds, needs: { name: token.value, value: value.value, is: value.is === 'number' ? 'number' : 'text' } } : { holds };
  }

  private has(): AttributeQuery {
    const { token } = this;
    if (token.is !== 'name') throw new QueryFault(token.at, 'has() wants the name of an attribute: write it such as has(sbom)');
    this.next++;
    if (!this.take(')')) throw new QueryFault(this.token.at, `has(${token.value} is open: close it with ")"`);
    return (attributes) => Object.hasOwn(attributes, token.value);
  }

  private value(): Exclude<Token, { is: Sign | 'end' }> {
    const { token } = this;
    if (token.is === 'name' && token.value !== 'true' && token.value !== 'false') throw new QueryFault(token.at, `${token.value} is compared with, and is no value: put texts in quotes`);
    if (token.is !== 'name' && token.is !== 'text' && token.is !== 'number') throw new QueryFault(token.at, 'a value is missing: write a text in quotes, a number, a size or a version');
    this.next++;
    return token;
  }
}

function comparison(name: string, operator: Operator, { is, value, at }: Exclude<Token, { is: Sign | 'end' }>): AttributeQuery {
  const own = (attributes: Readonly<Record<string, string>>) => (Object.hasOwn(attributes, name) ? attributes[name] : undefined);
  const than = quantity(value);
  const equal = (given: string | undefined): boolean => {
    if (given === undefined) return false;
    const read = is === 'number' ? quantity(given) : undefined;
    return read === undefined || than === undefined ? given === value : compare(read, than) === 0;
  };
  if (operator === '==') return (attributes) => equal(own(attributes));
  if (operator === '!=') return (attributes) => !equal(own(attributes));
  if (than === undefined) throw new QueryFault(at, `${JSON.stringify(value)} has no order: use a number, a size such as 2GiB, or a version such as 2.30.1`);
  return (attributes) => {
    const given = own(attributes);
    const read = given === undefined ? undefined : quantity(given);
    return read !== undefined && ordered(operator, read, than);
  };
}

function ordered(operator: '<' | '<=' | '>' | '>=', a: Quantity, b: Quantity): boolean {
  const order = compare(a, b);
  switch (operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

/** What the warehouse knows of an object. */
export interface ObjectFacts {
  image: string;
  /** of the version, counted from 1 */
  number: number;
  target: ImageTarget;
  kind: 'image' | 'sbom';
  /** of what the version was built from or imported as */
  os: Readonly<Record<string, string>>;
  bytes: number;
  use: VersionUse;
  /** it holds by now */
  revoked: boolean;
  labels: Readonly<Record<string, string>>;
  /** that somebody gave the version */
  attributes: Readonly<Record<string, string>>;
}

/** The attributes of an object that queries ask about. What somebody gave it never stands in for a fact. */
export function objectAttributes({ image, number, target, kind, os, bytes, use, revoked, labels, attributes }: ObjectFacts): Record<string, string> {
  return {
    ...attributes,
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label.${name}`, value])),
    image, version: String(number), target, kind,
    ...(os['name'] !== undefined && { 'os.name': os['name'] }),
    ...(os['version'] !== undefined && { 'os.version': os['version'] }),
    ...(os['arch'] !== undefined && { arch: os['arch'] }),
    bytes: String(bytes), status: use, revoked: String(revoked),
  };
}
