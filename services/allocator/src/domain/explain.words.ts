import { expression, type Expression } from '@berth/contracts';

type Attributes = Readonly<Record<string, string>>;

const valueOf = (attributes: Attributes, key: string) => (Object.hasOwn(attributes, key) ? attributes[key] : undefined);

/** Finds out what of the wants a set of attributes does not satisfy; the words are made only if they are asked for. */
export function mismatch(wants: Attributes): (attributes: Attributes) => (() => string) | undefined {
  const parts = Object.entries(wants).map(([key, text]) => ({ key, text, satisfiedBy: remembered(expression(text)) }));
  return (attributes) => {
    if (parts.every((part) => part.satisfiedBy(valueOf(attributes, part.key)))) return undefined;
    return () =>
      parts
        .filter((part) => !part.satisfiedBy(valueOf(attributes, part.key)))
        .slice(0, 2)
        .map(({ key, text }) => (valueOf(attributes, key) === undefined ? `no ${key} attribute, wanted ${text}` : `attribute ${key}=${valueOf(attributes, key)}, wanted ${text}`))
        .join('; ');
  };
}

/** Thousands of hosts have a handful of values, and reading a number or a size is what takes longest. */
function remembered(wanted: Expression): Expression['satisfiedBy'] {
  const known = new Map<string | undefined, boolean>();
  return (value) => {
    let satisfied = known.get(value);
    if (satisfied === undefined) known.set(value, (satisfied = wanted.satisfiedBy(value)));
    return satisfied;
  };
}

/** What of the wants nothing there satisfies. */
export function mismatches(wants: Attributes, there: readonly Attributes[]): string {
  const missing = Object.entries(wants).filter(([key, text]) => !there.some((attributes) => expression(text).satisfiedBy(valueOf(attributes, key))));
  const parts = missing.map(([key, text]) => {
    const values = [...new Set(there.map((attributes) => valueOf(attributes, key)).filter((value) => value !== undefined))];
    return `${/^[<>!]/.test(text) ? `${key}${text.replace(/^!=?/, '!=')}` : `${key}=${text}`} is wanted, ${values.length === 0 ? `no host says what its ${key} is` : `there is ${some(values, 5, (value) => `${key}=${value}`)}`}`;
  });
  return parts.join('; ') || `no single host has all of ${Object.entries(wants).map(([key, text]) => `${key}=${text}`).join(', ')}`;
}

/** `12:30Z` today, and with the date on other days. */
export function clock(instant: string, now: number): string {
  const ms = Date.parse(instant);
  if (Number.isNaN(ms)) return instant;
  const [day, time] = [new Date(ms).toISOString().slice(0, 10), new Date(ms).toISOString().slice(11, 16)];
  return day === new Date(now).toISOString().slice(0, 10) ? `${time}Z` : `${day} ${time}Z`;
}

export const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`;

export function some<T>(all: readonly T[], most: number, text: (one: T) => string): string {
  const shown = all.slice(0, most).map(text).join(', ');
  return all.length > most ? `${shown} and ${all.length - most} more` : shown;
}

/** The first to come of some instants. Two that are written alike are compared as text: reading 10,000 of them takes longer than all else. */
export function earliest(instants: Iterable<string | undefined>): string | undefined {
  let first: string | undefined;
  for (const instant of instants) if (instant !== undefined && (first === undefined || sooner(instant, first))) first = instant;
  return first;
}

const sooner = (a: string, b: string) => (a.length === b.length && a.endsWith('Z') && b.endsWith('Z') ? a < b : Date.parse(a) < Date.parse(b));
