import { describe, expect, it } from 'vitest';
import { tail } from './console.js';
import { hostKeyOf } from './host-keys.js';

/** A public key of the right form; what it is made of does not matter here. */
function key(type: string, ...parts: number[]): string {
  const chunks = [Buffer.from(type), ...parts.map((length) => Buffer.alloc(length, 7))].map((part) => Buffer.concat([Buffer.from([0, 0, 0, part.length]), part]));
  return `${type} ${Buffer.concat(chunks).toString('base64')}`;
}
const ed25519 = key('ssh-ed25519', 32);
const ecdsa = key('ecdsa-sha2-nistp256', 8, 65);
const rsa = key('ssh-rsa', 3, 129);
const block = (...lines: string[]): string => ['-----BEGIN SSH HOST KEY KEYS-----', ...lines, '-----END SSH HOST KEY KEYS-----'].join('\r\n');

describe('the host key on the console', () => {
  it('is the best of those that are printed', () => {
    expect(hostKeyOf(`boot\r\n${block(`${rsa} root@ip-1`, `${ecdsa} root@ip-1`, `${ed25519} root@ip-1`)}\r\nlogin:`)).toBe(ed25519);
    expect(hostKeyOf(block(`${rsa} root@ip-1`, `${ecdsa} root@ip-1`))).toBe(ecdsa);
    expect(hostKeyOf(block(`${rsa} root@ip-1`))).toBe(rsa);
  });

  it('is not there before the whole block is', () => {
    expect(hostKeyOf('')).toBeUndefined();
    expect(hostKeyOf(`${ed25519} root@ip-1`)).toBeUndefined();
    expect(hostKeyOf(block(ed25519).replace(/-----END[\s\S]*/, ''))).toBeUndefined();
    expect(hostKeyOf(block())).toBeUndefined();
  });

  it('is that of the last boot', () => {
    const old = key('ssh-rsa', 3, 257);
    expect(hostKeyOf(`${block(old)}\nreboot\n${block(rsa)}`)).toBe(rsa);
  });

  it('is found behind what the kernel prints, and not taken when something is in the middle of it', () => {
    expect(hostKeyOf(block(`[   12.345678] ${ed25519} root@ip-1`))).toBe(ed25519);
    const cut = ed25519.slice(0, 40);
    expect(hostKeyOf(block(`${cut}[   12.345678] eth0: up`, `${rsa} root@ip-1`))).toBe(rsa);
    expect(hostKeyOf(block(`ssh-ed25519 ${rsa.split(' ')[1]}`))).toBeUndefined();
  });
});

describe('the tail of a console', () => {
  it('is at most so many bytes and begins with a whole character', () => {
    expect(tail(Buffer.from('abcdef'), 10)).toBe('abcdef');
    expect(tail(Buffer.from('abcdef'), 3)).toBe('def');
    expect(tail(Buffer.from('aäöü'), 3)).toBe('ü');
  });
});
