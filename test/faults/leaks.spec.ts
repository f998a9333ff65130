import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { isAlive } from '@berth/embedded/servers';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { eventually } from '../support/wait.js';
import { messages, nothingLeft } from './left.js';
import { logOf } from './log.js';
import { repository } from '../support/repository.js';

describe('what is left when everything is over', () => {
  let fleet: Fleet;
  let folders: string[];
  let repo: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folders = await Promise.all(['one', 'two'].map(async (name) => fleet.addMachine(name, await startTestSshd(), { slots: 3 })));
    repo = await repository({ 'hello.txt': 'hello\n' });
  });

  const plan = (name: string, steps: string, copy = `{ repository: ${repo}, ref: main }`) => fleet.applyPlan(`name: ${name}\nworkingCopy: ${copy}\nsteps:\n${steps}`);

  test('after passes, failures, timeouts, aborts and broken repositories together: nothing', async () => {
    await plan('passes', '  - { name: Look, run: cat hello.txt }\n  - { name: Keep, uses: upload-artifact, with: { path: hello.txt } }');
    await plan('empty', '  - { name: Say, run: pwd }', '{}');
    await plan('fails', '  - { name: Fail, run: exit 3 }\n  - { name: Never, run: "true" }');
    await plan('locks', '  - { name: Lock, run: "mkdir -p a/b; touch a/b/c; chmod -R a-w a; ln -s / root; exit 1" }');
    await plan('slow', '  - { name: Slow, run: sleep 600, timeout: 1s }');
    await plan('stubborn', `  - { name: Stubborn, run: "trap '' TERM; setsid sh -c \\"trap '' TERM; sleep 600\\" & sleep 600", timeout: 1s }`);
    await plan('missing', '  - { name: Never, run: "true" }', `{ repository: ${repo}-missing }`);
    await plan('unknown-ref', '  - { name: Never, run: "true" }', `{ repository: ${repo}, ref: nope }`);
    await plan('no-file', '  - { name: Keep, uses: upload-artifact, with: { path: nothing.bin } }');
    await plan('forever', '  - { name: Forever, run: "sleep 600 & wait" }');

    const expected: [plan: string, status: string, times: number][] = [
      ['passes', 'passed', 4], ['empty', 'passed', 4], ['fails', 'failed', 3], ['locks', 'failed', 2], ['slow', 'failed', 2], ['stubborn', 'failed', 1],
      ['missing', 'error', 2], ['unknown-ref', 'error', 2], ['no-file', 'failed', 2], ['forever', 'aborted', 4],
    ];
    const builds = await Promise.all(expected.flatMap(([name, status, times]) => Array.from({ length: times }, async () => ({ name, status, id: await fleet.build(name) }))));
    // Some are aborted while they wait, some while they run.
    const abort = (id: string) => fleet.bus.command('build-orchestrator', 'AbortBuild', { build: id });
    const endless = builds.filter(({ name }) => name === 'forever');
    await abort(endless[0]!.id);
    await abort(endless[1]!.id);
    await Promise.all(
      endless.slice(2).map(async ({ id }) => {
        await fleet.bus.waitForStatus('build', id, ['building'], { timeoutMs: 20_000 });
        await abort(id);
      }),
    );
    for (const { name, status, id } of builds) expect((await fleet.ended(id)).data, name).toMatchObject({ status });
    await nothingLeft(fleet, folders);
  });

  test('after leases that were used by hand: nothing', async () => {
    const lease = await fleet.requestLease({ type: 'host', attributes: { remote: 'yes' } });
    const token = Number((await fleet.bus.waitForStatus('lease', lease, ['active'], { timeoutMs: 10_000 })).data['token']);
    const run = async (command: string) => {
      const id = randomUUID();
      await fleet.bus.command('host-agent-gateway', 'RunAction', { lease, token, spec: { kind: 'run-command', command } }, { id });
      return id;
    };
    await fleet.bus.waitForStatus('action', await run('echo hello >file; mkdir -p deep/er'), ['succeeded'], { timeoutMs: 10_000 });
    await run('sleep 600');
    await fleet.bus.command('lease', 'ReleaseLease', { lease });
    await fleet.bus.waitForStatus('lease', lease, ['destroyed'], { timeoutMs: 15_000 });
    await nothingLeft(fleet, folders);
  });

  test('a process that a step leaves behind is ended before its host is given to others', async () => {
    const side = join(fleet.home, 'daemon');
    await plan('daemon', `  - { name: Start, run: "setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >$SIDE" }\n  - { name: Use, run: 'kill -0 "$(cat "$SIDE")"' }`);
    const id = await fleet.build('daemon', { SIDE: side });
    expect((await fleet.ended(id)).data).toMatchObject({ status: 'passed' });
    expect(isAlive(Number(readFileSync(side, 'utf8')))).toBe(false);
    await nothingLeft(fleet, folders);
  });

  test('commands that nobody can read are put aside, and the queue goes on', async () => {
    const before = await messages(fleet, 'dead');
    const { connection } = fleet.bus;
    connection.publish('berth.cmd.lease.ReleaseLease', 'rubbish');
    connection.publish('berth.cmd.host-agent-gateway.RunAction', '{"id":"7"}');
    connection.publish('berth.cmd.allocator.Nonsense', JSON.stringify({ id: randomUUID(), type: 'Nonsense' }));
    connection.publish('berth.cmd.build-orchestrator.RequestBuild', JSON.stringify({ id: randomUUID(), type: 'RequestBuild', data: { plan: '' } }));
    await eventually(async () => expect(await messages(fleet, 'dead')).toBe(before + 4));
    await plan('after', '  - { name: Say, run: echo hello }', '{}');
    expect((await fleet.ended(await fleet.build('after'))).data).toMatchObject({ status: 'passed' });
    expect(await messages(fleet, 'commands')).toBe(0);
    expect((await logOf(fleet)).all('BuildPassed').length).toBeGreaterThan(0);
    expect(existsSync(join(folders[0]!, 'copies')) ? await fleet.leftovers(folders[0]!) : []).toEqual([]);
  });
});
