import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const set = { 'PUT secrets/*': [202, { id: 'npm-token', name: 'npm-token' }] } as const;

test.each([['hunter22\n', 'hunter22'], ['hunter22\r\n', 'hunter22'], ['one\ntwo\n\n', 'one\ntwo\n'], ['bare', 'bare']])('a value from standard input, without one line break at its end: %j', async (typed, value) => {
  fake.routes(set);
  expect(await fake.piped(typed, 'secret', 'set', 'npm-token')).toEqual({ code: 0, stderr: '', stdout: 'npm-token is set.\n' });
  expect(fake.asked).toEqual([{ method: 'PUT', path: 'secrets/npm-token', body: value }]);
});

test('a value from a file; none that is empty or not there, and none as an argument', async () => {
  fake.routes(set);
  const file = join(await tempFolder('secret'), 'value');
  await writeFile(file, 'hunter22\n');
  expect(await fake.berth('secret', 'set', 'npm-token', '--from-file', file)).toMatchObject({ code: 0 });
  expect(fake.asked).toEqual([{ method: 'PUT', path: 'secrets/npm-token', body: 'hunter22' }]);
  expect(await fake.piped('\n', 'secret', 'set', 'npm-token')).toEqual({ code: 1, stdout: '', stderr: 'berth: There is no value for npm-token: standard input is empty.\n' });
  expect(await fake.berth('secret', 'set', 'npm-token', '--from-file', `${file}.none`)).toMatchObject({ code: 1, stderr: expect.stringContaining("can't be read (ENOENT)") });
  expect(await fake.berth('secret', 'set', 'npm-token', 'hunter22')).toMatchObject({ code: 2 });
  expect(fake.asked).toHaveLength(1);
});

test('listed, removed, rotated', async () => {
  fake.routes({
    'GET secrets': [200, { items: [{ name: 'npm-token', set: '2030-01-01T00:00:00Z', by: 'ada' }], cursor: null }],
    'DELETE secrets/*': [202, { id: 'npm-token' }],
    'POST secrets/rotate': [202, { id: 'x', secrets: 1 }],
  });
  expect((await fake.berth('secret', 'list')).stdout).toMatch(/^NAME +SET +BY\nnpm-token +.* ada\n$/);
  expect((await fake.berth('secret', 'remove', 'npm-token')).stdout).toBe('npm-token is removed.\n');
  expect((await fake.berth('secret', 'rotate')).stdout).toBe('1 secret is encrypted under a new key.\n');
  fake.routes({ 'GET secrets': [200, { items: [], cursor: null }] });
  expect((await fake.berth('secret', 'list')).stdout).toBe('No secrets yet: set one with `berth secret set NAME`.\n');
});
