import { InvalidArgumentError } from 'commander';
import { duration, fieldErrors, summary, wants } from '@berth/contracts';

/** `key=value`, several times. */
export function keyValue(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Use KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

const comparison = /^([A-Za-z][A-Za-z0-9._-]*)\s*(!=|>=|<=|=|>|<)(.*)$/s;

/** What an attribute must be, several times: `key=value`, `key!=value`, `key>=8`, `key<16`. Bounds of one key add up. */
export function wanted(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, key, operator, value] = comparison.exec(text) ?? [];
  if (key === undefined || operator === undefined || value === undefined) throw new InvalidArgumentError('Use KEY=VALUE, KEY!=VALUE, KEY>=NUMBER or KEY<NUMBER (in quotes).');
  // Nothing at all is no expression, but can be asked for.
  const expression = operator === '=' ? value || '=' : operator === '!=' ? `!${value}` : `${operator}${value.trim()}`;
  const known = before[key];
  const bounds = known !== undefined && /^[<>]/.test(known) && /^[<>]/.test(expression);
  if (known !== undefined && !bounds) throw new InvalidArgumentError(`${key} is given twice: only bounds such as ${key}>=8 ${key}<16 add up.`);
  const all = { ...before, [key]: bounds ? `${known} ${expression}` : expression };
  const read = wants.safeParse(all);
  if (!read.success) throw new InvalidArgumentError(summary(fieldErrors(read.error)));
  return all;
}

/** A wish, several times, the dearest first: what an attribute should be, with commas between several. */
export const wish = (text: string, before: Record<string, string>[] = []): Record<string, string>[] => [...before, text.split(',').reduce((all, one) => wanted(one.trim(), all), {} as Record<string, string>)];

/** Any text, several times. */
export const several = (text: string, before: string[] = []): string[] => [...before, text];

/** A span of time, in milliseconds. */
export function time(text: string): number {
  const parsed = duration.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('Use a duration such as 90s, 10m, 1h30m or 2d.');
  return parsed.data;
}

/** The same, as the text that the API takes. */
export function timeText(text: string): string {
  time(text);
  return text;
}

/** An instant, as RFC 3339 in UTC. */
export function instant(text: string): string {
  const at = /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(at.getTime())) throw new InvalidArgumentError('Use a time such as 2030-01-31T12:00:00Z.');
  return at.toISOString();
}

export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Use a whole number.');
  return Number(text);
}

/** A number, or `none` for no limit at all. As a word: the option parser makes an empty text of null. */
export const countOrNone = (text: string): Limit => (text === 'none' ? 'none' : count(text));
export type Limit = number | 'none';

/** `name=count`, several times; the name may be any text. */
export function countOf(text: string, before: Record<string, Limit> = {}): Record<string, Limit> {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('Use NAME=COUNT, or NAME=none.');
  return { ...before, [text.slice(0, at)]: countOrNone(text.slice(at + 1)) };
}

/** When a lease ends, from `--for` or `--until`. */
export const untilOf = (options: { for?: number; until?: string }): string | undefined =>
  options.until ?? (options.for === undefined ? undefined : new Date(Date.now() + options.for).toISOString());
