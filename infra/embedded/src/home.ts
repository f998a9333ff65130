import { randomUUID } from 'node:crypto';
import { copyFile, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandLine, isAlive, startMark, stopProcess } from './process.js';

/** The checkout this file belongs to: three folders above it, in `src` and in `dist` alike. */
export const CHECKOUT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** BERTH_HOME, or `.berth` in the checkout. */
export function resolveHome(env: NodeJS.ProcessEnv = process.env): string {
  const told = env['BERTH_HOME']?.trim();
  return told ? resolve(told) : join(CHECKOUT, '.berth');
}

/** Creates the state folder, readable by its owner only: it holds passwords, tokens and private keys. */
export async function ensureHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Error(`the state folder ${home} cannot be created (${(error as NodeJS.ErrnoException).code}): set BERTH_HOME to a folder you may write to`);
  }
}

/** A state folder that is ours until `release`. */
export interface HomeLock {
  readonly home: string;
  release(): Promise<void>;
}

/**
 * Makes this process the only one on the state folder. A living owner is an error; what a dead owner left running
 * (nats-server, PostgreSQL, sshd) is stopped first, because its ports and files are about to be used again.
 */
export async function lockHome(home: string): Promise<HomeLock> {
  await ensureHome(home);
  const file = join(home, 'up.pid');
  const mine = `${process.pid} ${startMark(process.pid)}\n`;
  // The file appears with its content in one step, so nobody can read it half-written.
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    for (;;) {
      if (await linkOnce(draft, file)) break;
      const theirs = await readFile(file, 'utf8').catch(() => undefined);
      if (theirs === undefined) continue;
      const owner = livingOwner(theirs);
      if (owner !== undefined) {
        throw new Error(`Berth is already running on this state folder (pid ${owner}): stop it first or set BERTH_HOME`);
      }
      if (await takeOver(file, theirs, draft)) break;
    }
  } finally {
    await rm(draft, { force: true });
  }
  await stopStale(home);
  return {
    home,
    release: async () => {
      if ((await readFile(file, 'utf8').catch(() => '')) === mine) await rm(file, { force: true });
    },
  };
}

/** Stops the servers that a dead owner of the state folder left running. Only what really is ours: a number may have been given out again. */
export async function stopStale(home: string): Promise<void> {
  // PostgreSQL's own pid file, which it needs itself and clears; as root its data may lie elsewhere.
  const place = (await readFile(join(home, 'postgres', 'place'), 'utf8').catch(() => '')).trim() || join(home, 'postgres');
  await Promise.all([
    stopOne(join(home, 'nats', 'pid'), join(home, 'nats'), 'SIGTERM'),
    stopOne(join(home, 'sshd', 'pid'), join(home, 'sshd'), 'SIGTERM'),
    // SIGINT is the fast shutdown; SIGTERM would wait for connections that nobody closes any more.
    stopOne(join(place, 'data', 'postmaster.pid'), place, 'SIGINT'),
  ]);
}

/** Stops the process named in a pid file if its command line names the folder it must belong to. */
async function stopOne(pidFile: string, folder: string, first: NodeJS.Signals): Promise<void> {
  const pid = Number(/^\d+/.exec(await readFile(pidFile, 'utf8').catch(() => ''))?.[0] ?? 0);
  if (pid > 1 && commandLine(pid)?.includes(folder) === true) await stopProcess(pid, first, 10_000);
}

function livingOwner(content: string): number | undefined {
  const [pid = 0, mark = ''] = content.trim().split(' ').map((part, at) => (at === 0 ? Number(part) : part)) as [number, string?];
  return pid > 0 && isAlive(pid) && startMark(pid) === mark ? pid : undefined;
}

async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Puts our file in a dead owner's place. Of several starters who find it dead only the holder of a second file may, and only
 * while the first still is what it was found to be: whoever comes late finds a living owner there and leaves it alone.
 */
async function takeOver(file: string, dead: string, draft: string): Promise<boolean> {
  const right = `${file}.takeover`;
  if (!(await linkOnce(draft, right))) {
    // Somebody is at it, or died at it.
    const theirs = await readFile(right, 'utf8').catch(() => undefined);
    if (theirs !== undefined && livingOwner(theirs) === undefined) await rm(right, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 5));
    return false;
  }
  try {
    if ((await readFile(file, 'utf8').catch(() => undefined)) !== dead) return false;
    // A second name of the same content, because renaming one name of a file onto another does nothing.
    const own = `${draft}.own`;
    await copyFile(draft, own);
    await rename(own, file);
    return true;
  } finally {
    await rm(right, { force: true });
  }
}
