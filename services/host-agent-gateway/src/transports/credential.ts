import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import ssh2 from 'ssh2';
import { HostError, messageOf } from './errors.js';
import { expandHome, type HostSpec } from './transport.js';

/** What ssh2 needs to log in: a private key, or the socket of an agent. */
export type Login = { kind: 'key'; privateKey: string } | { kind: 'agent'; socket: string };

/**
 * Turns the host's credential reference into something to log in with. Secrets never reach a message.
 * @throws HostError `credential-invalid`
 */
export async function resolveCredential(host: HostSpec): Promise<Login> {
  const { credential } = host;
  const invalid = (why: string, cause?: unknown): HostError =>
    new HostError('credential-invalid', `The credential '${credential}' of host ${host.id} cannot be used: ${why}.`, { cause });

  if (credential === 'agent') {
    const socket = process.env['SSH_AUTH_SOCK'];
    if (!socket) throw invalid('SSH_AUTH_SOCK is not set, so there is no agent; start one or use file:/path/to/key');
    return { kind: 'agent', socket };
  }
  if (credential.startsWith('env:')) {
    const name = credential.slice('env:'.length);
    const value = process.env[name];
    if (!value) throw invalid(`the environment variable ${name} is not set here`);
    return { kind: 'key', privateKey: checkedKey(value, invalid) };
  }
  if (credential.startsWith('file:')) {
    const path = expandHome(credential.slice('file:'.length), homedir());
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      throw invalid(`the file cannot be read (${messageOf(error)})`, error);
    });
    return { kind: 'key', privateKey: checkedKey(text, invalid) };
  }
  // The reference itself may be a key pasted in the wrong place, so it is not repeated here.
  throw new HostError('credential-invalid', `The credential of host ${host.id} is none of file:/path/to/key, env:NAME, agent.`);
}

function checkedKey(text: string, invalid: (why: string) => HostError): string {
  const parsed = ssh2.utils.parseKey(text);
  if (parsed instanceof Error) {
    throw invalid(
      /passphrase|encrypted/i.test(parsed.message)
        ? 'the key is protected by a passphrase; add it to an agent and use the reference agent'
        : 'it holds no private key that can be read (OpenSSH or PEM format expected)',
    );
  }
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (!key?.isPrivateKey()) throw invalid('it holds a public key; the private one is needed');
  return text;
}
