import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { BuildEvent } from '@berth/contracts';
import { isAlive } from '@berth/embedded/servers';
import { atEndOfFile } from '../support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import type { TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const MOUNTS = canMount();
const HOUR_MS = 3_600_000;
/** A clock that is an hour ahead, for a service that is started with it. */
const AHEAD = `--import=data:text/javascript,${encodeURIComponent(`const O=Date;globalThis.Date=class extends O{constructor(...a){a.length?super(...a):super(O.now()+${HOUR_MS})}static now(){return O.now()+${HOUR_MS}}}`)}`;

/** What people get wrong, and what hosts do to them: each ends in a state, with a sentence that says what to do. */
describe('bad input', () => {
  let fleet: Fleet;
  let sshd: TestSshd;
  let folder: string;
  /** Read again by each service that is started. */
  const env: Record<string, string> = { BERTH_ARTIFACT_LIMIT: '4096' };
  beforeAll(async () => {
    fleet = await startFleet({ env });
    sshd = await startTestSshd();
    folder = await fleet.addMachine('one', sshd, { slots: 2, attributes: { pool: 'one' } });
  });

  const eventsOf = async (build: string) => (await fleet.events('build')).filter((r) => r.id === build).flatMap((r) => r.commit.events as BuildEvent[]);
  const actionOf = async (build: string, step = 0): Promise<string> =>
    eventually(async () => {
      const started = (await eventsOf(build)).find((event) => event.type === 'StepStarted' && event.data.step === step);
      return started?.type === 'StepStarted' && started.data.action;
    }, { timeoutMs: 20_000 });
  const begin = async (name: string, steps: string, { variables = {}, pool = 'one', declared = '' }: { variables?: Record<string, string>; pool?: string; declared?: string } = {}) => {
    await fleet.applyPlan(`name: ${name}\nhost: { pool: ${pool} }\ninfrastructureRetries: 0\n${declared}\nsteps:\n${steps}`);
    return fleet.build(name, variables);
  };
  const ended = async (build: string) => {
    const { data } = await fleet.ended(build, { timeoutMs: 30_000 });
    expect(await fleet.leftovers(folder)).toEqual([]);
    return data;
  };

  test('steps that need each other: refused, with the way round and the line', async () => {
    const source = 'name: circle\nsteps:\n  - { name: A, needs: c, run: a }\n  - { name: B, needs: a, run: b }\n  - { name: C, needs: b, run: c }\n';
    const answer = await fleet.bus.command('build-orchestrator', 'ApplyPlan', { source });
    expect(answer).toMatchObject({ accepted: false, code: 'invalid-plan', errors: [{ field: 'steps[0].needs', message: 'line 3, column 16: goes round in a circle: a needs c needs b needs a: remove one of these' }] });
  });

  test('a pattern that matches nothing: what is there is named', async () => {
    const id = await begin('nothing', '  - { name: Make, run: "mkdir dist && touch dist/app.tgz" }\n  - { name: Keep, uses: upload-artifact, with: { path: "dist/*.zip" } }');
    expect(await ended(id)).toMatchObject({ status: 'failed', error: 'step Keep failed: nothing matches dist/*.zip: dist has app.tgz.' });
  });

  test('an artifact over the limit: its size, the limit and the way out are told', async () => {
    const id = await begin('large', '  - { name: Make, run: "head -c 5120 /dev/zero >big.bin" }\n  - { name: Keep, uses: upload-artifact, with: { path: big.bin } }');
    expect(await ended(id)).toMatchObject({ status: 'failed', error: 'step Keep failed: big.bin (5.0 KiB) is larger than the 4.0 KiB that are allowed for a file: make it smaller, or have the limit raised.' });
  });

  test('a command that the host does not have: where to get it', async () => {
    const id = await begin('unknown', '  - { name: Compile, run: no-such-compiler main.c }');
    expect(await ended(id)).toMatchObject({
      status: 'failed',
      error: 'step Compile failed: exit code 127: a command was not found; install it on the host or ask for a host that has it',
      failure: { command: 'no-such-compiler main.c', exitCode: 127, tail: expect.stringContaining('no-such-compiler') as string },
    });
  });

  test('processes that a step leaves behind do not hold it up, and are gone when the build is over', async () => {
    const id = await begin('behind', `  - { name: Leave, run: "sleep 300 & echo $!; setsid sh -c 'trap : TERM HUP; echo $$; while :; do sleep 1; done' & sleep 0.1" }`);
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    const pids = (await fleet.output(await actionOf(id))).stdout.trim().split('\n').map(Number);
    expect(pids).toHaveLength(2);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('output that is no text comes as it is, byte for byte', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
    const id = await begin('binary', `  - { name: Print, run: "printf '${[...bytes].map((byte) => `\\\\${byte.toString(8).padStart(3, '0')}`).join('')}'; printf '\\\\377\\\\000' >&2" }`);
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    const printed = await fleet.outputBytes(await actionOf(id));
    expect(printed.stdout.equals(bytes)).toBe(true);
    expect([...printed.stderr]).toEqual([255, 0]);
  });

  test.each(['sh', 'bash'])('values that look like syntax stay values in %s', async (shell) => {
    const value = `'"\`touch pwned\` $(touch pwned) \${HOME} %PATH% !x! \\ ; | & > < * ~ #\n--flag\n'\\'' $'\\n' {a,b} \ttab\r\n`;
    const id = await begin(`values-${shell}`, `  - { name: Say, shell: ${shell}, run: 'printf "%s" "\${{ vars.VALUE }}"; printf "%s" "$VALUE" >&2; test ! -e pwned' }`, { variables: { VALUE: value }, declared: 'variables: { VALUE: { required: true } }' });
    expect(await ended(id)).toMatchObject({ status: 'passed' });
    expect(await fleet.output(await actionOf(id))).toEqual({ stdout: value, stderr: value });
  });

  test('a NUL, which no environment can hold, is refused when the build is asked for', async () => {
    const answer = await fleet.bus.command('build-orchestrator', 'RequestBuild', { plan: 'values-sh', variables: { VALUE: 'a\0b' } });
    expect(answer).toMatchObject({ accepted: false, errors: [{ field: 'data.variables.VALUE', message: 'must have no NUL byte' }] });
  });

  test('a clock that goes back an hour: nothing takes less than no time, and what was begun ends', async () => {
    const restart = async () => {
      await Promise.all([fleet.services['build-orchestrator'], fleet.services['host-agent-gateway']].map(async (service) => {
        await service.kill9();
        await service.start();
      }));
    };
    env['NODE_OPTIONS'] = AHEAD;
    await restart();
    const id = await begin('clock', '  - { name: Wait, timeout: 5m, run: "echo up; while [ ! -e go ]; do sleep 0.02; done" }\n  - { name: Then, run: "true" }');
    const action = await actionOf(id);
    await eventually(async () => expect((await fleet.output(action)).stdout).toBe('up\n'), { timeoutMs: 20_000 });
    delete env['NODE_OPTIONS'];
    await restart();
    const asked = (await fleet.events('action')).find((r) => r.id === action)!.commit.events[0]!.data as { lease: string; token: number };
    await fleet.command('host-agent-gateway', 'RunAction', { lease: asked.lease, token: asked.token, spec: { kind: 'put-file', path: 'go', content: '' } });
    expect(await ended(id)).toMatchObject({ status: 'passed', percent: 100 });
    const commits = (await fleet.events('build')).filter((r) => r.id === id).map(({ commit }) => Date.parse(commit.at));
    expect(Math.max(...commits) - commits.at(-1)!).toBeGreaterThan(HOUR_MS / 2);
    const took = (await eventsOf(id)).flatMap((event) => (event.type === 'StepFinished' ? [event.data.durationMs] : []));
    expect(took).toHaveLength(2);
    expect(Math.min(...took)).toBeGreaterThanOrEqual(0);
    for (const ms of took) expect(ms).toBeLessThan(60_000);
  }, 60_000);

  test('a program that finds a disk full: which host, and what to do', async () => {
    const id = await begin('written', '  - { name: Fill, run: "head -c 8000 /dev/zero >/dev/full" }');
    expect(await ended(id)).toMatchObject({ status: 'failed', error: 'step Fill failed: exit code 1: a disk of host one was full; free some room there or ask for a host with more' });
  });

  // A quota would do as well, and needs the same rights: whoever has neither has the test above.
  test.runIf(MOUNTS)('a disk that a step fills, and that is full from the start: which folder of which host has to be looked at', async () => {
    const disk = smallDisk(join(fleet.home, 'small'));
    await fleet.addMachine('small', await startTestSshd(), { attributes: { pool: 'small' }, folder: disk });
    const id = await begin('filling', '  - { name: Fill, run: "head -c 8000000 /dev/zero >big.bin" }', { pool: 'small' });
    expect(await ended(id)).toMatchObject({ status: 'failed', error: `step Fill failed: exit code 1: host small could not keep all that it printed; see that the disk of ${disk}/actions there has room left` });
    expect(await fleet.leftovers(disk)).toEqual([]);

    expect(() => writeFileSync(join(disk, 'somebody-elses'), Buffer.alloc(2_000_000))).toThrow('ENOSPC');
    const next = await begin('full', '  - { name: Say, run: "echo said" }', { pool: 'small' });
    expect(await ended(next)).toMatchObject({ status: 'error', error: expect.stringMatching(/1 host failed: Host small could not write the files of action .* in .*small\/actions; see that the disk there has room \(and inodes\) left/) as string });
    expect(await fleet.leftovers(disk)).toEqual([]);
  });

  test('a host that reboots while a step runs: it is not said to have failed, and not run twice', async () => {
    const id = await begin('reboot', '  - { name: Run, run: "echo up; while :; do sleep 0.1; done" }');
    const action = await actionOf(id);
    await eventually(async () => expect((await fleet.output(action)).stdout).toBe('up\n'), { timeoutMs: 20_000 });
    await sshd.stop();
    // A parent that lives a moment longer would note how its child ended.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of processesIn(folder)) process.kill(pid, signal);
    await sshd.restart();
    expect(await ended(id)).toMatchObject({ status: 'error', error: 'the outcome of step Run is unknown: the host cannot tell how it ended (it restarted, or the command was killed from outside): look at what it did and restart the build' });
    expect((await eventsOf(id)).filter(({ type }) => type === 'StepStarted')).toHaveLength(1);
  });
});

/** A folder with room for 1 MiB, until the end of the file. */
function smallDisk(folder: string): string {
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'tmpfs', folder]);
  atEndOfFile(() => void execFileSync('umount', [folder]));
  return folder;
}

/** Whether this account may mount: root may, unless it is in a container that may not. */
function canMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false; // also where there is no such program
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Processes that work in a host's folder: commands, and what looks after them. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc').map(Number).filter((pid) => {
    try {
      return pid > 0 && readlinkSync(`/proc/${pid}/cwd`).startsWith(`${folder}/`);
    } catch {
      return false; // it has ended
    }
  });
}
