import fc from 'fast-check';
import { posix } from 'node:path';
import { expect, test } from 'vitest';
import { artifactName, objectName } from './object-name.js';

const accepted = (name: string): boolean => artifactName.safeParse(name).success;

test('a name that is accepted never leads out of a folder, and no two of them to one file', () => {
  const part = fc.oneof(fc.constantFrom('.', '..', '', 'a', '~', '...', '.x', 'C:', '\\', '\0', 'x'.repeat(201)), fc.string({ unit: 'binary', maxLength: 8 }));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }).map((parts) => parts.join('/')), (name) => {
      if (!accepted(name)) return;
      expect(posix.join('/folder', name)).toBe(`/folder/${name}`);
      expect(name).not.toMatch(/[\0-\x1f\x7f\\]/);
    }),
    { numRuns: 500 },
  );
});

test('lengths are counted in bytes, and the stores keep names that begin with a dot to themselves', () => {
  expect([accepted('ü'.repeat(100)), accepted('ü'.repeat(101))]).toEqual([true, false]);
  expect([accepted(`${'abcdefg/'.repeat(99)}abcdefgh`), accepted(`${'abcdefg/'.repeat(99)}abcdefghi`)]).toEqual([true, false]);
  expect([accepted('.profile'), objectName.safeParse('.profile').success, objectName.safeParse('build/.profile').success]).toEqual([true, false, true]);
  expect(artifactName.safeParse('a//b').error!.issues[0]!.message).toBe('must not begin or end with "/" or hold "//"');
});
