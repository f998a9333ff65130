import { expect, it } from 'vitest';
import { mockProvider } from './mock.js';
import { account, crashes, grow, provider, Rehearsal } from './provider.testing.js';

const { signal } = new AbortController();
const quickly = () => mockProvider(1);
const nowhere = provider({ name: 'nowhere', kind: 'mock' });
const pushing = (name: string) => new Rehearsal<ReturnType<typeof quickly>>((by, call) => by.push({ ...call, os: undefined }), { account: account({ name, provider: 'nowhere' }), provider: nowhere });

it.each(crashes)('a push takes a few steps when the process dies: %s', async (crash) => {
  const one = pushing('any');
  expect(await one.until(quickly, { crash })).toEqual({ is: 'done', id: `mock-web-${one.call.number}-00000000` });
  expect(one.percents()).toEqual([25, 50, 75]);
  expect(grow(one.percents())).toBe(true);
});

it('a push fails in an account whose name says so', async () => {
  expect(await pushing('ours-failing').until(quickly)).toEqual({ is: 'failed', error: expect.stringMatching(/^account ours-failing refuses web \d+/) });
});

it('nothing is kept anywhere', async () => {
  const by = quickly();
  const any = account({ name: 'any', provider: 'nowhere' });
  const one = pushing('any');
  expect(await by.check(any, nowhere, signal)).toBeUndefined();
  expect(await by.find(any, nowhere, 'mock-1', signal)).toEqual({ name: 'mock-1' });
  expect(await by.find(any, nowhere, 'ami-1', signal)).toBeUndefined();
  expect(await by.remove({ ...one.now, id: 'mock-1' })).toEqual({ is: 'gone', manual: [] });
  expect(await by.abandon?.(one.now)).toEqual({ is: 'gone', manual: [] });
});
