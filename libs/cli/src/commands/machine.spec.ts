import { beforeAll, describe, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const view = { name: 'box', busy: 0, attributes: {}, facts: {}, hostKey: 'ssh-ed25519 AAAA', allow: { projects: [], owners: [] } };
const routes = (busy = 0) => fake.routes({ 'PATCH machines/box': [202, { id: 'box', name: 'box' }], 'POST machines': [201, { id: 'box', name: 'box' }], 'GET machines/box': [200, { ...view, busy }] });
const set = (...words: string[]) => fake.berth('machine', 'set', 'box', ...words);

describe('berth machine set', () => {
  test.each<[string[], unknown]>([
    [['--slots', '4'], { slots: 4 }],
    [['--address', 'h', '--port', '2222', '--user', 'ci', '--credential', 'agent', '--platform', 'mac', '--folder', '/srv', '--host-key', 'ssh-ed25519 AAAA'], { address: 'h', port: 2222, user: 'ci', credential: 'agent', platform: 'mac', folder: '/srv', hostKey: 'ssh-ed25519 AAAA' }],
    [['--attribute', 'gpu=yes', 'pool=loft', '--remove-attribute', 'floor', 'old'], { attributes: { gpu: 'yes', pool: 'loft', floor: null, old: null } }],
    [['--learn-host-key', '--blueprint-folder'], { hostKey: null, folder: null }],
    [['--allow-project', 'widgets', 'gadgets'], { allow: { projects: ['widgets', 'gadgets'] } }],
    [['--allow-owner', 'ada'], { allow: { owners: ['ada'] } }],
    [['--allow-everybody'], { allow: null }],
  ])('%j', async (words, body) => {
    routes();
    expect(await set(...words)).toMatchObject({ code: 0, stdout: 'box is changed.\n' });
    expect(fake.asked[0]).toEqual({ method: 'PATCH', path: 'machines/box', body });
  });

  test.each([
    [[], /Nothing is to be changed/],
    [['--slots', 'many'], /Use a whole number/],
    [['--host-key', 'ssh-ed25519 AAAA', '--learn-host-key'], /cannot be used with/],
    [['--allow-everybody', '--allow-owner', 'ada'], /cannot be used with/],
  ])('%j is used wrongly', async (words, message) => {
    routes();
    expect(await set(...words)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
    expect(fake.asked).toEqual([]);
  });

  test('sends nothing of how it prints', async () => {
    routes();
    expect((await set('--slots', '4', '--json')).code).toBe(0);
    expect(fake.asked[0]!.body).toEqual({ slots: 4 });
    expect((await set('--json')).stdout).toContain('Nothing is to be changed');
  });

  test('says what becomes of what runs on it', async () => {
    routes(2);
    expect((await set('--slots', '1')).stdout).toContain('it gives no new leases until its 2 leases are over');
  });
});

test('berth machine add says who may use it', async () => {
  routes();
  const access = ['--address', 'h', '--user', 'ci', '--credential', 'agent'];
  expect((await fake.berth('machine', 'add', 'box', ...access, '--allow-project', 'widgets')).code).toBe(0);
  expect(fake.asked[0]!.body).toEqual({ name: 'box', address: 'h', user: 'ci', credential: 'agent', allow: { projects: ['widgets'], owners: [] } });
  expect((await fake.berth('machine', 'add', 'box', '--address', 'h')).code).toBe(2);
  fake.routes({ 'GET machines/box': [200, { ...view, allow: { projects: ['widgets'], owners: ['ada'] } }] });
  expect((await fake.berth('machine', 'show', 'box')).stdout).toMatch(/for +project widgets, owner ada/);
});
