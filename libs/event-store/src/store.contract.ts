import fc from 'fast-check';
import { expect, test } from 'vitest';
import { derivedId, type Commit, type Recorded } from '@berth/contracts';
import { ConflictError, UnreadableError, type EventStore } from './store.js';

let made = 0;
/** A commit that no other one has the id of. */
export const commit = (reason = 'x', id = derivedId(`${process.pid} ${performance.now()}`, String(made++))): Commit => ({
  id,
  at: '2030-01-01T00:00:00.000Z',
  actor: 'spec',
  cause: id,
  events: [{ type: 'LeaseWaiting', data: { reason } }],
});
const stream = () => derivedId('stream', String(made++) + performance.now());

/** What holds for every event store. `foreign` writes a raw message as a stranger would. */
export function storeContract(open: () => EventStore, foreign?: (kind: string, id: string, data: string) => Promise<void>): void {
  test('a stream that is not there is empty, not an error', async () => {
    expect(await open().load('lease', stream())).toEqual([]);
  });

  test('what was appended is loaded, in order, with its position as revision', async () => {
    const store = open();
    const id = stream();
    const first = commit('one');
    const second = commit('two');
    const at = await store.append('lease', id, 0, first);
    const next = await store.append('lease', id, at, second);
    expect(next).toBeGreaterThan(at);
    expect(await store.load('lease', id)).toEqual([
      { kind: 'lease', id, sequence: at, commit: first },
      { kind: 'lease', id, sequence: next, commit: second },
    ]);
  });

  test('a stale revision is refused and stores nothing', async () => {
    const store = open();
    const id = stream();
    const at = await store.append('lease', id, 0, commit());
    await expect(store.append('lease', id, 0, commit())).rejects.toBeInstanceOf(ConflictError);
    await expect(store.append('lease', id, at + 1000, commit())).rejects.toBeInstanceOf(ConflictError);
    expect(await store.load('lease', id)).toHaveLength(1);
  });

  test('of many writers at one revision exactly one wins', async () => {
    const store = open();
    const id = stream();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => store.append('lease', id, 0, commit())));
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
    for (const o of outcomes) if (o.status === 'rejected') expect(o.reason).toBeInstanceOf(ConflictError);
    expect(await store.load('lease', id)).toHaveLength(1);
  });

  test('the same commit appended again is stored once and answered with its first position', async () => {
    const store = open();
    const id = stream();
    const once = commit();
    const at = await store.append('lease', id, 0, once);
    await store.append('lease', id, at, commit());
    expect(await store.append('lease', id, 0, once)).toBe(at);
    expect(await store.load('lease', id)).toHaveLength(2);
  });

  test('streams of one id in two kinds are two streams', async () => {
    const store = open();
    const id = stream();
    await store.append('lease', id, 0, commit());
    expect(await store.load('build', id)).toEqual([]);
  });

  test('a feed hands over what was there, becomes live, and goes on, each once and in order', async () => {
    const store = open();
    const id = stream();
    const seen: Recorded[] = [];
    let at = await store.append('lease', id, 0, commit('0'));
    const feed = await store.feed(0, (r) => void (r.id === id && seen.push(r)), fail);
    await feed.live;
    expect(seen).toHaveLength(1);
    for (let i = 1; i <= 200; i++) at = await store.append('lease', id, at, commit(String(i)));
    await feed.reached(at);
    await feed.stop();
    expect(seen.map((r) => (r.commit.events[0]!.data as { reason: string }).reason)).toEqual(Array.from({ length: 201 }, (_, i) => String(i)));
  });

  test('while a commit is handed over, the position of the feed is that of the commit', async () => {
    const store = open();
    const id = stream();
    const seen: [number, number][] = [];
    const feed = await store.feed(0, (r) => void (r.id === id && seen.push([r.sequence, feed.position])), fail);
    const at = await store.append('lease', id, 0, commit());
    await feed.reached(at);
    await feed.stop();
    expect(seen).toEqual([[at, at]]);
  });

  test('a feed can begin after any position', async () => {
    const store = open();
    const id = stream();
    const first = await store.append('lease', id, 0, commit('before'));
    const second = await store.append('lease', id, first, commit('after'));
    const seen: number[] = [];
    const feed = await store.feed(first, (r) => void (r.id === id && seen.push(r.sequence)), fail);
    await feed.reached(second);
    await feed.stop();
    expect(seen).toEqual([second]);
  });

  test('a feed of some kinds hands over those, and its position counts all', async () => {
    const store = open();
    const seen: string[] = [];
    const feed = await store.feed(0, (r) => void seen.push(r.kind), fail, ['build']);
    await store.append('build', stream(), 0, { ...commit(), events: [{ type: 'BuildCleanedUp', data: {} }] });
    const last = await store.append('lease', stream(), 0, commit());
    await feed.reached(last);
    await feed.stop();
    expect(seen).toEqual(['build']);
  });

  test('waiting for a position ends with an error when the feed is stopped', async () => {
    const store = open();
    const feed = await store.feed(0, () => {}, fail);
    const waiting = expect(feed.reached(Number.MAX_SAFE_INTEGER)).rejects.toThrow('stopped');
    await feed.stop();
    await waiting;
  });

  test('for all interleavings of writers, every acknowledged commit is there once, in the order of its revision', async () => {
    const store = open();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), async (writers) => {
        const id = stream();
        const acknowledged: [number, string][] = [];
        await Promise.all(
          writers.map(async (count) => {
            for (let i = 0; i < count; i++) {
              const mine = commit();
              for (;;) {
                const revision = (await store.load('lease', id)).at(-1)?.sequence ?? 0;
                try {
                  acknowledged.push([await store.append('lease', id, revision, mine), mine.id]);
                  break;
                } catch (error) {
                  if (!(error instanceof ConflictError)) throw error;
                }
              }
            }
          }),
        );
        const stored = await store.load('lease', id);
        expect(stored.map((r) => [r.sequence, r.commit.id])).toEqual(acknowledged.sort((a, b) => a[0] - b[0]));
      }),
      { numRuns: 25 },
    );
  });

  if (foreign) {
    test.each([
      ['not JSON', '{'],
      ['an event of a type nobody knows', JSON.stringify({ ...commit(), events: [{ type: 'LeaseExploded', data: {} }] })],
      ['no events', JSON.stringify({ id: 'x' })],
    ])('a feed stops at %s and names the position', async (_, data) => {
      const store = open();
      const before = await store.append('lease', stream(), 0, commit());
      await foreign('lease', stream(), data);
      const error = await new Promise<Error>((resolve, reject) => {
        store.feed(before, () => {}, resolve).catch(reject);
      });
      expect(error).toBeInstanceOf(UnreadableError);
      expect(error.message).toContain(`position ${before + 1}`);
    });
  }
}

function fail(error: Error): void {
  throw error;
}
