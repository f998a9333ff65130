import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { SecretEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { seal, type SealingKey } from '@berth/runtime';
import { atEndOfFile, tempFolder } from '../../../../test/support/cleanup.js';
import { secretId } from '../domain/secret.js';
import { startGateway, type TestGateway } from '../gateway.testing.js';
import { Keyring } from './keyring.js';
import { Vault } from './vault.js';

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway();
});

const commits = async (name: string) => (await jetStreamStore(gateway.connection).load<SecretEvent>('secret', secretId(name))).map(({ commit }) => [commit.actor, ...commit.events.map(({ type }) => type)]);
/** What the gateway has, read as its next process would. */
const kept = async (name: string, { home } = gateway) => (await new Vault(join(home, 'vault'), await Keyring.fromFile(join(home, 'secrets.key'), false)).read(name)).toString();

describe('a secret', () => {
  it('is set, replaced and removed, with an event for each that says by whom', async () => {
    expect(await gateway.setSecret('npm.token', 'hunter22')).toMatchObject({ accepted: true });
    expect(await gateway.setSecret('npm.token', 'hunter23')).toMatchObject({ accepted: true });
    expect(await kept('npm.token')).toBe('hunter23');
    expect(await gateway.secret('RemoveSecret', { name: 'npm.token' })).toMatchObject({ accepted: true });
    await expect(kept('npm.token')).rejects.toThrow('there is none of this name');
    expect(await gateway.secret('RemoveSecret', { name: 'npm.token' })).toMatchObject({ accepted: false, code: 'unknown-secret' });
    expect(await commits('npm.token')).toEqual([['spec', 'SecretSet'], ['spec', 'SecretSet'], ['spec', 'SecretRemoved']]);
  });

  it('that comes again late does not undo what was set since', async () => {
    const first = randomUUID();
    await gateway.setSecret('again', 'the first', first);
    await gateway.setSecret('again', 'the second');
    await gateway.restart();
    expect(await gateway.setSecret('again', 'the first', first)).toMatchObject({ accepted: true });
    expect(await kept('again')).toBe('the second');
    expect(await commits('again')).toHaveLength(2);
  });

  it.each([
    ['short', 'abc', /shorter than 4 bytes/],
    ['large', 'x'.repeat(65_537), /larger than 65536 bytes/],
  ])('that is too %s is refused in a sentence without it', async (name, value, why) => {
    const answer = await gateway.setSecret(name, value);
    expect(answer).toMatchObject({ accepted: false, code: 'invalid-data', message: expect.stringMatching(why) });
    expect(JSON.stringify(answer)).not.toContain(value);
    expect(await commits(name)).toEqual([]);
  });

  it('is opened for its own name and command alone, and by the present key', async () => {
    const key = (await gateway.bus.command('host-agent-gateway', 'SealingKey', {}, { id: randomUUID() })) as unknown as { data: SealingKey };
    const sealed = seal(key.data, Buffer.from('hunter22'), { command: randomUUID(), name: 'mine' });
    const send = (what: object) => gateway.bus.command('host-agent-gateway', 'SetSecret', { name: 'mine', sealed: { ...sealed, ...what } }, { id: randomUUID() });
    expect(await send({})).toMatchObject({ accepted: false, code: 'invalid-data' });
    expect(await send({ key: 'other' })).toMatchObject({ accepted: false, code: 'sealing-key-changed' });
    expect(await send({ ephemeral: 'A'.repeat(43) })).toMatchObject({ accepted: false, code: 'invalid-data' });
  });
});

describe('rotation', () => {
  it('puts every secret under a new key and forgets the one before', async () => {
    const own = gateway.home;
    await gateway.setSecret('one', 'the value of one');
    const before = await readFile(join(own, 'secrets.key'), 'utf8');
    const file = await readFile(join(own, 'vault', 'one'), 'utf8');
    const answer = await gateway.secret('RotateSecrets', {});
    expect(answer).toMatchObject({ accepted: true, data: { secrets: (await readdir(join(own, 'vault'))).length } });
    expect(await readFile(join(own, 'secrets.key'), 'utf8')).not.toContain(before.trim());
    expect(await readFile(join(own, 'vault', 'one'), 'utf8')).not.toBe(file);
    expect(await kept('one')).toBe('the value of one');
    expect(await commits('one')).toEqual([['spec', 'SecretSet'], ['spec', 'SecretReencrypted']]);
    expect(await gateway.setSecret('two', 'sealed to the new key')).toMatchObject({ accepted: true });
  });

  it('needs a new key from whoever keeps the key in the environment', async () => {
    const [older, newer] = ['A'.repeat(43), 'B'.repeat(42) + 'A'];
    const own = await startGateway({ secretsKey: older });
    await own.setSecret('one', 'the value of one');
    expect(await own.secret('RotateSecrets', {})).toMatchObject({ accepted: false, code: 'no-new-key' });
    expect((await readdir(own.home)).filter((name) => name.endsWith('.key'))).toEqual([]);
    const both = await startGateway({ secretsKey: `${newer},${older}`, home: own.home });
    expect(await both.secret('RotateSecrets', {})).toMatchObject({ accepted: true, data: { secrets: 1 } });
    expect((await new Vault(join(own.home, 'vault'), Keyring.fromText(newer)).read('one')).toString()).toBe('the value of one');
  });
});

describe('files of before', () => {
  it('are taken in at the start, once, and are gone then; what can not be is left and told', async () => {
    const folder = await tempFolder('files');
    await writeFile(join(folder, 'token'), 'hunter22\n', { mode: 0o600 });
    await writeFile(join(folder, 'open'), 'hunter22', { mode: 0o644 });
    await mkdir(join(folder, 'inner'));
    await writeFile(join(folder, 'inner', 'value'), 'from elsewhere', { mode: 0o600 });
    await symlink('inner/value', join(folder, 'linked'));
    const own = await startGateway({ secretsFolder: folder });
    expect([await kept('token', own), await kept('linked', own)]).toEqual(['hunter22', 'from elsewhere']);
    await expect(kept('open', own)).rejects.toThrow('there is none');
    expect((await readdir(folder)).sort()).toEqual(['inner', 'linked', 'open']);
    const events = async (name: string) => (await jetStreamStore(own.connection).load<SecretEvent>('secret', secretId(name))).flatMap(({ commit }) => commit.events.map(({ type }) => type));
    expect(await events('token')).toEqual(['SecretSet']);

    // What is set later stays, although a file that can't be removed is still there.
    await own.setSecret('linked', 'set since');
    await own.restart();
    expect(await kept('linked', own)).toBe('set since');
    expect(await events('linked')).toEqual(['SecretSet', 'SecretSet']);
  });
});

describe('a request with a secret', () => {
  it('is sent once from here, and what comes back is masked', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization ?? '');
      response.writeHead(401).end(`not you: ${request.headers.authorization}`);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEndOfFile(() => new Promise<void>((resolve) => server.close(() => resolve())));
    const request = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, method: 'GET', headers: {}, timeoutMs: 5000, secret: 'deploy' };
    expect(await gateway.secret('SendRequest', request)).toMatchObject({ accepted: false, code: 'unknown-secret', message: expect.stringContaining('there is none of this name') });

    await gateway.setSecret('deploy', 'correct-horse');
    const id = randomUUID();
    const [first, again] = await Promise.all([gateway.secret('SendRequest', request, id), gateway.secret('SendRequest', request, id)]);
    expect(first).toMatchObject({ accepted: true, data: { kind: 'http', status: 401, body: 'not you: Bearer *************' } });
    expect(again).toEqual(first);
    expect(seen).toEqual(['Bearer correct-horse']);

    await gateway.setSecret('broken', 'correct\nhorse');
    const refused = await gateway.secret('SendRequest', { ...request, secret: 'broken' });
    expect(refused).toMatchObject({ accepted: true, data: { kind: 'failed' } });
    expect(JSON.stringify(refused)).not.toMatch(/horse|correct/);
  });
});
