import { describe, expect, test } from 'vitest';
import { DriverFault } from './drivers/driver.js';
import { Died, TestRecord } from './record.testing.js';

const fails = () => Promise.reject(new DriverFault('stayed-up', 'it did not go down'));
const works = () => Promise.resolve(undefined);

describe('attempts', () => {
  test('are numbered in their order, with how each ended', async () => {
    const record = new TestRecord();
    const { attempts } = record.process();
    expect(await attempts.try('a', 1000, fails)).toEqual({ outcome: 'failed', fault: 'stayed-up', error: 'it did not go down' });
    await attempts.skip('b', 'it has none');
    expect(await attempts.try('c', 1000, works)).toEqual({ outcome: 'succeeded' });
    expect(record.events.slice(2).map((event) => [event.type, 'attempt' in event.data ? event.data.attempt : 0])).toEqual([['AttemptStarted', 1], ['AttemptEnded', 1], ['AttemptSkipped', 2], ['AttemptStarted', 3], ['AttemptEnded', 3]]);
  });

  test('that have ended are not done again by the next process', async () => {
    const record = new TestRecord();
    await record.process().attempts.try('a', 1000, fails);
    let done = 0;
    const { attempts } = record.process();
    expect(await attempts.try('a', 1000, () => Promise.resolve(String(done++)))).toMatchObject({ outcome: 'failed', fault: 'stayed-up' });
    expect(await attempts.try('b', 1000, () => Promise.resolve(String(done++)))).toMatchObject({ outcome: 'succeeded' });
    expect(done).toBe(1);
  });

  test('one that was under way goes on, and knows how far it had come', async () => {
    const record = new TestRecord();
    record.dieAt(2, true);
    const seen: string[] = [];
    const run = async (going: { has(step: string): boolean; step(name: string): Promise<void> }) => {
      for (const step of ['one', 'two', 'three']) {
        if (going.has(step)) continue;
        seen.push(step);
        await going.step(step);
      }
      return undefined;
    };
    await expect(record.process().attempts.try('a', 1000, run)).rejects.toBeInstanceOf(Died);
    record.dieAt(Number.POSITIVE_INFINITY, true);
    expect(await record.process().attempts.try('a', 1000, run)).toEqual({ outcome: 'succeeded' });
    expect(seen).toEqual(['one', 'two', 'two', 'three']);
    expect(record.steps).toEqual(['one', 'two', 'three']);
  });

  test('what a method says is kept without secrets, and the last of it', async () => {
    const record = new TestRecord();
    await record.process().attempts.try('a', 1000, async (going) => {
      const call = going.call(1000);
      call.heard(`${'x'.repeat(10_000)} password ${await call.secret('name')}`);
      throw new DriverFault('refused', 'hunter2 was refused');
    });
    const end = record.events.at(-1)!;
    expect(JSON.stringify(record.events)).not.toContain('hunter2');
    expect(end).toMatchObject({ data: { error: '******* was refused' } });
    expect('output' in end.data && end.data.output?.length).toBe(4096);
  });

  test('a method that is not over in time is told so', async () => {
    const record = new TestRecord();
    const end = await record.process().attempts.try('a', 1000, (going) => {
      const { signal } = going.call(20);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    expect(end).toMatchObject({ outcome: 'failed', fault: 'timeout', error: 'it took longer than 0.02 s' });
  });

  test('when the job ends, the attempt is left to whoever ends it', async () => {
    const record = new TestRecord();
    const end = new AbortController();
    const { attempts } = record.process(end.signal);
    const trying = attempts.try('a', 1000, (going) => {
      queueMicrotask(() => end.abort(new DriverFault('cancelled', 'enough')));
      return new Promise((_resolve, reject) => going.signal.addEventListener('abort', () => reject(going.signal.reason as Error)));
    });
    await expect(trying).rejects.toMatchObject({ fault: 'cancelled' });
    expect(record.ends).toEqual([]);
    await expect(attempts.try('b', 1000, works)).rejects.toMatchObject({ fault: 'cancelled' });
    expect(record.events.filter(({ type }) => type === 'AttemptStarted')).toHaveLength(1);
  });

  test('of a job that was to end when the next process began, what has sent something is gone on with, and nothing else', async () => {
    const run = async (going: { has(step: string): boolean; step(name: string): Promise<void> }) => {
      if (!going.has('sent')) await going.step('sent');
      await going.step('put right');
      return undefined;
    };
    const ended = AbortSignal.abort(new DriverFault('cancelled', 'enough'));
    for (const [at, steps] of [[1, []], [2, ['sent', 'put right']]] as const) {
      const record = new TestRecord();
      record.dieAt(at, true);
      await expect(record.process().attempts.try('a', 1000, run)).rejects.toBeInstanceOf(Died);
      record.dieAt(Number.POSITIVE_INFINITY, true);
      const next = record.process(ended).attempts.try('a', 1000, run);
      if (steps.length > 0) expect(await next).toEqual({ outcome: 'succeeded' });
      else await expect(next).rejects.toMatchObject({ fault: 'cancelled' });
      expect(record.steps).toEqual(steps);
    }
  });
});
