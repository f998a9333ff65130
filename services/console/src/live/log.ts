import { setImmediate as breath } from 'node:timers/promises';
import { actionEnded } from '../views/action.js';
import { AnsiStripper } from './ansi.js';
import { totalsOf, type Ends } from './ends.js';
import { givenAt, type Indexes } from './line-index.js';
import type { Group, Line } from './lines.js';
import type { Output } from './output.js';
import { BEGINNING, complete, type OutputStream, type Totals } from './place.js';
import type { Needle } from './search.js';

export interface TextOptions {
  follow: boolean;
  stream?: OutputStream | undefined;
  /** so many bytes of the text are left out */
  offset?: number | undefined;
  /** without the escape sequences of terminals */
  plain?: boolean | undefined;
}
export interface LineOptions {
  follow: boolean;
  stream?: OutputStream | undefined;
  /** number of the first line */
  from?: number | undefined;
  count?: number | undefined;
}
/** A line with the text that was looked for. */
export type Match = Line & { text: string };

/** After so many chunks from memory others have their turn. */
const TURN = 16;
const ignore = () => undefined;

/** What actions have printed and print. */
export class ActionLogs {
  constructor(
    private readonly output: Output,
    private readonly indexes: Indexes,
    private readonly ends: Ends,
  ) {}

  /** As bytes; with `follow` until it has ended and every byte was handed over. `ended` tells so in place of the action's own events. */
  async *text(action: string, { follow, stream, offset = 0, plain }: TextOptions, signal: AbortSignal, ended?: Promise<Totals>): AsyncGenerator<Uint8Array, void, undefined> {
    // Byte k of the text is found by the index; where escape sequences are left out, only by reading.
    const from = plain ? BEGINNING : this.indexes.of(action).at(offset, stream);
    const over = this.whenEnded(action, follow, signal, ended);
    const strippers = plain ? { stdout: new AnsiStripper(), stderr: new AnsiStripper() } : undefined;
    let last = from;
    let left = offset - givenAt(from, stream);
    for await (const chunk of this.output.read(action, signal, { from, ended: over })) {
      last = chunk.after;
      if (stream && chunk.stream !== stream) continue;
      const bytes = strippers ? strippers[chunk.stream].strip(chunk.bytes) : chunk.bytes;
      if (bytes.byteLength > left) yield left > 0 ? bytes.subarray(left) : bytes;
      left = Math.max(0, left - bytes.byteLength);
    }
    if (over && !signal.aborted && complete(last, await over)) this.indexes.of(action).total = givenAt(last);
  }

  /** Bytes of the whole text of an action that has ended, once somebody has followed it to its end. */
  total(action: string): number | undefined {
    return this.indexes.of(action).total;
  }

  /** As lines, some at a time. The last one without an end is given when the action has ended. */
  async *lines(action: string, { follow, stream, from = 1, count = Number.MAX_SAFE_INTEGER }: LineOptions, signal: AbortSignal, ended?: Promise<Totals>): AsyncGenerator<Line[], void, undefined> {
    const over = follow || (await this.hasEnded(action));
    const index = this.indexes.of(action);
    const { scanner, feed } = index.scanner(index.before(from));
    const last = from + count - 1;
    const wanted = (n: number) => n >= from && n <= last;
    let found: Line[] = [];
    const give = (line: Line) => {
      if (!stream || line.stream === stream) found.push(line);
    };
    let turn = 0;
    for await (const chunk of this.output.read(action, signal, { from: scanner.place, ended: this.whenEnded(action, follow, signal, ended) })) {
      feed(chunk, give, wanted);
      if (found.length > 0) yield found;
      found = [];
      if (scanner.lines >= last) return;
      if (++turn % TURN === 0) await breath();
    }
    if (!over || signal.aborted) return;
    scanner.rest(give, wanted);
    if (found.length > 0) yield found;
  }

  /** How many lines there are now, and whether there will be no more. */
  async count(action: string, signal: AbortSignal): Promise<{ lines: number; ended: boolean }> {
    const ended = await this.hasEnded(action);
    const index = this.indexes.of(action);
    const { scanner, feed } = index.scanner(index.counted);
    let turn = 0;
    for await (const chunk of this.output.read(action, signal, { from: scanner.place })) {
      feed(chunk, ignore, () => false);
      if (++turn % TURN === 0) await breath();
    }
    if (ended) scanner.rest(ignore, () => false);
    return { lines: scanner.lines, ended };
  }

  /** The groups of lines, in the order in which they were opened. */
  async groups(action: string, signal: AbortSignal): Promise<{ groups: Group[]; lines: number; ended: boolean }> {
    const index = this.indexes.of(action);
    const { lines, ended } = await this.count(action, signal);
    // One that was never closed ends with the output.
    return { groups: index.groups.map((group) => ({ ...group, lastLine: group.lastLine ?? (ended ? lines : null) })), lines, ended };
  }

  /** The lines that have a text, among those that are there now, from line `from` on. */
  async *search(action: string, needle: Needle, from: number, signal: AbortSignal): AsyncGenerator<Match, void, undefined> {
    const over = await this.hasEnded(action);
    const index = this.indexes.of(action);
    const { scanner, feed } = index.scanner(index.before(from));
    let found: Match[] = [];
    const look = (line: Line) => {
      const text = needle.in(line);
      if (text !== undefined) found.push({ ...line, text });
    };
    let turn = 0;
    for await (const chunk of this.output.read(action, signal, { from: scanner.place })) {
      // The line that began in an earlier chunk is looked at in any case.
      const first = scanner.pending(chunk.stream) ? scanner.lines + 1 : 0;
      const may = needle.mayBeIn(chunk.bytes);
      feed(chunk, look, (n) => n >= from && (may || n === first));
      yield* found;
      found = [];
      if (++turn % TURN === 0) await breath();
    }
    if (!over || signal.aborted) return;
    scanner.rest(look, (n) => n >= from);
    yield* found;
  }

  private async hasEnded(action: string): Promise<boolean> {
    const row = await this.ends.now(action);
    return row !== undefined && actionEnded(row);
  }

  private whenEnded(action: string, follow: boolean, signal: AbortSignal, ended: Promise<Totals> | undefined): Promise<Totals> | undefined {
    return follow ? (ended ?? this.ends.ofAction(action, signal).then(totalsOf)) : undefined;
  }
}
