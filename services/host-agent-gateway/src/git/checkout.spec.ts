import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkoutResult, checkoutScript, type CheckoutRequest, type CheckoutResult } from './checkout.js';
import { gitServer, type GitServer } from './git-server.testing.js';
import { gitHost, type GitHost, type Repository } from './git.testing.js';
import { tokenEnvironment } from './repository.js';

let git: GitHost;
let main: Repository;
let first: string;
let second: string;
let web: GitServer;
let number = 0;
const newRoot = () => {
  const root = join(git.home, `root-${++number}`);
  mkdirSync(root);
  return root;
};
const act = async (root: string, request: Partial<CheckoutRequest>, env?: Record<string, string>): Promise<CheckoutResult> => {
  const { code, stdout, stderr } = await git.run(checkoutScript(root, { repository: main.path, submodules: 'no', lfs: false, ...request }), env);
  return checkoutResult(code, stdout, stderr);
};
const within = (folder: string, ...args: string[]) => execFileSync('git', ['-C', folder, ...args], { encoding: 'utf8' }).trim();

beforeAll(async () => {
  git = gitHost();
  main = git.repository('main-one', { file: 'one', old: 'old' });
  first = main.git('rev-parse', 'HEAD');
  main.git('tag', '-a', 'v1', '-m', 'tag');
  main.git('branch', 'feature/x');
  main.git('rm', '-q', 'old');
  second = main.commit({ file: 'two' });
  main.git('update-ref', 'refs/pull/7/head', first);
  web = await gitServer(git.home);
});
afterAll(async () => {
  await web.close();
  await git.close();
});

describe('checking out into a working copy', () => {
  it.each([
    ['the default branch', undefined, 'main', () => second],
    ['a branch', 'feature/x', 'feature/x', () => first],
    ['a tag', 'v1', '', () => first],
    ['a full ref', 'refs/pull/7/head', '', () => first],
    ['a commit', () => first, '', () => first],
    ['a short commit', () => first.slice(0, 9), '', () => first],
  ])('takes %s, with all of the history or one commit of it', async (_, wanted, branch, commit) => {
    const ref = typeof wanted === 'function' ? wanted() : wanted;
    for (const depth of [undefined, 1]) {
      const root = newRoot();
      const path = join(root, 'libs/more');
      expect(await act(root, { path: 'libs/more', depth, ...(ref !== undefined && { ref }) })).toMatchObject({ ok: true, path, commit: commit() });
      expect([within(path, 'rev-parse', 'HEAD'), within(path, 'branch', '--show-current'), within(path, 'status', '--porcelain')]).toEqual([commit(), branch, '']);
      expect(readFileSync(join(path, 'file'), 'utf8')).toBe(commit() === first ? 'one' : 'two');
    }
  });

  it('fetches no more history than was asked for', async () => {
    const root = newRoot();
    for (const [path, ref] of [['a', undefined], ['b', 'main'], ['c', second]] as const) {
      expect(await act(root, { path, ref, depth: 1 })).toMatchObject({ ok: true, notes: [] });
      expect(within(join(root, path), 'rev-list', '--count', 'HEAD')).toBe('1');
    }
    expect(await act(root, { path: 'd', ref: second.slice(0, 10), depth: 1 })).toMatchObject({ ok: true, notes: [expect.stringContaining('all of the history')] });
  });

  it('makes the working copy itself, and puts one right that is there', async () => {
    const root = newRoot();
    expect(await act(root, { ref: 'v1' })).toMatchObject({ ok: true, path: root, commit: first });
    writeFileSync(join(root, 'file'), 'changed');
    writeFileSync(join(root, 'built'), 'kept');
    writeFileSync(join(root, '.git/hooks-were-here'), '');
    expect(await act(root, {})).toMatchObject({ ok: true, commit: second });
    expect(readdirSync(root).sort()).toEqual(['.git', 'built', 'file']);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('two');
    expect(existsSync(join(root, '.git/hooks-were-here'))).toBe(false);
    // Cut off between the clone's move and its files.
    rmSync(join(root, '.git/index'));
    rmSync(join(root, 'file'));
    expect(await act(root, {})).toMatchObject({ ok: true, commit: second });
    expect(within(root, 'status', '--porcelain')).toBe('?? built');
  });

  it('refuses a folder with something else in it, and a link that leads out', async () => {
    const root = newRoot();
    mkdirSync(join(root, 'full'));
    writeFileSync(join(root, 'full/file'), '');
    symlinkSync(git.home, join(root, 'out'));
    expect(await act(root, { path: 'full' })).toMatchObject({ ok: false, code: 'folder-failed', message: 'the folder full has something else in it already: name another path' });
    expect(await act(root, { path: 'out/x' })).toMatchObject({ ok: false, code: 'folder-failed', message: expect.stringContaining('a link in the working copy leads elsewhere') });
    expect(await act(root, { path: 'out' })).toMatchObject({ ok: false, code: 'folder-failed', message: expect.stringContaining('is a link') });
    expect(await act(root, { path: 'here' })).toMatchObject({ ok: true });
    const other = git.repository(`other-${++number}`);
    expect(await act(root, { path: 'here', repository: other.path })).toMatchObject({ ok: false, message: expect.stringContaining('a clone of another repository') });
    expect(await act(join(git.home, 'nowhere'), {})).toMatchObject({ ok: false, code: 'folder-failed', message: expect.stringContaining('there is no folder') });
    for (const path of ['../x', 'a/.git', '.GIT/x']) expect(() => checkoutScript('/r', { path, repository: '/r', submodules: 'no', lfs: false })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
    for (const bad of [{ repository: 'ext::sh -c x' }, { repository: '--upload-pack=x' }, { repository: '/r', ref: '--detach' }]) {
      expect(() => checkoutScript('/r', { submodules: 'no', lfs: false, ...bad })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
    }
  });

  it('takes submodules, and theirs when asked', async () => {
    const leaf = git.repository(`leaf-${++number}`, { leaf: 'l' });
    const middle = git.repository(`middle-${number}`, { middle: 'm' });
    middle.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', leaf.path, 'leaf');
    middle.commit({ more: 'x' });
    const top = git.repository(`top-${number}`, { top: 't' });
    top.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', `../middle-${number}`, 'middle');
    top.commit({ more: 'x' });
    const root = newRoot();
    const paths = { no: 'a', yes: 'b', recursive: 'c' } as const;
    for (const [submodules, path] of Object.entries(paths)) {
      expect(await act(root, { path, repository: top.path, submodules: submodules as keyof typeof paths }), submodules).toMatchObject({ ok: true });
    }
    expect(['middle/middle', 'middle/leaf/leaf'].map((file) => Object.values(paths).map((path) => existsSync(join(root, path, file))))).toEqual([[false, true, true], [false, false, true]]);
    // Again over what is there, and with one commit of history each.
    expect(await act(root, { path: 'c', repository: top.path, submodules: 'recursive', depth: 1 })).toMatchObject({ ok: true });
    expect(existsSync(join(root, 'c/middle/leaf/leaf'))).toBe(true);
    rmSync(leaf.path, { recursive: true });
    expect(await act(root, { path: 'd', repository: top.path, submodules: 'recursive' })).toMatchObject({ ok: false, code: 'repository-missing', message: expect.stringContaining(`a submodule of ${top.path}: there is no repository ${leaf.path}`) });
  });

  it('fetches large files when git-lfs is there, and says when it is not', async () => {
    const root = newRoot();
    const bin = join(git.home, 'bin');
    mkdirSync(bin);
    const fake = join(bin, 'git-lfs');
    const PATH = `${bin}:${process.env['PATH']}`;
    writeFileSync(fake, '#!/bin/sh\nexit 1\n');
    chmodSync(fake, 0o755);
    expect(await act(root, { path: 'a', lfs: true }, { PATH })).toMatchObject({ ok: false, code: 'lfs-missing', message: expect.stringContaining('git-lfs is not installed on this host') });
    expect(readdirSync(root)).toEqual([]);
    writeFileSync(fake, `#!/bin/sh\necho "$* in $PWD, skipping: $GIT_LFS_SKIP_SMUDGE" >>'${bin}/calls'\n`);
    expect(await act(root, { path: 'a', lfs: true }, { PATH })).toMatchObject({ ok: true });
    expect(readFileSync(join(bin, 'calls'), 'utf8').split('\n').slice(1, 3)).toEqual([`install --local --skip-repo in ${root}/a, skipping: `, `pull in ${root}/a, skipping: `]);
  });

  it('tells apart what is wrong, and leaves the folder as it was', async () => {
    const empty = join(git.home, `empty-${++number}`);
    execFileSync('git', ['init', '--quiet', empty]);
    const cases: [Partial<CheckoutRequest>, string][] = [
      [{ repository: `${git.home}/none` }, 'repository-missing'],
      [{ repository: git.home }, 'repository-missing'],
      [{ repository: `${web.url}/none.git` }, 'repository-missing'],
      [{ repository: `${web.url}/closed/main-one` }, 'access-denied'],
      [{ repository: `${web.url}/forbidden/main-one` }, 'access-denied'],
      [{ repository: `${web.url}/broken/main-one` }, 'network'],
      [{ repository: 'http://127.0.0.1:1/x.git' }, 'network'],
      [{ repository: 'http://no-such-host.invalid/x.git' }, 'network'],
      [{ repository: 'ssh://127.0.0.1:1/x' }, 'network'],
      [{ ref: 'none' }, 'ref-missing'],
      [{ ref: 'deadbeef' }, 'ref-missing'],
      [{ ref: '0123456789012345678901234567890123456789', depth: 1 }, 'ref-missing'],
      [{ repository: empty }, 'ref-missing'],
    ];
    for (const [request, code] of cases) {
      const root = newRoot();
      const result = await act(root, { path: 'a', ...request });
      expect(result, JSON.stringify(request)).toMatchObject({ ok: false, code });
      if (!result.ok) expect(result.message).toContain(request.repository ?? request.ref);
      expect(readdirSync(root)).toEqual([]);
    }
  });
});

describe('what servers say over SSH', () => {
  it.each([
    ['git@host: Permission denied (publickey).', 'access-denied'],
    ['ERROR: Repository not found.', 'repository-missing'],
    ['ERROR: The project you were looking for could not be found', 'repository-missing'],
    ["fatal: '/x' does not appear to be a git repository", 'repository-missing'],
    ['Host key verification failed.', 'access-denied'],
    ['ssh: Could not resolve hostname host: Name or service not known', 'network'],
    ['kex_exchange_identification: Connection closed by remote host', 'network'],
    ['', 'access-denied'],
    ["it's something else", 'access-denied'],
  ])('%s', async (said, code) => {
    // git itself adds that the remote could not be read, and that one should check access rights.
    const ssh = join(git.home, `ssh-${++number}`);
    writeFileSync(ssh, `#!/bin/sh\ncat >&2 <<'SAID'\n${said}\nSAID\nexit 255\n`, { mode: 0o755 });
    expect(await act(newRoot(), { path: 'a', repository: 'git@host:x/y.git' }, { GIT_SSH_COMMAND: ssh })).toMatchObject({ ok: false, code, message: expect.stringContaining('git@host:x/y.git') });
  });
});

describe('a token', () => {
  const token = `t0ken-${randomUUID()}`;

  it('is shown to the host of the repository and of its submodules, and is written nowhere', async () => {
    web.token = token;
    const leaf = git.repository('hidden-one');
    const top = git.repository('over-one');
    top.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', leaf.path, 'leaf');
    top.git('config', '--file', '.gitmodules', 'submodule.leaf.url', '../hidden-one');
    top.commit({ more: 'x' });
    const root = newRoot();
    const repository = `${web.url}/closed/over-one`;
    const env = tokenEnvironment(repository, token);
    expect(await act(root, { path: 'a', repository, secret: 's', submodules: 'yes' }, env)).toMatchObject({ ok: true });
    expect(existsSync(join(root, 'a/leaf/file'))).toBe(true);
    expect(execFileSync('sh', ['-c', `grep -rlF '${token}' '${root}' '${git.host.folder}' || true`], { encoding: 'utf8' })).toBe('');
    expect(web.commandLines.join('\n')).toContain('git clone');
    expect(web.commandLines.join('\n')).not.toContain(token);
    const wrong = await act(root, { path: 'b', repository, secret: 'deploy' }, tokenEnvironment(repository, 'other'));
    expect(wrong).toEqual({ ok: false, code: 'access-denied', message: `the repository ${repository} lets nobody in from this host: the secret deploy is not accepted there` });
    expect(await act(root, { path: 'c', repository }, tokenEnvironment('https://elsewhere/x', token))).toMatchObject({ ok: false, code: 'access-denied' });
  });

  it('in a URL is not told either', async () => {
    const result = await act(newRoot(), { path: 'a', repository: `http://user:${token}@127.0.0.1:1/x.git` });
    expect(result).toEqual({ ok: false, code: 'network', message: 'the repository http://127.0.0.1:1/x.git cannot be reached from this host' });
    expect(await act(newRoot(), { path: 'a', repository: 'http://127.0.0.1:1/x.git' })).toMatchObject({ message: expect.stringMatching(/cannot be reached from this host: fatal: unable to access/) });
  });

  it('goes over HTTPS alone, with the name that the URL has', () => {
    for (const repository of ['/x', 'git@host:x', 'ssh://host/x', 'http://host/x']) expect(() => tokenEnvironment(repository, 'x'), repository).toThrowError(/HTTPS alone/);
    expect(() => tokenEnvironment('https://host/x', 'a\nb')).toThrowError(/line break/);
    expect(() => tokenEnvironment('http://host/x', 'hidden')).toThrowError(/^(?!.*hidden)/);
    expect(tokenEnvironment('https://host:8443/x', 'x')).toMatchObject({ BERTH_GIT_USER: 'x-access-token', GIT_CONFIG_KEY_1: 'credential.https://host:8443.helper' });
    expect(tokenEnvironment('https://o%20b@host/x', 'x')['BERTH_GIT_USER']).toBe('o b');
  });
});
