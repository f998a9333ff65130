import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findProgram, isExecutable, searchFolders, unpackPackage, type Search } from './programs.js';

const run = promisify(execFile);

/** An OpenSSH server that can be started. */
export interface SshdProgram {
  readonly path: string;
  /** LD_LIBRARY_PATH it needs; undefined for an installed one. */
  readonly libraries: string | undefined;
}

/** The sshd program: on this machine, or unpacked from the operating system's package into the state folder. */
export async function findSshd(stateDir: string, search: Search = {}): Promise<SshdProgram> {
  const found = findProgram('sshd', search.folders ?? searchFolders());
  if (found !== undefined) return { path: found, libraries: undefined };
  try {
    const root = await unpackPackage({ name: 'openssh-server', withLibraries: true }, stateDir);
    const path = join(root, 'usr', 'sbin', 'sshd');
    if (!isExecutable(path)) throw new Error('the package holds no such program');
    return { path, libraries: libraryFolders(root).join(':') || undefined };
  } catch (error) {
    throw new Error(
      `sshd is not installed and could not be fetched (${(error as Error).message}): install it with "apt-get install openssh-server" (Debian, Ubuntu), or use machines without SSH (blueprint "local")`,
    );
  }
}

/** `lib/x86_64-linux-gnu` and the like below an unpacked package. */
function libraryFolders(root: string): string[] {
  return ['lib', 'usr/lib'].flatMap((base) => {
    const folder = join(root, base);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).filter((name) => name.includes('-linux-')).map((name) => join(folder, name));
  });
}

/**
 * What sshd insists on when it runs as root, because it drops its rights before anybody has logged in: an empty folder and
 * an account `sshd`. The installed package makes both; an unpacked one, or a container without a boot, has neither.
 */
export async function prepareForRoot(): Promise<void> {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  if (/^sshd:/m.test(readFileSync('/etc/passwd', 'utf8'))) return;
  try {
    await run('useradd', ['--system', '--no-create-home', '--home-dir', '/run/sshd', '--shell', '/usr/sbin/nologin', 'sshd']);
  } catch (error) {
    throw new Error(`sshd needs an account "sshd" when root starts it and none could be made (${(error as Error).message.split('\n')[0]}): install it with "apt-get install openssh-server"`);
  }
}

/** Whether sshd would refuse this account because its password is locked, which it does only without PAM. */
export function isLocked(user: string): boolean {
  try {
    const line = readFileSync('/etc/shadow', 'utf8').split('\n').find((entry) => entry.startsWith(`${user}:`));
    return line?.split(':')[1]?.startsWith('!') === true;
  } catch {
    // Not readable for us, and then not for our sshd either: it cannot tell.
    return false;
  }
}
