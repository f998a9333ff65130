import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.js';

test('words are joined by dashes', () => assert.equal(slug('Nine Lives of a Cat'), 'nine-lives-of-a-cat'));
test('accents are left out', () => assert.equal(slug('Crème brûlée'), 'creme-brulee'));
test('no dash stands at an end', () => assert.equal(slug('  What?! '), 'what'));
