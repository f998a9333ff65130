import type { NatsConnection } from 'nats';
import type { LiveEvent } from '@berth/client';
import type { AnyRecorded, Kind } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import { streams } from '@berth/nats';
import { decodeStored } from '../views/projection.js';
import type { Hub } from './hub.js';
import type { Live } from './pour.js';
import { StreamReader } from './reader.js';

/** A reader that is so many events behind is dropped; it comes back with the id of the last one it had. */
export const MOST_BEHIND = 1000;
const HEARTBEAT_MS = 15_000;

/** Where a reader is: after a commit, and so many events into the next one. */
export interface Place {
  after: number;
  skip: number;
}

/** Of what a reader wants to hear; empty = all. */
export interface Wanted {
  kinds: ReadonlySet<string>;
  ids: ReadonlySet<string>;
}

/**
 * Reads an event's id: `123`, the position of its commit; within a commit of several events all but the last are
 * `123.1`, `123.2`…, so that a reader that was cut off in the middle misses none. Undefined when it is neither.
 */
export function placeOf(id: string): Place | undefined {
  const match = /^(\d{1,15})(?:\.(\d{1,6}))?$/.exec(id.trim());
  if (!match) return undefined;
  return match[2] === undefined ? { after: Number(match[1]), skip: 0 } : { after: Number(match[1]) - 1, skip: Number(match[2]) };
}

/** Whether whoever reads may read a commit. */
export type MayRead = (recorded: AnyRecorded) => boolean | Promise<boolean>;

/** A commit as server-sent events. */
function frames({ kind, id, sequence, commit }: AnyRecorded, skip: number): string {
  const count = commit.events.length;
  const own = commit.events.slice(skip).map((event, i) => {
    const nth = skip + i + 1;
    const data: LiveEvent = { kind, id, type: event.type, data: event.data, at: commit.at, actor: commit.actor };
    return `id: ${nth === count ? sequence : `${sequence}.${nth}`}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
  });
  return own.join('');
}

/** What all who listen are sent of a commit is made once: with a thousand of them, making it was most of the work. */
const whole = new WeakMap<AnyRecorded, Buffer>();

/** A commit as it is sent; undefined when the reader does not want it. */
function bytesOf(recorded: AnyRecorded, { kinds, ids }: Wanted, skip = 0): Buffer | undefined {
  if ((kinds.size > 0 && !kinds.has(recorded.kind)) || (ids.size > 0 && !ids.has(recorded.id))) return undefined;
  if (skip > 0) return skip < recorded.commit.events.length ? Buffer.from(frames(recorded, skip)) : undefined;
  const known = whole.get(recorded) ?? Buffer.from(frames(recorded, 0));
  whole.set(recorded, known);
  return known;
}

const beat = Buffer.from(': still here\n\n');

/**
 * The live feed as text/event-stream. What is past is read at the reader's own speed, from the stream where the hub no
 * longer has it; once the reader is up to date it is told with everybody else, and then has to keep up.
 */
export async function* liveEvents(connection: NatsConnection, hub: Hub, place: Place | undefined, wanted: Wanted, signal: AbortSignal, mayRead: MayRead): AsyncGenerator<Uint8Array | string | Live, void, undefined> {
  yield ': this is the feed of events\n\n';
  let { after, skip } = place ?? { after: hub.position, skip: 0 };
  while (after < hub.position && !signal.aborted) {
    for await (const recorded of past(connection, hub, after, signal)) {
      const bytes = (await mayRead(recorded)) ? bytesOf(recorded, wanted, skip) : undefined;
      skip = 0;
      after = recorded.sequence;
      if (bytes) yield bytes;
    }
  }
  if (!signal.aborted) yield following(hub, { after, skip }, wanted, mayRead);
}

/**
 * The same of one thing alone: what is past of it is read where it stands, however much else there is. Without a place it
 * begins with its first event.
 */
export async function* eventsOf(store: EventStore, hub: Hub, kind: Kind, id: string, place: Place | undefined, signal: AbortSignal): AsyncGenerator<Uint8Array | string | Live, void, undefined> {
  yield ': this is the feed of events\n\n';
  const wanted: Wanted = { kinds: new Set([kind]), ids: new Set([id]) };
  const { after, skip } = place ?? { after: 0, skip: 0 };
  // Before the thing is looked at: what the store does not have by then is still to come from the hub.
  let reached = Math.max(after, hub.position);
  for (const recorded of (await store.load(kind, id)) as AnyRecorded[]) {
    if (recorded.sequence <= after) continue;
    const bytes = bytesOf(recorded, wanted, recorded.sequence === after + 1 ? skip : 0);
    reached = Math.max(reached, recorded.sequence);
    if (bytes) yield bytes;
  }
  if (!signal.aborted) yield following(hub, { after: reached, skip: 0 }, wanted, () => true);
}

/** What comes from now on, handed over as it comes. */
function following(hub: Hub, { after, skip }: Place, wanted: Wanted, mayRead: MayRead): Live {
  return (send, fail) => {
    let behind = 0;
    let looking = 0;
    let over = false;
    let before: Promise<unknown> = Promise.resolve();
    const taken = (): void => void behind--;
    const hand = (bytes: Buffer): void => {
      if (++behind > MOST_BEHIND) fail(new SlowReader());
      else send(bytes, taken);
    };
    const hear = (recorded: AnyRecorded): void => {
      // What it did not ask for needs no looking up.
      const bytes = bytesOf(recorded, wanted, recorded.sequence === after + 1 ? skip : 0);
      if (!bytes) return;
      if (behind + looking >= MOST_BEHIND) return fail(new SlowReader());
      const may = mayRead(recorded);
      // Nothing is looked up, and nothing is waited for, for most who follow.
      if (typeof may === 'boolean' && looking === 0) {
        if (may) hand(bytes);
        return;
      }
      // One after the other: in the order of the events, however long each is looked up. One that fails is told of in its turn.
      const looked = Promise.resolve(may);
      looked.catch(() => undefined);
      looking++;
      before = before.then(async () => {
        const is = await looked;
        looking--;
        if (is && !over) hand(bytes);
      }).catch((error: unknown) => void (over || fail(error as Error)));
    };
    // What came while this was on its way to whoever follows. Nothing comes between this and listening.
    const missed = hub.since(after);
    if (!missed) fail(new SlowReader());
    missed?.forEach(hear);
    const stopListening = hub.listen(hear);
    const beats = setInterval(() => hand(beat), HEARTBEAT_MS);
    return () => {
      over = true;
      clearInterval(beats);
      stopListening();
    };
  };
}

/** Commits after a position, up to where the hub takes over. */
async function* past(connection: NatsConnection, hub: Hub, after: number, signal: AbortSignal): AsyncGenerator<AnyRecorded, void, undefined> {
  const recent = hub.since(after);
  if (recent) return yield* recent;
  const reader = new StreamReader(connection, streams.events.name, { after });
  try {
    for (let position = after; !hub.covers(position) && !signal.aborted; ) {
      for (const recorded of (await reader.take(500, { signal })).map(decodeStored)) {
        position = recorded.sequence;
        yield recorded;
      }
    }
  } finally {
    reader.close();
  }
}

/** It does not take what it asked for. */
class SlowReader extends Error {
  constructor() {
    super(`more than ${MOST_BEHIND} events behind`);
  }
}
