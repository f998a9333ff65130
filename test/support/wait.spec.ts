import { expect, test } from 'vitest';
import { eventually } from './wait.js';

test('gives what the check gave once it no longer throws', async () => {
  let tries = 0;
  const result = await eventually(() => {
    if (++tries < 3) throw new Error('not yet');
    return 'now';
  });
  expect(result).toBe('now');
});

test('says what it still saw when the time is up', async () => {
  await expect(eventually(() => expect(1).toBe(2), { timeoutMs: 30 })).rejects.toThrow(/still not so after \d+ ms: expected 1 to be 2/);
});
