import { InvalidArgumentError } from 'commander';
import { duration } from '@berth/contracts';

/** `key=value`, several times. */
export function keyValue(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Use KEY=VALUE.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

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

/** When a lease ends, from `--for` or `--until`. */
export const untilOf = (options: { for?: number; until?: string }): string | undefined =>
  options.until ?? (options.for === undefined ? undefined : new Date(Date.now() + options.for).toISOString());
