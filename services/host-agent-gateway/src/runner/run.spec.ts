import { randomBytes, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { HostSpec } from '../transports/transport.js';
import type { RunSpec } from './outcome.js';
import { actionFile, collector, marked, pidsOf, until } from './runner.testing.js';
import { createRunner, type Runner } from './run.js';

let sshd: RelayedSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

describe.each(['ssh', 'local'] as const)('commands over %s', (transport) => {
  let pool: HostPool;
  let runner: Runner;
  let host: HostSpec;
  const command = (script: string, more: Partial<RunSpec> = {}): RunSpec => ({ id: randomUUID(), script, cwd: '/', ...more });
  beforeAll(() => {
    pool = createPool();
    runner = createRunner(pool);
    host = sshd.spec(`runner-${transport}`, { transport, folder: `${sshd.home}/it's a "folder" $HOME ${transport}` });
  });
  afterAll(() => pool.closeAll());

  it('gives output, each stream in order, and the exit code', async () => {
    const seen = collector();
    const outcome = await runner.run(host, command('echo one; echo bad >&2; echo two; echo worse >&2; exit 42'), seen);
    expect(outcome).toEqual({ kind: 'exited', code: 42 });
    expect([seen.text('stdout'), seen.text('stderr')]).toEqual(['one\ntwo\n', 'bad\nworse\n']);
  });

  it('stops a script at its first failing line', async () => {
    const seen = collector();
    expect(await runner.run(host, command('echo a\nfalse\necho b'), seen)).toEqual({ kind: 'exited', code: 1 });
    expect(seen.text('stdout')).toBe('a\n');
  });

  it('tells a signal as 128 + its number', async () => {
    expect(await runner.run(host, command('kill -9 $$'), collector())).toEqual({ kind: 'exited', code: 137 });
  });

  it('hands output on while the command runs', async () => {
    const seen = collector();
    const gate = `${sshd.home}/gate-${transport}`;
    const running = runner.run(host, command(`echo early; while [ ! -e '${gate}' ]; do sleep 0.02; done; echo late`), seen);
    await until('early output', () => seen.text('stdout') === 'early\n');
    writeFileSync(gate, '');
    expect(await running).toEqual({ kind: 'exited', code: 0 });
    expect(seen.text('stdout')).toBe('early\nlate\n');
  });

  it('sets folder and environment, hostile values included, and no others', async () => {
    const seen = collector();
    const cwd = `${sshd.home}/a 'strange' $folder-${transport}`;
    mkdirSync(cwd);
    const env = { PLAIN: 'x', STRANGE: `'"$(touch /tmp/no)\`id\`\n\\ü*~`, EMPTY: '' };
    const spec = command('pwd; printf "%s|%s|%s|%s\\n" "$PLAIN" "$STRANGE" "$EMPTY" "$BERTH_ACTION"; [ ! -t 0 ]; cat; env', { cwd, env });
    expect(await runner.run(host, spec, seen)).toEqual({ kind: 'exited', code: 0 });
    expect(seen.text('stdout')).toContain(`${cwd}\nx|${env.STRANGE}||${spec.id}\n`);
    expect(seen.text('stdout')).not.toMatch(/^(berth_|OLDPWD=|VITEST)/m);
  });

  it('answers 125 with a reason when the folder to run in is missing', async () => {
    const seen = collector();
    expect(await runner.run(host, command('true', { cwd: 'no-such-folder' }), seen)).toEqual({ kind: 'exited', code: 125 });
    expect(seen.text('stderr')).toContain('no-such-folder');
  });

  it('leaves signals as a fresh login would: a child can be interrupted', async () => {
    const seen = collector();
    await runner.run(host, command('grep SigIgn /proc/self/status; kill 0'), seen);
    expect(seen.text('stdout')).toMatch(/SigIgn:\s*0000000000000000/);
    expect(await runner.run(host, command('true'), collector())).toEqual({ kind: 'exited', code: 0 });
  });

  it('keeps binary output as it is', async () => {
    const seen = collector();
    const content = randomBytes(300_001);
    writeFileSync(`${sshd.home}/binary`, content);
    await runner.run(host, command(`cat ${sshd.home}/binary; cat ${sshd.home}/binary >&2`), seen);
    expect(seen.bytes('stdout').equals(content) && seen.bytes('stderr').equals(content)).toBe(true);
    expect(seen.largest).toBeLessThanOrEqual(65_536);
  });

  it('holds back when output is taken slowly, and loses nothing', async () => {
    const seen = collector();
    let open = 0;
    let most = 0;
    const slow = async (stream: 'stdout' | 'stderr', offset: number, bytes: Buffer): Promise<void> => {
      most = Math.max(most, ++open);
      const taken = seen.onChunk(stream, offset, bytes);
      await new Promise((resolve) => setTimeout(resolve, 2));
      await taken;
      open -= 1;
    };
    await runner.run(host, command('head -c 8000000 /dev/zero'), { onChunk: slow });
    expect(seen.bytes('stdout').length).toBe(8_000_000);
    expect(most).toBeLessThanOrEqual(8);
  });

  it('rejects with what the taker of output rejects with', async () => {
    const full = new Error('the store is full');
    await expect(runner.run(host, command('echo x'), { onChunk: () => Promise.reject(full) })).rejects.toBe(full);
  });

  it('starts one id once, however many ask at the same time', async () => {
    const spec = command(`echo ran >>${sshd.home}/ran-${transport}; echo out; sleep 0.2`);
    const all = Array.from({ length: 20 }, () => collector());
    const outcomes = await Promise.all(all.map((seen) => runner.run(host, spec, seen)));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome)))).toEqual(new Set(['{"kind":"exited","code":0}']));
    expect(new Set(all.map((seen) => seen.text('stdout')))).toEqual(new Set(['out\n']));
    const again = collector();
    await runner.run(host, command(`cat ${sshd.home}/ran-${transport}`), again);
    expect(again.text('stdout')).toBe('ran\n');
  });

  it('resumes at the offsets it is given', async () => {
    const spec = command('echo 0123456789; echo abcdef >&2');
    await runner.run(host, spec, collector());
    const got: string[] = [];
    await runner.run(host, { ...spec, offsets: { stdout: 4, stderr: 7 } }, { onChunk: async (stream, offset, bytes) => void got.push(`${stream} ${offset} ${bytes.toString()}`) });
    expect(got).toEqual(['stdout 4 456789\n']);
  });

  it('is picked up by another gateway after ours is gone', async () => {
    const gate = `${sshd.home}/restart-${transport}`;
    const spec = command(`echo before; while [ ! -e '${gate}' ]; do sleep 0.02; done; echo after; exit 5`);
    const detach = new AbortController();
    const seen = collector();
    const first = runner.run(host, spec, seen, { detach: detach.signal });
    await until('first output', () => seen.text('stdout') === 'before\n');
    detach.abort();
    expect(await first).toEqual({ kind: 'detached' });
    const otherPool = createPool();
    const second = createRunner(otherPool).run(host, { ...spec, mayHaveStarted: true, offsets: { stdout: 7, stderr: 0 } }, { onChunk: (stream, offset, bytes) => seen.onChunk(stream, offset, bytes) });
    writeFileSync(gate, '');
    expect(await second).toEqual({ kind: 'exited', code: 5 });
    expect(seen.text('stdout')).toBe('before\nafter\n');
    await otherPool.closeAll();
  });

  it('knows what it was asked to run, and forgets when told', async () => {
    const spec = command('exit 3');
    expect(await runner.lookup(host, spec.id)).toEqual({ state: 'unknown' });
    await runner.run(host, spec, collector());
    expect(await runner.lookup(host, spec.id)).toEqual({ state: 'exited', code: 3 });
    expect(await runner.list(host)).toContain(spec.id);
    await runner.forget(host, [spec.id, 'never-heard-of']);
    expect(await runner.lookup(host, spec.id)).toEqual({ state: 'unknown' });
    expect(await runner.list(host)).not.toContain(spec.id);
  });

  it('does not forget what still runs', async () => {
    const spec = command('sleep 60');
    const running = runner.run(host, spec, collector());
    await pidsOf(host, spec.id);
    await expect(runner.forget(host, [spec.id])).rejects.toMatchObject({ code: 'still-running' });
    expect((await runner.lookup(host, spec.id)).state).toBe('running');
    await runner.kill(host, spec.id, { graceMs: 100 });
    expect(await running).toEqual({ kind: 'cancelled' });
  });

  it('calls it lost when supervisor and command were killed and nothing was recorded', async () => {
    const spec = command('sleep 60');
    const running = runner.run(host, spec, collector());
    const [supervisor, pid] = await pidsOf(host, spec.id);
    process.kill(supervisor, 'SIGKILL');
    expect((await runner.lookup(host, spec.id)).state).toBe('running');
    for (const left of [pid, ...marked(spec.id)]) {
      try {
        process.kill(left, 'SIGKILL');
      } catch (error) {
        expect(error).toMatchObject({ code: 'ESRCH' });
      }
    }
    expect(await running).toEqual({ kind: 'lost' });
    expect(await runner.lookup(host, spec.id)).toEqual({ state: 'lost' });
  });

  it('is not fooled by a pid of somebody else, nor by an unfinished exit code', async () => {
    const id = randomUUID();
    await runner.list(host);
    mkdirSync(`${host.folder}/actions/${id}`);
    writeFileSync(`${host.folder}/actions/${id}/pid`, `${process.pid}\n${process.pid} 12345 another-boot\n`);
    writeFileSync(`${host.folder}/actions/${id}/rc`, '0');
    expect(await runner.lookup(host, id)).toEqual({ state: 'lost' });
    await runner.kill(host, id, { graceMs: 100 });
  });

  it('settles a start that never happened', async () => {
    const id = randomUUID();
    await runner.list(host);
    mkdirSync(`${host.folder}/actions/${id}`);
    expect(await runner.lookup(host, id)).toEqual({ state: 'starting' });
    expect(await runner.kill(host, id)).toEqual({ state: 'never', ended: 'cancelled' });
    expect(await runner.run(host, command('echo no', { id }), collector())).toEqual({ kind: 'cancelled' });
    expect(actionFile(host, id, 'out')).toBeUndefined();
    const other = randomUUID();
    mkdirSync(`${host.folder}/actions/${other}`);
    await runner.forget(host, [id, other]);
    expect(await runner.lookup(host, other)).toEqual({ state: 'unknown' });
  });

  it('refuses values that can never be right before anything is sent', async () => {
    for (const bad of [{ id: '../x' }, { env: { 'A-B': '1' } }, { script: 'a\0b' }]) {
      await expect(runner.run(host, command('true', bad), collector())).rejects.toMatchObject({ code: 'invalid-value' });
    }
  });
});
