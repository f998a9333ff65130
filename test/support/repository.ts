import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { tempFolder } from './cleanup.js';

const run = promisify(execFile);

/** A real Git repository with these files in one commit on branch `main`; gone at the end of the file. */
export async function repository(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await tempFolder('repo');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const git = (...args: string[]) => run('git', ['-C', folder, '-c', 'user.name=spec', '-c', 'user.email=spec@example.org', ...args]);
  await git('init', '--quiet', '--initial-branch=main');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'first');
  return folder;
}
