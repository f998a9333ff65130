import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
const id = '11111111-1111-4111-8111-111111111111';
beforeAll(async () => {
  fake = await fakeBerth();
});
const line = (n: number, text: string) => ({ at: `0:${n}`, step: 'Make', stepIndex: 0, action: id, n, time: null, stream: 'stdout', text, group: ['Make'] });

describe('build log', () => {
  test.each([
    [[], ''],
    [['-f'], '?follow=true'],
    [['--timestamps', '--no-colour'], '?timestamps=true&ansi=strip'],
    [['--tail', '20', '-f', '--step', 'Make'], '?follow=true&tail=20&step=Make'],
    [['--step', 'Make', '--lines', '10-20'], '?from=10&count=11&step=Make'],
    [['--step', 'Make', '--lines', '10-'], '?from=10&step=Make'],
    [['--step', 'Make', '--lines', '10'], '?from=10&count=1&step=Make'],
  ])('%j', async (words, query) => {
    fake.routes({ 'GET builds/*/log': [200, 'one\ntwo\n'] });
    expect(await fake.berth('build', 'log', id, ...words)).toEqual({ code: 0, stdout: 'one\ntwo\n', stderr: '' });
    expect(fake.asked.map(({ path }) => path)).toEqual([`builds/${id}/log${query}`]);
    expect(JSON.parse((await fake.berth('build', 'log', id, '--json', ...words)).stdout)).toEqual({ id, log: 'one\ntwo\n' });
  });

  test('the only step need not be named; one of several must be', async () => {
    fake.routes({ 'GET builds/*/log': [200, 'x\n'], 'GET builds/*': [200, { steps: [{ name: 'Make' }] }] });
    expect((await fake.berth('build', 'log', id, '--lines', '3-4')).stdout).toBe('x\n');
    expect(fake.asked.at(-1)!.path).toBe(`builds/${id}/log?from=3&count=2&step=Make`);
    fake.routes({ 'GET builds/*': [200, { steps: [{ name: 'Make' }, { name: 'Test' }] }] });
    expect(await fake.berth('build', 'log', id, '--lines', '3-4')).toEqual({ code: 2, stdout: '', stderr: 'berth: Lines are counted in each step: say which with --step. The build has "Make", "Test".\n' });
  });

  test('a search goes on page by page and says where each line stands', async () => {
    fake.routes({ 'GET builds/*/log/search': ({ path }) => [200, path.includes('cursor=') ? { items: [line(9, '\u001b[1mtwo')], cursor: null } : { items: [line(3, 'one')], cursor: '0:9' }] });
    expect(await fake.berth('build', 'log', id, '--search', 'o & p', '--ignore-case')).toEqual({ code: 0, stdout: 'Make:3: one\nMake:9:  [1mtwo\n', stderr: '' });
    expect(fake.asked[0]!.path).toBe(`builds/${id}/log/search?q=o+%26+p&ignoreCase=true&limit=1000`);
    const cut = await fake.berth('build', 'log', id, '--search', 'o', '--limit', '1');
    expect(cut).toEqual({ code: 0, stdout: 'Make:3: one\n', stderr: 'These are the first 1; more have it: use --step or --limit.\n' });
    fake.routes({ 'GET builds/*/log/search': [200, { items: [], cursor: null }] });
    expect((await fake.berth('build', 'log', id, '--search', 'o')).stdout).toBe('No line has it.\n');
    expect(JSON.parse((await fake.berth('build', 'log', id, '--search', 'o', '--json')).stdout)).toEqual({ items: [], cursor: null });
  });

  test('saved in a file, whole or not at all', async () => {
    const folder = await tempFolder('log');
    const file = join(folder, 'new', 'build.log');
    fake.routes({ 'GET builds/*/log': [200, 'one\n'] });
    expect(await fake.berth('build', 'log', id, '--download', file)).toMatchObject({ code: 0, stdout: `The log is here as ${file} (4 B).\n` });
    expect(fake.asked[0]!.path).toBe(`builds/${id}/log?download=true`);
    expect(await readFile(file, 'utf8')).toBe('one\n');
    fake.routes({ 'GET builds/*/log': [404, { code: 'unknown-build', detail: 'There is no such build.', errors: [] }] });
    expect(await fake.berth('build', 'log', id, '--download', join(folder, 'new', 'other.log'))).toMatchObject({ code: 1, stderr: 'berth: There is no such build.\n' });
    expect(await readdir(join(folder, 'new'))).toEqual(['build.log']);
  });

  test.each([
    [['--lines', '0-3'], 'lines count from 1'],
    [['--lines', '9-3'], 'FIRST-LAST'],
    [['--lines', 'x'], 'FIRST-LAST'],
    [['--tail', '3', '--lines', '1-2'], "'--tail <count>' cannot be used with option '--lines <first-last>'"],
    [['-f', '--download', 'x'], "'-f, --follow' cannot be used with option '--download <file>'"],
    [['-f', '--search', 'x'], "'-f, --follow' cannot be used with option '--search <text>'"],
    [['--search', 'x', '--timestamps'], "'--search <text>' cannot be used with option '--timestamps'"],
    [['--search', ''], 'needs a text'],
    [['--ignore-case'], "goes with '--search <text>'"],
  ])('%j is used wrongly', async (words, why) => {
    fake.routes({});
    const { code, stderr } = await fake.berth('build', 'log', id, ...words);
    expect([code, fake.asked.length]).toEqual([2, 0]);
    expect(stderr).toContain(why);
  });
});
