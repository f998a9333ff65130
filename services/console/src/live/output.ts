import type { NatsConnection } from 'nats';
import { subjects } from '@berth/contracts';
import { streams } from '@berth/nats';
import { BEGINNING, complete, goBack, type Chunk, type Place, type Totals } from './place.js';
import { lastSequence } from './reader.js';
import { Shared } from './shared.js';
import { nameOf, Shelf, type Portion } from './shelf.js';

/** How long chunks that an ended action promises may still be on their way. */
const LATE_MS = 5000;

/** Reads what actions print, for any number of readers. */
export class Output {
  readonly shelf: Shelf;
  private readonly ends = new Shared<number>();

  constructor(
    private readonly connection: NatsConnection,
    options: { most?: number; noted?: (action: string, portion: Portion) => void } = {},
  ) {
    this.shelf = new Shelf(connection, options.most, options.noted);
  }

  /**
   * The output of one action, in the order it was read from the host, each byte once.
   *
   * @param from a place of the same action
   * @param ended resolves when the action has ended; without it, what is stored now is all
   */
  async *read(action: string, signal: AbortSignal, { from = BEGINNING, ended }: { from?: Place; ended?: Promise<Totals> | undefined } = {}): AsyncGenerator<Chunk, void, undefined> {
    const walk = new Walk(this.shelf, action, from);
    if (ended) {
      const over = new AbortController();
      const stop = () => over.abort();
      ended.then(stop, stop);
      const either = AbortSignal.any([signal, over.signal]);
      for (let chunk; (chunk = await walk.next(either)); ) yield chunk;
    }
    if (signal.aborted) return;
    const totals = await ended;
    const known = totals !== undefined && totals.stdoutBytes !== null && totals.stderrBytes !== null;
    if (known && complete(walk.place, totals)) return;
    const end = await this.end(action, signal, ended !== undefined);
    if (end === undefined) return;
    const all = () => walk.place.sequence >= end || (known && complete(walk.place, totals));
    for (let chunk; (chunk = await walk.next(signal, all)); ) yield chunk;
    // Chunks are stored before the end is told; should the last ones be late all the same, they are given some time.
    if (totals && !complete(walk.place, totals)) {
      // Not AbortSignal.timeout: inside AbortSignal.any it is collected as garbage now and then, and never fires (Node 20).
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), LATE_MS);
      const patience = AbortSignal.any([signal, late.signal]);
      try {
        for (let chunk; (chunk = await walk.next(patience, () => complete(walk.place, totals))); ) yield chunk;
      } finally {
        clearTimeout(timer);
      }
    }
    const back = ended === undefined ? undefined : goBack(walk.place);
    if (back === undefined || signal.aborted) return;
    walk.go(back);
    for (let chunk; (chunk = await walk.next(signal, all)); ) yield chunk;
  }

  close(): void {
    this.shelf.close();
  }

  /** Sequence of the last chunk. Those who follow ask when the action has ended, so one answer serves them all. */
  private end(action: string, signal: AbortSignal, ended: boolean): Promise<number | undefined> {
    const ask = () => lastSequence(this.connection, streams.output.name, subjects.output(action));
    return ended ? this.ends.join(action, signal, ask) : ask();
  }
}

/** One reader on his way through an output. Between two chunks he holds a place and nothing else. */
class Walk {
  /** where the portion begins that he is in, and its name */
  private start: Place;
  private name: string;
  private inside = false;

  constructor(
    private readonly shelf: Shelf,
    private readonly action: string,
    public place: Place,
  ) {
    this.start = place;
    this.name = nameOf(action, place);
  }

  /** To another place, before or after. */
  go(place: Place): void {
    this.place = place;
    this.enter(place);
  }

  private enter(start: Place): void {
    this.start = start;
    this.name = nameOf(this.action, start);
    this.inside = false;
  }

  /** The next chunk; undefined when it is enough, or `stop` says so. */
  async next(stop: AbortSignal, enough: () => boolean = () => false): Promise<Chunk | undefined> {
    // The portion is looked up again for each chunk: a reader that is slow to take one must not keep the others in memory.
    while (!stop.aborted && !enough()) {
      const known = (this.inside ? this.shelf.kept(this.name) : undefined) ?? this.shelf.after(this.action, this.start, stop, this.name);
      const portion = known instanceof Promise ? await known : known;
      if (!portion) return undefined;
      this.inside = true;
      const chunk = portion.chunks.find(({ after }) => after.sequence > this.place.sequence);
      if (chunk) {
        this.place = chunk.after;
        return chunk;
      }
      if (portion.next.sequence > this.place.sequence) this.place = portion.next;
      this.enter(portion.next);
    }
    return undefined;
  }
}
