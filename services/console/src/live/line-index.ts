import { FIRST, LineScanner, type Group, type Mark } from './lines.js';
import { BEGINNING, type Chunk, type OutputStream, type Place } from './place.js';
import type { Portion } from './shelf.js';

/** Between two marks at least so many bytes, or so many lines where they are short. */
const MARK_BYTES = 512 * 1024;
const MARK_CHUNKS = 512;
const MUCH = 4096;
const PLACE_BYTES = 1024 * 1024;
const MOST_GROUPS = 10_000;
/** Marks and places of all actions together: about 30 MB. */
const MOST_MARKS = 100_000;
const MOST_ACTIONS = 256;

/** What is remembered of one action's output: now and then a mark, so that line k or byte k is found without reading all before it. */
export class ActionIndex {
  /** by lines */
  private readonly marks: Mark[] = [FIRST];
  /** by bytes */
  private readonly places: Place[] = [BEGINNING];
  /** in the order in which they were opened, as far as `frontier` */
  readonly groups: Group[] = [];
  private readonly open: (Group | null)[] = [];
  /** as far as lines have been counted */
  private frontier: Mark = FIRST;
  private chunks = 0;
  /** bytes of the whole text, when that is known */
  total: number | undefined;

  get size(): number {
    return this.marks.length + this.places.length + this.groups.length;
  }

  /** As far as lines have been counted. */
  get counted(): Mark {
    return this.frontier;
  }

  /** The last mark from which line `n` is still to come. */
  before(n: number): Mark {
    return lastWhere(this.marks, (mark) => mark.lines < n) ?? FIRST;
  }

  /** The last place up to which at most so many bytes were handed over; of one stream when that is named. */
  at(bytes: number, only?: OutputStream): Place {
    return lastWhere(this.places, (place) => givenAt(place, only) <= bytes) ?? BEGINNING;
  }

  /** A portion was read, by whomever. */
  passed({ next }: Portion): void {
    const last = this.places.at(-1)!;
    if (next.sequence > last.sequence && givenAt(next) - givenAt(last) >= PLACE_BYTES) this.places.push(next);
  }

  /** A scanner that reads on from a mark; what it finds beyond the last line counted is remembered. */
  scanner(from: Mark): { scanner: LineScanner; feed(...given: Parameters<LineScanner['feed']>): void } {
    const found: (() => void)[] = [];
    const scanner = new LineScanner(from, (name, within, line) => found.push(() => this.group(name, within, line)));
    return {
      scanner,
      feed: (chunk, give, wanted) => {
        const news = scanner.place.sequence === this.frontier.place.sequence && scanner.lines === this.frontier.lines;
        scanner.feed(chunk, give, wanted);
        if (news) {
          for (const note of found) note();
          this.advance(scanner, chunk);
        }
        found.length = 0;
      },
    };
  }

  private advance(scanner: LineScanner, chunk: Chunk): void {
    this.frontier = scanner.mark();
    this.chunks++;
    const last = this.marks.at(-1)!;
    const far = givenAt(chunk.after) - givenAt(last.place);
    const held = (this.frontier.pending.stdout?.bytes.byteLength ?? 0) + (this.frontier.pending.stderr?.bytes.byteLength ?? 0);
    // A mark keeps what has begun of a line: where that is much, there are fewer of them.
    const due = held > MUCH ? far >= 32 * MARK_BYTES : far >= MARK_BYTES || this.chunks >= MARK_CHUNKS;
    if (!due || scanner.lines === last.lines) return;
    this.marks.push(this.frontier);
    this.chunks = 0;
  }

  private group(name: string | null, within: readonly string[], line: number): void {
    if (name === null) {
      const closed = this.open.pop();
      if (closed) closed.lastLine = line;
      return;
    }
    const group: Group = { name, within, firstLine: line, lastLine: null };
    const room = this.groups.length < MOST_GROUPS;
    if (room) this.groups.push(group);
    this.open.push(room ? group : null);
  }
}

/** Indexes of the actions that were read lately. */
export class Indexes {
  /** in the order of their last use */
  private readonly known = new Map<string, ActionIndex>();

  of(action: string): ActionIndex {
    const index = this.known.get(action) ?? new ActionIndex();
    this.known.delete(action);
    this.known.set(action, index);
    return index;
  }

  /** A portion of an action was read. */
  passed(action: string, portion: Portion): void {
    this.of(action).passed(portion);
    let all = 0;
    for (const { size } of this.known.values()) all += size;
    for (const [old, { size }] of this.known) {
      if ((all <= MOST_MARKS && this.known.size <= MOST_ACTIONS) || old === action) break;
      this.known.delete(old);
      all -= size;
    }
  }
}

/** Bytes handed over up to a place; of one stream when that is named. */
export const givenAt = ({ stdout, stderr }: Place, only?: OutputStream): number => (only === undefined ? stdout.given + stderr.given : only === 'stdout' ? stdout.given : stderr.given);

/** The last value of a sorted list for which something is true; undefined when that is none. */
function lastWhere<T>(sorted: readonly T[], holds: (value: T) => boolean): T | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(sorted[middle]!)) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}
