import type { NatsConnection } from 'nats';
import { subjects } from '@berth/contracts';
import { streams } from '@berth/nats';
import { forgiving, keyOf, newHoles, take, type Chunk, type Place } from './place.js';
import { firstSequence, StreamReader, type Stored } from './reader.js';
import { Shared } from './shared.js';

/** Chunks are at most 64 KiB: a portion is at most 512 KiB, and a new reading has two of them under way. */
const PORTION = 8;
/** A reading that is read on from asks for so many chunks at a time (2 MiB), so that few answers of the server are waited for. */
const READ_ON = 32;
/** What a portion of eight chunks costs besides its bytes, roughly. */
const OVERHEAD = 4096;
/** Readings that are being opened at a time: each may bring two portions into memory before anybody has taken one. */
const MOST_OPENING = 64;
/** A reading that brought nothing for so long waits for what is still to come, and then holds nothing. */
const OPENING_MS = 250;
/** Readings that nobody reads on from at the moment. */
const MOST_PARKED = 16;
const PARKED_MS = 5000;

/** What comes right after a place: new chunks, if there are any among the messages, and where to go on. */
export interface Portion {
  readonly chunks: readonly Chunk[];
  readonly next: Place;
  readonly bytes: number;
}

/** Names the portion after a place. */
export const nameOf = (action: string, place: Place): string => `${action} ${keyOf(place)}`;

interface Parked {
  reader: StreamReader;
  expiry: NodeJS.Timeout;
}

/**
 * Recent portions of the output of all actions, for everybody who reads it. Whoever is at the same place of the same action
 * shares one reading of the stream, and what was read stays for those who come a little later, up to a number of bytes in
 * all. One who falls behind that reads by himself from where he is: nobody waits for him, and he holds no more than the
 * chunk that he is busy with.
 */
export class Shelf {
  /** in the order of their last use */
  private readonly portions = new Map<string, Portion>();
  private keptBytes = 0;
  private readonly readings = new Shared<Portion | undefined>();
  private readonly parked = new Map<string, Parked>();
  private opening = 0;
  private readonly queue: (() => void)[] = [];
  private closed = false;
  /** how often the stream itself was read, for specs and benchmarks */
  reads = 0;

  /** @param most bytes kept in all */
  constructor(
    private readonly connection: NatsConnection,
    private readonly most = 64 * 1024 * 1024,
    /** told of every portion that was read */
    private readonly noted: (action: string, portion: Portion) => void = () => undefined,
  ) {}

  /** The portion of that name, if it is still kept. */
  kept(name: string): Portion | undefined {
    return this.portions.get(name);
  }

  /**
   * The portion after a place; waits until there is one.
   * @returns undefined when `signal` says stop
   * @throws when the stream can't be read
   */
  after(action: string, place: Place, signal: AbortSignal, key = nameOf(action, place)): Portion | Promise<Portion | undefined> {
    const known = this.portions.get(key);
    if (!known) return this.readings.join(key, signal, (stop) => this.read(action, place, key, stop));
    this.portions.delete(key);
    this.portions.set(key, known);
    return known;
  }

  /** Bytes kept now. */
  get bytes(): number {
    return this.keptBytes;
  }

  close(): void {
    this.closed = true;
    for (const { reader, expiry } of this.parked.values()) {
      clearTimeout(expiry);
      reader.close();
    }
    this.parked.clear();
    this.portions.clear();
    this.keptBytes = 0;
  }

  private async read(action: string, place: Place, key: string, signal: AbortSignal): Promise<Portion | undefined> {
    this.reads++;
    const parked = this.unpark(key);
    const opened = parked ? () => undefined : await this.opened();
    if (parked) parked.portion = READ_ON;
    const reader = parked ?? new StreamReader(this.connection, streams.output.name, { subject: subjects.output(action), after: place.sequence, portion: PORTION });
    try {
      const stored = await reader.take(PORTION, { signal });
      const portion = stored.length > 0 ? await this.arranged(place, stored) : undefined;
      this.park(portion ? nameOf(action, portion.next) : key, reader);
      if (!portion) return undefined;
      this.keep(key, portion);
      this.noted(action, portion);
      return portion;
    } catch (error) {
      reader.close();
      throw error;
    } finally {
      opened();
    }
  }

  /** What is missing because the stream no longer keeps it will not come: that is told apart from what is stored late. */
  private async arranged(place: Place, stored: readonly Stored[]): Promise<Portion> {
    const portion = arrange(place, stored);
    const holes = newHoles(place, portion.next);
    if (holes.length === 0) return portion;
    const first = await firstSequence(this.connection, streams.output.name);
    const gone = holes.filter((stream) => first > portion.next[stream].hole! + 1);
    return gone.length === 0 ? portion : arrange(forgiving(place, gone), stored);
  }

  private keep(key: string, portion: Portion): void {
    if (this.closed) return;
    this.forget(key);
    this.portions.set(key, portion);
    this.keptBytes += portion.bytes + OVERHEAD;
    for (const old of this.portions.keys()) {
      if (this.keptBytes <= this.most) break;
      this.forget(old);
    }
  }

  private forget(key: string): void {
    const portion = this.portions.get(key);
    if (!portion) return;
    this.portions.delete(key);
    this.keptBytes -= portion.bytes + OVERHEAD;
  }

  /** Waits for a turn to open a reading; call what comes back when it has brought something. */
  private async opened(): Promise<() => void> {
    if (this.opening >= MOST_OPENING) await new Promise<void>((resolve) => this.queue.push(resolve));
    else this.opening++;
    let over = false;
    const done = () => {
      if (over) return;
      over = true;
      clearTimeout(slow);
      const next = this.queue.shift();
      if (next) next();
      else this.opening--;
    };
    const slow = setTimeout(done, OPENING_MS);
    slow.unref();
    return done;
  }

  private unpark(key: string): StreamReader | undefined {
    const one = this.parked.get(key);
    if (!one) return undefined;
    this.parked.delete(key);
    clearTimeout(one.expiry);
    return one.reader;
  }

  private park(key: string, reader: StreamReader): void {
    if (this.closed || this.parked.has(key)) return reader.close();
    const drop = () => this.unpark(key)?.close();
    const expiry = setTimeout(drop, PARKED_MS);
    expiry.unref();
    this.parked.set(key, { reader, expiry });
    const [oldest] = this.parked.keys();
    if (this.parked.size > MOST_PARKED && oldest !== undefined) this.unpark(oldest)?.close();
  }
}

function arrange(place: Place, stored: readonly Stored[]): Portion {
  const chunks: Chunk[] = [];
  let next = place;
  let bytes = 0;
  for (const message of stored) {
    const taken = take(next, message);
    next = taken.place;
    if (!taken.chunk) continue;
    chunks.push(taken.chunk);
    bytes += taken.chunk.bytes.byteLength;
  }
  return { chunks, next, bytes };
}
