import { setTimeout as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { growing, Lanes } from './lanes.js';

afterEach(() => void vi.useRealTimers());

/** Work that ends when it is told to. */
function held(most: number) {
  const begun: string[] = [];
  const ends = new Map<string, (again: boolean) => void>();
  const faults: unknown[] = [];
  let most_ = 0;
  const lanes = new Lanes(most, (key) => {
    begun.push(key);
    return new Promise<boolean>((resolve) => {
      ends.set(key, resolve);
      most_ = Math.max(most_, ends.size);
    });
  }, (_key, error) => faults.push(error), () => 50);
  const end = async (key: string, again = false) => {
    const resolve = ends.get(key)!;
    ends.delete(key);
    resolve(again);
    await settle();
  };
  return { lanes, begun, end, faults, most: () => most_ };
}
const settle = async () => {
  for (let i = 0; i < 10; i++) await Promise.resolve();
};

test('so many at a time, each once at a time, in the order in which they came', async () => {
  const { lanes, begun, end, most } = held(2);
  for (const key of ['a', 'b', 'c', 'a', 'd', 'c']) lanes.add(key);
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  expect(begun).toEqual(['a', 'b', 'c']);
  await end('c');
  await end('a');
  // It was asked for once more while it was worked on.
  expect(begun).toEqual(['a', 'b', 'c', 'd', 'a']);
  expect(most()).toBe(2);
});

test('what fails waits, and holds up nothing else; what is asked for meanwhile does not shorten that', async () => {
  vi.useFakeTimers();
  const { lanes, begun, end } = held(1);
  lanes.add('a');
  lanes.add('b');
  await end('a', true);
  lanes.add('a');
  expect(begun).toEqual(['a', 'b']);
  await end('b');
  await vi.advanceTimersByTimeAsync(49);
  expect(begun).toEqual(['a', 'b']);
  await vi.advanceTimersByTimeAsync(1);
  expect(begun).toEqual(['a', 'b', 'a']);
  await end('a');
  lanes.add('a');
  expect(begun).toEqual(['a', 'b', 'a', 'a']);
});

test('pauses are over when somebody says so', async () => {
  const { lanes, begun, end } = held(1);
  lanes.add('a');
  await end('a', true);
  lanes.again();
  expect(begun).toEqual(['a', 'a']);
});

test('when it stops nothing begins any more, and it ends with the last', async () => {
  const { lanes, begun, end } = held(1);
  lanes.add('a');
  lanes.add('b');
  let stopped = false;
  const over = lanes.stop().then(() => (stopped = true));
  await turn(0);
  expect(stopped).toBe(false);
  await end('a', true);
  await over;
  lanes.add('c');
  expect(begun).toEqual(['a']);
});

test('what breaks is told, and tried again', async () => {
  vi.useFakeTimers();
  const faults: unknown[] = [];
  let tries = 0;
  const lanes = new Lanes(1, () => (tries++ === 0 ? Promise.reject(new Error('odd')) : Promise.resolve(false)), (key, error) => faults.push(`${key}: ${(error as Error).message}`), () => 50);
  lanes.add('a');
  await vi.advanceTimersByTimeAsync(50);
  expect([faults, tries]).toEqual([['a: odd'], 2]);
});

test('pauses grow from a second to five minutes', () => {
  expect([1, 2, 3, 9, 10, 1000].map(growing)).toEqual([1000, 2000, 4000, 256_000, 300_000, 300_000]);
});
