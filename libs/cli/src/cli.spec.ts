import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { cliAt } from '../../../test/support/cli.js';
import { startFleet, startTestSshd, type Fleet } from '../../../test/support/fleet.js';
import { freshDatabase } from '../../../test/support/postgres.js';
import type { TestSshd } from '../../../test/support/sshd.js';
import { eventually } from '../../../test/support/wait.js';

const CONSOLE = fileURLToPath(new URL('../../../services/console/dist/main.js', import.meta.url));

let env: NodeJS.ProcessEnv = {};
let home = '';
let cwd = process.cwd();
const { berth, begin, json } = cliAt(() => ({ home, cwd, env }));

describe('used wrongly', () => {
  test.each([
    [['--help'], 0],
    [['lease', 'request', '--help'], 0],
    [['help', 'lease'], 0],
    [[], 2],
    [['lease'], 2],
    [['boat'], 2],
    [['lease', 'list', '--fast'], 2],
    [['lease', 'show'], 2],
    [['lease', 'show', 'a', 'b'], 2],
    [['lease', 'request'], 2],
    [['lease', 'request', '--type', 'host', '--for', 'soon'], 2],
    [['lease', 'request', '--type', 'host', '--until', 'tomorrow'], 2],
    [['lease', 'request', '--type', 'host', '--attribute', 'os'], 2],
    [['lease', 'renew', 'x'], 2],
    [['lease', 'exec', 'x'], 2],
    [['lease', 'list', '--limit', 'many'], 2],
    [['lease', 'request', '--type', 'host', '--wait', '--try'], 2],
    [['blueprint', 'example', 'boat'], 2],
    [['quota', 'set'], 2],
    [['resource', 'hold', 'x'], 2],
  ])('%j ends with %i', async (words, code) => {
    const ran = await berth(...words);
    expect(ran.code).toBe(code);
    expect(code === 0 ? ran.stdout : ran.stderr).not.toBe('');
    expect(code === 0 ? ran.stderr : ran.stdout).toBe('');
  });

  test('with --json the error is the one value on stdout', async () => {
    const ran = await berth('lease', 'show', '--json');
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toEqual({ error: { code: 'usage', message: "missing required argument 'id'", errors: [] } });
  });

  test('nobody there: one sentence that says what to do', async () => {
    const away = { BERTH_URL: 'http://127.0.0.1:1', BERTH_TOKEN: 'x' };
    env = away;
    expect(await berth('build', 'list')).toEqual({ code: 1, stdout: '', stderr: 'berth: Berth does not answer at http://127.0.0.1:1: start it with `npm start` or set BERTH_URL.\n' });
    [home, env] = [await tempFolder('home'), {}];
    expect(await berth('build', 'list')).toEqual({ code: 1, stdout: '', stderr: 'berth: Berth has not been started here: start it with `npm start`, or set BERTH_URL and BERTH_TOKEN.\n' });
  });
});

describe('with Berth running', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  let startConsole: () => Promise<void>;
  let stopConsole: (signal: NodeJS.Signals) => Promise<void>;
  beforeAll(async () => {
    fleet = await startFleet();
    const token = randomUUID();
    const port = await freePort();
    const own = { NATS_URL: fleet.nats.urlOf('console'), DATABASE_URL: await freshDatabase(), BERTH_HOME: fleet.home, BERTH_HTTP_PORT: String(port), BERTH_TOKEN: token };
    startConsole = async () => {
      const service = spawn(process.execPath, [CONSOLE], { env: { ...process.env, ...own }, stdio: ['ignore', 'pipe', 'ignore'] });
      const gone = new Promise((resolve) => service.once('exit', resolve));
      const stop = async (signal: NodeJS.Signals) => {
        service.kill(signal);
        await gone;
      };
      stopConsole = stop;
      await new Promise((resolve) => service.stdout.once('data', resolve));
    };
    await startConsole();
    atEndOfFile(() => stopConsole('SIGTERM'));
    cwd = await tempFolder('cwd');
    [home, env] = [fleet.home, {}];
    await writeFile(join(fleet.home, 'cli.json'), JSON.stringify({ url: `http://127.0.0.1:${port}`, token }));
    sshd = await startTestSshd();
    const added = await berth('machine', 'add', 'box', '--address', sshd.host, '--port', String(sshd.port), '--user', sshd.user, '--credential', `file:${sshd.privateKeyPath}`, '--slots', '3', '--attribute', 'pool=spec', 'color=red', '--folder', join(fleet.home, 'host'));
    expect(added).toMatchObject({ code: 0, stderr: '' });
    await eventually(async () => expect((await json<{ resource: unknown }>('machine', 'show', 'box')).resource).not.toBeNull(), { timeoutMs: 10_000, everyMs: 200 });
  });

  test('machines and blueprints', async () => {
    expect(await json('machine', 'show', 'box')).toMatchObject({ name: 'box', slots: 3, attributes: { pool: 'spec', color: 'red' }, reachable: true });
    const { stdout } = await berth('machine', 'list');
    expect(stdout.split('\n')[0]).toMatch(/^NAME +ADDRESS +PLATFORM +SLOTS +STATE +ATTRIBUTES +ADDED$/);
    expect(stdout).not.toContain('\u001b');
    expect((await berth('blueprint', 'list')).stdout).toMatch(/^preallocated +host +3 +0 +/m);
    const again = await berth('machine', 'add', 'box', '--address', sshd.host, '--user', 'x', '--credential', 'agent', '--json');
    expect([again.code, (JSON.parse(again.stdout) as { error: { code: string } }).error.code]).toEqual([1, 'name-taken']);
    expect((await berth('machine', 'remove', 'nobody')).code).toBe(1);
  });

  test('a lease: waited for, used, given back', async () => {
    const lease = await json<{ id: string; status: string }>('lease', 'request', '--type', 'host', '--attribute', 'pool=spec', '--for', '10m', '--owner', 'ada');
    expect(lease).toMatchObject({ status: 'active', owner: 'ada' });
    const ran = await berth('lease', 'exec', lease.id, '--env', 'WHO=it', '--', 'sh', '-c', 'echo "$1 $WHO"; echo "a  \'b" >&2; exit 7', 'sh', "it's $HOME *");
    expect(ran).toEqual({ code: 7, stdout: "it's $HOME * it\n", stderr: "a  'b\n" });
    expect(await berth('lease', 'exec', lease.id, '--shell', 'echo $((1+1)) | cat')).toEqual({ code: 0, stdout: '2\n', stderr: '' });
    expect(await json('lease', 'exec', lease.id, '--', 'echo', 'x')).toMatchObject({ status: 'succeeded', exitCode: 0, stdout: 'x\n', stderr: '' });
    const late = await berth('lease', 'exec', lease.id, '--timeout', '1s', '--', 'sleep', '30');
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain('berth:');

    const bytes = randomBytes(1_000_000);
    await writeFile(join(cwd, 'up.bin'), bytes);
    expect((await berth('lease', 'put', lease.id, 'up.bin', 'in/there.bin')).code).toBe(0);
    expect((await berth('lease', 'get', lease.id, 'in/there.bin', 'down.bin')).code).toBe(0);
    expect((await readFile(join(cwd, 'down.bin'))).equals(bytes)).toBe(true);
    expect(await berth('lease', 'get', lease.id, '../x', 'y')).toMatchObject({ code: 1, stderr: expect.stringContaining('path') });

    const until = '2040-01-01T00:00:00.000Z';
    expect(await json('lease', 'renew', lease.id, '--until', until)).toEqual({ id: lease.id, until });
    expect((await berth('lease', 'list', '--status', 'active')).stdout).toContain(lease.id);
    expect((await berth('lease', 'release', lease.id)).code).toBe(0);
    await eventually(async () => expect((await json<{ status: string }>('lease', 'show', lease.id)).status).toBe('destroyed'), { everyMs: 200 });
    expect(await berth('lease', 'renew', lease.id, '--for', '1h')).toMatchObject({ code: 1, stderr: expect.stringContaining('destroyed') });
  });

  test('a request that nothing could serve is refused, with what was looked at', async () => {
    const refused = await berth('lease', 'request', '--type', 'host', '--attribute', 'pool=nowhere');
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^BLUEPRINT +RESOURCE +REASON +UNTIL$/m) });
    expect((await berth('lease', 'request', '--type', 'host', '--attribute', 'pool=nowhere', '--dry-run')).code).toBe(1);
    expect(await berth('lease', 'request', '--type', 'host', '--attribute', 'pool=spec', '--try', '--dry-run')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^It would be served at once\./) });
  });

  test('kept alive while it is needed, and explained while it waits', async () => {
    const asked = await berth('lease', 'request', '--type', 'host', '--attribute', 'pool=nowhere', '--wait', '--no-wait', '--ttl', '30s', '--json');
    const { id } = JSON.parse(asked.stdout) as { id: string };
    expect(asked).toMatchObject({ code: 0, stderr: expect.stringContaining(`run \`berth lease keep ${id}\``) });
    expect((await berth('why', id)).stdout).toMatch(/^ahead +0$/m);
    expect((await berth('lease', 'priority', id, '900')).code).toBe(0);
    const keeping = begin('lease', 'keep', id);
    await eventually(() => expect(keeping.said()).toContain('keeping lease'), { timeoutMs: 10_000 });
    keeping.interrupt();
    expect(await keeping.ran).toMatchObject({ code: 130, stderr: expect.stringContaining('no longer kept, and not released') });
    expect(await json('lease', 'show', id)).toMatchObject({ status: 'pending', priority: 900, ttl: 30_000, alive: expect.any(String) });
    await berth('lease', 'release', id);
  });

  test('a machine out of service and back', async () => {
    const state = async () => (await json<{ state: string }>('machine', 'show', 'box')).state;
    for (const [verb, options, expected] of [['quarantine', ['--reason', 'flaky', '--for', '1h'], 'quarantined'], ['unquarantine', [], 'active'], ['hold', ['--for', '1h'], 'held'], ['unhold', [], 'active'], ['drain', [], 'draining'], ['undrain', [], 'active']] as const) {
      expect((await berth('machine', verb, 'box', ...options)).code).toBe(0);
      expect([verb, await state()]).toEqual([verb, expected]);
    }
    expect((await berth('capacity')).stdout).toMatch(/^preallocated +3 +3 +0 /m);
  });

  test('a blueprint: applied, disabled, removed', async () => {
    await writeFile(join(cwd, 'copy.yaml'), 'name: warm\nkind: working-copy\nreuse: project\n');
    expect(await berth('blueprint', 'apply', 'copy.yaml')).toMatchObject({ code: 0, stdout: 'Blueprint warm is saved as version 1.\n' });
    expect((await berth('blueprint', 'disable', 'warm', '--reason', 'spec')).code).toBe(0);
    expect(await json('blueprint', 'show', 'warm')).toMatchObject({ version: 1, enabled: false, disabledReason: 'spec', spec: { reuse: 'project' } });
    expect((await berth('blueprint', 'enable', 'warm')).code).toBe(0);
    expect((await berth('blueprint', 'remove', 'warm')).code).toBe(0);
    expect(await json('quota', 'set', '--hosts', '50')).toMatchObject({ quota: { hosts: 50 } });
    expect(await json('quota', 'set', '--none')).toMatchObject({ quota: { owners: {} } });
  });

  test('Ctrl-C while it waits gives the lease back', async () => {
    const waiting = begin('lease', 'request', '--type', 'host', '--attribute', 'pool=nowhere', '--owner', 'patient', '--wait');
    await eventually(() => expect(waiting.said()).toContain('waiting:'), { timeoutMs: 10_000 });
    waiting.interrupt();
    expect((await waiting.ran).code).toBe(130);
    const { items } = await json<{ items: { owner: string; status: string }[] }>('lease', 'list');
    expect(items.find((l) => l.owner === 'patient')!.status).toBe('destroyed');
  });

  test('a plan from a file beside its folder, and a build of it', async () => {
    await mkdir(join(cwd, 'plans/project'), { recursive: true });
    await writeFile(join(cwd, 'plans/project/hello.txt'), 'hello\n');
    await writeFile(
      join(cwd, 'plans/hello.yaml'),
      'name: hello\nhost: { pool: spec }\nworkingCopy: { repository: ./project, ref: main }\nsteps:\n  - name: Look\n    run: cat hello.txt; echo "$WHO"\n  - name: Keep\n    uses: upload-artifact\n    with: { path: hello.txt }\n',
    );
    const applied = await berth('plan', 'apply', 'plans/hello.yaml');
    expect(applied).toMatchObject({ code: 0, stdout: 'Plan hello is saved as version 1: start it with `berth build start hello`.\n' });
    expect(applied.stderr).toContain('./project is no Git repository');
    expect((await berth('plan', 'list')).stdout).toMatch(/^hello +1 +.* +Look, Keep$/m);
    expect((await berth('plan', 'show', 'hello')).stdout).toContain(join(fleet.home, 'repositories', 'project'));

    const watched = await berth('build', 'start', 'hello', '--var', 'WHO=ada', '--watch');
    expect(watched.code).toBe(0);
    expect(watched.stdout).toMatch(/^hello\nada$/m);
    expect(watched.stdout).toMatch(/^100% /m);
    expect(watched.stdout).not.toContain('\u001b');

    const { items } = await json<{ items: { id: string; status: string }[] }>('build', 'list', '--plan', 'hello', '--limit', '1');
    const { id } = items[0]!;
    expect((await berth('build', 'log', id)).stdout).toContain('hello\nada\n');
    expect((await berth('build', 'log', id, '-f')).stdout).toContain('hello\nada\n');
    expect((await berth('build', 'log', id, '--step', 'Look', '--tail', '1', '-f')).stdout).toBe('ada\n');
    await berth('build', 'log', id, '--download', 'kept/hello.log');
    expect(await readFile(join(cwd, 'kept/hello.log'), 'utf8')).toContain('hello\nada\n');
    expect((await berth('build', 'watch', id)).code).toBe(0);
    const kept = await json<{ items: { path: string }[] }>('build', 'artifacts', id, '--download', 'kept');
    expect(await readFile(kept.items[0]!.path, 'utf8')).toBe('hello\n');
    expect((await berth('history', id)).stdout).toMatch(/BuildRequested.*\n(.*\n)*.*BuildPassed/);
    expect((await berth('build', 'show', id)).stdout).toMatch(/^Look +look +passed/m);
  });

  test('a build that fails, one that is aborted, one that can not be', async () => {
    await writeFile(join(cwd, 'fail.yaml'), 'name: fail\nhost: { pool: spec }\nsteps:\n  - { name: Break, run: "echo broken; exit 4" }\n');
    await writeFile(join(cwd, 'long.yaml'), 'name: long\nhost: { pool: spec }\nsteps:\n  - { name: Sleep, run: "echo begun; sleep 100" }\n');
    await berth('plan', 'apply', 'fail.yaml');
    await berth('plan', 'apply', 'long.yaml');
    const failed = await berth('build', 'start', 'fail', '--watch', '--json');
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ status: 'failed', steps: [{ outcome: 'failed', exitCode: 4 }] });
    expect(failed.stderr).toContain('broken\n');

    const { id } = await json<{ id: string }>('build', 'start', 'long');
    const watching = begin('build', 'watch', id);
    await eventually(() => expect(watching.said()).toContain('begun'), { timeoutMs: 15_000 });
    expect((await berth('build', 'abort', id, '--reason', 'enough')).code).toBe(0);
    const ended = await watching.ran;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain('aborted');

    expect(await berth('build', 'start', 'nothing')).toMatchObject({ code: 1, stdout: '' });
    await writeFile(join(cwd, 'bad.yaml'), 'name: bad\nsteps:\n  - { name: A, uses: dance }\n');
    const bad = await berth('plan', 'apply', 'bad.yaml', '--json');
    expect(bad.code).toBe(1);
    expect((JSON.parse(bad.stdout) as { error: { code: string; errors: unknown[] } }).error).toMatchObject({ code: 'invalid-plan' });
    expect(await berth('plan', 'apply', 'absent.yaml')).toEqual({ code: 1, stdout: '', stderr: "berth: absent.yaml can't be read (ENOENT).\n" });
  });

  test('whoever watches goes on where it was when the console is killed and comes back', async () => {
    await writeFile(join(cwd, 'slow.yaml'), 'name: slow\nhost: { pool: spec }\nsteps:\n  - name: Count\n    run: i=0; while [ $i -lt 60 ]; do echo "line $i"; i=$((i+1)); sleep 0.05; done\n');
    await berth('plan', 'apply', 'slow.yaml');
    const watching = begin('build', 'start', 'slow', '--watch');
    await eventually(() => expect(watching.said()).toContain('line 5'), { timeoutMs: 15_000 });
    await stopConsole('SIGKILL');
    await startConsole();
    const { code, stdout } = await watching.ran;
    expect(code).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('line'))).toEqual(Array.from({ length: 60 }, (_, i) => `line ${i}`));
  });

  test('the projections are rebuilt, and show the same', async () => {
    const before = await json('build', 'list');
    const rebuilt = await berth('projection', 'rebuild', '--json');
    expect([rebuilt.code, JSON.parse(rebuilt.stdout)]).toEqual([0, expect.objectContaining({ done: true })]);
    expect(await json('build', 'list')).toEqual(before);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
