import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/wait.js';
import { callWith, faultOf } from './call.testing.js';
import { DriverFault } from './driver.js';
import { runProgram } from './program.js';

const PATH = process.env['PATH'];
afterEach(() => {
  process.env['PATH'] = PATH;
});

/** Puts a script in the place of ipmitool. */
async function instead(script: string): Promise<string> {
  const folder = await tempFolder('instead');
  await writeFile(join(folder, 'ipmitool'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'ipmitool'), 0o755);
  process.env['PATH'] = `${folder}:${PATH}`;
  return folder;
}
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

it('hands on words as they are, and no more of the environment than it must', async () => {
  process.env['BERTH_SOMETHING'] = 'inherited';
  await instead('for word in "$@"; do printf "<%s>" "$word"; done; printf "\\n"; env');
  const { stdout, code } = await runProgram(callWith(), { program: 'ipmitool', args: ['; echo foo', '$(id)', 'a b', ''], env: { ONE: '1' } });
  const [words, ...env] = stdout.trim().split('\n');
  expect(code).toBe(0);
  expect(words).toBe('<; echo foo><$(id)><a b><>');
  expect(env.map((line) => line.split('=')[0]).filter((name) => name !== '_' && name !== 'PWD').sort()).toEqual(['LC_ALL', 'ONE', 'PATH']);
  delete process.env['BERTH_SOMETHING'];
});

it('ends it and all that it started when it is told to, with the reason that it was told', async () => {
  const folder = await instead('trap "" TERM; sh -c "trap \\"\\" TERM; echo \\$\\$ > $0.child; while :; do sleep 1; done" & echo $$ > "$0.pid"; wait; while :; do sleep 1; done');
  const call = callWith();
  const running = runProgram(call, { program: 'ipmitool', args: [] });
  const pids = await eventually(async () => {
    const read = await Promise.all(['pid', 'child'].map((name) => readFile(join(folder, `ipmitool.${name}`), 'utf8')));
    const numbers = read.map(Number);
    return numbers.every(Boolean) && numbers;
  });
  const reason = new DriverFault('timeout', 'It took too long.');
  call.end(reason);
  expect(await faultOf(running)).toBe(reason);
  await eventually(() => !pids.some(alive));
});

it('waits for no child that holds its output open', async () => {
  await instead('sleep 600 & echo done');
  const { stdout } = await runProgram(callWith(), { program: 'ipmitool', args: [] });
  expect(stdout).toBe('done\n');
});

it('starts nothing once it is told to end', async () => {
  const folder = await instead('touch "$0.ran"');
  const call = callWith();
  call.end();
  expect((await faultOf(runProgram(call, { program: 'ipmitool', args: [] }))).fault).toBe('cancelled');
  await expect(readFile(join(folder, 'ipmitool.ran'))).rejects.toThrow('ENOENT');
});

it('keeps the last of what is said, with stars for secrets', async () => {
  await instead('i=0; while [ $i -lt 20000 ]; do echo "line $i s3cret"; i=$((i+1)); done; echo "oops s3cret" >&2; exit 3');
  const call = callWith();
  const { code, stdout, stderr } = await runProgram(call, { program: 'ipmitool', args: [], secrets: ['s3cret'] });
  expect(code).toBe(3);
  expect(stdout.length).toBeLessThanOrEqual(65_536);
  expect(stdout.endsWith('line 19999 ***\n')).toBe(true);
  expect(stderr).toBe('oops ***\n');
  expect(`${stdout}${call.said.join('')}`).not.toContain('s3cret');
});

it('says which package has a program that is missing', async () => {
  // A file that may not be run is as good as none, and hides one that is further back.
  const folder = await instead('');
  await chmod(join(folder, 'ipmitool'), 0o644);
  await writeFile(join(folder, 'ipmitool'), '');
  process.env['PATH'] = folder;
  const fault = await faultOf(runProgram(callWith(), { program: 'ipmitool', args: [], folders: [] }));
  expect([fault.fault, fault.message]).toEqual(['no-program', `ipmitool can't be run where the gateway runs: install it with "apt-get install ipmitool" (Debian, Ubuntu).`]);
});
