import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { callWith, faultOf } from './call.testing.js';
import { ping } from './ping.js';

const PATH = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = PATH;
});

/** Puts in the place of ping what says this. Loopback never loses a packet, and which accounts may ping is up to the system. */
async function instead(code: number, said: string): Promise<void> {
  const folder = await tempFolder('ping');
  await writeFile(join(folder, 'ping'), `#!/bin/sh\necho '${said}' >&2\nexit ${code}\n`);
  await chmod(join(folder, 'ping'), 0o755);
  process.env['PATH'] = `${folder}:${PATH}`;
}

it('finds a machine that is up', async () => {
  const call = callWith();
  expect(await ping(call, '127.0.0.1', { count: 1 })).toBe(true);
  expect(call.said.join('')).toContain('1 packets transmitted, 1 received');
});

it('hands on an address as one word', async () => {
  const fault = await faultOf(ping(callWith(), '; echo foo', { count: 1 }));
  expect([fault.fault, fault.output.split('\n').includes('foo')]).toEqual(['unreachable', false]);
  expect((await faultOf(ping(callWith(), '-f', { count: 1 }))).fault).toBe('unreachable');
});

it('takes loss for down, and nothing else', async () => {
  await instead(1, '4 packets transmitted, 3 received, 25% packet loss');
  expect(await ping(callWith(), '127.0.0.1')).toBe(false);
  for (const [code, said, fault] of [
    [2, 'ping: socktype: SOCK_RAW: Operation not permitted', 'no-program'],
    [2, 'ping: socket: Operation not permitted', 'no-program'],
    [1, 'ping: permission denied (are you root?)', 'no-program'],
    [2, 'ping: none: Name or service not known', 'unreachable'],
    [2, 'ping: connect: Network is unreachable', 'unreachable'],
    [2, 'ping: usage error', 'unknown-answer'],
  ] as const) {
    await instead(code, said);
    expect((await faultOf(ping(callWith(), '127.0.0.1'))).fault, said).toBe(fault);
  }
});
