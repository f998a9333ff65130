import { expect, test } from 'vitest';
import { Shared } from './shared.js';

/** Work that ends when the spec says so. */
function work() {
  const begun: { signal: AbortSignal; end(value: string): void; fail(error: Error): void }[] = [];
  const begin = (signal: AbortSignal) => new Promise<string>((end, fail) => void begun.push({ signal, end, fail }));
  return { begun, begin };
}

test('work is done once for all who wait, and again for whoever comes later', async () => {
  const shared = new Shared<string>();
  const { begun, begin } = work();
  const waiting = Array.from({ length: 5 }, () => shared.join('a', new AbortController().signal, begin));
  const other = shared.join('b', new AbortController().signal, begin);
  expect(begun).toHaveLength(2);
  begun[0]!.end('one');
  begun[1]!.end('two');
  expect(await Promise.all([...waiting, other])).toEqual(['one', 'one', 'one', 'one', 'one', 'two']);
  const later = shared.join('a', new AbortController().signal, begin);
  begun[2]!.end('three');
  expect(await later).toBe('three');
});

test('one who leaves gets nothing at once; the work ends when nobody is left', async () => {
  const shared = new Shared<string>();
  const { begun, begin } = work();
  const [one, two] = [new AbortController(), new AbortController()];
  const [first, second] = [shared.join('a', one.signal, begin), shared.join('a', two.signal, begin)];
  one.abort();
  expect(await first).toBeUndefined();
  expect(begun[0]!.signal.aborted).toBe(false);
  two.abort();
  expect(await second).toBeUndefined();
  expect(begun[0]!.signal.aborted).toBe(true);
  // Whoever comes now does not join what is being ended.
  const third = shared.join('a', new AbortController().signal, begin);
  begun[1]!.end('fresh');
  expect(await third).toBe('fresh');
  expect(await shared.join('a', AbortSignal.abort(), begin)).toBeUndefined();
  expect(begun).toHaveLength(2);
});

test('an error is everybody\'s', async () => {
  const shared = new Shared<string>();
  const { begun, begin } = work();
  const waiting = [1, 2].map(() => shared.join('a', new AbortController().signal, begin));
  begun[0]!.fail(new Error('no'));
  for (const one of waiting) await expect(one).rejects.toThrow('no');
});
