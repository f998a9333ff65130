import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { expect, test } from 'vitest';
import { CHECKOUT } from '@berth/embedded/servers';
import { leaseService } from '@berth/lease';
import { addressOptions, busUsers, passwordVariable, withLogin, type BusUser } from '@berth/nats';
import { startService, type Config } from '@berth/runtime';
import { tempFolder } from '../support/cleanup.js';
import { startOwnNats } from '../support/own-nats.js';

const run = promisify(execFile);

const configOf = (home: string, natsUrl: string): Config => ({ home, httpPort: 0, natsUrl, databaseUrl: '', logLevel: 'silent', sweepMs: 60_000, sweepGraceMs: 300_000 });
const unreachable = (error: Error) => expect.unreachable(error.message);

test('a server with permissions.conf: admin makes the streams, then a service starts, and no other starts as it', async () => {
  // All digits, and digits with letters: the server reads what looks like a number as one unless it is quoted.
  const passwords = Object.fromEntries(busUsers.map((user, at) => [user, at % 2 === 0 ? '12345678901234567890' : randomBytes(32).toString('hex')])) as Record<BusUser, string>;
  const env = Object.fromEntries(busUsers.map((user) => [passwordVariable(user), JSON.stringify(passwords[user])]));
  const { port } = await startOwnNats(await readFile(join(CHECKOUT, 'infra', 'nats', 'permissions.conf'), 'utf8'), env);
  const urlOf = (user: BusUser) => withLogin(`nats://127.0.0.1:${port}`, user, passwords[user]);
  const home = await tempFolder('own');

  await expect(startService(leaseService, configOf(home, urlOf('lease')), unreachable)).rejects.toThrow(/the stream BERTH_\w+ is not there as this version wants it, .*apply\.js/);
  const { stdout } = await run(process.execPath, [join(CHECKOUT, 'infra', 'nats', 'dist', 'apply.js')], { env: { ...process.env, NATS_URL: urlOf('admin') } });
  expect(stdout).toBe(`the streams of nats://admin:***@127.0.0.1:${port} are as they should be\n`);

  const lease = await startService(leaseService, configOf(home, urlOf('lease')), unreachable);
  try {
    const frontend = await connect(addressOptions(urlOf('frontend')));
    const asked = { id: randomUUID(), type: 'RequestLease', data: { type: 'host', wait: 'always' } };
    expect((await frontend.request('berth.cmd.lease.RequestLease', JSON.stringify(asked), { timeout: 5000 })).json()).toMatchObject({ accepted: true, id: asked.id });
    await frontend.close();
  } finally {
    await lease.stop();
  }
  await expect(startService(leaseService, configOf(home, urlOf('image-factory')), unreachable)).rejects.toThrow(`NATS_URL nats://image-factory:***@127.0.0.1:${port} can't be used: this user may not do what lease needs; log in as lease.`);
}, 60_000);
