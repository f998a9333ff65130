import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AckPolicy, connect, DeliverPolicy } from 'nats';
import pg from 'pg';
import { beforeAll, describe, expect, test } from 'vitest';
import { httpClient, type BerthHttp } from '@berth/client';
import { CHECKOUT } from '@berth/embedded/servers';
import { addressOptions, inboxOf, withLogin } from '@berth/nats';
import { startBerth } from '../support/berth.js';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 50 };
/** Not to be found by chance, and not to be mistaken for anything else. */
const values = { first: `first-${randomBytes(12).toString('hex')}`, second: `second-${randomBytes(12).toString('hex')}` };

describe('a secret, from the command line to a command and back', () => {
  let home: string;
  let access: { url: string; token: string; natsUrl: string };
  let berth: BerthHttp;
  const heard: string[] = [];
  let hook: string;
  beforeAll(async () => {
    home = await tempFolder('secrets');
    access = await startBerth(home);
    berth = httpClient(access);
    const server = createServer((request, response) => {
      heard.push(request.headers.authorization ?? '');
      response.end(`you are ${request.headers.authorization}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => new Promise<void>((resolve) => server.close(() => resolve())));
    hook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });

  const cli = (input: string, ...words: string[]): Promise<{ code: number | null; out: string }> => {
    const child = spawn(process.execPath, [join(CHECKOUT, 'libs', 'cli', 'bin', 'berth.mjs'), ...words], { cwd: home, env: { ...process.env, BERTH_HOME: home, BERTH_URL: '', BERTH_TOKEN: '' }, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stdin.end(input);
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, out })));
  };
  const plan = (name: string) => `
name: ${name}
secrets: { TOKEN: npm.token, KEY: { secret: npm.token, as: file } }
host: { os: linux, remote: "no" }
steps:
  - { name: Show, secrets: [TOKEN, KEY], run: 'printf %s "$TOKEN" | wc -c; echo "it is $TOKEN"; cat "$KEY" | base64' }
  - { name: Tell, uses: http-request, with: { url: '${hook}', secret: npm.token } }
`;
  const built = async (name: string) => {
    await berth.plans.apply(plan(name));
    const { id } = await berth.builds.request({ plan: name, variables: {} });
    return eventually(async () => {
      const build = await berth.builds.get(id);
      return ['passed', 'failed', 'error'].includes(build.status) && build.cleanedUp ? build : false;
    }, SOON);
  };

  test('reaches the commands that name it', async () => {
    expect(await cli(`${values.first}\n`, 'secret', 'set', 'npm.token')).toEqual({ code: 0, out: 'npm.token is set.\n' });
    expect(await built('uses')).toMatchObject({ status: 'passed' });
    expect(heard).toEqual([`Bearer ${values.first}`]);
  });

  test('is listed with who set it, and is rotated and replaced', async () => {
    const { items } = await berth.secrets.list();
    expect(items).toMatchObject([{ name: 'npm.token', by: 'token:admin' }]);
    expect(await cli('', 'secret', 'rotate')).toEqual({ code: 0, out: '1 secret is encrypted under a new key.\n' });
    await berth.secrets.set('npm.token', Buffer.from(values.second));
    expect(await built('again')).toMatchObject({ status: 'passed' });
    expect(heard.at(-1)).toBe(`Bearer ${values.second}`);
  });

  test.each([
    ['a body in JSON', 'npm.token', { 'Content-Type': 'application/json' }, JSON.stringify({ value: values.first }), 415],
    ['a name that no secret can have', '-x', {}, 'hunter22', 422],
    ['a value that is too short', 'short', {}, 'abc', 422],
    ['a value that is too large', 'large', {}, 'x'.repeat(70_000), 413],
    ['nobody in particular', 'npm.token', { Authorization: '' }, values.first, 401],
  ])('%s is refused', async (_, name, headers, body, status) => {
    const response = await fetch(`${access.url}/api/v1/secrets/${name}`, { method: 'PUT', headers: { Authorization: `Bearer ${access.token}`, 'Content-Type': 'application/octet-stream', ...headers }, body });
    expect(response.status).toBe(status);
    expect(await response.text()).not.toContain(body);
  });

  test('is nobody’s who comes over the bus as a frontend', async () => {
    const connection = await connect({ ...addressOptions(access.natsUrl), reconnect: false });
    try {
      for (const type of ['SealingKey', 'SetSecret', 'RemoveSecret', 'RotateSecrets', 'SendRequest']) {
        const asked = connection.request(`berth.cmd.host-agent-gateway.${type}`, JSON.stringify({ id: randomUUID(), type, data: { name: 'npm.token' } }), { timeout: 5000 });
        await expect(asked, type).rejects.toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
      }
    } finally {
      await connection.close();
    }
  });

  test('is nowhere to be read: no stream, no table, no log, no file, no answer', async () => {
    const forms = Object.values(values).flatMap((value) => [value, Buffer.from(value).toString('base64').slice(0, 32), Buffer.from(value).toString('hex')]);
    const clear = (where: string, content: Buffer | string) => {
      for (const form of forms) if (content.includes(form)) throw new Error(`${where} holds the value`);
    };

    const { host, username } = new URL(access.natsUrl);
    expect(username).toBe('frontend');
    const { admin } = JSON.parse(await readFile(join(home, 'nats', 'users.json'), 'utf8')) as { admin: string };
    const connection = await connect(addressOptions(withLogin(`nats://${host}`, 'admin', admin)));
    const manager = await connection.jetstreamManager();
    let messages = 0;
    for await (const { config, state } of manager.streams.list()) {
      if (state.messages === 0) continue;
      const inbox = inboxOf(connection);
      const subscription = connection.subscribe(inbox, { max: state.messages });
      await manager.consumers.add(config.name, { deliver_subject: inbox, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All });
      for await (const message of subscription) {
        clear(`${config.name}, ${message.subject}`, Buffer.from(message.data));
        messages++;
      }
    }
    await connection.close();
    expect(messages).toBeGreaterThan(20);

    const place = (await readFile(join(home, 'postgres', 'place'), 'utf8').catch(() => '')).trim() || join(home, 'postgres'); // there is none unless it is elsewhere
    const password = (await readFile(join(home, 'postgres', 'password'), 'utf8')).trim();
    const port = Number(await readFile(join(home, 'postgres', 'port'), 'utf8'));
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'berth', password, database: 'berth' });
    await client.connect();
    const { rows: tables } = await client.query<{ name: string }>(`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`);
    for (const { name } of tables) clear(name, JSON.stringify((await client.query(`select t::text from ${name} t`)).rows));
    await client.end();
    expect(tables.length).toBeGreaterThan(2);

    let files = 0;
    for (const root of new Set([home, place])) {
      for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile()) continue;
        const file = join(entry.parentPath, entry.name);
        const content = await readFile(file).catch((error: NodeJS.ErrnoException) => {
          if (error.code === 'ENOENT') return Buffer.alloc(0); // a server's own, gone meanwhile
          throw error;
        });
        clear(file, content);
        files++;
      }
    }
    expect(files).toBeGreaterThan(50);
    for (const path of ['secrets', 'plans/uses', 'builds', 'leases']) clear(path, await (await fetch(`${access.url}/api/v1/${path}`, { headers: { Authorization: `Bearer ${access.token}` } })).text());
  }, 60_000);
});
