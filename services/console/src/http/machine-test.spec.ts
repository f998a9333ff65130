import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '@berth/client';
import { rejected } from '@berth/contracts';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { install, type Installation } from '../console.testing.js';
import { scripted, type Scripted } from '../scripted.testing.js';

const body = { address: 'box.example.org', port: 2222, user: 'ci', credential: 'agent', platform: 'mac', slots: 3, attributes: { pool: 'x' } };

describe('a machine is looked at before it is enrolled', () => {
  let berth: Scripted;
  beforeAll(async () => {
    berth = await scripted();
  });
  const problem = async (answer: Promise<Response>): Promise<Problem> => (await (await answer).json()) as Problem;

  test('the gateway is asked for what enrolling it would find, with a name or without', async () => {
    berth.script({ ProbeHost: ({ id }) => ({ accepted: true, id, data: { hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f', facts: { os: 'mac' } } }) });
    const response = await berth.send('POST', 'machines/test', { ...body, name: 'box' });
    expect(response.status).toBe(200);
    const found = await berth.berth.machines.test(body as Parameters<typeof berth.berth.machines.test>[0]);
    expect(await response.json()).toEqual(found);
    expect(found).toMatchObject({ facts: { os: 'mac' }, fingerprint: expect.stringMatching(/^SHA256:[A-Za-z0-9+/]{43}$/) as string });
    const host = { transport: 'ssh', address: 'box.example.org', port: 2222, user: 'ci', credential: 'agent', platform: 'mac', folder: '~/.berth-host' };
    expect(berth.sent.map(({ type, data }) => [type, data])).toEqual([['ProbeHost', { host }], ['ProbeHost', { host }]]);
  });

  test('what is wrong is told by the fields of the form, and nobody is asked', async () => {
    berth.script({});
    const answer = await problem(berth.send('POST', 'machines/test', { ...body, port: 0, credential: 'hunter2' }));
    expect([answer.status, answer.code, answer.errors.map(({ field }) => field).sort()]).toEqual([422, 'invalid-data', ['credential', 'port']]);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(berth.sent).toEqual([]);
  });

  test('so is what the gateway says', async () => {
    berth.script({ ProbeHost: () => rejected('machine-refused', 'Nobody is let in.', [{ field: 'data.user', message: 'is not let in with this credential' }]) });
    const answer = await problem(berth.send('POST', 'machines/test', body));
    expect([answer.status, answer.code, answer.errors]).toEqual([422, 'machine-refused', [{ field: 'user', message: 'is not let in with this credential' }]]);
  });
});

describe('a machine with a real SSH server', () => {
  let berth: Installation;
  beforeAll(async () => {
    berth = await install();
  });

  test('shows the key that ssh-keygen shows, and is not enrolled', async () => {
    const { address, port, user, credential, hostKey } = await berth.berth.machines.get('box');
    const found = await berth.berth.machines.test({ address, port, user, credential });
    expect([found.hostKey, found.facts['os']]).toEqual([hostKey, 'linux']);
    const file = join(await tempFolder('key'), 'key.pub');
    await writeFile(file, `${hostKey}\n`);
    expect(execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1]).toBe(found.fingerprint);
    expect((await berth.berth.machines.list()).items.map(({ name }) => name)).toEqual(['box']);
  });

  test('is listed with the blueprint that has it, unless nobody wants to know', async () => {
    const made = async (query: string) => {
      const { items } = (await (await berth.ask(`blueprints${query}`)).json()) as { items: { name: string; busy: number; slots: { total: number }; resources: { name: string }[] }[] };
      const { slots, resources } = items.find(({ name }) => name === 'preallocated')!;
      return [slots.total, resources.map(({ name }) => name)];
    };
    expect(await made('')).toEqual([4, ['box']]);
    expect(await made('?resources=false')).toEqual([4, []]);
  });
});
