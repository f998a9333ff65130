import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';
import { repository } from '../support/repository.js';

describe('a build, from the bus to the host and back', () => {
  let fleet: Fleet;
  let folder: string;
  beforeAll(async () => {
    fleet = await startFleet();
    folder = await fleet.addMachine('box', await startTestSshd(), { slots: 4 });
  });

  test('runs its steps in the repository, keeps output and artifact, and leaves nothing behind', async () => {
    const repo = await repository({ 'hello.txt': 'hello\n' });
    await fleet.applyPlan(`
name: hello
host: { os: linux }
workingCopy: { repository: ${repo}, ref: main }
env: { GREETING: hi }
steps:
  - name: Look
    run: cat hello.txt; echo "$GREETING $WHO"; echo oops >&2
  - name: Pack
    run: tar czf hello.tgz hello.txt
  - name: Keep
    uses: upload-artifact
    with: { path: hello.tgz }
`);
    const id = await fleet.build('hello', { WHO: 'there' });
    const status = await fleet.ended(id);
    expect(status.data).toMatchObject({ status: 'passed', percent: 100, error: null });
    expect(await fleet.leftovers(folder)).toEqual([]);
    const actions = (await fleet.events('action')).flatMap((r) => r.commit.events.filter((e) => e.type === 'ActionRequested').map((e) => ({ id: r.id, data: e.data as { spec: { kind: string } } })));
    expect(actions.map((a) => a.data.spec.kind)).toEqual(['prepare-working-copy', 'run-command', 'run-command', 'get-file', 'remove-working-copy']);
    expect(await fleet.output(actions[1]!.id)).toEqual({ stdout: 'hello\nhi there\n', stderr: 'oops\n' });
  });

  test('ends what a finished step left running, before the folder and the lease go', async () => {
    await fleet.applyPlan(`
name: daemon
steps:
  - name: Leave something behind
    run: |
      (setsid sh -c 'trap "" TERM; while :; do echo alive >> left.txt; sleep 0.05; done' >/dev/null 2>&1 &)
      echo "$BERTH_LEASE"
`);
    const id = await fleet.build('daemon');
    const { data } = await fleet.ended(id);
    expect(data).toMatchObject({ status: 'passed' });
    expect(processesWith(`BERTH_LEASE=${data['workingCopyLease']}`)).toEqual([]);
    expect(await fleet.leftovers(folder)).toEqual([]);
  });

  test.each([
    ['a step that fails', 'steps:\n  - { name: Bad, run: exit 3 }', 'failed', 'exit code 3'],
    ['a step that takes too long', 'steps:\n  - { name: Slow, run: sleep 60, timeout: 1s }', 'failed', '1 s'],
    ['a repository that does not exist', 'workingCopy: { repository: /nowhere/at/all }\nsteps:\n  - { name: Do, run: "true" }', 'error', '/nowhere/at/all does not exist'],
    ['an artifact that is not there', 'steps:\n  - { name: Keep, uses: upload-artifact, with: { path: no.tgz } }', 'failed', 'no.tgz'],
    ['a link that leads out of the working copy', 'steps:\n  - { name: Link, run: ln -s /etc/passwd out }\n  - { name: Keep, uses: upload-artifact, with: { path: out } }', 'failed', 'leaves'],
  ])('%s: a clear verdict, and everything given back', async (_, steps, status, error) => {
    await fleet.applyPlan(`name: bad\n${steps}\n`);
    const { data } = await fleet.ended(await fleet.build('bad'));
    expect(data).toMatchObject({ status, cleanedUp: true });
    expect(data.error).toContain(error);
    expect(await fleet.leftovers(folder)).toEqual([]);
  });

  test('a ref that does not exist is named', async () => {
    const repo = await repository({ 'a.txt': 'a' });
    await fleet.applyPlan(`name: ref\nworkingCopy: { repository: ${repo}, ref: no-such-branch }\nsteps:\n  - { name: Do, run: "true" }\n`);
    const { data } = await fleet.ended(await fleet.build('ref'));
    expect(data).toMatchObject({ status: 'error' });
    expect(data.error).toContain('no branch, tag or commit no-such-branch');
  });

  test('when all is over, no lease is left that is not destroyed, and no command waits', async () => {
    const alive = new Set<string>();
    for (const r of await fleet.events('lease')) for (const e of r.commit.events) e.type === 'LeaseRequested' ? alive.add(r.id) : e.type === 'LeaseDestroyed' && alive.delete(r.id);
    expect([...alive]).toEqual([]);
    const manager = await fleet.bus.connection.jetstreamManager();
    expect((await manager.streams.info('BERTH_COMMANDS')).state.messages).toBe(0);
    expect((await manager.streams.info('BERTH_DEAD')).state.messages).toBe(0);
  });
});

/** Command lines of the processes that carry this in their environment. */
function processesWith(mark: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        return []; // gone between the two looks
      }
    });
}
