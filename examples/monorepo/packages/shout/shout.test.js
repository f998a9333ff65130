import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shout } from './index.js';

test('is loud', () => assert.equal(shout('fire'), 'FIRE!'));
