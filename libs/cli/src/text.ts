import { styleText } from 'node:util';

/** A column of a table: its heading, and its text for a row. */
export type Column<T> = readonly [heading: string, text: (row: T) => string | number | null | undefined];

/** Rows under headings, each column as wide as its widest text. */
export function table<T>(rows: readonly T[], columns: readonly Column<T>[], options: { colour?: boolean } = {}): string {
  const cells = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, text]) => clean(text(row))))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => width(line[i]!))));
  return cells
    .map((line, nth) =>
      line
        .map((cell, i) => {
          const padded = i === line.length - 1 ? cell : cell + ' '.repeat(widths[i]! - width(cell));
          return nth > 0 && options.colour ? coloured(cell, padded) : padded;
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Facts of one thing, a line each. */
export function facts(pairs: readonly (readonly [string, string | number | null | undefined])[]): string {
  const present = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
  const widest = Math.max(...present.map(([key]) => key.length));
  return present.map(([key, value]) => `${key}${' '.repeat(widest - key.length)}  ${clean(value)}`).join('\n');
}

const clean = (value: string | number | null | undefined): string => (value === null || value === undefined || value === '' ? '-' : printable(String(value)));

/** Text from elsewhere must not move the cursor or change colours. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');

const width = (text: string): number => [...text].length;

const colours: Record<string, 'green' | 'red' | 'yellow'> = {
  active: 'green', passed: 'green', succeeded: 'green', yes: 'green', enabled: 'green', reachable: 'green', now: 'green',
  failed: 'red', error: 'red', broken: 'red', lost: 'red', unreachable: 'red', refused: 'red', never: 'red', 'not launching': 'red',
  pending: 'yellow', acquired: 'yellow', preparing: 'yellow', building: 'yellow', running: 'yellow', aborted: 'yellow', cancelled: 'yellow', wait: 'yellow',
  BUILDING: 'yellow', PENDING: 'yellow', DELETING: 'yellow', PARTIAL: 'red', DELETEFAILED: 'red', pushed: 'green', pushing: 'yellow', revoked: 'red', deprecated: 'yellow',
  COMPLETE: 'green', up: 'green', FAILED: 'red', down: 'red', QUEUED: 'yellow', RUNNING: 'yellow', CANCELLED: 'yellow',
  held: 'yellow', quarantined: 'yellow', draining: 'yellow', ending: 'yellow', booting: 'yellow', disabled: 'yellow',
};
const coloured = (word: string, padded: string): string => (colours[word] ? styleText(colours[word], padded) : padded);

/** How long ago, or how long until: in the largest two units that matter. */
export function relative(instant: string | null, now = Date.now()): string {
  if (!instant) return '-';
  const ms = Date.parse(instant) - now;
  const text = span(Math.abs(ms));
  return ms > 0 ? `in ${text}` : `${text} ago`;
}

/** When something that keeps a host out of service is over; a quarantine goes on until the host was seen to be well. */
export const ends = (until: string, now = Date.now()): string => (Date.parse(until) > now ? `ends ${relative(until, now)}` : 'its time is up: the host is being looked at');

/** A span of time in at most two units: `850 ms`, `12.3 s`, `4m 10s`, `2d 3h`. */
export function span(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const units = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000]] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  const [letter, size] = units[first]!;
  const next = units[first + 1];
  const rest = next ? Math.floor((ms % size) / next[1]) : 0;
  return `${Math.floor(ms / size)}${letter}${next && rest > 0 ? ` ${rest}${next[0]}` : ''}`;
}

/** A size in bytes as people read it. */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  for (const [unit, factor] of [['KiB', 1024], ['MiB', 1024 ** 2], ['GiB', 1024 ** 3]] as const) {
    if (bytes < factor * 1024) return `${(bytes / factor).toFixed(1)} ${unit}`;
  }
  return `${(bytes / 1024 ** 4).toFixed(1)} TiB`;
}

/** What attributes must be, as on the command line. */
export const wishes = (wanted: Record<string, string>): string =>
  Object.entries(wanted)
    .map(([key, value]) => (/^[<>]/.test(value) ? `${key}${value}` : /^!(?!\*$|=)/.test(value) ? `${key}!=${value.slice(1)}` : `${key}=${value}`))
    .join(' ');

/** Attributes as on the command line. */
export const pairs = (attributes: Record<string, string>): string => Object.entries(attributes).map(([key, value]) => `${key}=${value}`).join(' ');
