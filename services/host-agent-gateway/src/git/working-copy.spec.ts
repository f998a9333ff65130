import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool } from '../transports/pool.js';
import type { HostSpec } from '../transports/transport.js';
import { collector } from '../runner/runner.testing.js';
import { createRunner } from '../runner/run.js';
import { withoutSecrets } from './repository.js';
import { copyPath, prepareScript, removeScript, workingCopyResult, type WorkingCopyRequest, type WorkingCopyResult } from './working-copy.js';

const home = mkdtempSync(join(tmpdir(), 'berth-git-'));
const repository = join(home, "it's a repo");
const host: HostSpec = { id: 'git', transport: 'local', address: '', port: 0, user: '', credential: 'agent', folder: join(home, 'folder') };
const pool = createPool();
const runner = createRunner(pool);
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=n', '-c', 'user.email=e@x', ...args], { encoding: 'utf8' }).trim();
let first: string;
let second: string;

async function act(copyId: string, script: string, env: Record<string, string> = {}): Promise<WorkingCopyResult> {
  const seen = collector();
  const outcome = await runner.run(host, { id: randomUUID(), script, cwd: '/', env }, seen);
  if (outcome.kind !== 'exited') throw new Error(JSON.stringify(outcome));
  return workingCopyResult(host.folder, copyId, outcome.code, seen.text('stdout'), seen.text('stderr'));
}
const prepare = (request: Partial<WorkingCopyRequest> & { copyId?: string }, env?: Record<string, string>): Promise<WorkingCopyResult> => {
  const full = { copyId: randomUUID(), ...request };
  return act(full.copyId, prepareScript(host.folder, full), env);
};

beforeAll(() => {
  mkdirSync(repository);
  git('init', '--quiet', '--initial-branch=main');
  writeFileSync(join(repository, 'file'), 'one');
  git('add', '.');
  git('commit', '--quiet', '-m', 'one');
  first = git('rev-parse', 'HEAD');
  git('tag', '-a', 'v1', '-m', 'tag');
  git('branch', 'feature/x');
  git('branch', 'abcdef1');
  writeFileSync(join(repository, 'file'), 'two');
  git('commit', '--quiet', '-am', 'two');
  second = git('rev-parse', 'HEAD');
  git('update-ref', 'refs/pull/7/head', first);
});
afterAll(async () => {
  await pool.closeAll();
  rmSync(home, { recursive: true, force: true });
});

describe('preparing a working copy', () => {
  it.each([
    ['the default branch', undefined, () => second],
    ['a branch', 'main', () => second],
    ['a branch with a slash', 'feature/x', () => first],
    ['a branch that looks like a commit', 'abcdef1', () => first],
    ['a tag', 'v1', () => first],
    ['a full ref', 'refs/tags/v1', () => first],
    ['a ref outside branches and tags', 'refs/pull/7/head', () => first],
  ])('checks out %s', async (_, ref, commit) => {
    const result = await prepare({ repository, ...(ref ? { ref } : {}) });
    expect(result).toMatchObject({ ok: true, commit: commit() });
    if (result.ok) expect(readFileSync(join(result.path, 'file'), 'utf8')).toBe(commit() === first ? 'one' : 'two');
  });

  it('checks out a full and a short commit, and over file://', async () => {
    expect(await prepare({ repository, ref: first })).toMatchObject({ ok: true, commit: first });
    expect(await prepare({ repository, ref: first.slice(0, 8) })).toMatchObject({ ok: true, commit: first });
    expect(await prepare({ repository: `file://${repository}`, ref: 'main' })).toMatchObject({ ok: true, commit: second });
  });

  it('makes an empty folder without a repository', async () => {
    const result = await prepare({});
    expect(result).toEqual({ ok: true, path: expect.stringContaining('/copies/') });
    if (result.ok) expect(readdirSync(result.path)).toEqual([]);
  });

  it('starts clean after a try that was cut off', async () => {
    const copyId = 'half-done';
    mkdirSync(join(copyPath(host.folder, copyId), '.git/objects'), { recursive: true });
    writeFileSync(join(copyPath(host.folder, copyId), 'junk'), '');
    const result = await prepare({ copyId, repository });
    expect(result).toMatchObject({ ok: true, commit: second });
    expect(readdirSync(copyPath(host.folder, copyId)).sort()).toEqual(['.git', 'file']);
  });

  it('tells apart what is wrong, and leaves no folder', async () => {
    const empty = join(home, 'empty');
    execFileSync('git', ['init', '--quiet', empty]);
    const cases: [Partial<WorkingCopyRequest>, string][] = [
      [{ repository: `${home}/none` }, 'repository-unreachable'],
      [{ repository: home }, 'repository-unreachable'],
      [{ repository: 'http://127.0.0.1:1/x.git' }, 'repository-unreachable'],
      [{ repository: 'http://127.0.0.1:1/x.git', ref: 'main' }, 'repository-unreachable'],
      [{ repository, ref: 'none' }, 'ref-missing'],
      [{ repository, ref: 'deadbeef' }, 'ref-missing'],
      [{ repository, ref: '0123456789012345678901234567890123456789' }, 'ref-missing'],
      [{ repository: empty }, 'ref-missing'],
    ];
    for (const [request, code] of cases) {
      const copyId = randomUUID();
      const result = await prepare({ ...request, copyId });
      expect(result, JSON.stringify(request)).toMatchObject({ ok: false, code });
      if (!result.ok) expect(result.message).toContain(request.repository);
      expect(existsSync(copyPath(host.folder, copyId))).toBe(false);
    }
  });

  it('says that git is missing', async () => {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    for (const tool of ['sh', 'mkdir', 'rm']) symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), join(bin, tool));
    expect(await prepare({ repository }, { PATH: bin })).toMatchObject({ ok: false, code: 'git-missing' });
  });

  it('never asks and never runs what a value says', async () => {
    for (const bad of [
      { repository: '--upload-pack=touch /tmp/x' },
      { repository: 'ext::sh -c "touch /tmp/x"' },
      { repository: 'relative/path' },
      { repository: 'gopher://host/x' },
      { repository: 'a\nb:c' },
      { ref: 'main' },
      ...['-x', '--detach', 'a b', 'a..b', 'a~1', 'a^', 'x:y', '@{-1}', 'a\nb', '', 'a.lock'].map((ref) => ({ repository, ref })),
    ]) {
      expect(() => prepareScript('/f', { copyId: 'c', ...bad }), JSON.stringify(bad)).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
    }
    expect(await prepare({ repository, ref: '$(touch${IFS}x)' })).toMatchObject({ ok: false, code: 'ref-missing' });
  });

  it('does not show a token', () => {
    expect(withoutSecrets('https://user:token@host/x.git')).toBe('https://host/x.git');
    expect(prepareScript('/f', { copyId: 'c', repository: 'https://t0ken@host/x' })).toContain("shown='https://host/x'");
  });

  it.runIf(process.getuid?.() === 0)('reads a local repository of another owner', async () => {
    const foreign = join(home, 'for"eign');
    execFileSync('cp', ['-r', repository, foreign]);
    execFileSync('chown', ['-R', 'nobody', foreign]);
    expect(await prepare({ repository: foreign, ref: 'v1' })).toMatchObject({ ok: true, commit: first });
    expect(readdirSync(`${host.folder}/copies`).filter((name) => name.endsWith('.gitconfig'))).toEqual([]);
  });
});

describe('removing a working copy', () => {
  it('removes it, read-only folders included, and is content when it is gone', async () => {
    const copyId = randomUUID();
    const prepared = await prepare({ copyId, repository });
    const path = copyPath(host.folder, copyId);
    mkdirSync(`${path}/locked/inner`, { recursive: true });
    writeFileSync(`${path}/locked/inner/file`, '');
    chmodSync(`${path}/locked/inner`, 0o500);
    chmodSync(`${path}/locked`, 0o500);
    expect(prepared.ok).toBe(true);
    expect(await act(copyId, removeScript(host.folder, copyId))).toEqual({ ok: true, path });
    expect(existsSync(path)).toBe(false);
    expect(await act(copyId, removeScript(host.folder, copyId))).toEqual({ ok: true, path });
  });

  it('takes away a link and not what it leads to', async () => {
    const copyId = randomUUID();
    const kept = join(home, 'kept');
    mkdirSync(kept);
    writeFileSync(join(kept, 'file'), '');
    symlinkSync(kept, copyPath(host.folder, copyId));
    expect(await act(copyId, removeScript(host.folder, copyId))).toMatchObject({ ok: true });
    expect(existsSync(join(kept, 'file'))).toBe(true);
  });

  it('refuses an id that is a path', () => {
    for (const copyId of ['..', '../x', '/etc', '', '.']) expect(() => removeScript('/f', copyId)).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });
});
