import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHome, resolveHome } from './home.js';
import { isAlive, startMark } from './process.js';

let home: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'home-')), 'state');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(join(home, '..'), { recursive: true });
});

/** A process that lives until it is told to end, with a word in its command line. */
function living(word: string): number {
  const child = spawn('sleep', ['300'], { argv0: `sleep-${word}`, stdio: 'ignore' });
  children.push(child);
  return child.pid!;
}

test('the folder is for its owner only, and .berth in the checkout unless BERTH_HOME says otherwise', async () => {
  const lock = await lockHome(home);
  expect(statSync(home).mode & 0o777).toBe(0o700);
  await lock.release();
  expect(readdirSync(home)).toEqual([]);
  expect(resolveHome({ BERTH_HOME: home })).toBe(home);
  expect(resolveHome({})).toMatch(/\/\.berth$/);
});

test('a second owner is refused and told whom to stop', async () => {
  const lock = await lockHome(home);
  await expect(lockHome(home)).rejects.toThrow(`Berth is already running on this state folder (pid ${process.pid}): stop it first or set BERTH_HOME`);
  await lock.release();
  await (await lockHome(home)).release();
});

test('a dead owner, or a later process with its number, does not hold the folder', async () => {
  mkdirSync(home);
  for (const left of ['999999999 1\n', `${process.pid} 1\n`, 'rubbish', '']) {
    writeFileSync(join(home, 'up.pid'), left);
    const lock = await lockHome(home);
    expect(readFileSync(join(home, 'up.pid'), 'utf8')).toBe(`${process.pid} ${startMark(process.pid)}\n`);
    await lock.release();
  }
});

test('of many starters on a dead owner exactly one wins', async () => {
  mkdirSync(home);
  writeFileSync(join(home, 'up.pid'), '999999999 1\n');
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockHome(home)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(readdirSync(home)).toEqual(['up.pid']);
});

test('what a dead owner left running is stopped, a stranger with the number in the file is not', async () => {
  mkdirSync(join(home, 'nats'), { recursive: true });
  mkdirSync(join(home, 'sshd'));
  const ours = living(join(home, 'nats'));
  const stranger = living('stranger');
  writeFileSync(join(home, 'nats', 'pid'), `${ours}`);
  writeFileSync(join(home, 'sshd', 'pid'), `${stranger}\n`);
  const lock = await lockHome(home);
  expect(isAlive(ours)).toBe(false);
  expect(isAlive(stranger)).toBe(true);
  await lock.release();
});

test('a folder that cannot be made is one sentence', async () => {
  writeFileSync(join(home, '..', 'file'), '');
  await expect(lockHome(join(home, '..', 'file', 'state'))).rejects.toThrow(/cannot be created \(ENOTDIR\): set BERTH_HOME/);
});
