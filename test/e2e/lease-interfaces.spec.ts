import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { connectBus, httpClient, joinSession, type ActionView, type BerthHttp, type FileView, type Page } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { BERTH, cliAt } from '../support/cli.js';
import { startTestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';
import { ANSWERS, freePorts, webServer } from '../support/yard.js';

const SOON = { timeoutMs: 15_000, everyMs: 50 };

let home: string;
let access: { url: string; token: string; natsUrl: string };
let berth: BerthHttp;

/** A program that runs, and what it has said. */
interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  bytes(): Buffer;
  code: Promise<number | null>;
  says(what: string | RegExp): Promise<unknown>;
}

function start(program: string, words: readonly string[], more: { fds?: 'pipe'[]; env?: NodeJS.ProcessEnv } = {}): Running {
  const child = spawn(program, words, { cwd: home, env: { ...process.env, BERTH_HOME: home, BERTH_URL: '', BERTH_TOKEN: '', ...more.env }, stdio: ['pipe', 'pipe', 'pipe', ...(more.fds ?? [])] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout!.on('data', (bytes: Buffer) => out.push(bytes));
  child.stderr!.on('data', (bytes: Buffer) => err.push(bytes));
  child.stdin!.on('error', () => undefined);
  const text = (parts: Buffer[]) => Buffer.concat(parts).toString().replaceAll('\r', '');
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  atEndOfFile(() => void child.kill('SIGKILL'));
  return { child, code, out: () => text(out), err: () => text(err), bytes: () => Buffer.concat(out), says: (what) => eventually(() => expect(text(out)).toMatch(what), SOON) };
}
const cli = (...words: string[]): Running => start(process.execPath, [BERTH, ...words]);
const { berth: ran } = cliAt(() => ({ home, cwd: home }));
/** The program at a terminal of its own, whose size can be changed. */
async function atTerminal(...words: string[]): Promise<Running & { type(text: string): void; resize(columns: number, rows: number): Promise<unknown> }> {
  const line = [process.execPath, BERTH, ...words].map((word) => `'${word}'`).join(' ');
  const program = start('script', ['-qfec', `tty >&3; exec 3>&-; stty columns 90 rows 33; exec ${line}`, '/dev/null'], { fds: ['pipe'], env: { SHELL: '/bin/sh', TERM: 'vt220' } });
  let tty = '';
  program.child.stdio[3]!.on('data', (bytes: Buffer) => (tty += bytes.toString()));
  await eventually(() => tty.includes('\n'), SOON);
  return {
    ...program,
    type: (text) => void program.child.stdin!.write(text),
    resize: (columns, rows) => new Promise((resolve) => spawn('stty', ['-F', tty.trim(), 'columns', String(columns), 'rows', String(rows)]).once('close', resolve)),
  };
}

async function leased(): Promise<string> {
  const { id } = await berth.leases.request({ type: 'host', attributes: { machine: 'box' } });
  await eventually(async () => expect((await berth.leases.get(id)).status).toBe('active'), SOON);
  return id;
}
/** The first action that was requested under a lease. */
async function sessionOf(lease: string): Promise<string> {
  for await (const event of berth.events({ after: '0', kinds: ['action'] })) if (event.type === 'ActionRequested' && (event.data as { lease: string }).lease === lease) return event.id;
  throw new Error('the events ended');
}
const processes = (line: string): Promise<string> => new Promise((resolve) => {
  const found = start('pgrep', ['-fx', line]);
  void found.code.then(() => resolve(found.out()));
});

beforeAll(async () => {
  home = await tempFolder('interfaces');
  access = await startBerth(home);
  berth = httpClient(access);
  const sshd = await startTestSshd();
  await berth.machines.add({ name: 'box', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, slots: 4, folder: join(home, 'box') });
});

test('a shell at a terminal: its size, Ctrl-C, its exit code, and the way out of it', async () => {
  const lease = await leased();
  const shell = await atTerminal('lease', 'shell', lease);
  shell.type('PS1="now""> "; cd "$PWD"; stty size; echo $TERM-$BERTH_LEASE\n');
  await shell.says(`33 90\nvt220-${lease}\n`);
  await shell.resize(71, 22);
  await eventually(() => {
    if (shell.out().includes('22 71')) return;
    shell.type('stty size\n');
    throw new Error(shell.out());
  }, { timeoutMs: 15_000, everyMs: 200 });
  shell.type('sleep 4711\n');
  await eventually(async () => expect(await processes('sleep 4711')).not.toBe(''), SOON);
  shell.type('\x03');
  await eventually(async () => expect(await processes('sleep 4711')).toBe(''), SOON);
  shell.type('exit 7\n');
  expect(await shell.code).toBe(7);

  const other = await atTerminal('lease', 'shell', lease, '--', 'cat');
  other.type('hello\n');
  await other.says('hello\nhello\n');
  other.type('~.');
  expect(await other.code).toBe(1);
  expect(other.out()).toContain('You left the terminal');
  await berth.leases.release(lease);
}, 60_000);

test('a command without a terminal: bytes in and out, standard error apart, every last word, its exit code', async () => {
  const lease = await leased();
  const content = randomBytes(3 * 1024 * 1024 + 5);
  const piped = cli('lease', 'shell', lease, '--', 'sh', '-c', 'cat; echo oops >&2; exit 3');
  piped.child.stdin!.end(content);
  expect(await piped.code).toBe(3);
  expect(piped.bytes().equals(content)).toBe(true);
  expect(piped.err()).toBe('oops\n');
  await berth.leases.release(lease);
});

test('a forward: several MiB both ways with a slow reader, many connections at a time, and its end', async () => {
  const lease = await leased();
  const server = createServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  const forward = cli('lease', 'forward', lease, String(port), '--json');
  await forward.says('\n');
  const { local, url } = JSON.parse(forward.out()) as { local: number; url: string };
  expect(url).toBe(`http://127.0.0.1:${local}`);
  expect(local).not.toBe(port);
  await Promise.all(
    [6 * 1024 * 1024 + 3, 10, 70_000, 0].map(async (size) => {
      const content = randomBytes(size);
      const socket = connect({ host: '127.0.0.1', port: local, allowHalfOpen: true });
      socket.end(content);
      const back: Buffer[] = [];
      for await (const bytes of socket) if (back.push(bytes as Buffer) % 16 === 0) await sleep(10);
      expect(createHash('sha256').update(Buffer.concat(back)).digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    }),
  );
  forward.child.kill('SIGINT');
  expect([await forward.code, forward.err()]).toEqual([0, '']);

  // Nothing listens there: it is told, and the forward goes on until its lease ends.
  const nowhere = cli('lease', 'forward', lease, '1', '--json');
  await nowhere.says('\n');
  const refused = connect((JSON.parse(nowhere.out()) as { local: number }).local, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => refused.once('close', resolve));
  await eventually(() => expect(nowhere.err()).toContain('check that something listens there'), SOON);
  await berth.leases.release(lease);
  expect(await nowhere.code).toBe(1);
  expect(JSON.parse(nowhere.out().trim().split('\n').at(-1)!)).toMatchObject({ error: { code: 'interrupted', message: 'Its lease ended.' } });
}, 60_000);

test('the end of a lease ends its terminals and what they left running; a stale token opens none', async () => {
  const lease = await leased();
  const { token } = await berth.leases.get(lease);
  const shell = cli('lease', 'shell', lease, '--', 'sh', '-c', 'nohup sleep 4712 >/dev/null 2>&1 & echo here; exec cat');
  await shell.says('here');
  await eventually(async () => expect(await processes('sleep 4712')).not.toBe(''), SOON);
  await berth.leases.release(lease);
  expect(await shell.code).toBe(1);
  expect(shell.err()).toBe('berth: Its lease ended.\n');
  await eventually(async () => expect((await berth.leases.get(lease)).status).toBe('destroyed'), SOON);
  expect(await processes('sleep 4712')).toBe('');
  expect(await berth.actions.get(await sessionOf(lease))).toMatchObject({ kind: 'terminal', status: 'cancelled', error: 'its lease ended' });

  const again = await leased();
  const bus = await connectBus(access.natsUrl);
  try {
    for (const spec of [{ kind: 'terminal' }, { kind: 'forward', port: 80 }] as const) {
      expect(await bus.command('host-agent-gateway', 'RunAction', { lease: again, token: token!, spec })).toMatchObject({ accepted: false, code: 'stale-token' });
      expect(await bus.command('host-agent-gateway', 'RunAction', { lease, token: token!, spec })).toMatchObject({ accepted: false, code: 'unknown-lease' });
    }
  } finally {
    await bus.close();
  }
  await berth.leases.release(again);
}, 60_000);

test('who may join what', async () => {
  const lease = await leased();
  const { id } = await berth.leases.terminal(lease, { tty: false, command: 'cat' });
  const nobody = { data: () => undefined, ended: () => undefined };
  const at = `api/v1/actions/${id}/live`;
  await expect(joinSession({ ...access, token: 'guessed' }, at, nobody)).rejects.toMatchObject({ status: 401, code: 'unauthorized' });
  await expect(joinSession(access, `api/v1/actions/${randomUUID()}/live`, nobody)).rejects.toMatchObject({ status: 404, code: 'unknown-action' });
  await expect(joinSession(access, 'api/v1/elsewhere', nobody)).rejects.toMatchObject({ status: 404, code: 'not-found' });
  const upgrade = (headers: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const { hostname, port, host } = new URL(access.url);
      const socket = connect(Number(port), hostname, () => socket.write(`GET /${at} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`));
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes.toString().split('\r\n')[0]!);
        socket.destroy();
      });
    });
  const Authorization = `Bearer ${access.token}`;
  expect(await upgrade({})).toBe('HTTP/1.1 401 Unauthorized');
  expect(await upgrade({ Authorization, Origin: 'https://evil.example' })).toBe('HTTP/1.1 403 Forbidden');
  expect(await upgrade({ Authorization, Origin: access.url })).toBe('HTTP/1.1 101 Switching Protocols');
  const { id: command } = await berth.leases.exec(lease, { command: 'true' });
  await expect(berth.actions.join(command, nobody)).rejects.toMatchObject({ code: 'invalid-data' });
  await berth.actions.cancel(id);
  await eventually(async () => expect((await berth.actions.get(id)).status).toBe('cancelled'), SOON);
  await expect(berth.actions.join(id, nobody)).rejects.toMatchObject({ status: 410, code: 'session-ended' });
  expect(await ran('lease', 'shell', randomUUID(), '--', 'true')).toMatchObject({ code: 1, stderr: expect.stringContaining('There is no lease') });
  await berth.leases.release(lease);
});

test('the folder of a lease: listed, read, written, made and removed, and never left', async () => {
  const lease = await leased();
  const file = async (method: string, path: string, body?: string) => {
    const response = await fetch(`${access.url}/api/v1/leases/${lease}/files${path}`, { method, headers: { Authorization: `Bearer ${access.token}`, ...(body !== undefined && { 'Content-Type': 'application/octet-stream' }) }, ...(body !== undefined && { body }) });
    return { status: response.status, text: await response.text() };
  };
  expect(await ran('lease', 'ls', lease)).toEqual({ code: 0, stdout: 'Nothing.\n', stderr: '' });
  expect(await ran('lease', 'mkdir', lease, 'a/b')).toEqual({ code: 0, stdout: 'a/b is there.\n', stderr: '' });
  await writeFile(join(home, 'notes.txt'), 'hello\n', { mode: 0o640 });
  expect((await ran('lease', 'put', lease, 'notes.txt', 'a/notes.txt')).code).toBe(0);
  expect(await file('PUT', '/content?path=a/more.txt', 'more\n')).toMatchObject({ status: 200 });
  expect(await ran('lease', 'ls', lease, 'a')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^NAME +KIND +SIZE +MODE +MODIFIED\nb +folder +- +\d{3} .*\nmore\.txt +file +5 B +644 .*\nnotes\.txt +file +6 B +6\d\d /) });
  expect(await ran('lease', 'cat', lease, 'a/notes.txt')).toEqual({ code: 0, stdout: 'hello\n', stderr: '' });
  expect(await file('GET', '/content?path=a/more.txt')).toEqual({ status: 200, text: 'more\n' });
  expect(await ran('lease', 'stat', lease, 'a/notes.txt')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^name +notes\.txt\nkind +file\nsize +6 B\n/) });
  const page = JSON.parse((await file('GET', '?path=a&limit=1')).text) as Page<FileView>;
  expect(page).toMatchObject({ items: [{ name: 'b', kind: 'folder' }], cursor: 'b' });
  expect(JSON.parse((await file('GET', '?path=a&cursor=b')).text)).toMatchObject({ items: [{ name: 'more.txt' }, { name: 'notes.txt' }], cursor: null });
  expect(await ran('lease', 'rm', lease, 'a')).toMatchObject({ code: 1, stderr: expect.stringContaining('recursive') });
  expect(await ran('lease', 'rm', lease, 'a/notes.txt')).toEqual({ code: 0, stdout: 'a/notes.txt is removed.\n', stderr: '' });
  expect(JSON.parse((await file('DELETE', '?path=a&recursive=true')).text) as ActionView).toMatchObject({ kind: 'remove-file', status: 'succeeded' });
  for (const [method, path, status] of [['GET', '?path=../..', 422], ['GET', '/stat?path=/etc/passwd', 422], ['DELETE', '?path=../x', 422], ['GET', '?path=none', 404], ['DELETE', '?path=none', 404], ['GET', '/content?path=none', 404]] as const) {
    expect([method, path, (await file(method, path)).status]).toEqual([method, path, status]);
  }
  await berth.leases.release(lease);
}, 60_000);

test('a leased service: where it is, restarted and stopped, and what else runs under its lease goes on', async () => {
  const from = await freePorts(3);
  await berth.blueprints.save('web', { name: 'web', kind: 'service', port: { from, to: from + 2 }, uri: 'http://{address}:{port}/', start: webServer('process.pid'), ready: { command: ANSWERS, timeout: '20s' }, on: { attributes: { machine: 'box' } } });
  const { id: lease } = await berth.leases.request({ type: 'service', blueprints: ['web'] });
  await eventually(async () => expect((await berth.leases.get(lease)).status).toBe('active'), SOON);
  const { code, stdout: out } = await ran('lease', 'service', 'uri', lease);
  expect([code, out]).toEqual([0, expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/\n$/)]);
  const pid = async () => (await fetch(out.trim())).text();
  const before = await pid();
  await berth.leases.exec(lease, { command: 'sleep 4713 >/dev/null 2>&1 &' });
  await eventually(async () => expect(await processes('sleep 4713')).not.toBe(''), SOON);
  expect(await ran('lease', 'service', 'restart', lease)).toEqual({ code: 0, stdout: 'The service is started again.\n', stderr: '' });
  const after = await pid();
  expect(after).not.toBe(before);
  expect(await ran('lease', 'service', 'restart', lease)).toMatchObject({ code: 0 });
  expect(await pid()).not.toBe(after);
  expect(await ran('lease', 'service', 'stop', lease)).toEqual({ code: 0, stdout: 'The service is stopped.\n', stderr: '' });
  await expect(pid()).rejects.toThrow('fetch failed');
  expect(await processes('sleep 4713')).not.toBe('');
  expect((await berth.leases.get(lease)).status).toBe('active');
  expect(await ran('lease', 'service', 'restart', lease)).toMatchObject({ code: 0 });
  await pid();
  const { id: host } = await berth.leases.request({ type: 'host', attributes: { machine: 'box' } });
  await eventually(async () => expect((await berth.leases.get(host)).status).toBe('active'), SOON);
  expect(await ran('lease', 'service', 'restart', host)).toMatchObject({ code: 1, stderr: expect.stringContaining('only a service can be restarted') });
  await berth.leases.release(host);
  await berth.leases.release(lease);
  await eventually(async () => expect((await berth.leases.get(lease)).status).toBe('destroyed'), SOON);
  await expect(pid()).rejects.toThrow('fetch failed');
  expect(await processes('sleep 4713')).toBe('');
}, 60_000);
