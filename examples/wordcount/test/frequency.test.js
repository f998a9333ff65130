import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mostFrequent } from '../src/frequency.js';

test('the most frequent word is first, case does not matter', () => {
  assert.deepEqual(mostFrequent('b A a B a'), [
    { word: 'a', count: 3 },
    { word: 'b', count: 2 },
  ]);
});

test('equal counts are in alphabetical order', () => {
  assert.deepEqual(mostFrequent('pear apple fig').map(({ word }) => word), ['apple', 'fig', 'pear']);
});

test('no more than asked for, and fewer when there are fewer', () => {
  assert.equal(mostFrequent('a b c d', 2).length, 2);
  assert.equal(mostFrequent('a b', 5).length, 2);
  assert.deepEqual(mostFrequent(''), []);
});
