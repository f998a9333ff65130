import { randomUUID } from 'node:crypto';
import type { NatsConnection } from 'nats';
import { afterEach, expect, test, vi } from 'vitest';
import { Channel } from '@berth/client';
import type { AnyRecorded } from '@berth/contracts';
import { memoryStore } from '@berth/event-store';
import { Hub } from './hub.js';
import { liveEvents, MOST_BEHIND, type Place, type Wanted } from './sse.js';

afterEach(() => vi.useRealTimers());

/** What is past is at hand in these: the stream is not asked. */
const noStream = undefined as unknown as NatsConnection;
const all: Wanted = { kinds: new Set(), ids: new Set() };

function feed() {
  const hub = new Hub(memoryStore());
  const commit = (kind: 'lease' | 'build', id: string, ...types: string[]): void =>
    hub.apply({ kind, id, sequence: hub.position + 1, commit: { id: randomUUID(), at: '2030-01-01T00:00:00.000Z', actor: 'spec', cause: 'spec', events: types.map((type) => ({ type, data: {} })) } } as unknown as AnyRecorded);
  const stop = new AbortController();
  /** As a response would take it; one that is slow takes nothing. */
  async function* open(place?: Place, wanted: Wanted = all, slow = false): AsyncGenerator<string, void, undefined> {
    for await (const piece of liveEvents(noStream, hub, place, wanted, stop.signal, () => true)) {
      if (typeof piece !== 'function') yield piece.toString();
      else {
        const channel = new Channel<string>();
        const end = piece((bytes, taken) => {
          channel.push(bytes.toString());
          if (!slow) taken();
        }, (error) => channel.end(error));
        stop.signal.addEventListener('abort', () => channel.end(), { once: true });
        try {
          yield* channel;
        } finally {
          end();
        }
      }
    }
  }
  return { commit, open, stop };
}
/** The ids and types in the next so many frames that tell of events. */
async function next(frames: AsyncIterator<string>, count: number): Promise<string[]> {
  const told: string[] = [];
  while (told.length < count) {
    const { value, done } = await frames.next();
    if (done === true) break;
    told.push(...[...(value as string).matchAll(/^id: (.*)\nevent: (.*)$/gm)].map(([, id, event]) => `${id} ${event}`));
  }
  return told;
}

test('an idle feed says that it is there', async () => {
  vi.useFakeTimers();
  const { open, stop } = feed();
  const frames = open();
  expect((await frames.next()).value).toMatch(/^: .*\n\n$/);
  for (let i = 0; i < 3; i++) {
    const beat = frames.next();
    await vi.advanceTimersByTimeAsync(15_000);
    expect((await beat).value).toBe(': still here\n\n');
  }
  stop.abort();
  expect((await frames.next()).done).toBe(true);
});

test('kinds and ids are chosen, in what is past and in what is to come', async () => {
  const { commit, open } = feed();
  const wanted = { kinds: new Set(['lease']), ids: new Set(['a', 'b']) };
  commit('lease', 'a', 'One');
  commit('build', 'a', 'OfAnotherKind');
  commit('lease', 'c', 'OfAnother');
  commit('lease', 'b', 'Two');
  const frames = open({ after: 0, skip: 0 }, wanted);
  expect(await next(frames, 2)).toEqual(['1 One', '4 Two']);
  const live = next(frames, 1);
  commit('build', 'b', 'OfAnotherKind');
  commit('lease', 'b', 'Three');
  expect(await live).toEqual(['6 Three']);
});

test('whoever was cut off within a commit goes on within it, past or to come', async () => {
  const { commit, open } = feed();
  commit('build', 'a', 'One', 'Two', 'Three');
  expect(await next(open({ after: 0, skip: 1 }), 2)).toEqual(['1.2 Two', '1 Three']);
  const ahead = open({ after: 1, skip: 2 });
  await ahead.next();
  const live = next(ahead, 1);
  commit('build', 'a', 'Four', 'Five', 'Six');
  expect(await live).toEqual(['2 Six']);
});

test('a reader that is too far behind is dropped; the others are not', async () => {
  const { commit, open } = feed();
  const [slow, quick] = [open(undefined, all, true), open()];
  await Promise.all([slow.next(), quick.next()]);
  // Both listen from here on.
  const [first, seen] = [slow.next(), next(quick, MOST_BEHIND + 1)];
  await new Promise((resolve) => setImmediate(resolve));
  for (let i = 0; i <= MOST_BEHIND; i++) commit('lease', 'a', 'Beat');
  expect((await first).value as string).toContain('id: 1\n');
  const rest = async () => {
    while (!(await slow.next()).done);
  };
  await expect(rest()).rejects.toThrow(`more than ${MOST_BEHIND} events behind`);
  expect((await seen).at(-1)).toBe(`${MOST_BEHIND + 1} Beat`);
});

test('what comes between the past and the present is not missed', async () => {
  const { commit, open } = feed();
  commit('lease', 'a', 'One');
  const frames = open({ after: 0, skip: 0 });
  await frames.next();
  expect((await frames.next()).value).toContain('event: One');
  // The reader has all there was, and does not listen yet.
  commit('lease', 'a', 'Two');
  const live = next(frames, 2);
  await new Promise((resolve) => setImmediate(resolve));
  commit('lease', 'a', 'Three');
  expect(await live).toEqual(['2 Two', '3 Three']);
});
