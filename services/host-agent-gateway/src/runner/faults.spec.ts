import { randomUUID } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { connectLocal } from '../transports/local.js';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { HostSpec } from '../transports/transport.js';
import { openHostShell } from './host-shell.js';
import type { RunSpec } from './outcome.js';
import { collector, commandLines, endMarked, marked, pidsOf, until } from './runner.testing.js';
import { createRunner, type Runner } from './run.js';

let sshd: RelayedSshd;
let pool: HostPool;
let runner: Runner;
let host: HostSpec;
beforeAll(async () => {
  sshd = await startSshd();
  pool = createPool();
  runner = createRunner(pool);
  host = sshd.spec('faults');
});
afterAll(async () => {
  await pool.closeAll();
  await sshd.stop();
});
const command = (script: string, more: Partial<RunSpec> = {}): RunSpec => ({ id: randomUUID(), script, cwd: '/', ...more });

/** A tree that ignores TERM, with a member in a session of its own, one adopted by init and one without our mark. */
const STUBBORN = `
trap '' TERM
setsid sh -c 'trap "" TERM; sleep 300; sleep 300' &
sh -c '(setsid sleep 301 &) ; exit'
env -i sleep 302.25 &
echo ready
while :; do sleep 1; done`;

describe('ending a process tree', () => {
  it('leaves nothing of it, also of what went its own way', async () => {
    const seen = collector();
    const cancel = new AbortController();
    const spec = command(STUBBORN, { graceMs: 300 });
    const running = runner.run(host, spec, seen, { cancel: cancel.signal });
    await until('the tree', () => seen.text('stdout') === 'ready\n' && marked(spec.id).length >= 5);
    const [, pid] = await pidsOf(host, spec.id);
    cancel.abort();
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(marked(spec.id)).toEqual([]);
    expect(commandLines()).not.toContain('sleep 302.25');
    expect(existsSync(`/proc/${pid}`)).toBe(false);
    expect((await runner.lookup(host, spec.id))).toMatchObject({ state: 'exited', ended: 'cancelled' });
  });

  it('gives a command the time to clean up', async () => {
    const seen = collector();
    const cancel = new AbortController();
    const running = runner.run(host, command(`trap 'echo cleaned; exit 0' TERM; echo ready; while :; do sleep 0.05; done`), seen, { cancel: cancel.signal });
    await until('ready', () => seen.text('stdout') === 'ready\n');
    cancel.abort();
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(seen.text('stdout')).toBe('ready\ncleaned\n');
  });

  it('ends a command that is over its time', async () => {
    const spec = command('echo begun; sleep 300', { timeoutMs: 200 });
    const seen = collector();
    expect(await runner.run(host, spec, seen)).toEqual({ kind: 'timeout' });
    expect(marked(spec.id)).toEqual([]);
    expect(seen.text('stdout')).toBe('begun\n');
    // A later look, from whichever gateway, says the same.
    expect(await runner.run(host, { ...spec, mayHaveStarted: true }, collector())).toEqual({ kind: 'timeout' });
  });

  it('counts the time from the first start', async () => {
    const spec = command('sleep 300', { timeoutMs: 60_000 });
    const detach = new AbortController();
    const first = runner.run(host, spec, collector(), { detach: detach.signal });
    await pidsOf(host, spec.id);
    detach.abort();
    await first;
    expect(await runner.run(host, { ...spec, mayHaveStarted: true, startedAt: Date.now() - 60_000 }, collector())).toEqual({ kind: 'timeout' });
  });

  it('ends what a finished command left behind', async () => {
    const spec = command('(sleep 300 >/dev/null 2>&1 &)');
    expect(await runner.run(host, spec, collector())).toEqual({ kind: 'exited', code: 0 });
    expect(marked(spec.id).length).toBe(1);
    expect(await runner.kill(host, spec.id, { graceMs: 200 })).toEqual({ state: 'exited', code: 0 });
    expect(marked(spec.id)).toEqual([]);
  });

  it('does not start what was cancelled before', async () => {
    const spec = command(`touch ${sshd.home}/cancelled-ran`);
    expect(await runner.run(host, spec, collector(), { cancel: AbortSignal.abort() })).toEqual({ kind: 'cancelled' });
    expect(await runner.run(host, { ...spec, mayHaveStarted: true }, collector(), { cancel: AbortSignal.abort() })).toEqual({ kind: 'cancelled' });
    expect(await runner.run(host, spec, collector())).toEqual({ kind: 'cancelled' });
    expect(existsSync(`${sshd.home}/cancelled-ran`)).toBe(false);
  });
});

describe('a connection that fails', () => {
  it('loses and repeats no byte when it is cut again and again', async () => {
    const seen = collector();
    const links: boolean[] = [];
    const spec = command('i=0; while [ $i -lt 3000 ]; do echo "line $i"; echo "error $i" >&2; i=$((i+1)); [ $((i % 100)) -ne 0 ] || sleep 0.05; done; exit 9');
    const running = runner.run(host, spec, { ...seen, onChunk: seen.onChunk, onLink: (link) => void links.push(link.up) });
    for (const mark of ['line 400\n', 'line 1200\n', 'line 2000\n']) {
      await until(mark, () => seen.text('stdout').includes(mark));
      sshd.cut();
    }
    expect(await running).toEqual({ kind: 'exited', code: 9 });
    const lines = (name: string): string => Array.from({ length: 3_000 }, (_, index) => `${name} ${index}\n`).join('');
    expect(seen.text('stdout')).toBe(lines('line'));
    expect(seen.text('stderr')).toBe(lines('error'));
    expect(links).toEqual([false, true, false, true, false, true]);
  });

  it('is waited for while the host is away, and the end is not missed', async () => {
    const seen = collector();
    const gate = `${sshd.home}/away`;
    const spec = command(`echo a; while [ ! -e ${gate} ]; do sleep 0.02; done; echo b`);
    let down = false;
    const running = runner.run(host, spec, { ...seen, onChunk: seen.onChunk, onLink: (link) => void (down = !link.up) });
    await until('first output', () => seen.text('stdout') === 'a\n');
    await sshd.refuse(true);
    await until('the loss', () => down);
    writeFileSync(gate, '');
    await until('the end on the host', () => marked(spec.id).length === 0);
    await sshd.refuse(false);
    expect(await running).toEqual({ kind: 'exited', code: 0 });
    expect(seen.text('stdout')).toBe('a\nb\n');
  });

  it('cancels once the host is back', async () => {
    const seen = collector();
    const cancel = new AbortController();
    const spec = command('echo a; sleep 300', { graceMs: 200 });
    const running = runner.run(host, spec, seen, { cancel: cancel.signal });
    await until('first output', () => seen.text('stdout') === 'a\n');
    await sshd.refuse(true);
    cancel.abort();
    expect(marked(spec.id).length).toBeGreaterThan(0);
    await sshd.refuse(false);
    expect(await running).toEqual({ kind: 'cancelled' });
    expect(marked(spec.id)).toEqual([]);
  });

  it('is not-started only when nothing can have started', async () => {
    const away = sshd.spec('away', { port: 1 });
    const spec = command('true', { connectLimitMs: 0 });
    expect(await runner.run(away, spec, collector())).toMatchObject({ kind: 'not-started', error: { code: 'unreachable' } });
    const detach = new AbortController();
    const doubtful = runner.run(away, { ...spec, mayHaveStarted: true }, { ...collector(), onLink: () => detach.abort() }, { detach: detach.signal });
    expect(await doubtful).toEqual({ kind: 'detached' });
  });

  it('tells a host whose disk or rights do not allow a start', async () => {
    const blocked = sshd.spec('blocked', { folder: `${sshd.home}/config/inside-a-file` });
    expect(await runner.run(blocked, command('true'), collector())).toMatchObject({ kind: 'not-started', error: { code: 'host-fault' } });
  });
});

describe.each([
  ['sh with setsid and env', { command: 'exec sh' }],
  ['sh without setsid', { command: 'exec sh', preamble: 'BERTH_NO_SETSID=1' }],
  ['bash, no /proc', { command: 'exec bash', preamble: 'BERTH_NO_PROC=1' }],
  ['sh, no /proc, no setsid', { command: 'exec sh', preamble: 'BERTH_NO_PROC=1; BERTH_NO_SETSID=1' }],
])('the runner under %s', (name, options) => {
  it('starts, reports, ends and forgets', async () => {
    const local = { ...sshd.spec('variant', { transport: 'local' }), folder: `${sshd.home}/variant ${name.replace('/', '')}` };
    const transport = await connectLocal(local);
    const shell = await openHostShell(transport, options);
    const start = (id: string, script: string): ReturnType<typeof shell.start> => shell.start({ id, script, cwd: '/', env: { A: "b'c" } });
    const exited = (id: string): Promise<unknown> => new Promise((resolve) => shell.onExit(id, resolve));

    const first = exited('one');
    expect(await start('one', 'echo "$A"; grep SigIgn /proc/self/status; exit 3')).toEqual({ state: 'new' });
    expect(await first).toEqual({ state: { state: 'exited', code: 3 }, stdout: true, stderr: false });
    expect((await transport.exec(`cat '${local.folder}/actions/one/out'`)).stdout.toString()).toMatch(/^b'c\nSigIgn:\s*0+\n$/);
    expect(await start('one', 'echo again')).toEqual({ state: 'exited', code: 3 });

    await start('two', `sh -c 'sleep 300 & sleep 300'; sleep 300`);
    await pidsOf(local, 'two');
    expect(await shell.look('two')).toEqual({ state: 'running' });
    expect(await shell.kill('two', 'timeout', 200)).toEqual({ state: 'exited', code: 143, ended: 'timeout' });
    expect(marked('two')).toEqual([]);

    await start('three', 'sleep 300');
    const pids = await pidsOf(local, 'three');
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await endMarked('three');
    // A process on its way out has lost its mark before it is a zombie.
    await vi.waitFor(async () => expect(await shell.look('three')).toEqual({ state: 'lost' }), 5_000);
    await shell.forget(['one', 'two', 'three']);
    expect(await shell.list()).toEqual([]);
    await transport.close();
  });
});
