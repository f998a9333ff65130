import type { HostAccess } from '@berth/contracts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { startTestSshd } from '../../../../../test/support/sshd.js';
import { startGateway, type TestGateway } from '../../gateway.testing.js';
import { commandLines } from '../../runner/runner.testing.js';
import { canCompile, standIn } from './stand-in.testing.js';

let gateway: TestGateway;
const path = process.env['PATH'];
beforeAll(async () => {
  if (canCompile) process.env['PATH'] = `${standIn(await tempFolder('windows-tools'))}:${path}`;
  gateway = await startGateway();
});
afterAll(() => {
  process.env['PATH'] = path;
});

it.runIf(canCompile)('carries out the actions of a lease on a Windows host, and leaves nothing behind', async () => {
  const access: HostAccess = { transport: 'local', address: 'localhost', port: 0, user: 'ci', credential: 'agent', platform: 'windows', folder: join(gateway.home, 'windows host') };
  const host = await gateway.host('enrolled', access);
  const copy = await gateway.on(host.lease, 'working-copy', 'acquired');
  const prepared = await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'prepare-working-copy', copy: copy.resource }));
  const folder = join(access.folder, 'copies', copy.resource);
  expect(prepared).toMatchObject({ type: 'ActionSucceeded', data: { path: folder } });
  await gateway.resource(copy.resource, { type: 'ResourceActivated', data: { path: folder } });
  await gateway.lease(copy.lease, { type: 'LeaseActivated', data: {} });

  const ran = await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'run-command', command: 'printf %s "$PWD" >&2; printf "$VALUE"; (sleep 87654 >/dev/null 2>&1 &); exit 3', env: { VALUE: 'a value' } }));
  expect(ran).toMatchObject({ type: 'ActionFailed', data: { code: 'exit', exitCode: 3, stdoutBytes: 7, stderrBytes: folder.length } });

  const told = await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'run-command', command: 'echo A=1 >>"$BERTH_OUTPUT"', env: {} }));
  expect(told).toMatchObject({ type: 'ActionSucceeded', data: { outputs: { A: '1' } } });
  expect(await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'run-command', command: 'true', shell: 'bash', env: {} }))).toMatchObject({ type: 'ActionFailed', data: { code: 'shell', error: expect.stringContaining('write the command for powershell or cmd') } });

  // Paths and patterns may be written as on Windows.
  expect(await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'put-file', path: 'a\\b\\c.txt', content: 'text', mode: 0o644 }))).toMatchObject({ type: 'ActionSucceeded' });
  expect(readFileSync(join(folder, 'a', 'b', 'c.txt'), 'utf8')).toBe('text');
  const kept = await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'upload', paths: ['a\\**\\*.txt'], prefix: `${copy.lease}/1`, whenNone: 'fail', maxBytes: 1024, maxFiles: 10 }));
  expect(kept).toMatchObject({ type: 'ActionSucceeded', data: { artifacts: [{ name: 'b/c.txt', bytes: 4 }] } });
  // What is not empty is removed by PowerShell, which the stand-in has not.
  expect(await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'run-command', command: 'rm -r a', env: {} }))).toMatchObject({ type: 'ActionSucceeded' });

  expect(await gateway.ended(await gateway.run(copy.lease, copy.token, { kind: 'remove-working-copy', copy: copy.resource }))).toMatchObject({ type: 'ActionSucceeded' });
  expect(existsSync(folder)).toBe(false);
  expect(commandLines()).not.toContain('sleep 87654');
});

it('says which platform it is not', async () => {
  const sshd = await startTestSshd();
  const host: HostAccess = { transport: 'ssh', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'windows', folder: join(gateway.home, 'no windows') };
  expect(await gateway.ask('ProbeHost', { host })).toMatchObject({
    accepted: false,
    code: 'machine-refused',
    message: expect.stringContaining('did not answer as a Windows system does'),
    errors: [{ field: 'data.platform', message: expect.stringContaining('may be another one') }],
  });
});
