import { expect, test } from 'vitest';
import { nearest } from './nearest.js';

test.each([
  ['runn', 'run'], ['rum', 'run'], ['Run', 'run'], ['nmae', 'name'], ['timout', 'timeout'], ['environment', 'env'], ['step', undefined], ['x', undefined], ['c'.repeat(1000), undefined],
])('the word nearest to %s', (word, meant) => {
  expect(nearest(word, ['name', 'run', 'env', 'timeout'])).toBe(meant);
});
