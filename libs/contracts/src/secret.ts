import { z } from 'zod';
import { secretName } from './action.js';

/** Largest value, in bytes: an environment variable holds at most 128 KiB on Linux, and what is longer is a file and no secret. */
export const MOST_SECRET_BYTES = 64 * 1024;

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/, 'must be base64url without padding');

/** A value that only the gateway can open. */
export const sealedValue = z
  .strictObject({
    key: base64url.max(64).describe('id of the key that it is sealed to, as SealingKey answers it'),
    ephemeral: base64url.length(43).describe("the sender's public X25519 key, made for this value"),
    box: base64url.max(100_000).describe('nonce (12 bytes), tag (16 bytes) and the value, encrypted with AES-256-GCM'),
  })
  .describe('sealed to the public key of the gateway for one name and one command: X25519, HKDF-SHA256, AES-256-GCM');
export type SealedValue = z.infer<typeof sealedValue>;

export const secretCommands = {
  SealingKey: z.object({}).describe('Asks for the public key that values are sealed to. Answered with `data` = `{key, publicKey}`; writes nothing.'),
  SetSecret: z.object({ name: secretName, sealed: sealedValue }).describe('Keeps a value under a name; replaces the one before.'),
  RemoveSecret: z.object({ name: secretName }).describe('Forgets a value.'),
  RotateSecrets: z.object({}).describe('Encrypts all values under a new key and forgets the one before.'),
  SendRequest: z
    .object({
      url: z.url({ protocol: /^https?$/ }),
      method: z.string().regex(/^[A-Z]{1,16}$/),
      headers: z.record(z.string(), z.string()),
      body: z.string().optional(),
      secret: secretName.describe('the token that goes with it'),
      timeoutMs: z.number().int().positive().max(3_600_000),
    })
    .describe('Sends a request over HTTP with a secret as its bearer token. Answered with `data` = what came of it; writes nothing.'),
} as const;

export const secretEvents = {
  SecretSet: z.object({ name: secretName }).describe('A value was set. What it is, is nowhere on the bus.'),
  SecretRemoved: z.object({ name: secretName }).describe('It was forgotten.'),
  SecretReencrypted: z.object({ name: secretName }).describe('It was encrypted under a new key.'),
} as const;
