import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { hostShellOf } from '../../runner/host-shell.js';
import type { RunSpec } from '../../runner/outcome.js';
import { actionFile, collector, endMarked, marked, pidsOf, until } from '../../runner/runner.testing.js';
import { createRunner, type Runner } from '../../runner/run.js';
import { createPool, type HostPool } from '../../transports/pool.js';
import type { HostSpec } from '../../transports/transport.js';
import { canCompile, compileForWindows, standIn } from './stand-in.testing.js';

/** The runner of Windows with a stand-in for Windows below it: its protocol, its files and its races are real, its jobs are not. */
let home: string;
let pool: HostPool;
let runner: Runner;
let host: HostSpec;
const path = process.env['PATH'];
beforeAll(async () => {
  home = await tempFolder('windows');
  process.env['PATH'] = `${standIn(`${home}/tools`)}:${path}`;
  pool = createPool();
  runner = createRunner(pool);
  host = { id: 'windows', transport: 'local', address: '', port: 0, user: '', credential: 'agent', platform: 'windows', folder: `${home}/host folder` };
});
afterAll(async () => {
  await pool.closeAll();
  process.env['PATH'] = path;
});
const command = (script: string, more: Partial<RunSpec> = {}): RunSpec => ({ id: randomUUID(), script, cwd: home, ...more });

describe.runIf(canCompile)('the runner of Windows', () => {
  it('compiles as a whole in the version of C# that Windows PowerShell has, without a warning', () => {
    mkdirSync(`${home}/whole`);
    expect(existsSync(compileForWindows(`${home}/whole`))).toBe(true);
  });

  it('gives output, each stream in order, and the exit code', async () => {
    const seen = collector();
    expect(await runner.run(host, command('echo one; echo bad >&2; echo "$PWD"; exit 42'), seen)).toEqual({ kind: 'exited', code: 42 });
    expect([seen.text('stdout'), seen.text('stderr')]).toEqual([`one\n${home}\n`, 'bad\n']);
  });

  it('runs a batch file where that is asked for', async () => {
    const seen = collector();
    const spec = command('echo a\necho b', { shell: 'cmd' });
    expect(await runner.run(host, spec, seen)).toEqual({ kind: 'exited', code: 0 });
    expect(seen.text('stdout')).toBe('a\nb\n');
    expect(actionFile(host, spec.id, 'script.cmd')).toBe('@echo off\r\n@chcp 65001 >nul\r\necho a\r\necho b\r\n');
  });

  it('takes any value and any script as they are', async () => {
    const text = fc.string({ unit: fc.oneof(fc.constantFrom(...`'"\\$\`%!^&|<>;()[]{}=,~*?#\n\r\t -\u2018\u2019\u201a\u201bä€😀`), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })), maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(text.filter((value) => !value.includes('\0')), async (value) => {
        const seen = collector();
        const spec = command('printf %s "$VALUE"; exit\n' + value, { env: { VALUE: value } });
        expect(await runner.run(host, spec, seen)).toEqual({ kind: 'exited', code: 0 });
        expect(seen.text('stdout')).toBe(value);
        expect(readFileSync(`${host.folder}/actions/${spec.id}/script.ps1`, 'utf8')).toBe(`\ufeff${spec.script}`);
      }),
      { numRuns: 10 },
    );
  });

  it('starts one id once, however many ask at the same time', async () => {
    const spec = command(`echo ran >>'${home}/ran'; echo out; sleep 0.2`);
    const all = Array.from({ length: 6 }, () => collector());
    const others = Array.from({ length: 3 }, () => createPool());
    const outcomes = await Promise.all(all.map((seen, number) => createRunner(others[number % 3]!).run(host, spec, seen)));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(new Set(['{"kind":"exited","code":0}']));
    expect(new Set(all.map((seen) => seen.text('stdout')))).toEqual(new Set(['out\n']));
    expect(readFileSync(`${home}/ran`, 'utf8')).toBe('ran\n');
    await Promise.all(others.map((other) => other.closeAll()));
  });

  it('goes on without its connection and is picked up by another', async () => {
    const gate = `${home}/gate`;
    const spec = command(`echo before; while [ ! -e '${gate}' ]; do sleep 0.02; done; echo after; exit 5`);
    const first = createPool();
    const detach = new AbortController();
    const seen = collector();
    const watching = createRunner(first).run(host, spec, seen, { detach: detach.signal });
    await until('first output', () => seen.text('stdout') === 'before\n');
    detach.abort();
    expect(await watching).toEqual({ kind: 'detached' });
    await first.closeAll();
    const second = runner.run(host, { ...spec, mayHaveStarted: true, offsets: { stdout: 7, stderr: 0 } }, { onChunk: (stream, offset, bytes) => seen.onChunk(stream, offset, bytes) });
    writeFileSync(gate, '');
    expect(await second).toEqual({ kind: 'exited', code: 5 });
    expect(seen.text('stdout')).toBe('before\nafter\n');
  });

  it('asks a command to end, and ends it with all that it started when it does not', async () => {
    const polite = collector();
    const cancel = new AbortController();
    const first = runner.run(host, command(`trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done`), polite, { cancel: cancel.signal });
    await until('ready', () => polite.text('stdout') === 'ready\n');
    cancel.abort();
    expect(await first).toEqual({ kind: 'cancelled' });
    expect(polite.text('stdout')).toBe('ready\ncleaned\n');

    const stubborn = command(`trap '' TERM; setsid sh -c 'trap "" TERM; sleep 300; sleep 300' & while :; do sleep 1; done`, { graceMs: 200, timeoutMs: 300 });
    expect(await runner.run(host, stubborn, collector())).toEqual({ kind: 'timeout' });
    expect(marked(stubborn.id)).toEqual([]);
    expect(await runner.lookup(host, stubborn.id)).toMatchObject({ state: 'exited', ended: 'timeout' });
  });

  it('leaves what a command left running until its lease ends', async () => {
    const lease = randomUUID();
    const spec = command('(sleep 300 >/dev/null 2>&1 &)', { env: { BERTH_LEASE: lease } });
    expect(await runner.run(host, spec, collector())).toEqual({ kind: 'exited', code: 0 });
    expect(marked(spec.id)).toHaveLength(1);
    await (await hostShellOf(await pool.connect(host))).reap(`BERTH_LEASE=${lease}`, 200);
    expect(marked(spec.id)).toEqual([]);
  });

  it('gives files for variables, any bytes of them, in a folder of the owner alone', async () => {
    const value = Buffer.from([...Array.from({ length: 256 }, (_, byte) => byte), 0, 13, 10]);
    const seen = collector();
    const spec = command('cat "$KEY"; printf %s "$EMPTY" >&2; [ ! -s "$EMPTY" ]', { env: { TEXT: 'hunter22' }, files: { KEY: value, EMPTY: Buffer.alloc(0) } });
    expect(await runner.run(host, spec, seen)).toEqual({ kind: 'exited', code: 0 });
    expect(seen.bytes('stdout')).toEqual(value);
    expect(seen.text('stderr')).toBe(`${host.folder}/actions/${spec.id}/secret-EMPTY`);
    expect(statSync(`${host.folder}/actions`).mode & 0o777).toBe(0o700);
    await until('what was to be started is gone', () => actionFile(host, spec.id, 'start') === undefined);
    const kept = readdirSync(`${host.folder}/actions/${spec.id}`).map((name) => actionFile(host, spec.id, name) ?? '');
    expect(kept.filter((text) => text.includes('hunter22') || text.includes(Buffer.from('TEXT=hunter22').toString('base64')))).toEqual([]);
  });

  it('tells of outputs with the end, also to who comes later', async () => {
    const spec = command('echo A=1 >>"$BERTH_OUTPUT"; exit 3');
    expect(await runner.run(host, spec, collector())).toEqual({ kind: 'exited', code: 3, outputs: true });
    expect(await runner.run(host, { ...spec, mayHaveStarted: true }, collector())).toEqual({ kind: 'exited', code: 3, outputs: true });
    expect(actionFile(host, spec.id, 'output')).toBe('A=1\n');
    expect(await runner.run(host, command(': >"$BERTH_OUTPUT"'), collector())).toEqual({ kind: 'exited', code: 0 });
  });

  it('does not start where the shell is not found', async () => {
    renameSync(`${home}/tools/cmd.exe`, `${home}/tools/away`);
    const spec = command('echo', { shell: 'cmd' });
    expect(await runner.run(host, spec, collector())).toMatchObject({ kind: 'not-started', error: { code: 'shell', message: expect.stringContaining('Host windows does not find cmd.exe on its PATH') } });
    renameSync(`${home}/tools/away`, `${home}/tools/cmd.exe`);
    expect(await runner.run(host, spec, collector())).toMatchObject({ kind: 'exited', code: 0 });
  });

  it('says so when the folder to run in is missing', async () => {
    const seen = collector();
    expect(await runner.run(host, command('true', { cwd: '/no/such folder' }), seen)).toEqual({ kind: 'exited', code: 125 });
    expect(seen.text('stderr')).toBe('berth: there is no folder /no/such folder to run in\n');
  });

  it('calls it lost when supervisor and command were killed and nothing was recorded', async () => {
    const spec = command('sleep 300');
    const running = runner.run(host, spec, collector());
    const [supervisor] = await pidsOf(host, spec.id);
    process.kill(supervisor, 'SIGKILL');
    expect((await runner.lookup(host, spec.id)).state).toBe('running');
    await endMarked(spec.id);
    expect(await running).toEqual({ kind: 'lost' });
  });

  it('settles a start that never happened, and forgets', async () => {
    const id = randomUUID();
    await runner.list(host);
    mkdirSync(`${host.folder}/actions/${id}`);
    expect(await runner.lookup(host, id)).toEqual({ state: 'starting' });
    expect(await runner.kill(host, id)).toEqual({ state: 'never', ended: 'cancelled' });
    expect(await runner.run(host, command('echo no', { id }), collector())).toEqual({ kind: 'cancelled' });
    expect(await runner.list(host)).toContain(id);
    await runner.forget(host, [id, 'never-heard-of']);
    expect(await runner.lookup(host, id)).toEqual({ state: 'unknown' });
    expect(await runner.list(host)).not.toContain(id);
    const busy = command('sleep 300');
    const running = runner.run(host, busy, collector());
    await pidsOf(host, busy.id);
    await expect(runner.forget(host, [busy.id])).rejects.toMatchObject({ code: 'still-running' });
    await runner.kill(host, busy.id, { graceMs: 100 });
    expect(await running).toEqual({ kind: 'cancelled' });
  });

  it('refuses shells that are none there, and values that can never be right', async () => {
    for (const shell of ['sh', 'bash'] as const) {
      expect(await runner.run(host, command('true', { shell }), collector())).toMatchObject({ kind: 'not-started', error: { code: 'shell', message: expect.stringContaining(`no ${shell} of its own`) } });
    }
    for (const bad of [{ files: { 'A-B': Buffer.alloc(0) } }, { env: { 'A-B': '1' } }, { env: { A: 'a\0b' } }, { script: 'a\0b' }]) {
      await expect(runner.run(host, command('true', bad), collector())).rejects.toMatchObject({ code: 'invalid-value' });
    }
  });
});
