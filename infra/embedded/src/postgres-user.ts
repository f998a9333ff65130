import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** Who PostgreSQL runs as when that is not us: it refuses to run as root. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where PostgreSQL's files are, and as whom it runs (undefined: as us). */
export interface Place {
  /** A folder of ours that the account can pass through; `data` below it is the account's own. */
  readonly folder: string;
  readonly account: Account | undefined;
  /** `postgres` and `initdb`, where the account can execute them. */
  readonly programs: { readonly postgres: string; readonly initdb: string };
}

/**
 * Decides where the files go. Not as root: `<home>/postgres`, and that is all. As root the server runs as `postgres` or
 * `nobody`, who must be able to pass through every folder above the data and the programs: where the state folder (or the
 * checkout) lies in a closed one such as /root, they go to `/var/lib/berth-<hash of home>` and `<home>/postgres/place` says so.
 */
export async function choosePlace(home: string, programs: Place['programs']): Promise<Place> {
  const own = join(home, 'postgres');
  mkdirSync(own, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return { folder: own, account: undefined, programs };
  const account = await unprivilegedAccount();
  const folder = choosePassable(home, own, account);
  if (canExecute(programs.postgres, account)) return { folder, account, programs };
  return { folder, account, programs: copyPrograms(programs, folder) };
}

/** Removes a state folder and what lies elsewhere because of it. Nothing of it may run any more. */
export function removeHome(home: string): void {
  const elsewhere = recordedPlace(home);
  if (elsewhere !== undefined) rmSync(elsewhere, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
}

function choosePassable(home: string, own: string, account: Account): string {
  const recorded = recordedPlace(home);
  if (recorded !== undefined && existsSync(recorded)) return recorded;
  // Others may pass through the state folder but not list it; every secret in it has mode 0600 of its own.
  const before = statSync(home).mode;
  for (const folder of [home, own]) chmodSync(folder, statSync(folder).mode | 0o011);
  if (canEnter(own, account)) return own;
  chmodSync(home, before);
  const name = `berth-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
  for (const parent of ['/var/lib', tmpdir(), '/tmp']) {
    const folder = join(parent, name);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o711 });
      // In a folder that everybody writes to, somebody else may have made it first.
      if (statSync(folder).uid !== 0 || !canEnter(folder, account)) continue;
    } catch {
      continue;
    }
    writeFileSync(join(own, 'place'), `${folder}\n`);
    return folder;
  }
  throw new Error(`PostgreSQL may not run as root, and no folder was found that another user can enter: set BERTH_HOME to one outside ${dirname(home)}, or set DATABASE_URL`);
}

function recordedPlace(home: string): string | undefined {
  try {
    return readFileSync(join(home, 'postgres', 'place'), 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

/** The programs with their libraries, some 60 MB, once: in a checkout below /root nobody else can execute them. */
function copyPrograms(programs: Place['programs'], folder: string): Place['programs'] {
  const from = dirname(dirname(programs.postgres));
  const to = join(folder, 'native');
  if (!existsSync(to)) {
    const draft = `${to}.${process.pid}`;
    cpSync(from, draft, { recursive: true, verbatimSymlinks: true });
    chmodSync(draft, 0o755);
    renameSync(draft, to);
  }
  return { postgres: join(to, 'bin', basename(programs.postgres)), initdb: join(to, 'bin', basename(programs.initdb)) };
}

async function unprivilegedAccount(): Promise<Account> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n').map((line) => line.split(':'));
  for (const name of ['postgres', 'nobody']) {
    const found = lines.find((fields) => fields[0] === name);
    if (found !== undefined) return { uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new Error('PostgreSQL may not run as root and this system has neither a user "postgres" nor "nobody": run Berth as another user or set DATABASE_URL');
}

/** Asked of the system as that user, rather than worked out from modes, which would miss access lists and mounts. */
function canEnter(folder: string, account: Account): boolean {
  return shellTest('-x', folder, account);
}

function canExecute(file: string, account: Account): boolean {
  return shellTest('-x', file, account);
}

function shellTest(what: string, path: string, { uid, gid }: Account): boolean {
  return spawnSync('/bin/sh', ['-c', `test ${what} "$0"`, path], { uid, gid, cwd: '/', stdio: 'ignore' }).status === 0;
}
