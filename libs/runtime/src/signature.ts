import { createHmac, hkdfSync } from 'node:crypto';

/** What the keys of webhooks begin with where people see them: https://www.standardwebhooks.com. */
const PREFIX = 'whsec_';
const KEY_BYTES = 32;

/** Whether something is a key that {@link signedHeaders} signs with. */
export const isSigningKey = (text: string): boolean => /^whsec_[A-Za-z0-9+/]{20,}={0,2}$/.test(text);

/**
 * The key that a webhook signs with. Keys are derived (HKDF, RFC 5869) from one that never leaves the installation, so none is
 * stored: knowing one says nothing about the others.
 *
 * @param key counts the keys of that name
 */
export function signingKey(master: Buffer, webhook: string, key: number): string {
  return PREFIX + Buffer.from(hkdfSync('sha256', master, 'berth-webhook', `${webhook} ${key}`, KEY_BYTES)).toString('base64');
}

/**
 * Headers of one delivery, by Standard Webhooks: an HMAC-SHA256 over id, time and body, one for each key that is good.
 *
 * @param at seconds since 1970, of this try: a receiver refuses what is older than some minutes
 */
export function signedHeaders(keys: readonly string[], id: string, at: number, body: string): Record<string, string> {
  const sign = (key: string) => createHmac('sha256', Buffer.from(key.slice(PREFIX.length), 'base64')).update(`${id}.${at}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': keys.map((key) => `v1,${sign(key)}`).join(' ') };
}
