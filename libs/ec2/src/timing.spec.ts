import { expect, it } from 'vitest';
import { pollAfter, retryAfter } from './timing.js';

const timing = { pollFrom: 300, pollTo: 5000 };

it('looks less often at what has been on its way for longer', () => {
  expect([0, 8000, 80_000].map((age) => pollAfter(age, timing))).toEqual([300, 1000, 5000]);
});

it('spreads what is tried again between half of the time and all of it', () => {
  for (const [age, most] of [[0, 600], [8000, 2000], [800_000, 10_000]] as const) {
    for (let i = 0; i < 50; i++) {
      const ms = retryAfter(age, timing);
      expect(ms).toBeGreaterThanOrEqual(most / 2);
      expect(ms).toBeLessThanOrEqual(most);
    }
  }
});
