import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { tempFolder } from './cleanup.js';

const run = promisify(execFile);

/** A real Git repository with these files in one commit on branch `main`; gone at the end of the file. */
export async function repository(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder('repo');
  await git(folder, 'init', '--quiet', '--initial-branch=main');
  await commit(folder, files, 'first');
  return folder;
}

/** Begins a branch of it with one commit of these files. The repository stays on `main`. */
export async function branch(folder: string, name: string, files: Readonly<Record<string, string>>): Promise<void> {
  await git(folder, 'checkout', '--quiet', '-b', name);
  await commit(folder, files, name);
  await git(folder, 'checkout', '--quiet', 'main');
}

async function commit(folder: string, files: Readonly<Record<string, string>>, message: string): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await git(folder, 'add', '.');
  await git(folder, 'commit', '--quiet', '-m', message);
}

const git = (folder: string, ...args: string[]) => run('git', ['-C', folder, '-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args]);
