import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { CHECKOUT, commandLine } from '@berth/embedded/servers';
import { httpClient } from '@berth/client';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { eventually } from '../support/wait.js';

/** What `npm start` runs, as its own process. */
function start(home: string, env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, [join(CHECKOUT, 'infra', 'embedded', 'dist', 'start.js')], {
    env: { ...process.env, BERTH_HTTP_PORT: '0', ...env, BERTH_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', error: '' };
  child.stdout!.on('data', (text: Buffer) => (said.out += text.toString()));
  child.stderr!.on('data', (text: Buffer) => (said.error += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  atEndOfFile(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    said,
    ended,
    signal: (name: NodeJS.Signals) => child.kill(name),
    up: () => eventually(() => expect(said.out, said.error).toContain('Berth is up'), { timeoutMs: 30_000 }),
    config: async () => JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string; token: string; natsUrl: string },
  };
}

/** Command lines of processes that belong to a state folder. */
const belonging = (home: string) => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => commandLine(Number(pid)) ?? '').filter((line) => line.includes(home));

describe('npm start', () => {
  test('brings everything up, says how each service is, stops what it started, and goes on where it was', async () => {
    const home = await tempFolder('start');
    const first = start(home);
    await first.up();
    const { url, token, natsUrl } = await first.config();
    expect(new URL(natsUrl).username).toBe('frontend');
    const health = await fetch(`${url}/healthz`);
    expect(health.status).toBe(200);
    const { services } = (await health.json()) as { services: Record<string, { ready: boolean }> };
    for (const name of ['lease', 'allocator', 'host-agent-gateway', 'build-orchestrator', 'console']) expect(services[name]).toMatchObject({ ready: true });

    const berth = httpClient({ url, token });
    await berth.plans.apply('name: kept\nsteps:\n  - { name: Do, run: "true" }\n');
    const { id } = await berth.leases.request({ type: 'host', attributes: { os: 'plan9' }, wait: 'always' });
    first.signal('SIGINT');
    expect(await first.ended).toBe(0);
    expect(first.said.error).toBe('');
    expect(belonging(home)).toEqual([]);

    const second = start(home);
    await second.up();
    const again = await second.config();
    expect(again.token).toBe(token);
    expect(again.natsUrl).toBe(natsUrl);
    const resumed = httpClient(again);
    expect((await resumed.plans.get('kept')).version).toBe(1);
    expect(await resumed.leases.get(id)).toMatchObject({ status: 'pending' });

    // A second one beside it is refused, and does not disturb it.
    const beside = start(home);
    expect(await beside.ended).toBe(1);
    expect(beside.said.error).toMatch(/^berth: Berth is already running on this state folder \(pid \d+\): .*\n$/);
    expect((await fetch(`${again.url}/healthz`)).status).toBe(200);

    // Killed, it leaves servers behind; the next start puts that right.
    second.signal('SIGKILL');
    await second.ended;
    const third = start(home);
    await third.up();
    expect(await httpClient(await third.config()).leases.get(id)).toMatchObject({ status: 'pending' });
    third.signal('SIGTERM');
    expect(await third.ended).toBe(0);
    expect(belonging(home)).toEqual([]);
  }, 90_000);

  test('a port in use is one sentence, and nothing is left running', async () => {
    const home = await tempFolder('start');
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const refused = start(home, { BERTH_HTTP_PORT: String(port) });
    expect(await refused.ended).toBe(1);
    expect(refused.said.error).toBe(`berth: port ${port} is in use: stop what uses it, or set BERTH_HTTP_PORT to another port (0 = any free one)\n`);
    expect(belonging(home)).toEqual([]);
    taken.close();
  });

  test.each([
    ['NATS_URL', 'nats://127.0.0.1:1', /^berth: NATS_URL nats:\/\/127\.0\.0\.1:1 can't be reached .*: start that server, .*\n$/],
    ['DATABASE_URL', 'postgres://ada:secret@127.0.0.1:1/x', /^berth: DATABASE_URL postgres:\/\/ada:\*\*\*@127\.0\.0\.1:1\/x can't be reached .*: start that server, .*\n$/],
    ['NATS_URL', 'localhost', /^berth: The environment can't be used: NATS_URL: must be a URL such as nats:.*\n$/],
    ['BERTH_HTTP_PORT', 'http', /^berth: The environment can't be used: BERTH_HTTP_PORT: .*\n$/],
  ])('%s=%s is one sentence, and nothing is left running', async (name, value, sentence) => {
    const home = await tempFolder('start');
    const refused = start(home, { [name]: value });
    expect(await refused.ended).toBe(1);
    expect(refused.said.error).toMatch(sentence);
    expect(refused.said.error).not.toContain('secret');
    expect(belonging(home)).toEqual([]);
  });
});
