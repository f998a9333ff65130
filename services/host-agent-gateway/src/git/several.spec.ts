import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gitHost, type GitHost, type Repository } from './git.testing.js';
import { copyPath, prepareScript } from './working-copy.js';

let at: GitHost;
let main: Repository;
let widgets: Repository;
let first: string;
beforeAll(() => {
  at = gitHost();
  main = at.repository('main', { file: 'main', 'tracked/file': 'x' });
  widgets = at.repository('widgets', { file: 'one' });
  first = widgets.git('rev-parse', 'HEAD');
  widgets.git('tag', 'v1');
  widgets.commit({ file: 'two' });
});
afterAll(() => at.close());

const read = (copyId: string, path: string) => readFileSync(join(copyPath(at.host.folder, copyId), path), 'utf8');

describe('several repositories', () => {
  it('puts each into its folder, at its ref, and tells the commit of the main one', async () => {
    const copyId = randomUUID();
    const also = { 'libs/widgets': { repository: widgets.path, ref: 'v1' }, libs: { repository: widgets.path }, 'libs/at-commit': { repository: widgets.path, ref: first.slice(0, 10) } };
    const result = await at.prepare({ copyId, repository: main.path, also });
    expect(result).toEqual({ ok: true, path: copyPath(at.host.folder, copyId), commit: main.git('rev-parse', 'HEAD') });
    expect([read(copyId, 'file'), read(copyId, 'libs/file'), read(copyId, 'libs/widgets/file'), read(copyId, 'libs/at-commit/file')]).toEqual(['main', 'two', 'one', 'one']);
    expect(readdirSync(`${at.host.folder}/actions`)).toEqual([]);
  });

  it('needs no main one', async () => {
    const copyId = randomUUID();
    expect(await at.prepare({ copyId, also: { a: { repository: widgets.path }, 'b/c': { repository: main.path } } })).toEqual({ ok: true, path: copyPath(at.host.folder, copyId) });
    expect([read(copyId, 'a/file'), read(copyId, 'b/c/file')]).toEqual(['two', 'main']);
  });

  it('clones more than four', async () => {
    const copyId = randomUUID();
    const also = Object.fromEntries(Array.from({ length: 11 }, (_, number) => [`n/${number}`, { repository: widgets.path }]));
    expect(await at.prepare({ copyId, repository: main.path, also })).toMatchObject({ ok: true });
    expect(readdirSync(join(copyPath(at.host.folder, copyId), 'n'))).toHaveLength(11);
  });

  it.each([
    ['a repository that is not there', () => ({ repository: `${at.home}/none` }), 'repository-unreachable', /^libs\/x: the repository .*none does not exist/],
    ['a ref that is not there', () => ({ repository: widgets.path, ref: 'none' }), 'ref-missing', /^libs\/x: the repository .* has no branch, tag or commit none/],
  ])('fails as a whole with %s and leaves nothing', async (_, other, code, message) => {
    const copyId = randomUUID();
    const result = await at.prepare({ copyId, repository: main.path, also: { 'libs/a': { repository: widgets.path }, 'libs/x': other() } });
    expect(result).toMatchObject({ ok: false, code, message: expect.stringMatching(message) });
    expect(existsSync(copyPath(at.host.folder, copyId))).toBe(false);
    expect(readdirSync(`${at.host.folder}/actions`)).toEqual([]);
  });

  it('fails where the main one has something already, or a link that leads out', async () => {
    const copyId = randomUUID();
    expect(await at.prepare({ copyId, repository: main.path, also: { tracked: { repository: widgets.path } } })).toMatchObject({ ok: false, code: 'folder-failed', message: expect.stringContaining('tracked: ') });
    const outside = join(at.home, 'outside');
    mkdirSync(outside);
    const linked = at.repository('linked');
    symlinkSync(outside, join(linked.path, 'out'));
    linked.commit({ more: '' });
    expect(await at.prepare({ copyId, repository: linked.path, also: { 'out/x': { repository: widgets.path } } })).toMatchObject({ ok: false, code: 'folder-failed', message: expect.stringContaining('leads elsewhere') });
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(copyPath(at.host.folder, copyId))).toBe(false);
  });

  it('refuses folders and repositories that could mean something else', () => {
    for (const folder of ['.', '..', 'a/../b', '/a', '.git', 'a/.GIT/hooks', "a'b", 'a b']) {
      expect(() => prepareScript('/f', { copyId: 'c', also: { [folder]: { repository: '/r' } } }), folder).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
    }
    expect(() => prepareScript('/f', { copyId: 'c', also: { a: { repository: '--upload-pack=x' } } })).toThrowError(expect.objectContaining({ code: 'invalid-value' }));
  });
});
