import assert from 'node:assert/strict';
import { test } from 'node:test';
import { count } from './index.js';

test('spaces around words are none', () => assert.equal(count('  two  words '), 2));
test('no text has no words', () => assert.equal(count(''), 0));
