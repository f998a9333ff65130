import { Client } from 'ssh2';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { startProxy } from './proxy.js';
import { startTestSshd, type TestSshd } from './sshd.js';
import { eventually } from './wait.js';

let host: TestSshd;
const clients: Client[] = [];

beforeAll(async () => {
  host = await startTestSshd();
});

afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

/** Logs in; `key` takes the fingerprint that the host showed. */
function login(port = host.port, key: (seen: string) => void = () => undefined): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    clients.push(client);
    client.once('ready', () => resolve(client)).on('error', reject).once('close', () => reject(new Error('closed')));
    client.connect({
      host: host.host,
      port,
      username: host.user,
      privateKey: host.privateKey,
      hostHash: 'sha256',
      hostVerifier: (hash: string) => {
        key(`SHA256:${Buffer.from(hash, 'hex').toString('base64').replace(/=+$/, '')}`);
        return true;
      },
    });
  });
}

function run(client: Client, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    client.once('close', () => reject(new Error('the connection ended')));
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let said = '';
      channel.on('data', (data: Buffer) => (said += data.toString())).on('close', () => resolve(said.trim()));
      channel.stderr.resume();
    });
  });
}

test('it shows the key it says it has', async () => {
  let seen = '';
  const client = await login(host.port, (fingerprint) => (seen = fingerprint));
  expect(seen).toBe(host.hostFingerprint);
  expect(await run(client, 'echo $((6 * 7))')).toBe('42');
});

test('sftp works', async () => {
  const client = await login();
  const path = await new Promise((resolve, reject) => {
    client.sftp((error, sftp) => (error ? reject(error) : sftp.realpath('.', (failed, at) => (failed ? reject(failed) : resolve(at)))));
  });
  expect(path).toMatch(/^\//);
});

test('a hundred commands run at once on one connection', async () => {
  const client = await login();
  client.setMaxListeners(200);
  const said = await Promise.all(Array.from({ length: 100 }, (_, n) => run(client, `exec echo ${n}`)));
  expect(said).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
}, 60_000);

test('stopping ends connections but not what was started detached, and it comes back on the same port', async () => {
  const client = await login();
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  const pid = Number(await run(client, 'setsid sleep 60 >/dev/null 2>&1 </dev/null & echo $!'));
  expect(host.sessions().length).toBeGreaterThan(0);
  await host.stop();
  await closed;
  expect(host.sessions()).toEqual([]);
  await expect(login()).rejects.toThrow(/ECONNREFUSED/);
  await host.restart();
  const again = await login();
  expect(await run(again, `kill -0 ${pid} && echo alive; kill ${pid}`)).toBe('alive');
});

test('cutting ends connections, the listener stays', async () => {
  const client = await login();
  const { pid } = host;
  // `cat` ends by itself when its connection is gone.
  const running = run(client, 'cat').catch((error: Error) => error.message);
  await eventually(() => host.sessions().length > 0);
  await host.cutConnections();
  expect(await running).toBe('the connection ended');
  expect(host.sessions()).toEqual([]);
  expect(host.pid).toBe(pid);
  expect(await run(await login(), 'echo back')).toBe('back');
});

test('a frozen session answers after the thaw and not before', async () => {
  const client = await login();
  host.freeze();
  let answer: string | undefined;
  const running = run(client, 'echo late').then((said) => (answer = said));
  expect(await run(await login(), 'echo others')).toBe('others');
  expect(answer).toBeUndefined();
  host.thaw();
  expect(await running).toBe('late');
});

test('a changed host key is seen', async () => {
  const before = host.hostFingerprint;
  await host.changeHostKey();
  expect(host.hostFingerprint).not.toBe(before);
  let seen = '';
  await login(host.port, (fingerprint) => (seen = fingerprint));
  expect(seen).toBe(host.hostFingerprint);
});

test('through the proxy: delay, stall, cut, down', async () => {
  const proxy = await startProxy(host);
  const client = await login(proxy.port);
  proxy.delay(100);
  const start = performance.now();
  expect(await run(client, 'echo slow')).toBe('slow');
  expect(performance.now() - start).toBeGreaterThan(200);
  proxy.stall();
  let answer: string | undefined;
  const held = run(client, 'echo held').then((said) => (answer = said));
  await run(await login(), 'true');
  expect(answer).toBeUndefined();
  proxy.heal();
  expect(await held).toBe('held');
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  proxy.cut();
  await closed;
  proxy.down();
  await expect(login(proxy.port)).rejects.toThrow();
  proxy.heal();
  expect(await run(await login(proxy.port), 'echo well')).toBe('well');
  await eventually(() => host.sessions().length > 0);
});
