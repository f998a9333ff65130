import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { CHECKOUT } from '@berth/embedded/servers';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '@berth/cli';
import type { HardwareDocument, HardwareImport, JobView, Page } from '@berth/client';
import { startBerth } from '../support/berth.js';
import { tempFolder } from '../support/cleanup.js';
import { cliAt } from '../support/cli.js';
import { startTestSshd, type TestSshd } from '../support/sshd.js';
import { eventually } from '../support/wait.js';

const SOON = { timeoutMs: 20_000, everyMs: 100 };

describe('hardware jobs on the command line', { timeout: 60_000 }, () => {
  let home: string;
  let cwd: string;
  let sshd: TestSshd;

  const { berth, begin, json } = cliAt(() => ({ home, cwd }));
  const file = (name: string, text: string) => writeFile(join(cwd, name), text);
  const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/;
  const asked = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await berth('job', 'run', ...words);
    expect([code, stderr, stdout]).toEqual([0, '', expect.stringMatching(id)]);
    return stdout.trim();
  };

  beforeAll(async () => {
    [home, cwd, sshd] = await Promise.all([tempFolder('hardware'), tempFolder('desk'), startTestSshd()]);
    await startBerth(home);
    const added = await berth('machine', 'add', 'box1', '--address', sshd.host, '--port', String(sshd.port), '--user', sshd.user, '--credential', `file:${sshd.privateKeyPath}`, '--folder', join(home, 'box1'));
    expect(added).toMatchObject({ code: 0, stderr: '' });
    await file('fleet.yaml', `groups:\n  - name: lent\n    loanSteps: [make an account, take the secrets off]\n    escalation: [{method: ssh_reboot, downWithin: 90s}]\nhardware:\n  - {name: box1, address: ${sshd.host}, groups: [lent], workers: [{id: w-1, group: releng}]}\n  - {name: away, address: none.invalid}\n`);
    expect(await berth('hardware', 'import', 'fleet.yaml', '--dry-run')).toEqual({ code: 0, stderr: '', stdout: 'added  group lent\nadded  machine away\nadded  machine box1\n3 added, 0 changed, 0 removed, 0 the same: nothing is done, this is a dry run.\n' });
    expect((await berth('hardware', 'list')).stdout).toContain('No machines are managed');
    expect(await berth('hardware', 'import', 'fleet.yaml')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/\n3 added, .* the same\.\n$/) });
  });

  test('what is imported is the same again, what differs is told by its values, and what is exported is all of it', async () => {
    expect((await berth('hardware', 'import', 'fleet.yaml')).stdout).toBe('0 added, 0 changed, 0 removed, 3 the same.\n');
    const { stdout } = await berth('hardware', 'export');
    await file('other.yaml', stdout.replace('address: none.invalid', 'address: other.invalid').replace('downWithin: 1m30s', 'downWithin: 2m'));
    expect(await berth('hardware', 'import', 'other.yaml', '--dry-run')).toEqual({ code: 0, stderr: '', stdout: expect.stringMatching(/^changed {2}group lent\n {2}escalation.*\nchanged {2}machine away\n {2}address: none\.invalid -> other\.invalid\n0 added, 2 changed, 0 removed, 1 the same: nothing is done, this is a dry run\.\n$/) });
    expect((await json<HardwareDocument>('hardware', 'export')).hardware.map(({ name, address }) => [name, address]).sort()).toEqual([['away', 'none.invalid'], ['box1', sshd.host]]);
    const [list, groups] = await Promise.all([berth('hardware', 'list', '--worker', 'w-1'), berth('hardware', 'groups')]);
    expect(list.stdout).toMatch(/^NAME .*\nbox1 +\S+ +yes +lent +w-1 +- +-\n$/);
    expect(groups.stdout).toMatch(/^GROUP .*\nlent +box1 +ssh_reboot +2 +-\n$/);
  });

  test('a job that is watched: line by line, and 0 or 1 by how it ends', async () => {
    const [ping, status, away] = await Promise.all([berth('job', 'run', 'ping', 'box1', '--watch', '--reason', 'is it there'), berth('job', 'run', 'status', 'w-1', '--worker', '--group', 'releng', '--watch', '--json'), berth('job', 'run', 'ping', 'away', '--watch')]);
    expect(ping).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^QUEUED: ping on box1\nRUNNING\nattempt 1: ping\n(attempt 1: ping: .*\n)*attempt 1: ping succeeded after .*\nCOMPLETE: the machine is up\n\njob +\S+\ntask +ping\nmachine +box1\nstatus +COMPLETE\n[^]*^reason +is it there$[^]*^1 +ping +succeeded /m) });
    expect([status.code, JSON.parse(status.stdout)]).toEqual([0, expect.objectContaining({ task: 'status', machine: 'box1', worker: { id: 'w-1', group: 'releng' }, status: 'COMPLETE', machineOutcome: 'up' })]);
    expect(status.stderr).toMatch(/^QUEUED: status on box1\nRUNNING\n[^]*COMPLETE: the machine is up\n$/);
    expect(away).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/^attempt 1: ping failed after .* \(unreachable\): .*\nFAILED: The address none\.invalid is not known.*; the machine is down$/m) });
    expect((await berth('job', 'list', '--task', 'ping', '--machine', 'away')).stdout).toMatch(/^JOB .*\n\S+ +ping +away +FAILED +down .*none\.invalid .*\n$/);
  });

  test('whoever stops watching does not end the job; a second one is told the first; it is cancelled', async () => {
    const lease = await json<{ id: string }>('lease', 'request', '--type', 'host', '--attribute', 'machine=box1');
    const watching = begin('job', 'run', 'disable', 'box1', '--watch', '--force', '--hard-limit', '1h');
    // By force the lease ends; without, it waits for it.
    await eventually(() => /COMPLETE/.test(watching.said()), SOON);
    expect((await watching.ran).code).toBe(0);
    expect(await json<{ ended: string }>('lease', 'show', lease.id)).toMatchObject({ ended: expect.any(String) });
    expect((await berth('job', 'run', 'enable', 'box1', '--watch')).code).toBe(0);

    const other = await json<{ id: string }>('lease', 'request', '--type', 'host', '--attribute', 'machine=box1');
    const waiting = begin('job', 'run', 'disable', 'box1', '--watch');
    await eventually(() => waiting.said().includes('waits: machine box1 is in use by'), SOON);
    waiting.interrupt();
    const { code, stderr } = await waiting.ran;
    const [, live = ''] = /^Job (\S+) goes on: follow it with `berth job watch \1`, end it with `berth job cancel \1`\.\n$/.exec(stderr) ?? [];
    expect([code, stderr]).toEqual([130, expect.stringContaining(live)]);
    expect(await json<JobView>('job', 'show', live)).toMatchObject({ id: live, status: 'QUEUED', task: 'disable' });
    expect(await berth('job', 'run', 'disable', 'box1')).toEqual({ code: 1, stdout: '', stderr: `berth: A job disable is live on box1 already: follow it with \`berth job watch ${live}\`, or end it with \`berth job cancel ${live}\`.\n` });
    expect((await berth('job', 'cancel', live, '--reason', 'not today')).code).toBe(0);
    expect(await berth('job', 'watch', live)).toMatchObject({ code: 1, stderr: '', stdout: expect.stringMatching(/^CANCELLED: not today$/m) });
    expect((await json<Page<JobView>>('job', 'list', '--status', 'CANCELLED', '--machine', 'box1')).items.map((one) => one.id)).toEqual([live]);
    await berth('lease', 'release', other.id);
  });

  test('a loan: its steps in their order by a person, and back', async () => {
    const lending = await asked('loan', 'box1', '--to', 'ada');
    await eventually(async () => expect((await berth('hardware', 'show', 'box1')).stdout).toMatch(/^loan to ada: PENDING\n {2}step 0 {2}to do {2}make an account\n/m), SOON);
    expect(await berth('hardware', 'loan-step', 'box1', '1')).toMatchObject({ code: 1, stderr: expect.stringContaining('Step 0 comes first: make an account') });
    expect(await berth('hardware', 'loan-step', 'box1', '0')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^Step 0 is done\.\nloan to ada: PENDING\n {2}step 0 {2}done .*\n {2}step 1 {2}to do/) });
    expect((await berth('hardware', 'loan-step', 'box1', '1')).code).toBe(0);
    expect((await berth('job', 'watch', lending)).code).toBe(0);
    expect((await berth('hardware', 'list', '--status', 'lent')).stdout).toMatch(/^box1 .* ACTIVE to ada$/m);
    expect(await berth('hardware', 'remove', 'box1')).toMatchObject({ code: 1, stderr: expect.stringContaining('on loan to ada') });
    expect((await berth('job', 'run', 'return_loan', 'box1', '--watch')).code).toBe(0);
    expect((await berth('hardware', 'list', '--status', 'lent')).stdout).toContain('No machines');
  });

  test('what people get wrong is told in one sentence, with the place or the way on', async () => {
    await file('bad.yaml', 'hardware:\n  - name: box2\n    address: 10.0.0.2\n    interfaces:\n      ipmi: {address: 10.1.0.2, user: root, password: no secret}\n');
    await file('broken.yaml', 'hardware: [\n');
    await file('lost.yaml', 'hardware:\n  - {name: box2, address: 10.0.0.2}\n  - {name: box3, address: 10.0.0.3, groups: [nobody]}\n');
    const cases: [string[], number, RegExp][] = [
      [['job', 'run', 'fly', 'box1'], 2, /There is no task "fly": use ping, status, reboot, .*\n/],
      [['job', 'run', 'ping', 'nobody'], 1, /^berth: Nobody has said how machine nobody is managed: `berth hardware list` shows .*\.\n$/],
      [['job', 'run', 'ping', 'w-9', '--worker'], 1, /^berth: Worker w-9: .*`berth hardware list` shows the workers\.\n$/],
      [['job', 'run', 'ipmi_cycle', 'box1'], 1, /^berth: Task ipmi_cycle can't be done: machine box1 has no interface ipmi: add it \(berth hardware set\)\.\n$/],
      [['job', 'run', 'return_loan', 'box1'], 1, /^berth: Task return_loan can't be done: .*not on loan.*\n$/],
      [['job', 'show', 'x'], 1, /^berth: There is no hardware job "x": `berth job list` shows .*\n$/],
      [['job', 'cancel', 'x'], 1, /^berth: .*job.*\n$/],
      [['hardware', 'import', 'none.yaml'], 1, /^berth: none\.yaml can't be read \(ENOENT\)\.\n$/],
      [['hardware', 'import', 'broken.yaml'], 1, /^berth: Nothing is saved\. broken\.yaml, document 1: line 2, column 1: .*\n$/],
      [['hardware', 'import', 'bad.yaml'], 1, /^berth: Nothing is saved\. bad\.yaml, document 1: hardware\[0\]\.interfaces\.ipmi\.password: line 5, column 45: .*\n$/],
      [['hardware', 'show', 'nobody'], 1, /^berth: .*"nobody": `berth hardware list` shows .*\n$/],
      [['hardware', 'group', 'remove', 'lent'], 1, /^berth: .*lent.*\n(?: {2}.*\n)?$/],
      [['hardware', 'installed', 'box1'], 1, /^berth: No job reimages machine box1\.\n {2}machine: is not being reimaged: see `berth job list --task reimage`\n$/],
    ];
    for (const [words, code, message] of cases) {
      const ran = await berth(...words);
      expect.soft([words, ran.code, ran.stdout, ran.stderr]).toEqual([words, code, '', expect.stringMatching(message)]);
    }
    const half = await berth('hardware', 'import', 'lost.yaml');
    expect(half).toEqual({ code: 1, stderr: '', stdout: 'added  machine box2\nadded not  machine box3\n  refused: line 3, column 5: There is no group nobody.\n1 added, 0 changed, 0 removed, 0 the same, 1 refused.\n' });
    expect((await json<HardwareImport>('hardware', 'import', 'fleet.yaml', '--prune')).hardware.find(({ name }) => name === 'box2')).toMatchObject({ change: 'removed', error: null });
  });

  test('the buttons for dashboards', async () => {
    const { actions } = await json<{ actions: { name: string; url: string }[] }>('actions', 'register', '--url', 'https://berth.example');
    expect(actions.find(({ name }) => name === 'reboot')?.url).toBe('https://berth.example/api/v1/jobs?tc_worker_id=<workerId>&task_name=reboot');
  });

  test('the file of the guide is imported, and each of its commands is understood', async () => {
    const text = await readFile(join(CHECKOUT, 'docs', 'how-to', 'hardware-jobs.md'), 'utf8');
    const yaml = /^```yaml\n([^]*?)^```$/m.exec(text)![1]!;
    await file('guide.yaml', yaml);
    expect(await berth('hardware', 'import', 'guide.yaml')).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^added {2}group macs\nadded {2}machine mac-7\n/) });
    const { groups, hardware } = await json<HardwareDocument>('hardware', 'export');
    const [group, machine] = [groups.find(({ name }) => name === 'macs'), hardware.find(({ name }) => name === 'mac-7')];
    for (const [name, content] of [['macs.yaml', JSON.stringify(group)], ['mac-7.yaml', JSON.stringify(machine)], ['password.txt', 'x'], ['community.txt', 'x'], ['key.pub', sshd.hostKeyPublic]] as const) await file(name, content);
    expect(await berth('hardware', 'set', 'mac-7.yaml')).toMatchObject({ code: 0, stderr: '' });
    expect(await berth('hardware', 'group', 'set', 'macs.yaml')).toMatchObject({ code: 0, stderr: '' });
    // What they do is shown above, or would reboot this machine: asked of nobody, all of them get as far as asking.
    const commands = [...text.matchAll(/`(npx berth [^`]+)`|^(npx berth [^>\n]*)/gm)].map(([, inside, line]) => (inside ?? line)!.replace(/\s+/g, ' ').replace('/etc/ssh/ssh_host_ed25519_key.pub', 'key.pub').replace(' fleet.yaml', ' guide.yaml'));
    expect(commands.length).toBeGreaterThan(20);
    // A shell says which words they are; the program itself runs in here, which takes a hundredth of the time.
    const child = spawn('sh', ['-c', `npx() { printf '%s\\001' "$@"; echo; }\n${commands.join('\n')}`], { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = (await readText(child.stdout)).trimEnd().split('\n');
    expect(lines).toHaveLength(commands.length);
    for (const line of lines) {
      const words = line.split('\u0001').slice(1, -1);
      let stderr = '';
      const code = await run(words, { env: { BERTH_HOME: home, BERTH_URL: 'http://127.0.0.1:1', BERTH_TOKEN: 'x' }, cwd, stdout: { write: () => true }, stderr: { write: (said) => (stderr += String(said)) } });
      expect.soft([words, code, stderr]).toEqual([words, 1, expect.stringContaining('Berth does not answer at http://127.0.0.1:1')]);
    }
  });
});
