import { expect, test } from 'vitest';
import { longestWay } from './estimate.js';

test.each([
  [[], 0],
  [[{ ms: 5, needs: [] }], 5],
  [[{ ms: 5, needs: [] }, { ms: 7, needs: [] }], 7],
  [[{ ms: 5, needs: [] }, { ms: 7, needs: [] }, { ms: 1, needs: [0, 1] }], 8],
  [[{ ms: 0, needs: [] }, { ms: 3, needs: [0] }, { ms: 4, needs: [1] }], 7],
])('%j takes %i', (parts, ms) => expect(longestWay(parts)).toBe(ms));
