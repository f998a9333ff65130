import { expect, test } from 'vitest';
import { nearest } from './nearest.js';

test.each([
  ['wbe', ['base', 'web'], 'web'],
  ['webb', ['base', 'web'], 'web'],
  ['WEB', ['web'], 'web'],
  ['basse', ['case', 'base'], 'base'],
  ['database', ['databas', 'data'], 'databas'],
  ['db', ['dc'], undefined],
  ['web', ['mail'], undefined],
  ['', ['a'], undefined],
])('%j of %j is %j', (word, known, meant) => expect(nearest(word, known)).toBe(meant));
