import { createCipheriv, createDecipheriv, createPrivateKey, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, randomBytes, type KeyObject } from 'node:crypto';
import type { SealedValue } from '@berth/contracts';

const NONCE = 12;
const TAG = 16;
/** The bytes of PKCS #8 in front of the 32 of a private key of X25519. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The public half, as it is published: an id, and 32 bytes in base64url. */
export interface SealingKey {
  key: string;
  publicKey: string;
}

/** What a value is sealed for: it opens for no other name and no other command, so nobody can send what they have seen again. */
export interface SealedFor {
  command: string;
  name: string;
}

/** Seals a value so that only the owner of the private half can open it. */
export function seal({ key, publicKey }: SealingKey, value: Uint8Array, about: SealedFor): SealedValue {
  const own = generateKeyPairSync('x25519');
  const ephemeral = rawOf(own.publicKey);
  const shared = diffieHellman({ privateKey: own.privateKey, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: publicKey }, format: 'jwk' }) });
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', boxKey(shared, ephemeral, publicKey), nonce).setAAD(contextOf(about));
  const encrypted = Buffer.concat([cipher.update(value), cipher.final()]);
  return { key, ephemeral, box: Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url') };
}

/** @throws when it was sealed to another key, for something else, or changed */
export function unseal(privateKey: KeyObject, { ephemeral, box }: SealedValue, about: SealedFor): Buffer {
  const bytes = Buffer.from(box, 'base64url');
  if (bytes.length < NONCE + TAG) throw new Error('a sealed value is too short');
  const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: ephemeral }, format: 'jwk' }) });
  const decipher = createDecipheriv('aes-256-gcm', boxKey(shared, ephemeral, rawOf(createPublicKey(privateKey))), bytes.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(contextOf(about)).setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
}

/** A private key from 32 secret bytes: the same from the same ones. */
export const sealingKeyFrom = (seed: Uint8Array): KeyObject => createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });

/** The 32 bytes of a public key, in base64url. */
export const rawOf = (key: KeyObject): string => (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' }).x!;

function boxKey(shared: Buffer, ephemeral: string, recipient: string): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, Buffer.from(ephemeral + recipient), 'berth sealed value 1', 32));
}

const contextOf = ({ command, name }: SealedFor): Buffer => Buffer.from(JSON.stringify([command, name]));
