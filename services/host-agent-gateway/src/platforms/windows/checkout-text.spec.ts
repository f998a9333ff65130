import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitHost, type GitHost } from '../../git/git.testing.js';
import type { CheckoutRequest } from '../../git/checkout.js';
import { windows } from '../windows.js';
import { argvOf, literalOf, literalsOf } from './rules.testing.js';

const scriptOf = (root: string, request: Partial<CheckoutRequest>): string => windows.checkout(root, { repository: 'https://h/x', submodules: 'no', lfs: false, ...request });
/** The command lines of git in a script, taken apart as PowerShell and then Windows would, without the options that all have. */
const linesOf = (script: string): string[][] =>
  literalsOf(script.slice(script.indexOf('$target = ')))
    .map((literal) => argvOf(`git.exe ${literalOf(literal)}`).slice(1))
    .filter(([first]) => first === '-c')
    .map((words) => words.slice(8));

describe('checkouts on Windows', () => {
  let git: GitHost;
  beforeAll(() => {
    git = gitHost();
  });
  afterAll(() => git.close());

  it('hand any repository, ref and folder to git as one argument each', () => {
    const repository = fc.string({ unit: fc.constantFrom(...`'"\\$\`%!^&|<>;() -=/\u2019ä€`), maxLength: 20 }).map((name) => `https://h/${name}`);
    const ref = fc.string({ unit: fc.constantFrom(...`a'"$\`%!&|<>;()-=\u2019ä`), minLength: 1, maxLength: 20 }).filter((name) => !name.startsWith('-'));
    const folder = fc.string({ unit: fc.constantFrom(...`a'$\`%!&;()-=\u2019ä `), minLength: 1, maxLength: 20 }).map((name) => `${name}x`);
    fc.assert(
      fc.property(repository, ref, folder, (url, branch, path) => {
        const lines = linesOf(scriptOf('/C:/h/copies/1', { repository: url, ref: branch, path: `a/${path}`, depth: 2, submodules: 'recursive' }));
        const target = `C:\\h\\copies\\1\\a\\${path}`;
        expect(lines).toContainEqual(['clone', '--quiet', '--template=', '--no-checkout', '--no-local', '--depth', '2', '--branch', branch, '--', url, 'stage']);
        expect(lines).toContainEqual(['-C', 'stage', 'fetch', '--quiet', '--depth', '2', '--no-tags', '--', 'origin', branch]);
        expect(lines).toContainEqual(['-C', target, 'reset', '--quiet', '--hard']);
        expect(lines).toContainEqual(['-C', target, 'submodule', 'update', '--init', '--quiet', '--force', '--recursive', '--depth', '2']);
      }),
      { numRuns: 200 },
    );
  });

  it('have lines that a real git carries out, on a branch, and on a commit with no more history than was asked for', () => {
    const repository = git.repository(`it's "one" repository`);
    const commit = repository.git('rev-parse', 'HEAD');
    for (const [number, ref] of ['main', commit].entries()) {
      const root = `${git.home}/root ${number}`;
      mkdirSync(root);
      const lines = linesOf(scriptOf(root, { repository: repository.path, ref, depth: 1 }));
      const run = (words: readonly string[] | undefined, ...more: string[]): string => execFileSync('git', [...(words ?? []).filter((word) => word !== ''), ...more], { encoding: 'utf8', cwd: root }).trim();
      const the = (...words: string[]): string[] | undefined => lines.find((all) => words.every((word) => all.includes(word)));
      if (ref === 'main') run(the('clone', '--branch'));
      else for (const line of [the('init'), the('stage', 'remote.origin.url'), the('stage', 'remote.origin.fetch'), lines.filter((all) => all.includes('fetch') && all.includes('--depth')).at(-1)]) run(line);
      expect(run(the('rev-parse', ref === 'main' ? 'HEAD^{commit}' : 'FETCH_HEAD^{commit}'))).toBe(commit);
      renameSync(`${root}/stage/.git`, `${root}/.git`);
      if (ref === 'main') run(the('reset'));
      else run(the('checkout', '--detach'), commit, '--');
      expect(readFileSync(`${root}/file`, 'utf8')).not.toBe('');
      expect(run(['-C', root, 'rev-list', '--count', 'HEAD'])).toBe('1');
      expect(run(['-C', root, 'status', '--porcelain'])).toBe('');
    }
  });

  it.each(['.git', 'a\\.git', 'a/../b', 'a\\..\\b', 'a.', 'b /c', 'GIT~1', 'a:b', 'x|y'])('refuse the folder %j', (path) => {
    expect(() => scriptOf('/C:/h', { path })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });

  it('tell the folder as the SFTP server writes it', () => {
    expect(scriptOf('/C:/h', { path: 'a\\b/./c' })).toContain(`'berth-path /C:/h/a/b/c'`);
  });
});
