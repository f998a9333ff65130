import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count, countLines, total, words } from '../src/count.js';

test('an empty text has nothing', () => {
  assert.deepEqual(count(''), { lines: 0, words: 0, bytes: 0 });
});

test('a last line without an end counts', () => {
  assert.equal(countLines('one\ntwo'), 2);
  assert.equal(countLines('one\ntwo\n'), 2);
  assert.equal(countLines('\n'), 1);
});

test('words are split at anything that is not part of one', () => {
  assert.deepEqual(words('One, two;three\tfour -- five!'), ['One', 'two', 'three', 'four', 'five']);
});

test('apostrophes and hyphens inside a word belong to it', () => {
  assert.deepEqual(words("don't re-use 'quoted' well-"), ["don't", 're-use', 'quoted', 'well']);
});

test('letters of every script make words', () => {
  assert.deepEqual(words('naïve Größe 東京 año2'), ['naïve', 'Größe', '東京', 'año2']);
});

test('a letter with a separate accent is one word', () => {
  assert.equal(words('cafe\u0301 noir').length, 2);
});

test('bytes are those of UTF-8', () => {
  assert.equal(count('ü€').bytes, 5);
});

test('a total is the sum', () => {
  const counts = ['a b\n', 'c'].map(count);
  console.log('parts:', JSON.stringify(counts));
  assert.deepEqual(total(counts), { lines: 2, words: 3, bytes: 5 });
});

test('a large text is counted quickly', () => {
  const text = 'the quick brown fox\n'.repeat(50_000);
  const started = performance.now();
  const counted = count(text);
  const took = performance.now() - started;
  console.log(`${counted.words} words in ${took.toFixed(0)} ms`);
  assert.deepEqual(counted, { lines: 50_000, words: 200_000, bytes: 1_000_000 });
  assert.ok(took < 5_000);
});
