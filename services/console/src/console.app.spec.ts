import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import type { Answer } from '@berth/contracts';
import { scripted, type Scripted } from './scripted.testing.js';

let berth: Scripted;
beforeAll(async () => {
  berth = await scripted();
});

const command = async (type: string, data: Record<string, unknown>, id = randomUUID()): Promise<Answer> =>
  (await berth.bus.request(`berth.cmd.console.${type}`, JSON.stringify({ id, type, data, actor: 'ada' }), { timeout: 10_000 })).json<Answer>();

test('the console takes commands of its own, and stores one commit for each', async () => {
  const id = randomUUID();
  const sha256 = 'a'.repeat(64);
  expect(await command('CreateToken', { name: 'ci', role: 'builder', projects: ['compilers'], sha256 }, id)).toMatchObject({ accepted: true, id: 'ci' });
  expect(await command('CreateToken', { name: 'ci', role: 'builder', projects: ['compilers'], sha256 }, id)).toMatchObject({ accepted: true, id: 'ci' });
  expect(await command('CreateToken', { name: 'ci', role: 'admin', sha256 })).toMatchObject({ accepted: false, code: 'name-taken' });
  expect(await command('CreateToken', { name: 'other', role: 'admin', secret: 'x' })).toMatchObject({ accepted: false, code: 'invalid-data', errors: [{ field: 'data.sha256' }] });
  expect(await command('RevokeToken', { token: 'nobody' })).toMatchObject({ accepted: false, code: 'unknown-token' });
  expect(await command('RevokeToken', { token: 'ci' })).toMatchObject({ accepted: true, id: 'ci' });
  expect((await berth.store.load('token', 'ci')).map(({ commit }) => [commit.actor, commit.events])).toEqual([
    ['ada', [{ type: 'TokenCreated', data: { id, role: 'builder', projects: ['compilers'], sha256 } }]],
    ['ada', [{ type: 'TokenRevoked', data: {} }]],
  ]);
});

test('a command that it has not is refused', async () => {
  expect(await command('Nothing', {})).toMatchObject({ accepted: false, code: 'unknown-command' });
});
