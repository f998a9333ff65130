import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gitHost, type GitHost, type Repository } from './git.testing.js';
import { copyPath } from './working-copy.js';

const KEY = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
let at: GitHost;
let main: Repository;
let lib: Repository;
let base: string;
beforeAll(() => {
  at = gitHost();
  main = at.repository('main', { file: 'one', 'folder/file': 'x', '.gitignore': 'ignored\n' });
  base = main.git('rev-parse', 'HEAD');
  main.git('tag', 'v1');
  main.git('branch', 'feature/x');
  main.commit({ file: 'two' });
  lib = at.repository('lib');
});
afterEach(() => rmSync(join(at.host.folder, 'cache'), { recursive: true, force: true }));
afterAll(() => at.close());

const path = (copyId: string, ...more: string[]) => join(copyPath(at.host.folder, copyId), ...more);
const git = (copyId: string, ...args: string[]) => execFileSync('git', ['-C', path(copyId), '-c', 'user.name=n', '-c', 'user.email=e@x', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
const kept = (key = KEY) => (existsSync(join(at.host.folder, 'cache', key)) ? readdirSync(join(at.host.folder, 'cache', key)) : []);

interface More {
  key?: string;
  most?: number;
  also?: Record<string, { repository: string; ref?: string }>;
  repository?: string;
}
async function lease(ref?: string, { key = KEY, also, repository = main.path }: More = {}): Promise<string> {
  const copyId = randomUUID();
  const result = await at.prepare({ copyId, repository, cache: key, ...(ref !== undefined && { ref }), ...(also && { also }) });
  expect(result).toMatchObject({ ok: true, commit: git(copyId, 'rev-parse', 'HEAD') });
  return copyId;
}
async function end(copyId: string, { key = KEY, most = 5, also, repository = main.path }: More = {}): Promise<boolean> {
  const done = await at.keep({ copyId, cache: key, most, repository, ...(also && { also }) });
  expect(await at.remove(copyId)).toMatchObject({ ok: true });
  expect(existsSync(path(copyId))).toBe(false);
  expect(readdirSync(`${at.host.folder}/actions`)).toEqual([]);
  return done;
}
/** Whether a working copy is just as a new clone of the same. */
async function likeNew(copyId: string, ref?: string): Promise<void> {
  const fresh = randomUUID();
  expect(await at.prepare({ copyId: fresh, repository: main.path, ...(ref !== undefined && { ref }) })).toMatchObject({ ok: true });
  const look = (id: string) => ({
    files: execFileSync('sh', ['-c', 'find . -path ./.git -prune -o -print | sort; git status --porcelain --ignored; cat file; ls -l file | cut -c1-10'], { cwd: path(id), encoding: 'utf8' }),
    head: readFileSync(path(id, '.git/HEAD'), 'utf8'),
    remotes: git(id, 'for-each-ref', '--format=%(refname) %(objectname)', 'refs/remotes', 'refs/tags'),
    configured: git(id, 'config', '--local', '--list').split('\n').filter((line) => /^(remote|alias|include|filter|branch\.(main|feature))/.test(line)).sort(),
    extras: readdirSync(path(id, '.git')).filter((name) => ['hooks', 'modules', 'info', 'worktrees', 'index.lock', 'shallow'].includes(name)),
    stash: git(id, 'stash', 'list'),
  });
  expect(look(copyId)).toEqual(look(fresh));
  rmSync(path(fresh), { recursive: true });
}

describe('a kept clone', () => {
  it.each([
    ['the default branch', undefined],
    ['a branch', 'feature/x'],
    ['a tag', 'v1'],
    ['a full ref', 'refs/heads/main'],
  ])('serves %s as a new one does', async (_, ref) => {
    expect(await end(await lease())).toBe(true);
    expect(kept()).toHaveLength(1);
    const next = await lease(ref);
    expect(kept()).toEqual([]);
    await likeNew(next, ref);
    await end(next);
  });

  it('serves a commit, full or short', async () => {
    await end(await lease());
    const next = await lease(base);
    expect(git(next, 'rev-parse', 'HEAD')).toBe(base);
    await end(next);
    expect(git(await lease(base.slice(0, 9)), 'rev-parse', 'HEAD')).toBe(base);
  });

  it('follows the repository: new commits, moved and removed branches and tags', async () => {
    const moving = at.repository('moving');
    const about = { repository: moving.path };
    moving.git('branch', 'gone');
    moving.git('tag', 'moved');
    await end(await lease(undefined, about), about);
    moving.git('branch', '-D', 'gone');
    const tip = moving.commit({ file: 'newer' });
    moving.git('tag', '-f', 'moved');
    moving.git('branch', '-m', 'main', 'trunk');
    const next = await lease(undefined, about);
    expect([git(next, 'rev-parse', 'HEAD'), git(next, 'rev-parse', 'moved'), git(next, 'branch', '--show-current')]).toEqual([tip, tip, 'trunk']);
    expect(git(next, 'for-each-ref', '--format=%(refname)', 'refs/remotes').split('\n').sort()).toEqual(['refs/remotes/origin/HEAD', 'refs/remotes/origin/trunk']);
    await end(next, about);
    expect(await at.prepare({ repository: moving.path, cache: KEY, ref: 'gone' })).toMatchObject({ ok: false, code: 'ref-missing' });
  });

  it('carries nothing from one lease to the next', async () => {
    const first = await lease();
    const marks = join(at.home, 'marks');
    const planted = `#!/bin/sh\ntouch '${marks}'\n`;
    const executable = (...file: string[]) => {
      mkdirSync(path(first, ...file.slice(0, -1)), { recursive: true });
      writeFileSync(path(first, ...file), planted, { mode: 0o755 });
      return path(first, ...file);
    };
    for (const hook of ['post-checkout', 'post-merge', 'reference-transaction', 'post-index-change', 'pre-auto-gc']) executable('.git', 'hooks', hook);
    writeFileSync(join(at.home, 'included'), `[core]\n\tfsmonitor = ${executable('.git', 'monitor')}\n[alias]\n\tstatus = !touch ${marks}\n`);
    git(first, 'config', 'core.fsmonitor', path(first, '.git/monitor'));
    git(first, 'config', 'alias.co', `!touch ${marks}`);
    git(first, 'config', 'filter.evil.smudge', `touch ${marks}; cat`);
    git(first, 'config', 'include.path', join(at.home, 'included'));
    git(first, 'config', 'core.hooksPath', path(first, '.git/hooks'));
    git(first, 'config', 'core.worktree', at.home);
    writeFileSync(path(first, '.git/config'), `${readFileSync(path(first, '.git/config'), 'utf8').replace(/\tworktree.*\n/, '').replace(/\t(fsmonitor|hooksPath|path).*\n/gi, '')}`);
    mkdirSync(path(first, '.git/info'), { recursive: true });
    writeFileSync(path(first, '.git/info/attributes'), '* filter=evil\n');
    writeFileSync(path(first, '.git/info/exclude'), '*\n');
    // What git itself would be misled by: flags in its index, replaced and planted commits, a stash, a tag that moved.
    writeFileSync(path(first, 'file'), 'stashed');
    git(first, 'stash');
    writeFileSync(path(first, 'file'), 'changed');
    git(first, 'update-index', '--assume-unchanged', 'file');
    git(first, 'update-index', '--skip-worktree', 'folder/file');
    writeFileSync(path(first, 'folder/file'), 'hidden');
    git(first, 'commit', '--quiet', '--allow-empty', '-m', 'local');
    const local = git(first, 'rev-parse', 'HEAD');
    git(first, 'tag', '-f', 'v1', local);
    git(first, 'tag', 'planted');
    git(first, 'branch', 'planted');
    git(first, 'replace', base, local);
    git(first, 'update-ref', 'refs/remotes/origin/planted', local);
    git(first, 'update-ref', 'refs/remotes/origin/main', local);
    writeFileSync(path(first, '.git/index.lock'), '');
    writeFileSync(path(first, '.git/objects/info/alternates'), `${lib.path}/.git/objects\n`, { flag: 'a' });
    // And what it leaves lying about.
    mkdirSync(path(first, 'ignored'));
    writeFileSync(path(first, 'ignored/file'), '');
    writeFileSync(path(first, 'untracked'), '');
    execFileSync('git', ['clone', '--quiet', lib.path, path(first, 'nested')]);
    execFileSync('git', ['clone', '--quiet', lib.path, path(first, 'submodule')]);
    mkdirSync(path(first, '.git/modules/submodule'), { recursive: true });
    symlinkSync(at.home, path(first, 'out'));
    const outside = join(at.home, 'outside');
    mkdirSync(join(outside, 'inner'), { recursive: true });
    symlinkSync(outside, path(first, 'folder/out'));
    mkdirSync(path(first, 'locked/inner'), { recursive: true });
    writeFileSync(path(first, 'locked/inner/file'), '');
    chmodSync(path(first, 'locked/inner'), 0o500);
    chmodSync(path(first, 'locked'), 0o500);
    chmodSync(path(first, 'file'), 0o777);
    rmSync(marks, { force: true });

    expect(await end(first)).toBe(true);
    expect(existsSync(join(outside, 'inner'))).toBe(true);
    const next = await lease();
    expect(kept()).toEqual([]);
    await likeNew(next);
    expect(existsSync(marks)).toBe(false);
    expect(() => git(next, 'cat-file', '-e', 'planted')).toThrow();
    expect(git(next, 'for-each-ref', 'refs/replace')).toBe('');
    expect(existsSync(path(next, '.git/objects/info/alternates'))).toBe(false);
    await end(next);
    // A commit that only another lease ever had is none of the repository.
    expect(await at.prepare({ repository: main.path, cache: KEY, ref: local })).toMatchObject({ ok: false, code: 'ref-missing' });
    expect(await at.prepare({ repository: main.path, cache: KEY, ref: 'planted' })).toMatchObject({ ok: false, code: 'ref-missing' });
  });

  it('leaves the folders of submodules empty', async () => {
    const outer = at.repository('outer');
    outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', lib.path, 'sub');
    outer.commit({ more: '' });
    const about = { repository: outer.path };
    const first = await lease(undefined, about);
    git(first, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'update', '--init');
    writeFileSync(path(first, 'sub/left'), '');
    expect(await end(first, about)).toBe(true);
    const next = await lease(undefined, about);
    expect(readdirSync(path(next, 'sub'))).toEqual([]);
    expect(existsSync(path(next, '.git/modules'))).toBe(false);
  });

  it('does not keep a token', async () => {
    const copyId = randomUUID();
    await at.prepare({ copyId, repository: main.path });
    expect(await at.keep({ copyId, cache: KEY, most: 5, repository: 'https://name:t0ken@host/x' })).toBe(true);
    expect(readFileSync(join(at.host.folder, 'cache', KEY, copyId, '0/.git/config'), 'utf8')).toContain('url = https://host/x');
    await at.remove(copyId);
  });

  it.each([
    ['has lost its objects', (clone: string) => rmSync(join(clone, '.git/objects'), { recursive: true })],
    ['has lost one object', (clone: string) => rmSync(execFileSync('find', [join(clone, '.git/objects'), '-type', 'f'], { encoding: 'utf8' }).split('\n')[0]!, { force: true })],
    ['is of another repository', (clone: string) => execFileSync('git', ['-C', clone, 'config', 'remote.origin.url', '/another'])],
    ['has no HEAD', (clone: string) => rmSync(join(clone, '.git/HEAD'))],
    ['has no .git', (clone: string) => rmSync(join(clone, '.git'), { recursive: true })],
    ['is locked', (clone: string) => writeFileSync(join(clone, '.git/index.lock'), '')],
    ['is a link', (clone: string) => (rmSync(clone, { recursive: true }), symlinkSync(main.path, clone))],
    ['is behind a link', (clone: string) => (renameSync(join(clone, '..'), join(at.home, `moved-${Date.now()}`)), symlinkSync(at.home, join(clone, '..')))],
    ['is empty', (clone: string) => (rmSync(clone, { recursive: true }), mkdirSync(clone))],
  ])('that %s is thrown away', async (_, spoil) => {
    await end(await lease());
    spoil(join(at.host.folder, 'cache', KEY, kept()[0]!, '0'));
    const next = await lease();
    await likeNew(next);
    expect(existsSync(join(at.home, 'main/.git'))).toBe(true);
    await end(next);
  });

  it('is not made of what is no clone any more', async () => {
    for (const spoil of [
      (id: string) => rmSync(path(id, '.git'), { recursive: true }),
      (id: string) => (renameSync(path(id, '.git'), path(id, 'moved')), writeFileSync(path(id, '.git'), 'gitdir: moved\n')),
      (id: string) => (renameSync(path(id, '.git'), path(id, 'moved')), symlinkSync('moved', path(id, '.git'))),
      (id: string) => (renameSync(path(id, '.git/objects'), path(id, 'moved')), symlinkSync('../moved', path(id, '.git/objects'))),
      (id: string) => symlinkSync('/etc/passwd', path(id, '.git/objects/link')),
      (id: string) => (rmSync(path(id), { recursive: true }), symlinkSync(main.path, path(id))),
      (id: string) => rmSync(path(id), { recursive: true }),
    ]) {
      const copyId = await lease();
      spoil(copyId);
      expect(await end(copyId), String(spoil)).toBe(false);
      expect(kept(), String(spoil)).toEqual([]);
    }
    expect(existsSync(join(main.path, '.git/objects'))).toBe(true);
  });

  it('has its other repositories too, each as new', async () => {
    const also = { 'libs/one': { repository: lib.path }, 'libs/one/inner': { repository: main.path, ref: 'v1' } };
    const first = await lease(undefined, { also });
    writeFileSync(path(first, 'libs/one/junk'), '');
    writeFileSync(path(first, 'libs/one/inner/file'), 'changed');
    expect(await end(first, { also })).toBe(true);
    const next = await lease(undefined, { also });
    expect(kept()).toEqual([]);
    expect(readdirSync(path(next, 'libs/one')).sort()).toEqual(['.git', 'file', 'inner']);
    expect(readFileSync(path(next, 'libs/one/inner/file'), 'utf8')).toBe('one');
    // One that was taken away, or became a link, is cloned again.
    rmSync(path(next, 'libs'), { recursive: true });
    mkdirSync(path(next, 'libs'));
    symlinkSync(lib.path, path(next, 'libs/one'));
    expect(await end(next, { also })).toBe(true);
    expect(existsSync(join(lib.path, '.git'))).toBe(true);
    const third = await lease(undefined, { also });
    expect(readFileSync(path(third, 'libs/one/file'), 'utf8')).toBe('lib');
    await end(third, { also });
  });

  it('is taken by one alone', async () => {
    for (let round = 0; round < 5; round++) {
      const copies = await Promise.all([lease(), lease()]);
      for (const copy of copies) await end(copy);
      expect(kept()).toHaveLength(2);
      const next = await Promise.all([lease(), lease(), lease(), lease()]);
      expect(kept()).toEqual([]);
      for (const copy of next) expect(git(copy, 'status', '--porcelain')).toBe('');
      for (const copy of next) await at.remove(copy);
    }
  });

  it('goes when it was not used for longest, whatever its key', async () => {
    const copies = [await lease(undefined, { key: OTHER }), await lease(), await lease()];
    await end(copies[0]!, { key: OTHER });
    utimesSync(join(at.host.folder, 'cache', OTHER, copies[0]!), 1000, 1000);
    await end(copies[1]!);
    utimesSync(join(at.host.folder, 'cache', KEY, copies[1]!), 2000, 2000);
    await end(copies[2]!, { most: 2 });
    expect([kept(OTHER), kept().sort()]).toEqual([[], [copies[1]!, copies[2]!].sort()]);
  });
});
