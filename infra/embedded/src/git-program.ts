import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram } from './programs.js';

const run = promisify(execFile);

/**
 * The git program; as root it is installed when missing. Unlike a server it is not unpacked into the state folder: the
 * commands of a build want it on their PATH too.
 */
export async function findGit(): Promise<string> {
  const found = findProgram('git');
  if (found !== undefined) return found;
  const advice = 'install it with "apt-get install git" (Debian, Ubuntu) or "brew install git" (macOS)';
  if (process.getuid?.() !== 0 || findProgram('apt-get') === undefined) throw new Error(`git is not installed: ${advice}`);
  try {
    const options = { timeout: 180_000, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' } };
    await run('apt-get', ['-q', 'update'], options);
    await run('apt-get', ['-q', '-y', '--no-install-recommends', 'install', 'git'], options);
  } catch (error) {
    throw new Error(`git is not installed and could not be (${(error as Error).message.split('\n')[0]}): ${advice}`, { cause: error });
  }
  const installed = findProgram('git');
  if (installed === undefined) throw new Error(`git is not on PATH after it was installed: ${advice}`);
  return installed;
}
