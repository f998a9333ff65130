import { span } from '../ui/time';

/** "os=linux, cpus>=8" */
export const pairs = (attributes: Readonly<Record<string, string>>): string =>
  Object.entries(attributes).map(([key, value]) => (/^[<>!]/.test(value) ? `${key}${value}` : `${key}=${value}`)).join(', ');

/** Beginning of an id, enough to tell it from others on the screen. */
export const short = (id: string): string => (/^[0-9a-f]{8}-/.test(id) ? id.slice(0, 8) : id);

/** Ids in a text, each by its beginning; not those in a path, which has to stay one. */
export const shortened = (text: string): string => text.replaceAll(/(?<![/\w-])([0-9a-f]{8})-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![/\w-])/g, '$1');

/** "24105MiB" and the like as people say it. */
export function memory(text: string | undefined): string | undefined {
  const [, number, unit = 'B'] = /^(\d+)(B|KiB|MiB|GiB)?$/.exec(text ?? '') ?? [];
  return number === undefined ? text : bytes(Number(number) * 1024 ** ['B', 'KiB', 'MiB', 'GiB'].indexOf(unit));
}

export const time = (at: string): string => at.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

/** A time that commands take: milliseconds, or what was typed. */
export const lasting = (value: string | number): string => (typeof value === 'number' ? span(value) : value);

export const count = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`;

/** ", because …" of a reason that says more than the event does. */
export const because = (reason: string | undefined, unless: readonly string[] = []): string => (reason === undefined || reason === '' || unless.includes(reason) ? '' : `: ${reason}`);

export const by = (who: string | undefined): string => (who === undefined ? '' : ` by ${who}`);

export function bytes(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let [value, unit] = [n / 1024, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
