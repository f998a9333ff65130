import { createHash, generateKeyPairSync, randomInt } from 'node:crypto';

/** An ed25519 key pair in OpenSSH's own formats. */
export interface SshKeyPair {
  /** Text of the private key file. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA...`, without a comment. */
  readonly publicKey: string;
  /** `SHA256:...`, as ssh-keygen and ssh print it. */
  readonly fingerprint: string;
}

const TYPE = 'ssh-ed25519';

/**
 * Makes a key pair without ssh-keygen, which a machine with only an unpacked server does not have. Written in
 * OpenSSH's format (PROTOCOL.key, no passphrase), because sshd reads ed25519 keys from nothing else before 9.6.
 */
export function newSshKey(comment: string): SshKeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d, x } = privateKey.export({ format: 'jwk' });
  if (d === undefined || x === undefined) throw new Error('this Node cannot export ed25519 keys');
  const point = Buffer.from(x, 'base64url');
  const blob = Buffer.concat([field(TYPE), field(point)]);
  const check = Buffer.alloc(8);
  // The same number twice: how a reader knows that it decrypted well.
  check.writeUInt32BE(randomInt(2 ** 32 - 1), 0);
  check.copy(check, 4, 0, 4);
  const secret = Buffer.concat([check, field(TYPE), field(point), field(Buffer.concat([Buffer.from(d, 'base64url'), point])), field(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    count(1),
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    privateKey: ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n'),
    publicKey: `${TYPE} ${blob.toString('base64')}`,
    fingerprint: fingerprintOf(blob),
  };
}

/** The fingerprint of a public key line `ssh-ed25519 AAAA... comment`. */
export function fingerprintOfLine(line: string): string {
  return fingerprintOf(Buffer.from(line.trim().split(/\s+/)[1] ?? '', 'base64'));
}

function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

function count(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([count(bytes.length), bytes]);
}
