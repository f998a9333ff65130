import { stripAnsi } from './ansi.js';
import { BEGINNING, outputStreams, type Chunk, type OutputStream, type Place } from './place.js';

const LF = 10;
const ESC = 27;
const COLON = 58;
/** A line longer than this is given in pieces, each counted as a line: memory stays bounded whatever is printed. */
export const LONGEST_LINE = 64 * 1024;
/** Groups inside of groups: what is deeper belongs to the last of these. */
const DEEPEST = 16;
const LONGEST_NAME = 200;
const always = () => true;

/** A line of an action's output. */
export interface Line {
  /** counts from 1, over both streams, in the order in which lines end */
  n: number;
  stream: OutputStream;
  /** when its beginning was read, RFC 3339; null when that was not stored */
  time: string | null;
  /** without its end */
  bytes: Uint8Array;
  /** names of the groups that it is in, the outermost first */
  group: readonly string[];
}

/** A group of lines in an action's output, from the line that opens it to the one that closes it. */
export interface Group {
  name: string;
  /** the groups around it, the outermost first */
  within: readonly string[];
  firstLine: number;
  /** null while it is open */
  lastLine: number | null;
}

/** A line that has begun. */
interface Pending {
  readonly bytes: Uint8Array;
  readonly time: string | null;
}

/** Where a reader of lines is: enough to go on from there. Immutable. */
export interface Mark {
  readonly place: Place;
  /** lines that have ended before it */
  readonly lines: number;
  readonly pending: Readonly<Partial<Record<OutputStream, Pending>>>;
  readonly group: readonly string[];
  /** groups that were opened deeper than is counted */
  readonly deeper: number;
}
export const FIRST: Mark = { place: BEGINNING, lines: 0, pending: {}, group: [], deeper: 0 };

interface Begun {
  pieces: Uint8Array[];
  bytes: number;
  time: string | null;
}

/** Cuts output into lines, each stream for itself, and counts them. */
export class LineScanner {
  place: Place;
  lines: number;
  private readonly begun: Partial<Record<OutputStream, Begun>> = {};
  private group: readonly string[];
  private deeper: number;

  /** @param changed told when a group opens (with its name) or closes (null), at the line that says so */
  constructor(
    from: Mark = FIRST,
    private readonly changed: (name: string | null, within: readonly string[], line: number) => void = () => undefined,
  ) {
    this.place = from.place;
    this.lines = from.lines;
    this.group = from.group;
    this.deeper = from.deeper;
    for (const stream of outputStreams) {
      const pending = from.pending[stream];
      if (pending) this.begun[stream] = { pieces: [pending.bytes], bytes: pending.bytes.byteLength, time: pending.time };
    }
  }

  /** Takes the next chunk; of the lines that end in it, those whose numbers are wanted are given. */
  feed({ stream, bytes, time, after }: Chunk, give: (line: Line) => void, wanted: (n: number) => boolean = always): void {
    let start = 0;
    while (start < bytes.byteLength) {
      const end = bytes.indexOf(LF, start);
      const upTo = end < 0 ? bytes.byteLength : end;
      const room = LONGEST_LINE - (this.begun[stream]?.bytes ?? 0);
      if (upTo - start > room) {
        const cut = characterBefore(bytes, start, start + room);
        this.end(stream, bytes, start, cut, time, give, wanted);
        start = cut;
      } else if (end < 0) {
        this.hold(stream, bytes.subarray(start), time);
        break;
      } else {
        this.end(stream, bytes, start, end, time, give, wanted);
        start = end + 1;
      }
    }
    this.place = after;
  }

  /** The lines that have begun and won't end any more. */
  rest(give: (line: Line) => void, wanted: (n: number) => boolean = always): void {
    const none = new Uint8Array();
    for (const stream of outputStreams) if (this.begun[stream]) this.end(stream, none, 0, 0, null, give, wanted);
  }

  /** Whether a line of that stream has begun. */
  pending(stream: OutputStream): boolean {
    return this.begun[stream] !== undefined;
  }

  mark(): Mark {
    const pending: Partial<Record<OutputStream, Pending>> = {};
    for (const stream of outputStreams) {
      const begun = this.begun[stream];
      // Copied: a few bytes must not keep the whole chunk.
      if (begun) pending[stream] = { bytes: Buffer.concat(begun.pieces), time: begun.time };
    }
    return { place: this.place, lines: this.lines, pending, group: this.group, deeper: this.deeper };
  }

  private hold(stream: OutputStream, piece: Uint8Array, time: string | null): void {
    const begun = (this.begun[stream] ??= { pieces: [], bytes: 0, time });
    begun.pieces.push(piece);
    begun.bytes += piece.byteLength;
    // A line that comes a byte at a time: many small pieces cost more than their bytes.
    if (begun.pieces.length > 64) begun.pieces = [Buffer.concat(begun.pieces)];
  }

  private end(stream: OutputStream, bytes: Uint8Array, start: number, end: number, time: string | null, give: (line: Line) => void, wanted: (n: number) => boolean): void {
    const begun = this.begun[stream];
    const first = begun?.pieces[0]?.[0] ?? bytes[start];
    const n = ++this.lines;
    const given = wanted(n);
    const special = first === COLON || first === ESC;
    if (given || special) {
      const text = begun ? Buffer.concat([...begun.pieces, bytes.subarray(start, end)]) : bytes.subarray(start, end);
      const outer = this.group;
      const command = special ? groupCommand(text) : undefined;
      if (command?.open !== undefined) this.open(command.open, n);
      if (given) give({ n, stream, time: begun ? begun.time : time, bytes: text, group: this.group });
      if (command && command.open === undefined && outer.length > 0) this.close(n);
    }
    if (begun) delete this.begun[stream];
  }

  private open(name: string, line: number): void {
    if (this.group.length >= DEEPEST) {
      this.deeper++;
      return;
    }
    this.changed(name, this.group, line);
    this.group = [...this.group, name];
  }

  private close(line: number): void {
    if (this.deeper > 0) {
      this.deeper--;
      return;
    }
    this.group = this.group.slice(0, -1);
    this.changed(null, this.group, line);
  }
}

/** The end of the last whole character before `end`, so that a long line isn't cut inside of one. */
function characterBefore(bytes: Uint8Array, start: number, end: number): number {
  for (let back = 0; back < 4 && end - back > start; back++) if ((bytes[end - back]! & 0xc0) !== 0x80) return end - back;
  return end;
}

/** `::group::NAME` and `::endgroup::` on a line of their own. */
function groupCommand(bytes: Uint8Array): { open?: string } | undefined {
  if (bytes.byteLength > 4096) return undefined;
  const text = Buffer.from(stripAnsi(bytes)).toString().trimEnd();
  if (text === '::endgroup::') return {};
  return text.startsWith('::group::') ? { open: text.slice('::group::'.length).trim().slice(0, LONGEST_NAME) } : undefined;
}
