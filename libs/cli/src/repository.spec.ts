import { execFile } from 'node:child_process';
import { chmod, mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { tempFolder } from '../../../test/support/cleanup.js';
import { findRepository, withRepository } from './plan-file.js';
import { snapshotRepository } from './repository.js';

const run = promisify(execFile);
const git = async (repository: string, ...args: string[]) => (await run('git', args, { cwd: repository })).stdout;

async function project(): Promise<string> {
  const folder = join(await tempFolder('project'), 'word count');
  await mkdir(join(folder, 'src'), { recursive: true });
  await mkdir(join(folder, 'node_modules/x'), { recursive: true });
  await mkdir(join(folder, 'nested/.git'), { recursive: true });
  await writeFile(join(folder, 'src/a.txt'), 'a\r\n');
  await writeFile(join(folder, 'run.sh'), '#!/bin/sh\n');
  await chmod(join(folder, 'run.sh'), 0o755);
  await writeFile(join(folder, 'node_modules/x/index.js'), '');
  await writeFile(join(folder, 'nested/.git/HEAD'), '');
  await writeFile(join(folder, '.gitattributes'), '* text=auto\n');
  await writeFile(join(folder, "odd 'name' ü"), '');
  await symlink('src/a.txt', join(folder, 'link'));
  return folder;
}

test('a folder becomes a repository: the same content, the same commit', async () => {
  const [folder, home] = [await project(), await tempFolder('home')];
  const first = await snapshotRepository(folder, home);
  expect(first).toMatchObject({ repository: join(home, 'repositories', 'word-count'), branch: 'main', files: 5 });
  await utimes(join(folder, 'run.sh'), 1, 1);
  expect(await snapshotRepository(folder, home)).toEqual(first);
  expect((await snapshotRepository(folder, await tempFolder('home'))).commit).toBe(first.commit);

  const clone = join(await tempFolder('clone'), 'c');
  await run('git', ['clone', '--quiet', '--branch', 'main', first.repository, clone]);
  expect(await git(clone, 'ls-files', '-z', '--format=%(objectmode) %(path)')).toBe("100644 .gitattributes\x00120000 link\x00100644 odd 'name' ü\x00100755 run.sh\x00100644 src/a.txt\0");
  expect(await git(first.repository, 'cat-file', 'blob', 'main:src/a.txt')).toBe('a\r\n');

  await writeFile(join(folder, 'src/a.txt'), 'b\n');
  const second = await snapshotRepository(folder, home);
  expect(second.commit).not.toBe(first.commit);
  expect((await git(second.repository, 'rev-parse', 'main')).trim()).toBe(second.commit);
  await rm(join(folder, 'run.sh'));
  expect((await snapshotRepository(folder, home)).files).toBe(4);
});

test('two folders of one name have two repositories', async () => {
  const home = await tempFolder('home');
  const [one, two] = [await snapshotRepository(await project(), home), await snapshotRepository(await project(), home)];
  expect(one.repository).not.toBe(two.repository);
  expect(one.commit).toBe(two.commit);
});

test.each([
  ['name: a\nworkingCopy: { repository: ./x, ref: main }\n', './x'],
  ['workingCopy: {ref: main, repository: "./x y"} # here\nsteps: []\n', './x y'],
  ['workingCopy:\n  # repository: ./no\n  ref: main\n  repository: ./x # yes\nsteps: []\n', './x'],
  ["workingCopy:\n  repository: './it''s'\n", "./it's"],
  ['workingCopy:\n    repository:   x/y   \n', 'x/y'],
  ['"workingCopy": { "repository": "./x" }\n', './x'],
  ['workingCopy: { ref: main }\nsteps:\n  - name: a\n    run: |\n      repository: ./no\n', undefined],
  ['name: a\nsteps:\n  - run: "workingCopy: { repository: ./no }"\n', undefined],
  ['workingCopy:\n  repository: |\n    ./x\n', undefined],
])('finds the repository in %j', (source, value) => {
  const found = findRepository(source);
  expect(found?.value).toBe(value);
  if (found) expect(source.slice(found.start, found.end)).toContain(value!.slice(0, 3));
});

test('only the value changes, whatever stands around it; what is no folder here is left or told', async () => {
  const [folder, home] = [await project(), await tempFolder('home')];
  const notes: string[] = [];
  const apply = (source: string) => withRepository(source, join(folder, '..'), home, (text) => notes.push(text));
  const source = 'name: a   # x\r\nworkingCopy: { repository: "./word count", ref: main }\nsteps:\n  - { name: a, run: b }\n';
  expect(await apply(source)).toBe(source.replace('"./word count"', JSON.stringify(join(home, 'repositories', 'word-count'))));
  expect(notes.join()).toContain('5 files');
  for (const value of ['https://example.org/x.git', 'git@example.org:x.git', '/nowhere/on/this/machine']) {
    const same = `workingCopy: { repository: ${value} }`;
    expect(await apply(same)).toBe(same);
  }
  await expect(apply('workingCopy: { repository: ./absent }')).rejects.toMatchObject({ code: 'invalid-plan', errors: [{ field: 'workingCopy.repository' }] });
});
