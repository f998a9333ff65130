import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Where a program is looked for after PATH: a login without /usr/sbin in it is common, and servers live there. */
const USUAL_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/opt/homebrew/bin'];

/** How a program is searched; tests narrow `folders` to reach the download. */
export interface Search {
  readonly folders?: readonly string[];
}

/** The folders searched by default. */
export function searchFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  return [...(env['PATH'] ?? '').split(delimiter).filter(Boolean), ...USUAL_FOLDERS];
}

/** The first executable file of that name, or undefined. */
export function findProgram(name: string, folders: readonly string[] = searchFolders()): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Whether the file exists and may be executed. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is taken from the operating system's package manager. */
export interface Wanted {
  readonly name: string;
  /** The shared libraries it needs and this machine lacks, too. */
  readonly withLibraries?: boolean;
}

/**
 * Unpacks a package of the operating system under `<stateDir>/bin-cache/<name>` and returns that folder.
 * Nothing is installed: no root is needed, no service starts, no file of the system changes.
 * The package lists of the machine are tried first (they may be empty or old on a fresh one), then lists of our own.
 */
export async function unpackPackage({ name, withLibraries = false }: Wanted, stateDir: string): Promise<string> {
  const cache = join(stateDir, 'bin-cache');
  const target = join(cache, name);
  if (existsSync(target)) return target;
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (findProgram(tool) === undefined) throw new Error(`this system has no ${tool}`);
  }
  await mkdir(cache, { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(cache, `${name}-`));
  try {
    await download(name, withLibraries, work);
    for (const file of await readdir(work)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['-x', join(work, file), join(work, 'root')]);
    }
    // Two processes may do this at once: whoever renames second finds the folder taken, with the same content.
    await rename(join(work, 'root'), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
    return target;
  } finally {
    // With the package lists (some 60 MB), which are needed once and would be stale at the next fetch.
    await rm(work, { recursive: true, force: true });
  }
}

async function download(name: string, withLibraries: boolean, work: string): Promise<void> {
  const settings = [
    'APT::Sandbox::User=root',
    'Debug::NoLocking=1',
    // Without a network it should say so soon, and not go on with lists that it could not fetch.
    'Acquire::Retries=1',
    'Acquire::http::Timeout=20',
    'APT::Update::Error-Mode=any',
    `Dir::Cache=${join(work, 'cache')}`,
  ];
  const options = ['-q', ...settings.flatMap((setting) => ['-o', setting])];
  const fetchAll = async (more: readonly string[]): Promise<void> => {
    const libraries = withLibraries ? await missingLibraries(name, [...options, ...more], work) : [];
    await apt([...options, ...more, 'download', name, ...libraries], work);
  };
  await mkdir(join(work, 'cache', 'archives', 'partial'), { recursive: true });
  try {
    await fetchAll([]);
  } catch {
    await mkdir(join(work, 'state', 'lists', 'partial'), { recursive: true });
    // Dir::State moves the list of installed packages too, so that one is put back.
    const own = ['-o', `Dir::State=${join(work, 'state')}`, '-o', 'Dir::State::status=/var/lib/dpkg/status'];
    await apt([...options, ...own, 'update'], work);
    await fetchAll(own);
  }
}

/** The libraries that installing the package would bring along, as the package manager works them out. */
async function missingLibraries(name: string, options: readonly string[], work: string): Promise<string[]> {
  // On a system whose packages are at odds with each other it works out nothing; the package alone may do.
  const plan = await apt([...options, '--simulate', '--no-install-recommends', 'install', name], work).catch(() => '');
  return [...plan.matchAll(/^Inst (lib\S+) /gm)].flatMap(([, library]) => library ?? []);
}

async function apt(args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await run('apt-get', [...args], { cwd, timeout: 120_000, maxBuffer: 16 * 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } });
    return stdout;
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: string };
    const said = stderr.split('\n').filter((line) => line.startsWith('E: '));
    throw new Error(said.at(-1)?.slice(3) ?? message.split('\n')[0] ?? 'apt-get failed');
  }
}
