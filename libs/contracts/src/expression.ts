/**
 * What a request wants of one attribute, as text:
 *
 * - `linux`: equal; `linux|mac`: one of these; `!windows`: anything else, or nothing at all
 * - `>=8`, `<16`, `>=8 <16`: numbers, sizes (`16GiB`, `500MB`) and versions (`>=2.30.1`)
 * - `*`: has the attribute, whatever its value; `!*`: does not have it
 * - `=text`: equal to a text that would mean something else, such as `=a|b`
 */
export interface Expression {
  /** Does a resource's value satisfy it? `undefined`: the resource says nothing of this attribute. */
  satisfiedBy(value: string | undefined): boolean;
}

type Operator = '>=' | '<=' | '>' | '<';
/** A number in its base unit, and the parts of a version when it can be read as one. */
export interface Quantity {
  value: number;
  parts: readonly number[];
  version: boolean;
}
interface Bound {
  operator: Operator;
  than: Quantity;
}

const units: Readonly<Record<string, number>> = {
  '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12,
};

/** What is wrong with an expression: a sentence that says what to write. */
export class ExpressionFault extends Error {}

/** A number, a size such as `16GiB`, or a version such as `2.30.1`; undefined when it is none of these. */
export function quantity(text: string): Quantity | undefined {
  if (/^\d+(\.\d+){2,}$/.test(text)) return { value: Number.NaN, parts: text.split('.').map(Number), version: true };
  const match = /^(-?\d+(?:\.\d+)?) ?(|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$/.exec(text);
  if (!match) return undefined;
  return { value: Number(match[1]) * units[match[2]!]!, parts: match[1]!.split('.').map(Number), version: false };
}

/** Less than 0, 0, or more: two numbers as numbers; where one is a version (two dots or more), both part by part. */
export function compare(a: Quantity, b: Quantity): number {
  if (!a.version && !b.version) return a.value - b.value;
  for (let i = 0; i < Math.max(a.parts.length, b.parts.length); i++) {
    const difference = (a.parts[i] ?? 0) - (b.parts[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function holds(value: Quantity, { operator, than }: Bound): boolean {
  const order = compare(value, than);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
  }
}

/** Can anything lie between these bounds? */
function possible(bounds: readonly Bound[]): boolean {
  return bounds.every((low) => {
    if (!low.operator.startsWith('>')) return true;
    return bounds.every((high) => {
      if (!high.operator.startsWith('<')) return true;
      const order = compare(low.than, high.than);
      return order < 0 || (order === 0 && low.operator === '>=' && high.operator === '<=');
    });
  });
}

function alternative(text: string): Expression {
  if (text === '') throw new ExpressionFault('has an empty alternative: write a value on both sides of "|"');
  if (text === '*') return { satisfiedBy: (value) => value !== undefined };
  if (text === '!*') return { satisfiedBy: (value) => value === undefined };
  if (text.startsWith('!')) {
    const other = text.slice(text.startsWith('!=') ? 2 : 1);
    return { satisfiedBy: (value) => value !== other };
  }
  if (!/^[<>]/.test(text)) return { satisfiedBy: (value) => value === text };
  const bounds = text.split(/\s+(?=[<>])/).map((word): Bound => {
    const match = /^(>=|<=|>|<)\s*(.*)$/.exec(word)!;
    const than = quantity(match[2]!.trim());
    if (!than) throw new ExpressionFault(`compares with ${JSON.stringify(match[2])}: use a number, a size such as 16GiB, or a version such as 2.30.1`);
    return { operator: match[1] as Operator, than };
  });
  if (!possible(bounds)) throw new ExpressionFault(`${JSON.stringify(text)} can never be true: no value is in that range`);
  return {
    satisfiedBy(value) {
      const read = value === undefined ? undefined : quantity(value);
      return read !== undefined && bounds.every((bound) => holds(read, bound));
    },
  };
}

const known = new Map<string, Expression>();
/** Expressions kept compiled: fleets use a handful, and a bus that is flooded with different ones must not fill memory. */
const KEEP = 10_000;

/**
 * Reads an expression; the same text gives the same object.
 * @throws {ExpressionFault} it can't be read, or nothing could ever satisfy it
 */
export function expression(text: string): Expression {
  const cached = known.get(text);
  if (cached) return cached;
  const made = text.startsWith('=') ? equal(text.slice(1)) : anyOf(text);
  if (known.size >= KEEP) known.clear();
  known.set(text, made);
  return made;
}

const equal = (text: string): Expression => ({ satisfiedBy: (value) => value === text });

function anyOf(text: string): Expression {
  const alternatives = text.split('|').map((one) => alternative(one.trim()));
  return alternatives.length === 1 ? alternatives[0]! : { satisfiedBy: (value) => alternatives.some((one) => one.satisfiedBy(value)) };
}

/** Do the attributes of a resource satisfy every want? @throws {ExpressionFault} */
export function satisfies(attributes: Readonly<Record<string, string>>, wants: Readonly<Record<string, string>>): boolean {
  for (const key in wants) if (!expression(wants[key]!).satisfiedBy(Object.hasOwn(attributes, key) ? attributes[key] : undefined)) return false;
  return true;
}
