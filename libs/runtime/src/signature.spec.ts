import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { isSigningKey, signedHeaders, signingKey } from './signature.js';

describe('a signature', () => {
  const master = Buffer.alloc(32, 7);
  const key = signingKey(master, 'ci', 1);

  test('is what Standard Webhooks says: HMAC-SHA256 over id, time and body, with the key behind whsec_', () => {
    expect(key).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const expected = createHmac('sha256', Buffer.from(key.slice(6), 'base64')).update('build.b1.17.1700000000.{"a":1}').digest('base64');
    expect(signedHeaders([key], 'build.b1.17', 1_700_000_000, '{"a":1}')).toEqual({ 'webhook-id': 'build.b1.17', 'webhook-timestamp': '1700000000', 'webhook-signature': `v1,${expected}` });
  });

  test('each webhook, each of its keys and each installation has another key; the same has the same', () => {
    const keys = [key, signingKey(master, 'ci', 2), signingKey(master, 'cd', 1), signingKey(Buffer.alloc(32, 8), 'ci', 1)];
    expect(new Set(keys).size).toBe(4);
    expect(signingKey(master, 'ci', 1)).toBe(key);
  });

  test('two keys make two signatures', () => expect(signedHeaders([key, signingKey(master, 'ci', 2)], 'i', 1, '')['webhook-signature']).toMatch(/^v1,\S{44} v1,\S{44}$/));

  test.each([['', false], ['whsec_', false], ['hunter2', false], ['whsec_not base64', false], [key, true]])('what is a key: %j %j', (text, is) => expect(isSigningKey(text)).toBe(is));
});
