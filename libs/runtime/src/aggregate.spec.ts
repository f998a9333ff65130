import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derivedId, rejected, type LeaseEvent, type Recorded } from '@berth/contracts';
import { memoryStore, type EventStore, type Feed } from '@berth/event-store';
import { aggregates, type Cause, type Decider } from './aggregate.js';

/** Holds at most three reasons, in the order they came: order, loss and doubling all show. */
const decider: Decider<string[], { add: string }, LeaseEvent> = {
  initial: [],
  decide: ({ add }, reasons) => (reasons.includes(add) ? [] : reasons.length >= 3 ? rejected('lease-ended', 'full') : [{ type: 'LeaseWaiting', data: { reason: add } }]),
  evolve: (reasons, event) => (event.type === 'LeaseWaiting' ? [...reasons, event.data.reason] : reasons),
  ended: (reasons) => reasons.length >= 3,
};

/** One process: its own states, fed by its own feed of a shared store. */
async function open(store: EventStore) {
  let feed: Feed;
  const own = aggregates('lease', decider, store, () => feed);
  feed = await store.feed(0, (recorded) => own.apply(recorded as Recorded<LeaseEvent>), (error) => {
    throw error;
  });
  await feed.live;
  return own;
}

const cause = (id: string): Cause => ({ id: derivedId('command', id), actor: 'spec', cause: id, at: '2030-01-01T00:00:00.000Z' });
const reasonsOf = async (store: EventStore, id: string) => (await store.load<LeaseEvent>('lease', id)).flatMap((r) => r.commit.events.map((e) => (e.data as { reason: string }).reason));

describe('handling commands', () => {
  test('commands on one aggregate take their turns, each deciding on what the one before has stored', async () => {
    const store = memoryStore();
    const process = await open(store);
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((add) => process.handle('x', { add }, cause(add))));
    expect(answers.map((a) => a.accepted)).toEqual([true, true, true, false]);
    expect(await reasonsOf(store, 'x')).toEqual(['a', 'b', 'c']);
  });

  test('the same command again has no second effect, and is answered as before', async () => {
    const store = memoryStore();
    const process = await open(store);
    const first = await process.handle('x', { add: 'a' }, cause('a'));
    expect(await process.handle('x', { add: 'a' }, cause('a'))).toEqual(first);
    expect(await reasonsOf(store, 'x')).toEqual(['a']);
  });

  test('one that ended long ago is read from the store before anything is said of it', async () => {
    const store = memoryStore();
    const before = await open(store);
    for (const add of ['a', 'b', 'c']) await before.handle('x', { add }, cause(add));
    // A process that has forgotten it: its feed began later.
    let feed: Feed;
    const forgetful = aggregates('lease', decider, store, () => feed);
    feed = await store.feed(3, () => {}, (error) => expect.unreachable(error.message));
    expect(await forgetful.handle('x', { add: 'd' }, cause('d'))).toMatchObject({ accepted: false, code: 'lease-ended' });
    expect(await forgetful.handle('x', { add: 'a' }, cause('a'))).toMatchObject({ accepted: true });
  });

  test('an outage is thrown, and the next command is not held up by it', async () => {
    const store = memoryStore();
    const process = await open({ ...store, append: (...args) => (args[3].cause === 'a' ? Promise.reject(new Error('away')) : store.append(...args)) });
    await expect(process.handle('x', { add: 'a' }, cause('a'))).rejects.toThrow('away');
    expect(await process.handle('x', { add: 'b' }, cause('b'))).toMatchObject({ accepted: true });
  });

  test('for all schedules of two processes: every accepted command is stored once, no refused one is, and no decision is made on a stale state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c', 'd', 'e')), { minLength: 1, maxLength: 8 }), async (scheduler, commands) => {
        const shared = memoryStore();
        // Reads and writes of both are delayed against each other in every way there is.
        const slow: EventStore = {
          ...shared,
          append: (...args) => scheduler.schedule(Promise.resolve()).then(() => shared.append(...args)),
          load: (kind, id) => scheduler.schedule(Promise.resolve()).then(() => shared.load(kind, id)),
        };
        const processes = [await open(slow), await open(slow)];
        const asked = commands.map(async ([second, add]) => ({ add, answer: await processes[second ? 1 : 0]!.handle('x', { add }, cause(add)) }));
        const all = Promise.all(asked);
        await scheduler.waitFor(all);
        const stored = await reasonsOf(shared, 'x');
        expect(new Set(stored).size).toBe(stored.length);
        expect(stored.length).toBe(Math.min(3, new Set(commands.map(([, add]) => add)).size));
        for (const { add, answer } of await all) expect(answer.accepted).toBe(stored.includes(add));
      }),
      { numRuns: 200 },
    );
  });
});
