import type { StatusEvent } from '@berth/contracts';
import { printable, span } from './text.js';

/** Where a watcher draws. */
export interface Screen {
  write(text: string | Uint8Array): unknown;
  isTTY?: boolean | undefined;
  /** width of the terminal now */
  columns?: number | undefined;
}

/** Shows a build while it runs. */
export interface BuildWatcher {
  /** a status as on `berth.status.build.<id>` */
  status(event: Pick<StatusEvent, 'data'>): void;
  /** bytes of the log, in order */
  log(bytes: Uint8Array): void;
  /** Leaves the screen in order; what was held back of an unfinished line is written. */
  end(): void;
}

const CLEAR = '\r\u001b[K';
const NEWLINE = 10;
const LONGEST_LINE = 16 * 1024;

/**
 * On a terminal a bar in the last line, with the live output scrolling above it; otherwise plain lines such as
 * `12% step 1 of 3: Test`. Output is written a whole line at a time, so that the two never mix.
 */
export function buildWatcher(screen: Screen): BuildWatcher {
  const live = screen.isTTY === true;
  const started = Date.now();
  let shown: string | undefined;
  let last: StatusEvent['data'] | undefined;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let drawn = false;
  const tick = live ? setInterval(draw, 1000) : undefined;
  tick?.unref();

  function clear(): void {
    if (drawn) screen.write(CLEAR);
    drawn = false;
  }

  function draw(): void {
    if (!live || !last) return;
    screen.write(`${CLEAR}${bar(last, Date.now() - started, screen.columns || 80)}`);
    drawn = true;
  }

  function flush(bytes: Uint8Array): void {
    clear();
    for (const piece of held) screen.write(piece);
    held = [];
    heldBytes = 0;
    if (bytes.byteLength > 0) screen.write(bytes);
  }

  return {
    status({ data }) {
      last = data;
      if (live) {
        // What the bar has no room for, such as why a build waits, scrolls by once.
        const text = printable(data.activity ?? data.status);
        if (text !== shown && room(screen.columns || 80) < [...text].length) {
          clear();
          screen.write(`${text}\n`);
        }
        shown = text;
        return draw();
      }
      const line = plainLine(data);
      if (line === shown) return;
      shown = line;
      screen.write(`${line}\n`);
    },
    log(bytes) {
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) flush(bytes.subarray(0, end));
      if (end < bytes.byteLength) {
        held.push(bytes.slice(end));
        heldBytes += bytes.byteLength - end;
        // A line without an end must not grow in memory for ever.
        if (heldBytes > LONGEST_LINE) {
          flush(new Uint8Array());
          screen.write('\n');
        }
      }
      draw();
    },
    end() {
      clearInterval(tick);
      clear();
      if (heldBytes > 0) {
        flush(new Uint8Array());
        screen.write('\n');
      }
    },
  };
}

function plainLine({ percent, activity, status, error }: StatusEvent['data']): string {
  const what = activity ? printable(activity) : status;
  return `${percent ?? 0}% ${what}${error ? ` (${printable(error)})` : ''}`;
}

const barWidth = (columns: number): number => Math.max(10, Math.min(30, Math.floor(columns / 3)));
/** Characters left for the activity, beside the bar, the percentage and the time. */
const room = (columns: number): number => columns - 1 - barWidth(columns) - 18;

function bar({ percent, activity, status, remainingMs }: StatusEvent['data'], elapsed: number, columns: number): string {
  const part = Math.min(100, Math.max(0, percent ?? 0)) / 100;
  const width = barWidth(columns);
  const full = Math.round(part * width);
  const time = elapsed < 1000 ? '0 s' : span(Math.floor(elapsed / 1000) * 1000);
  const text = `[${'#'.repeat(full)}${'.'.repeat(width - full)}] ${String(Math.round(part * 100)).padStart(3)}% ${time.padStart(7)} ${left(remainingMs)}${printable(activity ?? status)}`;
  // A line as wide as the terminal would wrap, and the next clearing would leave half of it behind.
  return [...text].slice(0, columns - 1).join('');
}

/** What is left by the times before, where they are known and worth a word. */
const left = (ms: unknown): string => (typeof ms === 'number' && ms >= 1000 ? `(about ${span(Math.round(ms / 1000) * 1000)} left) ` : '');
