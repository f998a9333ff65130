import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../transports/connect.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { Transport } from '../transports/transport.js';
import { find, whatIsThere } from './find.js';
import { matches, parseGlob } from './glob.js';
import { closest, distance } from './nearest.js';

let sshd: RelayedSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

const all = ['a.txt', 'b.md', '.env', 'out/app.tgz', 'out/app.tar.gz', 'out/.hidden', 'out/deep/er/x.xml', 'out/deep/y.xml', '.cache/z.xml', 'pkg/one/dist/i.js', 'pkg/two/dist/i.js', 'pkg/two/src/i.ts'];

describe.each(['ssh', 'local'] as const)('finding files over %s', (kind) => {
  let transport: Transport;
  let root: string;
  beforeAll(async () => {
    transport = await connect(sshd.spec('find', { transport: kind }));
    root = `${sshd.home}/find-${kind}`;
    for (const path of all) {
      mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      writeFileSync(`${root}/${path}`, path);
    }
    mkdirSync(`${root}/links/empty`, { recursive: true });
    symlinkSync('../out/app.tgz', `${root}/links/file`);
    symlinkSync('../out', `${root}/links/folder`);
    symlinkSync('nowhere', `${root}/links/broken`);
    symlinkSync('/etc/passwd', `${root}/outside`);
    symlinkSync('/etc', `${root}/etc`);
    execFileSync('mkfifo', [`${root}/links/pipe`]);
  });
  afterAll(() => transport.close());
  const look = (pattern: string, maxFiles = 100) => find(transport.files, root, pattern, { maxFiles });
  const paths = async (pattern: string) => (await look(pattern)).files.map(({ path }) => path);

  it.each([
    ['a.txt', ['a.txt']],
    ['out/app.*', ['out/app.tar.gz', 'out/app.tgz']],
    ['out', ['out/app.tar.gz', 'out/app.tgz', 'out/deep/er/x.xml', 'out/deep/y.xml']],
    ['./out/', ['out/app.tar.gz', 'out/app.tgz', 'out/deep/er/x.xml', 'out/deep/y.xml']],
    ['out/.*', ['out/.hidden']],
    ['out/**/*.xml', ['out/deep/er/x.xml', 'out/deep/y.xml']],
    ['out/**', ['out/app.tar.gz', 'out/app.tgz', 'out/deep/er/x.xml', 'out/deep/y.xml']],
    ['pkg/*/dist', ['pkg/one/dist/i.js', 'pkg/two/dist/i.js']],
    ['pkg/t?o/src/*', ['pkg/two/src/i.ts']],
    ['.cache', ['.cache/z.xml']],
    ['.env', ['.env']],
    ['none', []],
    ['a.txt/x', []],
    ['links/empty/**', []],
  ])('%s', async (pattern, expected) => expect(await paths(pattern)).toEqual(expected));

  it('gives sizes, and names from where the special characters begin', async () => {
    expect((await look('out/app.tgz')).files).toEqual([{ path: 'out/app.tgz', real: `${root}/out/app.tgz`, bytes: 11, below: 'app.tgz', named: true }]);
    expect((await look('out/deep')).files.map(({ below, named }) => [below, named])).toEqual([['er/x.xml', false], ['y.xml', false]]);
    expect((await look('pkg/*/dist/*')).files.map(({ below }) => below)).toEqual(['one/dist/i.js', 'two/dist/i.js']);
    expect((await look('**/y.xml')).files.map(({ below, named }) => [below, named])).toEqual([['out/deep/y.xml', false]]);
  });

  it('follows links to files, to folders where they are named, and none that leads out', async () => {
    expect(await look('links/*')).toMatchObject({
      files: [{ path: 'links/file', real: `${root}/out/app.tgz`, bytes: 11 }],
      left: ['links/broken is a link that leads nowhere', 'links/folder is a link to a folder, which is only followed when it is named', 'links/pipe is neither a file nor a folder'],
    });
    expect(await paths('links/folder/*.tgz')).toEqual(['links/folder/app.tgz']);
    expect(await paths('links/folder')).toContain('links/folder/deep/y.xml');
    expect(await paths('**/passwd')).toEqual([]);
    for (const pattern of ['outside', '*', 'etc', 'etc/passwd', '**']) await expect(look(pattern), pattern).rejects.toMatchObject({ code: 'path-outside' });
    await expect(look('links/broken')).rejects.toMatchObject({ code: 'not-found', message: 'links/broken is a link that leads nowhere.' });
    await expect(look('links/pipe')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('stops where there is too much', async () => {
    await expect(look('out', 3)).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('matches more than 3 files') });
    const deep = Array<string>(70).fill('d').join('/');
    mkdirSync(`${root}/pkg/deep/${deep}`, { recursive: true });
    await expect(look('pkg/deep/**/x')).rejects.toMatchObject({ code: 'too-large', message: expect.stringContaining('64 folders') });
  });

  it.each([
    ['out/*.tg', 'nothing matches out/*.tg: out has app.tgz, deep/, .hidden, app.tar.gz'],
    ['uot/app.tgz', 'nothing matches uot/app.tgz: there is no uot in the folder of the lease, which has out/, etc, pkg/, .env, a.txt and 4 more'],
    ['out/ap.tgz', 'nothing matches out/ap.tgz: there is no ap.tgz in out, which has app.tgz, app.tar.gz, deep/, .hidden'],
    ['a.txt/x', 'nothing matches a.txt/x: a.txt is not a folder'],
    ['links/empty/*', 'nothing matches links/empty/*: links/empty has nothing in it'],
    ['links/empty', 'nothing matches links/empty: links/empty has nothing in it'],
    ['links/empty/x', 'nothing matches links/empty/x: there is no x in links/empty, which is empty'],
  ])('tells what there is instead of %s', async (pattern, sentence) => expect(await whatIsThere(transport.files, root, pattern)).toBe(sentence));
});

describe('against the pure matcher', () => {
  it('finds exactly the files that match, or are in a folder that does', async () => {
    const transport = await connect(sshd.spec('find', { transport: 'local' }));
    const root = `${sshd.home}/find-all`;
    for (const path of all) {
      mkdirSync(dirname(`${root}/${path}`), { recursive: true });
      writeFileSync(`${root}/${path}`, path);
    }
    const part = fc.constantFrom('**', '*', 'out', 'pkg', '*.xml', 'deep', '.*', '?*', '[a-p]*', 'dist', 'i.[jt]s', 'one', '.cache');
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')), async (pattern) => {
        const glob = parseGlob(pattern);
        const expected = all.filter((path) => {
          const names = path.split('/');
          return names.some((_, depth) => matches(glob, names.slice(0, depth + 1).join('/')) && names.slice(depth + 1).every((name) => !name.startsWith('.')));
        });
        expect((await find(transport.files, root, pattern, { maxFiles: 100 })).files.map(({ path }) => path)).toEqual(expected.sort());
      }),
      { numRuns: 200 },
    );
    await transport.close();
  });
});

describe('names that are like others', () => {
  it('come first', () => {
    expect(closest('ap.tgz', ['x', 'app.tar.gz', 'app.tgz'])).toBe('app.tgz, app.tar.gz, x');
    expect(closest('*', ['c', 'a', 'b', 'd', 'e', 'f'])).toBe('a, b, c, d, e and 1 more');
    expect([distance('', 'abc'), distance('kitten', 'sitting'), distance('a', 'a')]).toEqual([3, 3, 0]);
  });
});
