import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitHost, type GitHost } from '../../git/git.testing.js';
import { windows } from '../windows.js';
import { argvOf, literalOf, literalsOf } from './rules.testing.js';

const COPY = '00000000-0000-4000-8000-000000000001';

/** The command lines of git in a script, taken apart as PowerShell and then Windows would. */
const linesOf = (script: string): string[][] =>
  literalsOf(script.slice(script.indexOf('$first = $null')))
    .map((literal) => argvOf(`git.exe ${literalOf(literal)}`).slice(1))
    .filter(([first]) => first === 'clone' || first === 'ls-remote' || first === '-C');

describe('working copies on Windows', () => {
  let git: GitHost;
  beforeAll(() => {
    git = gitHost();
  });
  afterAll(() => git.close());

  it('hands any repository and ref to git as one argument each', () => {
    const repository = fc.string({ unit: fc.constantFrom(...`'"\\$\`%!^&|<>;() -=/\u2019ä€`), maxLength: 20 }).map((name) => `https://h/${name}`);
    const ref = fc.string({ unit: fc.constantFrom(...`a'"$\`%!&|<>;()-=\u2019ä`), minLength: 1, maxLength: 20 }).filter((name) => !name.startsWith('-'));
    fc.assert(
      fc.property(repository, ref, (url, branch) => {
        const lines = linesOf(windows.prepare('/C:/h', { copyId: COPY, repository: url, ref: branch }));
        const copy = `C:\\h\\copies\\${COPY}`;
        expect(lines).toContainEqual(['clone', '--quiet', '--template=', '--branch', branch, '--', url, copy]);
        expect(lines).toContainEqual(['clone', '--quiet', '--template=', '--no-checkout', '--', url, copy]);
        expect(lines).toContainEqual(['-C', copy, 'fetch', '--quiet', '--', 'origin', branch]);
        for (const words of lines) expect(words.filter((word) => word.startsWith('-')).every((word) => /^(-C|--([a-z-]+=?)?)$/.test(word))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('has lines that a real git carries out, also for a folder with blanks and quotes in its name', () => {
    const repository = git.repository(`it's "one" repository`);
    const commit = repository.git('rev-parse', 'HEAD');
    const folder = `${git.home}/a "host" folder`;
    const lines = linesOf(windows.prepare(folder, { copyId: COPY, repository: repository.path, ref: 'main' }));
    const run = (words: readonly string[]): string => execFileSync('git', words, { encoding: 'utf8' }).trim();
    const [branch, ask, head, bare, ...candidates] = ['--branch', 'ls-remote', 'HEAD', '--no-checkout', '--end-of-options'].flatMap((word) => lines.filter((words) => words.includes(word) && (word !== 'HEAD' || words[0] === '-C')));
    expect(run(ask!)).toContain(commit);
    run(branch!);
    expect(existsSync(`${folder}/copies/${COPY}/file`)).toBe(true);
    expect(run(head!)).toBe(commit);
    expect(bare).toContain('--no-checkout');
    expect(run(candidates[0]!)).toBe(commit);
  });

  it('refuses what is refused elsewhere', () => {
    for (const bad of [{ ref: 'main' }, { repository: '--upload-pack=x' }, { repository: 'ext::sh' }, { repository: 'https://h/x', ref: '-x' }, { also: { '../x': { repository: 'https://h/x' } } }]) {
      expect(() => windows.prepare('/C:/h', { copyId: COPY, ...bad })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
    }
  });
});
