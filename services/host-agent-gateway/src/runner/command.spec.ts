import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectLocal } from '../transports/local.js';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { HostSpec } from '../transports/transport.js';
import { openHostShell, type HostShell } from './host-shell.js';
import type { RunSpec } from './outcome.js';
import { actionFile, collector, commandLines, marked, until } from './runner.testing.js';
import { createRunner, type Runner } from './run.js';

let sshd: RelayedSshd;
let pool: HostPool;
let runner: Runner;
let host: HostSpec;
beforeAll(async () => {
  sshd = await startSshd();
  pool = createPool();
  runner = createRunner(pool);
  host = sshd.spec('commands', { folder: `${sshd.home}/it's a folder` });
});
afterAll(async () => {
  await pool.closeAll();
  await sshd.stop();
});
const command = (script: string, more: Partial<RunSpec> = {}): RunSpec => ({ id: randomUUID(), script, cwd: '/', ...more });

/** A host whose shell is `name`, and what the spec hides from it. */
async function shellOf(name: string, preamble = ''): Promise<{ shell: HostShell; folder: string; end(): Promise<void> }> {
  const folder = `${sshd.home}/${name}-${randomUUID().slice(0, 8)}`;
  const transport = await connectLocal({ ...sshd.spec('variant', { transport: 'local' }), folder });
  const shell = await openHostShell(transport, { command: `exec ${name}`, preamble });
  return { shell, folder, end: () => transport.close() };
}
const exitOf = (shell: HostShell, id: string): Promise<unknown> => new Promise((resolve) => shell.onExit(id, resolve));

describe('the shell of a command', () => {
  it('is bash, strict about every part of a pipe, when that is asked for', async () => {
    const seen = collector();
    expect(await runner.run(host, command('echo "${BASH_VERSION:+bash}"; [[ a == a ]]; false | true; echo no', { shell: 'bash' }), seen)).toEqual({ kind: 'exited', code: 1 });
    expect(seen.text('stdout')).toBe('bash\n');
  });

  it('is not started when the host has none, and says so', async () => {
    for (const [shell, program] of [['powershell', 'pwsh'], ['cmd', 'cmd']] as const) {
      expect(await runner.run(host, command('exit', { shell }), collector())).toMatchObject({ kind: 'not-started', error: { code: 'shell', message: expect.stringContaining(`no ${program}`) } });
    }
  });

  it('does not matter any more to one that runs already', async () => {
    const gate = `${sshd.home}/attached`;
    const spec = command(`echo once; while [ ! -e ${gate} ]; do sleep 0.01; done`, { shell: 'bash' });
    const first = runner.run(host, spec, collector());
    await until('its start', () => marked(spec.id).length > 0);
    const second = runner.run(host, { ...spec, shell: 'powershell', mayHaveStarted: true }, collector());
    writeFileSync(gate, '');
    expect(await Promise.all([first, second])).toEqual([{ kind: 'exited', code: 0 }, { kind: 'exited', code: 0 }]);
  });
});

describe.each(['sh', 'bash'])('files for variables, under %s', (name) => {
  it('hold any bytes, are for the owner alone and in no list of processes', async () => {
    const { shell, folder, end } = await shellOf(name);
    const value = Buffer.concat([randomBytes(300), Buffer.from([0, 0x25, 0x5c, 0x27, 10, 0, 10])]);
    const ended = exitOf(shell, 'one');
    const gate = `${folder}/gate`;
    await shell.start({ id: 'one', script: `stat -c %a "$KEY" "$(dirname "$KEY")"; printf %s "$TEXT"; cp "$KEY" ${folder}/copy; while [ ! -e ${gate} ]; do sleep 0.01; done`, cwd: '/', env: { TEXT: 'hunter22' }, files: { KEY: value, EMPTY: Buffer.alloc(0) } });
    await until('the copy', () => existsSync(`${folder}/copy`));
    expect(commandLines().filter((line) => line.includes('hunter22'))).toEqual([]);
    writeFileSync(gate, '');
    expect(await ended).toMatchObject({ state: { state: 'exited', code: 0 } });
    const transport = await connectLocal({ ...host, transport: 'local' });
    expect((await transport.exec(`cat ${folder}/copy`)).stdout.equals(value)).toBe(true);
    expect((await transport.exec(`cat ${folder}/actions/one/out`)).stdout.toString()).toBe('600\n700\nhunter22');
    expect((await transport.exec(`grep -rl hunter22 ${folder}`)).stdout.toString()).toBe(`${folder}/actions/one/out\n`);
    await transport.close();
    await shell.forget(['one']);
    expect(existsSync(`${folder}/actions/one`)).toBe(false);
    await end();
  });
});

describe('outputs', () => {
  it('are told of with the end, also to who comes later', async () => {
    const spec = command('echo A=1 >>"$BERTH_OUTPUT"');
    expect(await runner.run(host, spec, collector())).toEqual({ kind: 'exited', code: 0, outputs: true });
    expect(await runner.run(host, { ...spec, mayHaveStarted: true }, collector())).toEqual({ kind: 'exited', code: 0, outputs: true });
    expect(await runner.run(host, command(': >"$BERTH_OUTPUT"'), collector())).toEqual({ kind: 'exited', code: 0 });
  });
});

describe('more output than is kept', () => {
  it('is left out in the middle: first and last half are there, and it is counted whole', async () => {
    const parts: [string, number, string][] = [];
    const holes: [string, number, number][] = [];
    const spec = command('head -c 300000 /dev/zero | tr "\\0" a; head -c 400000 /dev/zero | tr "\\0" b; echo end; echo small >&2', { outputLimit: 65_536, context: 10 });
    const callbacks = {
      onChunk: async (stream: string, offset: number, bytes: Buffer) => void parts.push([stream, offset, bytes.toString()]),
      onCut: async (stream: string, to: number, next: number) => void holes.push([stream, to, next]),
    };
    expect(await runner.run(host, spec, callbacks)).toEqual({ kind: 'exited', code: 0 });
    const size = 700_004;
    const to = size - 32_768;
    expect(holes).toEqual([['stdout', to, to - 10]]);
    const stdout = parts.filter(([stream]) => stream === 'stdout');
    const of = (after: boolean) => stdout.filter(([, offset]) => offset >= to - 10 === after).map(([, , text]) => text).join('');
    expect(of(false)).toBe('a'.repeat(32_768));
    expect(of(true)).toBe(`${'b'.repeat(32_764 + 10)}end\n`);
    expect(parts.filter(([stream]) => stream === 'stderr')).toEqual([['stderr', 0, 'small\n']]);
  });
});

it('does not wait for all that a cancelled command had printed', async () => {
  const cancel = new AbortController();
  const spec = command('head -c 20000000 /dev/zero; echo end; sleep 300', { graceMs: 0 });
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let read = 0;
  const holes: number[] = [];
  const running = runner.run(host, spec, { onChunk: (_, __, bytes) => ((read += bytes.length), opened), onCut: async (_, to) => void holes.push(to) }, { cancel: cancel.signal });
  await until('its output', () => read > 0 && (actionFile(host, spec.id, 'out')?.length ?? 0) === 20_000_004);
  cancel.abort();
  await until('its end', () => actionFile(host, spec.id, 'rc') !== undefined && marked(spec.id).length === 0);
  open();
  expect(await running).toEqual({ kind: 'cancelled' });
  expect(holes).toEqual([20_000_004 - 4 * 1024 * 1024]);
  expect(read).toBeLessThan(10_000_000);
});

describe('a disk that is full', () => {
  // As on one without room: files can be made and nothing be written into them.
  const FULL = `trap '' XFSZ; ulimit -f 0`;

  it('keeps a command from starting, in a sentence with the folder', async () => {
    const { shell, folder, end } = await shellOf('bash', FULL);
    await expect(shell.start({ id: 'one', script: 'true', cwd: '/', env: {} })).rejects.toMatchObject({ code: 'host-fault', message: expect.stringMatching(new RegExp(`could not write the files of action one in ${folder}/actions; see that the disk there has room`)) });
    expect(await shell.look('one')).toEqual({ state: 'starting' });
    await end();
  });

  it('keeps nobody from ending and forgetting what never started, and it does not start later', async () => {
    const { shell, folder, end } = await shellOf('bash', FULL);
    const command = { id: 'one', script: `touch ${folder}/ran`, cwd: '/', env: {} };
    await expect(shell.start(command)).rejects.toMatchObject({ code: 'host-fault' });
    expect(await shell.kill('one', 'cancelled', 0)).toEqual({ state: 'never' });
    expect(await shell.start(command)).toEqual({ state: 'never' });
    await shell.forget(['one']);
    expect(await shell.list()).toEqual([]);
    expect(existsSync(`${folder}/ran`)).toBe(false);
    await end();
  });

  it('is known of a command whose exit code found no room', async () => {
    const { shell, folder, end } = await shellOf('bash');
    const ended = exitOf(shell, 'one');
    await shell.start({ id: 'one', script: `while [ ! -e ${folder}/gate ]; do sleep 0.01; done; exit 3`, cwd: '/', env: {} });
    // It can't be written where something else is.
    mkdirSync(`${folder}/actions/one/rc`);
    writeFileSync(`${folder}/gate`, '');
    expect(await ended).toEqual({ state: { state: 'exited', code: 3 }, stdout: false, stderr: false, full: true });
    await end();
  });
});
