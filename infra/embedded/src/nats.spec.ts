import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'nats';
import { addressOptions, busUsers } from '@berth/nats';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { resolveHome } from './home.js';
import { findNatsServer, startNats, type NatsServer } from './nats.js';
import { isAlive } from './process.js';

let binary: string;
let home: string;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  binary = await findNatsServer(resolveHome());
});
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nats-'));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  rmSync(home, { recursive: true });
});

async function start(options: { port?: number; sync?: 'default' | 'always'; users?: boolean } = {}): Promise<NatsServer> {
  const server = await startNats({ home, binary, ...options });
  running.push(server);
  return server;
}

async function occupy(port: number): Promise<Server> {
  // Whoever still looks for an earlier server on this port must not keep this one open.
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  running.push({ stop: () => new Promise((resolve) => server.close(() => resolve())) });
  return server;
}

test('the port and the messages of the last start are there again', async () => {
  const first = await start();
  const connection = await connect({ servers: first.url });
  await (await connection.jetstreamManager()).streams.add({ name: 'KEPT', subjects: ['kept'] });
  await connection.jetstream().publish('kept', 'x');
  await connection.close();
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);

  const second = await start();
  expect(second.port).toBe(first.port);
  const again = await connect({ servers: second.url });
  expect((await (await again.jetstreamManager()).streams.info('KEPT')).state.messages).toBe(1);
  await again.close();
});

test('with users, each logs in with a password that is made once and kept where only its owner can read it', async () => {
  const first = await start({ users: true });
  const file = join(home, 'nats', 'users.json');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const passwords = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
  expect(Object.keys(passwords)).toEqual(busUsers);
  expect(new Set(Object.values(passwords)).size).toBe(busUsers.length);
  const conf = readFileSync(join(home, 'nats', 'server.conf'), 'utf8');
  for (const password of Object.values(passwords)) expect(conf).not.toContain(password);
  await expect(connect({ servers: first.url, reconnect: false })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  const urls = busUsers.map((user) => first.urlOf(user));
  await first.stop();

  const second = await start({ users: true });
  expect(busUsers.map((user) => second.urlOf(user))).toEqual(urls);
  for (const url of urls) await (await connect({ ...addressOptions(url), reconnect: false })).close();
});

test('passwords that cannot be read are no reason to start without', async () => {
  const first = await start({ users: true });
  await first.stop();
  writeFileSync(join(home, 'nats', 'users.json'), 'rubbish');
  await expect(start({ users: true })).rejects.toThrow(/users\.json is not JSON any more: remove it/);
});

test('a remembered port that is taken is left for another', async () => {
  const first = await start();
  await first.stop();
  await occupy(first.port);
  const second = await start();
  expect(second.port).not.toBe(first.port);
  expect(readFileSync(join(home, 'nats', 'port'), 'utf8')).toBe(`${second.port}\n`);
});

test('a demanded port that is taken is an error', async () => {
  const { port } = (await occupy(0)).address() as AddressInfo;
  await expect(start({ port })).rejects.toThrow(`port ${port} is in use, so nats-server cannot start: stop what uses it or choose another port`);
});

test('a store that cannot be used is an error with the reason', async () => {
  writeFileSync(join(home, 'file'), '');
  await expect(startNats({ home, binary, storeDir: join(home, 'file', 'store') })).rejects.toThrow(/nats-server did not start \(.*not a directory.*\): the full text is in/);
});

test('syncing every write is refused by name where the server cannot', async () => {
  const { version, stop } = await start();
  await stop();
  if (/^2\.9\./.test(version)) await expect(start({ sync: 'always' })).rejects.toThrow(`nats-server ${version} cannot sync on every write`);
  else expect((await start({ sync: 'always' })).version).toBe(version);
});

test('a program that cannot be found or fetched says how to install it', async () => {
  writeFileSync(join(home, 'bin-cache'), 'a file where the cache folder should be');
  await expect(findNatsServer(home, { folders: [] })).rejects.toThrow(/nats-server is not installed and could not be fetched \(.*\): install it with "apt-get install nats-server"/);
});
