import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostAccess } from '@berth/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { startTestSshd, type TestSshd } from '../../../../test/support/sshd.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';

let gateway: TestGateway;
let sshd: TestSshd;
beforeAll(async () => {
  [gateway, sshd] = await Promise.all([startGateway(), startTestSshd()]);
});

describe.each(['ssh', 'local'] as const)('the folder of a lease over %s', (transport) => {
  let lease: string;
  let token: number;
  let folder: string;
  const ask = (type: 'ListFiles' | 'StatFile', data: object = {}) => gateway.ask(type, { lease, token, ...data });
  const done = async (spec: Parameters<TestGateway['run']>[2]) => gateway.ended(await gateway.run(lease, token, spec));

  beforeAll(async () => {
    const base = join(gateway.home, transport);
    const access: HostAccess = { transport, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic, platform: 'linux', folder: base };
    ({ lease, token } = await gateway.host('launched', access));
    folder = join(base, 'copies', lease);
  });

  it('is empty before anything was done, and a look makes nothing', async () => {
    expect(await ask('ListFiles')).toMatchObject({ accepted: true, data: { items: [], more: false } });
    expect(() => readdirSync(folder)).toThrow('ENOENT');
  });

  it('is listed by name, in pages, with what each is', async () => {
    expect(await done({ kind: 'make-folder', path: 'a/deep/er' })).toMatchObject({ type: 'ActionSucceeded', data: { path: expect.stringContaining('a/deep/er') } });
    writeFileSync(join(folder, 'b.txt'), 'hello', { mode: 0o640 });
    symlinkSync('b.txt', join(folder, 'c'));
    symlinkSync('/etc', join(folder, 'out'));
    const file = { name: 'b.txt', kind: 'file', bytes: 5, mode: 0o640, modified: expect.stringMatching(/^20.*Z$/) };
    expect(await ask('ListFiles')).toMatchObject({ data: { items: [{ name: 'a', kind: 'folder' }, file, { name: 'c', kind: 'link' }, { name: 'out', kind: 'link' }], more: false } });
    expect(await ask('ListFiles', { after: 'a', limit: 1 })).toMatchObject({ data: { items: [file], more: true } });
    expect(await ask('ListFiles', { path: 'a/deep' })).toMatchObject({ data: { items: [{ name: 'er', kind: 'folder' }] } });
    expect(await ask('StatFile', { path: 'b.txt' })).toMatchObject({ data: file });
    expect(await ask('StatFile', { path: 'c' })).toMatchObject({ data: { name: 'c', kind: 'link', target: 'b.txt' } });
    for (const [path, code] of [['none', 'not-found'], ['out', 'path-outside'], ['out/ssl', 'path-outside'], ['b.txt', 'machine-refused']] as const) expect([path, await ask('ListFiles', { path })]).toMatchObject([path, { accepted: false, code }]);
    expect(await ask('StatFile', { path: 'out/passwd' })).toMatchObject({ accepted: false, code: 'path-outside' });
    expect(await ask('ListFiles', { path: '../x' })).toMatchObject({ accepted: false, code: 'invalid-data' });
    expect(await gateway.ask('ListFiles', { lease, token: token + 1 })).toMatchObject({ accepted: false, code: 'stale-token' });
  });

  it('loses what is removed and nothing else', async () => {
    mkdirSync(join(folder, 'kept/it'), { recursive: true });
    symlinkSync('../kept', join(folder, 'a/link'));
    expect(await done({ kind: 'remove-file', path: 'a' })).toMatchObject({ type: 'ActionFailed', data: { code: 'file-failed', error: expect.stringContaining('recursive') } });
    expect(await done({ kind: 'remove-file', path: 'a', recursive: true })).toMatchObject({ type: 'ActionSucceeded' });
    expect(await done({ kind: 'remove-file', path: 'out' })).toMatchObject({ type: 'ActionSucceeded' });
    expect(await done({ kind: 'remove-file', path: 'kept/it' })).toMatchObject({ type: 'ActionSucceeded' });
    expect(readdirSync(folder).sort()).toEqual(['b.txt', 'c', 'kept']);
    symlinkSync('/etc', join(folder, 'out'));
    expect(await done({ kind: 'remove-file', path: 'out/hosts' })).toMatchObject({ type: 'ActionFailed', data: { code: 'path-outside' } });
    expect(await done({ kind: 'remove-file', path: 'none', recursive: true })).toMatchObject({ type: 'ActionFailed', data: { code: 'not-found' } });
    expect(await done({ kind: 'remove-file', path: '.', recursive: true })).toMatchObject({ type: 'ActionFailed', data: { code: 'path-outside' } });
    expect(await done({ kind: 'make-folder', path: 'b.txt' })).toMatchObject({ type: 'ActionFailed', data: { code: 'already-exists' } });
  });
});
