import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readlink, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Failure } from './failure.js';

const run = promisify(execFile);
const LEFT_OUT = new Set(['.git', 'node_modules']);
/** Always the same, so that the same content is always the same commit. */
const WHEN = '2000-01-01T00:00:00Z';
const identity = {
  GIT_AUTHOR_NAME: 'Berth', GIT_AUTHOR_EMAIL: 'berth@localhost', GIT_AUTHOR_DATE: WHEN,
  GIT_COMMITTER_NAME: 'Berth', GIT_COMMITTER_EMAIL: 'berth@localhost', GIT_COMMITTER_DATE: WHEN,
};

/** A repository that holds a folder as it is now. */
export interface Snapshot {
  /** absolute path of a bare repository */
  repository: string;
  branch: 'main';
  commit: string;
  files: number;
}

/**
 * Turns a plain folder into a Git repository under `<home>/repositories`: one commit without a parent on branch `main`,
 * made of all files but those in `node_modules` and `.git`. The same content gives the same commit; the folder itself is
 * not touched.
 */
export async function snapshotRepository(folder: string, home: string): Promise<Snapshot> {
  const source = await realpath(folder);
  const repository = await repositoryOf(source, resolve(home));
  const git = (args: string[], env: Record<string, string> = {}) => runGit(repository, args, env);
  const entries = await list(source);
  const files = entries.filter((entry) => entry.stats.isFile());
  const scratch = await mkdtemp(join(tmpdir(), 'berth-snapshot-'));
  try {
    // The content exactly as it is: without the filters and line endings of whoever runs this.
    const hashes = files.length === 0 ? [] : lines(await feed(repository, ['hash-object', '-w', '--no-filters', '--stdin-paths'], files.map((file) => `${join(source, file.path)}\n`).join('')));
    const index: string[] = [];
    for (const [i, file] of files.entries()) index.push(`${file.stats.mode & 0o100 ? '100755' : '100644'} ${hashes[i]}\t${file.path}\0`);
    for (const link of entries.filter((entry) => entry.stats.isSymbolicLink())) {
      const [hash] = lines(await feed(repository, ['hash-object', '-w', '--stdin'], await readlink(join(source, link.path))));
      index.push(`120000 ${hash}\t${link.path}\0`);
    }
    const own = { GIT_INDEX_FILE: join(scratch, 'index') };
    await feed(repository, ['update-index', '-z', '--add', '--index-info'], index.join(''), own);
    const [tree] = lines(await git(['write-tree'], own));
    const [commit] = lines(await git(['commit-tree', tree!, '-m', `Snapshot of ${basename(source)}`], identity));
    await git(['update-ref', 'refs/heads/main', commit!]);
    return { repository, branch: 'main', commit: commit!, files: index.length };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whether a folder is something that `git clone` takes: with a `.git`, or bare. */
export async function isRepository(folder: string): Promise<boolean> {
  const has = (name: string) => stat(join(folder, name)).then(() => true, () => false);
  return (await has('.git')) || ((await has('HEAD')) && (await has('objects')) && (await has('refs')));
}

/** The repository that stands for a folder; two folders of one name have two. */
async function repositoryOf(source: string, home: string): Promise<string> {
  const plain = basename(source).replace(/[^A-Za-z0-9._-]/g, '-').replace(/^[.-]+/, '') || 'folder';
  const distinct = `${plain}-${createHash('sha256').update(source).digest('hex').slice(0, 8)}`;
  for (const name of [plain, distinct]) {
    const repository = join(home, 'repositories', name);
    if (!(await isRepository(repository))) {
      await mkdir(repository, { recursive: true, mode: 0o700 });
      await runGit(repository, ['init', '--quiet', '--bare', '--initial-branch=main', '.']);
      await runGit(repository, ['config', 'berth.source', source]);
      return repository;
    }
    const [known] = lines(await runGit(repository, ['config', '--default', '', 'berth.source']));
    if (known === source) return repository;
  }
  throw new Failure('file', `${join(home, 'repositories', distinct)} belongs to another folder: remove it and try again.`);
}

async function list(root: string): Promise<{ path: string; stats: Stats }[]> {
  const found: { path: string; stats: Stats }[] = [];
  const open = [''];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of await readdir(join(root, folder))) {
      if (LEFT_OUT.has(name)) continue;
      const path = folder ? `${folder}/${name}` : name;
      if (path.includes('\n')) throw new Failure('file', `${JSON.stringify(path)} has a line break in its name: rename it.`);
      const stats = await lstat(join(root, path));
      if (stats.isDirectory()) open.push(path);
      else if (stats.isFile() || stats.isSymbolicLink()) found.push({ path, stats });
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Settings of whoever runs this, and of a repository it may be run in, have no say here. */
function gitEnv(env: Record<string, string>): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([key]) => !key.startsWith('GIT_'));
  return { ...Object.fromEntries(kept), GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', ...env };
}

async function runGit(repository: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  try {
    return (await run('git', args, { cwd: repository, env: gitEnv(env) })).stdout;
  } catch (error) {
    throw gitFailure(args, (error as { stderr?: string }).stderr ?? '', error as NodeJS.ErrnoException);
  }
}

function feed(repository: string, args: string[], input: string, env: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd: repository, env: gitEnv(env), stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin.on('error', () => undefined); // it ended early: its own words follow
    child.once('error', (error) => reject(gitFailure(args, '', error)));
    child.once('close', (code) => (code === 0 ? resolve(Buffer.concat(out).toString()) : reject(gitFailure(args, Buffer.concat(errors).toString()))));
    child.stdin.end(input);
  });
}

function gitFailure(args: string[], said: string, error?: NodeJS.ErrnoException): Failure {
  if (error?.code === 'ENOENT') return new Failure('git', 'git is not installed: install it with "apt-get install git" (Debian, Ubuntu) or "brew install git" (macOS).');
  return new Failure('git', `git ${args[0]} failed: ${said.trim().split('\n').at(-1) || error?.message || 'it said nothing'}`);
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
