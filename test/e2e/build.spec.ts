import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../support/fleet.js';

const run = promisify(execFile);

async function repository(files: Record<string, string>): Promise<string> {
  const folder = await tempFolder('repo');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const git = (...args: string[]) => run('git', ['-C', folder, '-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  return folder;
}

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
});
