import { lstat, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, fine, warning, type DoctorCheck, type DoctorFinding } from '@berth/client';
import type { Place } from './place.js';

const MiB = 1024 ** 2;
/** Below that the bus and the database stop soon, or have stopped. */
const LEAST_BYTES = 256 * MiB;
const FEW_BYTES = 2048 * MiB;
const LEAST_INODES = 1000;
const FEW_INODES = 20_000;
const OTHERS = 0o077;
/** Others may pass through the folder itself, as PostgreSQL's own account has to when Berth runs as root, and do no more. */
const OTHERS_BUT_PASS = 0o066;

/** The state folder: whose it is, who else may look, and what room there is. */
export function ofFolder({ home, local }: Place): DoctorCheck[] {
  if (!local) return [];
  return [
    { name: 'state folder', hint: `Is ${home} on a file system that answers?`, run: async () => [await ownership(home)] },
    { name: 'secret files', hint: `Is ${home} on a file system that answers?`, run: () => secretFiles(home) },
    { name: 'disk', hint: `Is ${home} on a file system that answers?`, run: () => room(home) },
  ];
}

async function ownership(home: string): Promise<DoctorFinding> {
  let stats;
  try {
    stats = await stat(home);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return warning('state folder', `${home} is not there.`, 'Start Berth with `npm start`, which makes it, or set BERTH_HOME to where it is.');
    return failed('state folder', `${home} can't be looked at (${code}).`, 'Run as the user who started Berth, or set BERTH_HOME.');
  }
  if (!stats.isDirectory()) return failed('state folder', `${home} is not a folder.`, 'Set BERTH_HOME to a folder.');
  const me = process.getuid?.();
  if (me !== undefined && stats.uid !== me) return failed('state folder', `${home} belongs to user ${stats.uid}, and this is user ${me}.`, `Run as its owner, or give it to yourself: chown -R ${me} ${home}`);
  if (me !== undefined && (stats.mode & OTHERS_BUT_PASS) !== 0) return failed('state folder', `Others may look into ${home} (mode ${mode(stats.mode)}).`, `Take that away: chmod go-rw ${home}`);
  return fine('state folder', `${home} is its owner's alone.`);
}

/** Tokens, passwords and keys. */
async function secretFiles(home: string): Promise<DoctorFinding[]> {
  if (process.getuid === undefined) return [fine('secret files', 'Files have no modes on this system.')];
  const secrets = await readdir(join(home, 'secrets')).catch(orEmpty);
  const paths = ['cli.json', 'secrets.key', 'session.key', 'webhooks.key', join('nats', 'users.json'), join('postgres', 'password'), ...secrets.map((name) => join('secrets', name))].map((path) => join(home, path));
  const findings: DoctorFinding[] = [];
  for (const path of paths) {
    const stats = await lstat(path).catch(orNothing);
    if (stats?.isFile() && (stats.mode & OTHERS) !== 0) findings.push(failed('secret files', `Others may use ${path} (mode ${mode(stats.mode)}).`, `Take that away: chmod 600 ${path}; whoever could read it may have done so.`));
  }
  return findings.length > 0 ? findings : [fine('secret files', 'Only their owner may read them.')];
}

async function room(home: string): Promise<DoctorFinding[]> {
  const stats = await statfs(home).catch(orNothing);
  if (!stats) return [fine('disk', 'There is no state folder yet.')];
  return [roomFinding(home, stats.bavail * stats.bsize), inodesFinding(home, stats.ffree, stats.files)];
}

/** Exported for its spec. */
export function roomFinding(home: string, free: number): DoctorFinding {
  const said = `${Math.floor(free / MiB)} MiB are free where ${home} is.`;
  const hint = 'Make room, or move the state folder (BERTH_HOME) to a larger disk.';
  return free < LEAST_BYTES ? failed('disk', said, hint) : free < FEW_BYTES ? warning('disk', said, hint) : fine('disk', said);
}

/** Exported for its spec. @param all 0 on file systems that have no fixed number of them */
export function inodesFinding(home: string, free: number, all: number): DoctorFinding {
  if (all === 0) return fine('inodes', 'This file system has as many as it has room for.');
  const said = `${free} of ${all} inodes are free where ${home} is.`;
  const hint = 'Remove what has very many small files there, or move the state folder (BERTH_HOME).';
  return free < LEAST_INODES ? failed('inodes', said, hint) : free < FEW_INODES ? warning('inodes', said, hint) : fine('inodes', said);
}

const mode = (bits: number): string => (bits & 0o777).toString(8).padStart(3, '0');

function orNothing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
function orEmpty(error: unknown): string[] {
  orNothing(error);
  return [];
}
