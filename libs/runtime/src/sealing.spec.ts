import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { rawOf, seal, sealingKeyFrom, unseal } from './sealing.js';

const seed = randomBytes(32);
const own = sealingKeyFrom(seed);
const published = { key: 'k', publicKey: rawOf(own) };
const about = { command: 'c', name: 'npm-token' };

test.each([['nothing', ''], ['text', 'hunter22'], ['much', 'x'.repeat(65_536)]])('what is sealed opens as it was: %s', (_, text) => {
  const sealed = seal(published, Buffer.from(text), about);
  expect(JSON.stringify(sealed)).not.toContain('hunter22');
  expect(unseal(own, sealed, about).toString()).toBe(text);
});

test('the same bytes give the same key, and no value is sealed the same twice', () => {
  expect(rawOf(sealingKeyFrom(seed))).toBe(published.publicKey);
  expect(seal(published, Buffer.from('x'), about).box).not.toBe(seal(published, Buffer.from('x'), about).box);
});

test('it opens with no other key, for no other name or command, and not when a bit is changed', () => {
  const sealed = seal(published, Buffer.from('hunter22'), about);
  expect(() => unseal(sealingKeyFrom(randomBytes(32)), sealed, about)).toThrow();
  expect(() => unseal(own, sealed, { ...about, name: 'other' })).toThrow();
  expect(() => unseal(own, sealed, { ...about, command: 'other' })).toThrow();
  expect(() => unseal(own, { ...sealed, ephemeral: rawOf(sealingKeyFrom(randomBytes(32))) }, about)).toThrow();
  const bytes = Buffer.from(sealed.box, 'base64url');
  for (const at of [0, 12, 28, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    expect(() => unseal(own, { ...sealed, box: changed.toString('base64url') }, about), `byte ${at}`).toThrow();
  }
  expect(() => unseal(own, { ...sealed, box: 'short' }, about)).toThrow('too short');
});
