import { beforeAll, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const token = { name: 'ci', role: 'builder', projects: ['compilers'], jobs: ['reboot', 'ping'], state: 'live', created: '2030-01-01T00:00:00Z', createdBy: 'token:admin', expires: null, revoked: null, lastUsed: null };
const made = { id: 'ci', name: 'ci', secret: 'berth_x' };

test('a token is made: its secret alone on standard output, what to do with it beside that', async () => {
  fake.routes({ 'POST tokens': [201, made] });
  expect(await fake.berth('token', 'create', 'ci', '--role', 'builder', '--project', 'compilers', '--project', 'graphics')).toEqual({ code: 0, stdout: 'berth_x\n', stderr: 'ci is made: this is its secret, which is shown this once. Use it as BERTH_TOKEN.\n' });
  expect(fake.asked[0]!.body).toEqual({ name: 'ci', role: 'builder', projects: ['compilers', 'graphics'] });
  expect(await fake.berth('token', 'create', 'ci', '--role', 'viewer', '--until', '2030-01-01T00:00:00Z', '--json')).toEqual({ code: 0, stdout: `${JSON.stringify(made)}\n`, stderr: '' });
  expect(fake.asked[1]!.body).toEqual({ name: 'ci', role: 'viewer', expires: '2030-01-01T00:00:00.000Z' });
  await fake.berth('token', 'create', 'ci', '--role', 'viewer', '--jobs', 'reboot, ping');
  expect(fake.asked.pop()!.body).toEqual({ name: 'ci', role: 'viewer', jobs: ['reboot', 'ping'] });
  await fake.berth('token', 'create', 'ci', '--role', 'viewer', '--for', '90d');
  expect(Date.parse((fake.asked[2]!.body as { expires: string }).expires) - Date.now()).toBeGreaterThan(89 * 86_400_000);
});

test('what is missing or unknown is told before anything is sent', async () => {
  fake.routes({});
  for (const words of [['ci'], ['ci', '--role', 'king'], ['--role', 'viewer'], ['ci', '--role', 'viewer', '--for', 'long'], ['ci', '--role', 'viewer', '--jobs', 'reboot,fly'], ['ci', '--role', 'viewer', '--for', '1d', '--until', '2030-01-01T00:00:00Z']]) expect((await fake.berth('token', 'create', ...words)).code).toBe(2);
  expect(fake.asked).toEqual([]);
});

test('tokens are listed and revoked', async () => {
  fake.routes({ 'GET tokens': [200, { items: [token], cursor: null }], 'DELETE tokens/ci': [202, { id: 'ci', name: 'ci' }] });
  const { stdout } = await fake.berth('token', 'list');
  expect(stdout).toMatch(/^NAME +ROLE +PROJECTS +JOBS +STATE +CREATED +BY +EXPIRES +LAST USED\nci +builder +compilers +reboot, ping +live .* token:admin +- +-\n$/);
  expect(JSON.parse((await fake.berth('token', 'list', '--json')).stdout)).toEqual({ items: [token], cursor: null });
  expect(await fake.berth('token', 'revoke', 'ci')).toEqual({ code: 0, stdout: 'ci is revoked.\n', stderr: '' });
  fake.routes({ 'GET tokens': [200, { items: [], cursor: null }], 'DELETE tokens/ci': [404, { code: 'unknown-token', detail: 'There is no token ci.', errors: [] }] });
  expect((await fake.berth('token', 'list')).stdout).toBe('No tokens yet: make one with `berth token create`.\n');
  expect(await fake.berth('token', 'revoke', 'ci')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no token ci.\n' });
});

test('who one is, a link to sign in with, and the audit', async () => {
  fake.routes({
    'GET me': [200, { actor: 'token:ci', name: 'ci', role: 'builder', projects: ['compilers'], permissions: ['lease:read', 'lease:write'], until: null }],
    'POST session/links': [201, { url: 'http://127.0.0.1:4780/login?once=x', until: '2030-01-01T00:00:00Z' }],
    'GET audit': [200, { items: [{ position: 7, time: '2030-01-01T00:00:00Z', actor: 'token:ci', what: 'refused', kind: 'access', id: 'x', events: ['AccessRefused'], detail: 'POST /x: no' }], cursor: null }],
  });
  expect((await fake.berth('whoami')).stdout).toBe('token:ci, builder of compilers\nlease:read\nlease:write\n');
  expect((await fake.berth('login-link')).stdout).toBe('http://127.0.0.1:4780/login?once=x\n');
  expect((await fake.berth('audit', '--what', 'refused', '--actor', 'token:ci')).stdout).toMatch(/^AT +TIME +WHO +WHAT +OF +DETAIL\n7 .*token:ci +AccessRefused +- +POST \/x: no\n$/);
  expect(fake.asked.at(-1)!.path).toBe('audit?what=refused&actor=token%3Aci');
  expect((await fake.berth('audit', '--what', 'x')).code).toBe(2);
});

test('in whose name: with a token of one\'s own Berth knows it, with that of the installation the login name says it', async () => {
  fake.routes({ 'POST builds': [202, { id: 'b' }] });
  await fake.berth('build', 'start', 'p');
  expect(fake.asked[0]!.body).toEqual({ plan: 'p', variables: {} });
});
