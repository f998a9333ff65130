import { createHash } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { HostError } from './errors.js';
import type { HostSpec } from './transport.js';

/** An SSH public key: its type and its binary form. */
export interface HostKey {
  type: string;
  blob: Buffer;
}

/**
 * Reads an OpenSSH public key line, `ssh-ed25519 AAAA... comment`.
 * @throws HostError `invalid-value`
 */
export function parseHostKey(line: string, hostId: string): HostKey {
  const [type, base64] = line.trim().split(/\s+/);
  const blob = Buffer.from(base64 ?? '', 'base64');
  if (!type || blob.length < 8 || typeOf(blob) !== type) {
    throw new HostError('invalid-value', `The pinned host key of ${hostId} is not an OpenSSH public key line such as 'ssh-ed25519 AAAA...'.`);
  }
  return { type, blob };
}

/** The OpenSSH line of a key in binary form. */
export function hostKeyLine(blob: Buffer): string {
  return `${typeOf(blob)} ${blob.toString('base64')}`;
}

/** `SHA256:...` as ssh-keygen -l prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The refusal when a host shows another key than the pinned one. */
export function hostKeyChanged(host: HostSpec, pinned: Buffer, shown: Buffer): HostError {
  return new HostError(
    'host-key-changed',
    `Host ${host.id} (${host.address}:${host.port}) shows the key ${fingerprint(shown)} but ${fingerprint(pinned)} is pinned, ` +
      'so it was not trusted; if the machine was reinstalled, enrol it again with its new key.',
  );
}

const ALL: ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** The order in which to ask for key types: the pinned one first, or a host with several keys would look changed. */
export function hostKeyAlgorithms(pinned: HostKey | undefined): ServerHostKeyAlgorithm[] {
  if (!pinned) return ALL;
  const wanted = (name: string): boolean => name === pinned.type || (pinned.type === 'ssh-rsa' && name.startsWith('rsa-'));
  return [...ALL.filter(wanted), ...ALL.filter((name) => !wanted(name))];
}

function typeOf(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return blob.subarray(4, 4 + length).toString('latin1');
}
