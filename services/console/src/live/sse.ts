import type { NatsConnection } from 'nats';
import { Channel, type LiveEvent } from '@berth/client';
import type { AnyRecorded } from '@berth/contracts';
import { streams } from '@berth/nats';
import { decodeStored } from '../views/projection.js';
import type { Hub } from './hub.js';
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
export function frames({ kind, id, sequence, commit }: AnyRecorded, wanted: Wanted, skip = 0): string[] {
  if ((wanted.kinds.size > 0 && !wanted.kinds.has(kind)) || (wanted.ids.size > 0 && !wanted.ids.has(id))) return [];
  const count = commit.events.length;
  return commit.events.slice(skip).map((event, i) => {
    const nth = skip + i + 1;
    const data: LiveEvent = { kind, id, type: event.type, data: event.data, at: commit.at, actor: commit.actor };
    return `id: ${nth === count ? sequence : `${sequence}.${nth}`}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
  });
}

/**
 * The live feed as text/event-stream. What is past is read at the reader's own speed, from the stream where the hub no
 * longer has it; once the reader is up to date it is told with everybody else, and then has to keep up.
 */
export async function* liveEvents(connection: NatsConnection, hub: Hub, place: Place | undefined, wanted: Wanted, signal: AbortSignal, mayRead: MayRead): AsyncGenerator<string, void, undefined> {
  yield ': this is the feed of events\n\n';
  let { after, skip } = place ?? { after: hub.position, skip: 0 };
  while (after < hub.position && !signal.aborted) {
    for await (const recorded of past(connection, hub, after, signal)) {
      const text = (await mayRead(recorded)) ? frames(recorded, wanted, skip).join('') : '';
      skip = 0;
      after = recorded.sequence;
      if (text) yield text;
    }
  }
  // No await between the last look at the hub's position and this: nothing falls between the two.
  const channel = new Channel<string>();
  let pending = 0;
  let before: Promise<unknown> = Promise.resolve();
  const stopListening = hub.listen((recorded) => {
    // What it did not ask for needs no looking up.
    const texts = frames(recorded, wanted, recorded.sequence === after + 1 ? skip : 0);
    if (texts.length === 0) return;
    pending += texts.length;
    if (channel.size + pending > MOST_BEHIND) return channel.end(new SlowReader());
    const may = mayRead(recorded);
    // Nothing is looked up, and nothing is waited for, for most who follow.
    if (typeof may === 'boolean' && pending === texts.length) {
      pending = 0;
      if (may) channel.push(...texts);
      return;
    }
    // One after the other: in the order of the events, however long each is looked up. One that fails is told of in its turn.
    const looked = Promise.resolve(may);
    looked.catch(() => undefined);
    before = before.then(async () => {
      if (await looked) channel.push(...texts);
      pending -= texts.length;
    }).catch((error: unknown) => channel.end(error as Error));
  });
  const beat = setInterval(() => channel.push(': still here\n\n'), HEARTBEAT_MS);
  const end = () => channel.end();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    yield* channel;
  } finally {
    clearInterval(beat);
    stopListening();
    signal.removeEventListener('abort', end);
  }
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
