import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { connectBus } from '@berth/client';
import { CHECKOUT, findNatsServer, resolveHome, startNats, type NatsServer } from '@berth/embedded/servers';
import { leaseService } from '@berth/lease';
import { addressOptions, withLogin, type TlsFiles } from '@berth/nats';
import { startService } from '@berth/runtime';
import { newAuthority } from '../support/certificate.js';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { startFleet } from '../support/fleet.js';
import { startOwnNats } from '../support/own-nats.js';
import { eventually } from '../support/wait.js';

const run = promisify(execFile);

describe('over TLS', () => {
  let url: string;
  let files: Required<TlsFiles>;
  let folder: string;
  beforeAll(async () => {
    folder = await tempFolder('tls');
    const authority = newAuthority('an authority of our own');
    const [server, client] = [authority.issue('the bus'), authority.issue('a service')];
    const at = (name: string) => join(folder, name);
    const texts = { 'ca.pem': authority.certificate, 'server.pem': server.certificate, 'server.key': server.key, 'client.pem': client.certificate, 'client.key': client.key, 'other.pem': newAuthority('another').certificate };
    for (const [name, text] of Object.entries(texts)) await writeFile(at(name), text, { mode: 0o600 });
    const { port } = await startOwnNats(`tls { cert_file: ${JSON.stringify(at('server.pem'))}, key_file: ${JSON.stringify(at('server.key'))}, ca_file: ${JSON.stringify(at('ca.pem'))}, verify: true }`);
    url = `tls://127.0.0.1:${port}`;
    files = { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') };
  });

  test('streams are made, a service starts and answers, with the files that the environment names', async () => {
    const env = { ...process.env, NATS_URL: url, NATS_CA: files.caFile, NATS_CERT: files.certFile, NATS_KEY: files.keyFile };
    expect((await run(process.execPath, [join(CHECKOUT, 'infra', 'nats', 'dist', 'apply.js')], { env })).stdout).toBe(`the streams of ${url} are as they should be\n`);
    const service = spawn(process.execPath, [join(CHECKOUT, 'services', 'lease', 'dist', 'main.js')], { env: { ...env, BERTH_HOME: folder }, stdio: ['ignore', 'pipe', 'ignore'] });
    const gone = new Promise((resolve) => service.once('close', resolve));
    let said = '';
    service.stdout.on('data', (text: Buffer) => (said += text.toString()));
    try {
      await eventually(() => said.includes('lease is ready'), { timeoutMs: 15_000 });
      const bus = await connectBus(url, files);
      expect(await bus.command('lease', 'RequestLease', { type: 'host', wait: 'always' })).toMatchObject({ accepted: true });
      await bus.close();
    } finally {
      service.kill('SIGTERM');
      await gone;
    }
  });

  test.each([
    ['an authority that is not known', {}],
    ['another authority', { caFile: 'other.pem', certFile: 'client.pem', keyFile: 'client.key' }],
    ['no certificate of its own', { caFile: 'ca.pem' }],
    ['a file that is not there', { caFile: 'none.pem' }],
  ])('nobody comes in with %s', async (_, names) => {
    const natsTls: TlsFiles = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, join(folder, name)]));
    const config = { home: folder, httpPort: 0, natsUrl: url, natsTls, databaseUrl: '', logLevel: 'silent', sweepMs: 60_000, sweepGraceMs: 300_000 };
    await expect(startService(leaseService, config, (error) => expect.unreachable(error.message))).rejects.toThrow(`NATS_URL ${url} can't be used (`);
    // In TLS 1.3 a server that refuses says so after the client has begun; the client then waits for 20 s.
  }, 40_000);

  test('nobody comes in without TLS', async () => {
    await expect(connect({ ...addressOptions(url.replace('tls:', 'nats:')), reconnect: false, timeout: 3000 })).rejects.toThrow();
  });
});

describe('from a browser', () => {
  let server: NatsServer;
  beforeAll(async () => {
    const [home, binary] = [await tempFolder('websocket'), await findNatsServer(resolveHome())];
    server = await startNats({ home, binary, users: true, websocketPort: 0 });
    atEndOfFile(() => server.stop());
  });

  /** What the server says to a client that speaks its protocol in WebSocket messages. */
  async function browser(login: string, ...lines: string[]): Promise<{ said: () => string; close(): void }> {
    const { username: user, password: pass } = new URL(login);
    const socket = new WebSocket(server.websocketUrl!);
    let said = '';
    socket.on('message', (data: Buffer) => (said += data.toString()));
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    socket.send(Buffer.from([`CONNECT ${JSON.stringify({ verbose: false, user, pass, protocol: 1 })}`, ...lines, 'PING', ''].join('\r\n')));
    await eventually(() => /PONG|-ERR/.test(said));
    return { said: () => said, close: () => socket.close() };
  }

  test('a frontend hears statuses, and nothing that is not for it', async () => {
    const { said, close } = await browser(server.urlOf('frontend'), 'SUB berth.status.> 1', 'SUB berth.evt.> 2');
    expect(said()).toMatch(/-ERR 'Permissions Violation for Subscription to "berth\.evt\.>"/);
    const admin = await connect(addressOptions(server.urlOf('admin')));
    admin.publish('berth.status.build.b', '{"told":"to all"}');
    admin.publish('berth.evt.build.b', '{"told":"to services"}');
    await admin.drain();
    await eventually(() => said().includes('{"told":"to all"}'));
    expect(said()).toContain('MSG berth.status.build.b 1');
    expect(said()).not.toContain('to services');
    close();
  });

  test.each(['admin', 'lease'] as const)('%s does not come in that way', async (user) => {
    const { said, close } = await browser(server.urlOf(user));
    expect(said()).toMatch(/-ERR '.*(Authorization|Authentication)/i);
    close();
  });

  test('there is no such listener unless it is asked for, and a port that is taken is told', async () => {
    const [home, binary] = [await tempFolder('plain'), await findNatsServer(resolveHome())];
    const plain = await startNats({ home, binary });
    expect(plain.websocketUrl).toBeUndefined();
    await plain.stop();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(startNats({ home, binary, websocketPort: port })).rejects.toThrow(`port ${port} is in use, so nats-server cannot listen there for WebSocket`);
    await new Promise((resolve) => other.close(resolve));
  });
});

test('the subscriber among the examples follows what is told', async () => {
  const fleet = await startFleet({ services: ['lease'] });
  const folder = await tempFolder('subscriber');
  await copyFile(join(CHECKOUT, 'examples', 'subscriber', 'subscriber.js'), join(folder, 'subscriber.js'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  // As `npm install` would have put it there.
  await mkdir(join(folder, 'node_modules'));
  await symlink(dirname(createRequire(import.meta.url).resolve('nats/package.json')), join(folder, 'node_modules', 'nats'));
  const subscriber = spawn(process.execPath, ['subscriber.js'], { cwd: folder, env: { ...process.env, NATS_URL: fleet.nats.urlOf('frontend') }, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => subscriber.once('close', resolve));
  let said = '';
  subscriber.stdout.on('data', (text: Buffer) => (said += text.toString()));
  try {
    await eventually(() => said.includes('listening at 127.0.0.1'), { timeoutMs: 10_000 });
    let lease = '';
    // It says that it listens a moment before the server has heard of it.
    await eventually(async () => {
      lease = await fleet.requestLease({ type: 'host', wait: 'always' });
      await eventually(() => said.includes(`lease ${lease} pending`), { timeoutMs: 500 });
    }, { timeoutMs: 10_000 });
    await fleet.command('lease', 'ReleaseLease', { lease });
    await eventually(() => said.includes(`lease ${lease} destroyed`), { timeoutMs: 10_000 });
  } finally {
    subscriber.kill();
    await gone;
  }
});

test('a login in a URL is read by the example as it is written', () => {
  // What is random in it has no character that a URL would write otherwise.
  expect(withLogin('nats://127.0.0.1:4222', 'frontend', 'aZ09_-')).toBe('nats://frontend:aZ09_-@127.0.0.1:4222');
});
