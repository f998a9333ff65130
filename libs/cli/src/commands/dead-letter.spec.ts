import { beforeAll, describe, expect, test } from 'vitest';
import type { DeadLetterView } from '@berth/client';
import { fakeBerth, type FakeBerth } from '../fake-berth.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});

const letter: DeadLetterView = { id: '7', service: 'lease', type: 'ReleaseLease', reason: 'the disk\nis full', at: '2030-01-01T00:00:00.000Z', tries: 8, command: { id: 'c', data: {} } };

describe('berth dead-letter', () => {
  test('list, with the way to the next page beside it', async () => {
    fake.routes({ 'GET dead-letters': [200, { items: [letter], cursor: '7' }] });
    const ran = await fake.berth('dead-letter', 'list', '--service', 'lease', '--type', 'ReleaseLease', '--limit', '1', '--cursor', '9');
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ID +WHEN .*\n7 .* lease +ReleaseLease +8 +the disk is full\n$/), stderr: 'There are more: --cursor 7\n' });
    expect(fake.asked.at(-1)!.path).toBe('dead-letters?service=lease&type=ReleaseLease&limit=1&cursor=9');
    fake.routes({ 'GET dead-letters': [200, { items: [], cursor: null }] });
    expect(await fake.berth('dead-letter', 'list')).toMatchObject({ code: 0, stdout: 'No dead letters.\n' });
  });

  test('show', async () => {
    fake.routes({ 'GET dead-letters/7': [200, letter] });
    expect((await fake.berth('dead-letter', 'show', '7')).stdout).toMatch(/^dead letter +7\n[^]*sent +\{"id":"c","data":\{\}\}\n$/);
    expect(JSON.parse((await fake.berth('dead-letter', 'show', '7', '--json')).stdout)).toEqual(letter);
  });

  test.each([
    ['accepted', 0, /^Command c is carried out/],
    ['waiting', 0, /^Command c waits for its service/],
    ['gone', 0, /had been retried or dropped before/],
    ['refused', 1, /^Command c was refused: no\n/],
  ])('retry: %s', async (outcome, code, said) => {
    fake.routes({ 'POST dead-letters/7/retry': [202, { id: '7', command: 'c', outcome, code: null, message: 'no' }] });
    expect(await fake.berth('dead-letter', 'retry', '7')).toMatchObject({ code, stdout: expect.stringMatching(said) });
  });

  test('drop', async () => {
    fake.routes({ 'DELETE dead-letters/7': [202, { id: '7' }] });
    expect(await fake.berth('dead-letter', 'drop', '7')).toMatchObject({ code: 0, stdout: 'Dead letter 7 is dropped.\n' });
  });
});
