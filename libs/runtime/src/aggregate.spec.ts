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
async function open(store: EventStore, of = decider) {
  let feed: Feed;
  const own = aggregates('lease', of, store, () => feed);
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

  describe('based on what was read', () => {
    /** Two things in one stream, by their first letter; what begins with a dash only tells how it goes. */
    const saying: typeof decider = { ...decider, says: ({ data }) => (/^-/.test((data as { reason: string }).reason) ? undefined : (data as { reason: string }).reason[0]) };
    const based = (id: string, base: number): Cause => ({ ...cause(id), base });
    const refused = { accepted: false, code: 'changed-meanwhile', message: expect.stringContaining('by spec at 2030-01-01T00:00:00.000Z') as string };

    test('is refused when the same was said anew since, and only then', async () => {
      const process = await open(memoryStore(), saying);
      const first = (await process.handle('x', { add: 'a1' }, cause('a1'))).accepted;
      const read = process.get('x')!.revision;
      await process.handle('x', { add: '-how it goes' }, cause('how'));
      expect([first, await process.handle('x', { add: 'b1' }, based('b1', read))]).toEqual([true, expect.objectContaining({ accepted: true })]);
      const other = await open(memoryStore(), saying);
      await other.handle('x', { add: 'a1' }, cause('a1'));
      const before = other.get('x')!.revision;
      await other.handle('x', { add: 'a2' }, cause('a2'));
      expect(await other.handle('x', { add: 'a3' }, based('a3', before))).toMatchObject(refused);
      expect(await other.handle('x', { add: 'a3' }, based('a3', other.get('x')!.revision))).toMatchObject({ accepted: true });
    });

    test('is not refused for its own effect, however late it comes again', async () => {
      const store = memoryStore();
      const process = await open(store, saying);
      const mine = await process.handle('x', { add: 'a1' }, based('a1', 0));
      await process.handle('x', { add: 'a2' }, cause('a2'));
      // Another decision than the first: only its id says that it was carried out.
      expect(await process.handle('x', { add: 'a3' }, based('a1', 0))).toEqual(mine);
      expect(await reasonsOf(store, 'x')).toEqual(['a1', 'a2']);
    });

    test('of two at once, in two processes, one is refused', async () => {
      const store = memoryStore();
      const processes = await Promise.all([open(store, saying), open(store, saying)]);
      const answers = await Promise.all(processes.map((process, i) => process.handle('x', { add: `a${i}` }, based(`a${i}`, 0))));
      expect(answers.filter(({ accepted }) => accepted)).toHaveLength(1);
      expect(answers.find(({ accepted }) => !accepted)).toMatchObject(refused);
      expect(await reasonsOf(store, 'x')).toHaveLength(1);
    });
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
