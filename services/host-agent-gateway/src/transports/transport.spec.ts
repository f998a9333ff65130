import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectLocal } from './local.js';
import { createPool } from './pool.js';
import { connectSsh } from './ssh.js';
import { startSshd, type RelayedSshd } from './sshd.testing.js';
import { transportContract } from './transport.contract.js';

let sshd: RelayedSshd;
let bare: RelayedSshd;
beforeAll(async () => {
  [sshd, bare] = await Promise.all([startSshd({ maxSessions: 8 }), startSshd({ maxSessions: 8, sftp: 'none' })]);
});
afterAll(() => Promise.all([sshd.stop(), bare.stop()]));

// Eight channels for one connection, and the contract asks for twelve commands at once: the rest waits its turn.
transportContract('ssh', connectSsh, () => sshd.spec('contract'));
transportContract('ssh without SFTP', connectSsh, () => bare.spec('contract'));
transportContract('local', connectLocal, () => sshd.spec('contract', { transport: 'local' }));

describe('getting in over ssh', () => {
  it('accepts and reports the key of a host that is being enrolled', async () => {
    const { hostKey: pinned, ...enrolment } = sshd.spec('new');
    const transport = await connectSsh(enrolment);
    expect(transport.hostKey).toBe(pinned?.split(' ').slice(0, 2).join(' '));
    await transport.close();
  });

  it('refuses a host whose key changed, naming both fingerprints', async () => {
    const other = await startSshd();
    try {
      const host = other.spec('moved');
      const before = other.fingerprint;
      await (await connectSsh(host)).close();
      await other.changeHostKey();
      const after = other.fingerprint;
      const error = await connectSsh(host).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'host-key-changed' });
      expect(String(error)).toContain(before);
      expect(String(error)).toContain(after);
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['a user that does not exist', { user: 'nobody-here' }, 'auth-failed', /nobody-here/],
    ['a key that the host does not know', { credential: 'file:HOME/host' }, 'auth-failed', /authorized_keys/],
    ['a port where nothing listens', { port: 1 }, 'unreachable', /127\.0\.0\.1:1/],
    ['a name that does not resolve', { address: 'no-such-host.invalid' }, 'unreachable', /no-such-host\.invalid/],
    ['a key file that is missing', { credential: 'file:/none/key' }, 'credential-invalid', /file:\/none\/key/],
    ['a key file that is no key', { credential: 'file:HOME/config' }, 'credential-invalid', /private key/],
    ['a public key', { credential: 'file:HOME/user.pub' }, 'credential-invalid', /public key/],
    ['a variable that is not set', { credential: 'env:BERTH_SPEC_NO_KEY' }, 'credential-invalid', /BERTH_SPEC_NO_KEY/],
    ['a kind of credential we do not know', { credential: 'hunter2' }, 'credential-invalid', /^(?!.*hunter2)/],
    ['a pinned key that is none', { hostKey: 'ssh-ed25519 what' }, 'invalid-value', /public key line/],
  ])('refuses %s', async (_, changes, code, text) => {
    const fixed = Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, typeof value === 'string' ? value.replace('HOME', sshd.home) : value]));
    const error = await connectSsh(sshd.spec('wrong', fixed)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'HostError', code });
    expect((error as Error).message).toMatch(text);
  });

  it('logs in with a key from the environment', async () => {
    process.env['BERTH_SPEC_KEY'] = readFileSync(`${sshd.home}/user`, 'utf8');
    const transport = await connectSsh(sshd.spec('env', { credential: 'env:BERTH_SPEC_KEY' }));
    delete process.env['BERTH_SPEC_KEY'];
    await transport.close();
  });

  it('gives up a handshake that never ends', async () => {
    sshd.silence(true);
    await expect(connectSsh(sshd.spec('dark'), { connectMs: 200 })).rejects.toMatchObject({ code: 'unreachable' });
    sshd.silence(false);
  });

  it('notices a host that went silent, and ends what was under way', async () => {
    const transport = await connectSsh(sshd.spec('silent'), { keepaliveMs: 100, keepaliveCount: 2 });
    const closed = new Promise((resolve) => transport.onClose(resolve));
    sshd.silence(true);
    const reading = transport.files.stat('/');
    await expect(reading).rejects.toMatchObject({ code: 'connection-lost' });
    expect(await closed).toMatchObject({ code: 'connection-lost' });
    sshd.silence(false);
  });

  it('says so when the host opens no more channels', async () => {
    const transport = await connectSsh(sshd.spec('full'), { channelMs: 300 });
    const shells = await Promise.all(Array.from({ length: 7 }, () => transport.openShell()));
    await expect(transport.exec('true')).rejects.toMatchObject({ code: 'channel-refused' });
    shells.pop()?.close();
    expect((await transport.exec('true')).code).toBe(0);
    await transport.close();
  });
});

describe('the pool', () => {
  it('shares one connection, and opens another after a cut', async () => {
    const pool = createPool();
    const host = sshd.spec('pooled');
    const [first, same] = await Promise.all([pool.connect(host), pool.connect(host)]);
    expect(same).toBe(first);
    const closed = new Promise((resolve) => first.onClose(resolve));
    sshd.cut();
    await closed;
    expect(pool.state(host).status).toBe('down');
    expect(await pool.connect(host)).not.toBe(first);
    await pool.closeAll();
    expect(pool.state(host).status).toBe('idle');
  });

  it('tells when a watched host goes and comes back', async () => {
    const pool = createPool({ firstRetryMs: 20, lastRetryMs: 40 });
    const host = sshd.spec('watched');
    const seen: string[] = [];
    let wake = (): void => undefined;
    const until = async (last: string): Promise<void> => {
      while (seen.at(-1) !== last) await new Promise<void>((resolve) => (wake = resolve));
    };
    const told = (what: string) => (): void => {
      if (seen.at(-1) !== what) seen.push(what);
      wake();
    };
    const end = pool.watch(host, { up: told('up'), down: told('down') });
    await until('up');
    await sshd.refuse(true);
    await until('down');
    await sshd.refuse(false);
    await until('up');
    end();
    expect(seen).toEqual(['up', 'down', 'up']);
    await pool.closeAll();
  });

  it('closes a connection that was still being opened', async () => {
    const pool = createPool();
    const opening = pool.connect(sshd.spec('late'));
    await Promise.all([expect(opening).rejects.toMatchObject({ code: 'connection-lost' }), pool.closeAll()]);
  });
});
