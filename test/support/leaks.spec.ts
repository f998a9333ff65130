import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { watchForLeaks } from './leaks.js';
import { eventually } from './wait.js';

const onLinux = process.platform === 'linux';

test('nothing left is nothing found', async () => {
  expect(await watchForLeaks().end()).toEqual({ processes: [], files: [] });
});

test('a forgotten temporary folder is found and removed', async () => {
  const watch = watchForLeaks();
  mkdtempSync(join(tmpdir(), 'forgotten-'));
  const { files } = await watch.end();
  expect(files).toEqual([expect.stringMatching(/^forgotten-/)]);
});

test.runIf(onLinux)('a process that left our process tree is found and ended', async () => {
  const watch = watchForLeaks();
  const shell = spawn('sh', ['-c', 'setsid sleep 77 & echo $!'], { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const pid = await new Promise<number>((resolve) => shell.stdout.once('data', (data: Buffer) => resolve(Number(data))));
  // Between one program and the next a process shows neither its words nor its environment.
  await eventually(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
  const { processes } = await watch.end();
  expect(processes).toHaveLength(1);
  expect(processes[0]).toContain('sleep 77');
  await eventually(() => {
    expect(() => process.kill(pid, 0)).toThrow();
  });
});
