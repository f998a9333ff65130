import { spawn } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect } from 'nats';
import { CHECKOUT } from '@berth/embedded/servers';
import { httpClient, type DoctorFinding } from '@berth/client';
import { addressOptions, streams, withLogin, type BusUser } from '@berth/nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { cliAt } from '../support/cli.js';
import { eventually } from '../support/wait.js';

let home: string;
let stop: () => Promise<unknown>;

interface Said {
  code: number;
  status: DoctorFinding['status'];
  checks: DoctorFinding[];
  text: string;
}

/** Runs the program as people do. */
async function doctor(env: Record<string, string> = {}, words: string[] = ['--json']): Promise<Said> {
  const { code, stdout, stderr } = await cliAt(() => ({ home, cwd: home, env })).berth('doctor', ...words);
  expect(stderr).toBe('');
  return words.includes('--json') ? { ...(JSON.parse(stdout) as Said), code, text: stdout } : { code, status: 'ok', checks: [], text: stdout };
}
const lineOf = ({ checks }: Said, name: string): string | undefined => checks.filter(({ check }) => check === name).map(({ status, message }) => `${status}: ${message}`).join(' | ');

/** The address of the bus with the login of a user. */
async function busOf(user: BusUser): Promise<string> {
  const { natsUrl } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { natsUrl: string };
  const passwords = JSON.parse(await readFile(join(home, 'nats', 'users.json'), 'utf8')) as Record<BusUser, string>;
  return withLogin(natsUrl, user, passwords[user]);
}

beforeAll(async () => {
  home = await tempFolder('doctor');
  const child = spawn(process.execPath, [join(CHECKOUT, 'infra', 'embedded', 'dist', 'start.js')], { env: { ...process.env, BERTH_HTTP_PORT: '0', BERTH_HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  stop = atEndOfFile(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await eventually(() => said.includes('Berth is up'), { timeoutMs: 60_000 });
});

describe('of a Berth that is up', () => {
  test('all is well: exit code 0, a line for each thing', async () => {
    const said = await doctor();
    // What a disk has room for is not up to us.
    expect(said.checks.filter(({ check, status }) => status !== 'ok' && check !== 'disk' && check !== 'inodes')).toEqual([]);
    expect(said.code).toBe(0);
    const names = said.checks.map(({ check }) => check);
    for (const name of ['node', 'git', 'state folder', 'secret files', 'disk', 'inodes', 'cli.json', 'console', 'bus', 'streams', 'service lease', 'database', 'migrations', 'projections', 'artifacts', 'clock of PostgreSQL', 'clock of NATS', 'machines']) expect(names).toContain(name);
    expect((await doctor({}, [])).text).toMatch(/^ok {7}node: Node [^]*\n\d+ ok, \d+ warnings?, 0 failed\n$/);
  });

  test('nothing of it is secret', async () => {
    const { token } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { token: string };
    const password = (await readFile(join(home, 'postgres', 'password'), 'utf8')).trim();
    const { text } = await doctor();
    expect(text).not.toContain(token);
    expect(text).not.toContain(password);
  });

  test('a token that others may read', async () => {
    await chmod(join(home, 'cli.json'), 0o644);
    const said = await doctor();
    expect([said.code, said.status, lineOf(said, 'secret files')]).toEqual([1, 'failed', `failed: Others may use ${join(home, 'cli.json')} (mode 644).`]);
    expect(said.checks.find(({ status }) => status === 'failed')!.hint).toContain(`chmod 600 ${join(home, 'cli.json')}`);
    await chmod(join(home, 'cli.json'), 0o600);
  });

  test('a token that is another', async () => {
    const { url } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string };
    const said = await doctor({ BERTH_URL: url, BERTH_TOKEN: 'no', NATS_URL: await busOf('admin') });
    expect(said.code).toBe(1);
    expect(lineOf(said, 'console')).toMatch(/^failed: It answers at .*, but not to this token/);
    // What lies beneath is asked from here then.
    expect(lineOf(said, 'streams')).toBe('ok: All streams are there and as declared.');
    // Here it is known without being said.
    const local = await doctor({ BERTH_TOKEN: 'no' });
    expect([lineOf(local, 'console'), lineOf(local, 'streams')]).toEqual([expect.stringMatching(/not to this token/), 'ok: All streams are there and as declared.']);
  });

  test('a token that may not', async () => {
    const { url, token } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { url: string; token: string };
    const { secret } = await httpClient({ url, token }).tokens.create({ name: 'looker', role: 'viewer', projects: null });
    const said = await doctor({ BERTH_TOKEN: secret });
    expect(lineOf(said, 'console')).toMatch(/^failed: It answers at .*, but not to this token: .*doctor:read/);
    expect(said.checks.find(({ check }) => check === 'console')!.hint).toBe('Set BERTH_TOKEN to a token of an operator.');
  });

  test('a login of the bus that may not look, and one that is wrong', async () => {
    const asked = { BERTH_URL: 'http://127.0.0.1:9', BERTH_TOKEN: 'no' };
    const said = await doctor({ ...asked, NATS_URL: await busOf('frontend') });
    expect([lineOf(said, 'bus'), lineOf(said, 'jetstream'), lineOf(said, 'streams')]).toEqual([expect.stringMatching(/^ok: NATS /), expect.stringMatching(/^warning: This login may not look at JetStream/), '']);
    const wrong = await doctor({ ...asked, NATS_URL: withLogin(await busOf('frontend'), 'frontend', 'hush') });
    expect(lineOf(wrong, 'bus')).toMatch(/^failed: NATS answers at nats:\/\/frontend:\*\*\*@.*, but not to this login\.$/);
    expect(wrong.text).not.toContain('hush');
  });

  test('a stream that is gone', async () => {
    const bus = await connect(addressOptions(await busOf('admin')));
    const manager = await bus.jetstreamManager();
    await manager.streams.delete(streams.dead.name);
    const said = await doctor();
    expect([said.code, lineOf(said, 'streams')]).toEqual([1, 'failed: Stream BERTH_DEAD is missing.']);
    await manager.streams.add(streams.dead);
    await bus.close();
    expect((await doctor()).code).toBe(0);
  });

  test('cli.json that is damaged', async () => {
    const file = join(home, 'cli.json');
    const kept = await readFile(file, 'utf8');
    await writeFile(file, '{"url":');
    const said = await doctor();
    expect([said.code, lineOf(said, 'cli.json'), lineOf(said, 'streams')]).toEqual([1, expect.stringMatching(/^failed: .*cli\.json is damaged/), 'ok: All streams are there and as declared.']);
    await writeFile(file, kept);
  });
});

describe('when everything is down', () => {
  beforeAll(() => stop());

  test('it ends, and says what is down and how to start it', async () => {
    const said = await doctor();
    expect(said.code).toBe(1);
    expect(lineOf(said, 'console')).toMatch(/^failed: It does not answer at http/);
    expect(lineOf(said, 'bus')).toMatch(/^failed: NATS does not answer at nats:/);
    expect(lineOf(said, 'database')).toMatch(/^failed: PostgreSQL does not answer at postgres:\/\/berth:\*\*\*@/);
    for (const { status, hint } of said.checks) expect(hint === null).toBe(status === 'ok');
  });

  test('where it never was, with the port of the console taken', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => new Promise((resolve) => server.close(() => resolve())));
    const { port } = server.address() as AddressInfo;
    const said = await doctor({ BERTH_HOME: join(home, 'none'), BERTH_HTTP_PORT: String(port) });
    expect([said.code, lineOf(said, 'port')]).toEqual([1, `failed: Port ${port} is in use, so the console could not start on it.`]);
    expect(lineOf(said, 'cli.json')).toMatch(/^failed: Berth has not been started here/);
    expect(lineOf(said, 'state folder')).toMatch(/^warning: .* is not there/);
    expect(lineOf(said, 'bus')).toMatch(/^warning/);
  });

  test('something that takes connections and never answers holds it up for a while only', async () => {
    const silent = createServer((socket) => void socket.resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => new Promise((resolve) => silent.close(() => resolve())));
    const { port } = silent.address() as AddressInfo;
    const said = await doctor({ NATS_URL: `nats://127.0.0.1:${port}`, DATABASE_URL: `postgres://u:hush@127.0.0.1:${port}/berth` });
    expect(said.code).toBe(1);
    expect(lineOf(said, 'bus')).toMatch(/^failed: NATS does not answer/);
    expect(lineOf(said, 'database')).toMatch(/^failed: PostgreSQL does not answer/);
    expect(said.text).not.toContain('hush');
  });
});
