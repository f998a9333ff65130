import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { failed, fine, runChecks, type DoctorCheck } from '@berth/client';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { inodesFinding, ofFolder, roomFinding } from './folder.js';
import { nodeFinding, ofMachine } from './machine.js';
import type { Place } from './place.js';

const MiB = 1024 ** 2;
const place = (home: string, env: NodeJS.ProcessEnv = {}): Place => ({ env, home, local: true, access: undefined, accessFault: 'none' });
const linesOf = async (checks: readonly DoctorCheck[]) => (await runChecks(checks)).map(({ check, status, message }) => `${status} ${check}: ${message}`);

describe('checks', () => {
  test('one that hangs ends at its limit, one that throws is told, and the others are told all the same and in order', async () => {
    const findings = await runChecks([
      { name: 'hangs', hint: 'wait', limitMs: 20, run: () => new Promise(() => undefined) },
      { name: 'throws', hint: 'mend it', run: () => { throw new Error('it is broken.'); } },
      { name: 'is well', hint: '', run: () => [fine('is well', 'Yes.')] },
    ]);
    expect(findings).toEqual([failed('hangs', 'This took longer than 0.02 s.', 'wait'), failed('throws', 'It is broken.', 'mend it'), fine('is well', 'Yes.')]);
  });

  test('one that hangs is told to end', async () => {
    let ended = false;
    await runChecks([{ name: 'hangs', hint: '', limitMs: 10, run: (signal) => new Promise(() => signal.addEventListener('abort', () => (ended = true))) }]);
    expect(ended).toBe(true);
  });
});

test.each([['18.20.0', 'failed'], ['20.18.9', 'failed'], ['20.19.0', 'ok'], ['22.0.0', 'ok']])('Node %s: %s', (version, status) => expect(nodeFinding(version).status).toBe(status));

test.each([[100 * MiB, 'failed'], [1024 * MiB, 'warning'], [3000 * MiB, 'ok']])('%i bytes free: %s', (free, status) => expect(roomFinding('/x', free).status).toBe(status));

test.each([[10, 100_000, 'failed'], [5000, 100_000, 'warning'], [50_000, 100_000, 'ok'], [0, 0, 'ok']])('%i of %i inodes free: %s', (free, all, status) => expect(inodesFinding('/x', free, all).status).toBe(status));

describe('the state folder', () => {
  const home = async () => {
    const folder = await tempFolder('doctor');
    await mkdir(join(folder, 'secrets'), { mode: 0o700 });
    return folder;
  };
  test('as it should be', async () => expect((await linesOf(ofFolder(place(await home())))).slice(0, 2)).toEqual([expect.stringMatching(/^ok state folder: /), 'ok secret files: Only their owner may read them.']));
  test('of another place than this machine nothing is said', () => expect(ofFolder({ ...place('/nowhere'), local: false })).toEqual([]));
  test('that is not there', async () => {
    expect(await linesOf(ofFolder(place('/nowhere/at/all')))).toEqual(['warning state folder: /nowhere/at/all is not there.', 'ok secret files: Only their owner may read them.', 'ok disk: There is no state folder yet.']);
  });
  test('that is a file', async () => {
    const file = join(await home(), 'file');
    await writeFile(file, '');
    expect((await linesOf(ofFolder(place(file))))[0]).toBe(`failed state folder: ${file} is not a folder.`);
  });
  test('that others may look into, with files that others may read', async () => {
    const folder = await home();
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'cli.json'), '{}', { mode: 0o644 });
    await writeFile(join(folder, 'secrets', 'TOKEN'), 'hush-hush', { mode: 0o640 });
    await mkdir(join(folder, 'nats'), { mode: 0o700 });
    await writeFile(join(folder, 'nats', 'users.json'), '{}', { mode: 0o644 });
    const lines = await linesOf(ofFolder(place(folder)));
    expect(lines.slice(0, 4)).toEqual([`failed state folder: Others may look into ${folder} (mode 755).`, `failed secret files: Others may use ${join(folder, 'cli.json')} (mode 644).`, `failed secret files: Others may use ${join(folder, 'nats', 'users.json')} (mode 644).`, `failed secret files: Others may use ${join(folder, 'secrets', 'TOKEN')} (mode 640).`]);
    expect(lines.join()).not.toContain('hush-hush');
    await chmod(folder, 0o711);
    expect((await linesOf(ofFolder(place(folder))))[0]).toMatch(/^ok/);
  });
});

describe('this machine', () => {
  test('an agent that answers, one that is gone, none', async () => {
    const socket = join(await tempFolder('agent'), 'socket');
    const agentOf = async (env: NodeJS.ProcessEnv) => (await linesOf(ofMachine(place('/x', env)))).at(-1);
    expect(await agentOf({})).toMatch(/^ok ssh-agent: SSH_AUTH_SOCK is not set here/);
    expect(await agentOf({ SSH_AUTH_SOCK: socket })).toMatch(/^warning ssh-agent: .*ENOENT/);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    atEndOfFile(() => new Promise((resolve) => server.close(() => resolve())));
    expect(await agentOf({ SSH_AUTH_SOCK: socket })).toBe('ok ssh-agent: It answers.');
  });

  test('its tools', async () => {
    const lines = await linesOf(ofMachine(place('/x')));
    expect(lines[0]).toMatch(/^ok node: Node \d+/);
    expect(lines[1]).toMatch(/^ok git: git \d/);
  });
});
