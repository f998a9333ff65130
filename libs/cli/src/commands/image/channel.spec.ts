import { beforeAll, describe, expect, test } from 'vitest';
import { fakeBerth, type FakeBerth } from '../../fake-berth.testing.js';
import { as, at, channel, feed, ID, page, problem, version } from './images.testing.js';

let fake: FakeBerth;
beforeAll(async () => {
  fake = await fakeBerth();
});
const run = (...words: string[]) => fake.berth('image', 'channel', ...words);
const accepted = [202, { id: 'web:stable', position: 10 }] as const;

test('channels are listed and shown with where they pointed', async () => {
  const testing = { ...channel, id: 'web:next', managed: true, version: null, number: null, test: 'smoke', testing: { version: ID, number: 4, build: 'b-test', attempt: 2 }, lastTest: { version: ID, number: 4, build: 'b', passed: false, error: 'exit 1', at }, history: [] };
  fake.routes({ 'GET channels': [200, { items: [channel, testing], cursor: 'c' }], 'GET channels/web:stable': [200, channel], 'GET channels/*': ({ path }) => [200, decodeURIComponent(path).includes('next') ? testing : channel] });
  expect((await run('list', 'web', '--limit', '2')).stdout).toMatch(/^CHANNEL +VERSION .*\nweb:stable +3 +no +smoke +- +version 3 passed .*\nweb:next +- +yes +smoke +4 +version 4 failed in .*: exit 1 .*\nMore: --cursor c\n$/);
  expect(fake.asked[0]!.path).toBe('channels?image=web&limit=2');
  expect((await run('show', 'web:stable')).stdout).toMatch(new RegExp(`^channel +web:stable\\nversion +web@3 \\(${ID}\\)\\nmanaged +no\\ntest +smoke\\nlast test +version 3 passed .*\\nmodified .*\\n\\nVERSION +BY +WHO +WHEN +REASON\\n3 +assign +token:ada +in .* +well\\n$`));
  expect((await run('show', 'web:next')).stdout).toMatch(/^channel +web:next\nversion +none\nmanaged +yes: .*\ntest +smoke\ntesting +version 4 by build b-test, attempt 2\n/);
  expect(JSON.parse((await run('show', 'web:stable', '--json')).stdout)).toEqual(channel);
});

test('a channel is set and removed', async () => {
  fake.routes({ 'PUT channels/*': [202, { id: 'web:stable', name: 'web:stable' }], 'DELETE channels/*': problem(409, 'channel-in-use', 'Channel web:stable is used by deployable shop-web.', [{ field: 'channel', message: 'is used by deployable shop-web: change that first' }]) });
  expect((await run('set', 'web:stable', '--managed', '--test', 'smoke')).stdout).toBe('Channel web:stable is set.\n');
  await run('set', 'web:stable');
  expect(fake.asked.map(({ path, body }) => [path, body])).toEqual([['channels/web%3Astable', { managed: true, test: 'smoke' }], ['channels/web%3Astable', { managed: false }]]);
  expect(await run('remove', 'web:stable')).toMatchObject({ code: 1, stderr: expect.stringContaining('is used by deployable shop-web: change that first\n') });
  fake.routes({ 'PUT channels/*': problem(422, 'invalid-data', 'Channel latest always follows what is built.', [{ field: 'managed', message: 'must be true for latest' }]) });
  expect((await run('set', 'web:latest')).stderr).toBe('berth: Channel latest always follows what is built.\n  --managed: must be true for latest\n');
});

test.each([['set', 'web'], ['show', 'web@3'], ['remove', ':stable'], ['assign', 'web:', 'web@3'], ['rollback', 'web/stable']])('%s %s is not the name of a channel', async (...words) => {
  fake.routes({});
  expect(await run(...words)).toMatchObject({ code: 2, stdout: '', stderr: `berth: A channel is named IMAGE:CHANNEL, such as web:stable, not ${JSON.stringify(words[1])}.\n` });
  expect(fake.asked).toEqual([]);
});

describe('berth image channel assign', () => {
  const other = '7f8c1d66-0000-4000-8000-000000000009';
  const testing = { ...channel, version: other, number: 2, testing: { version: ID, number: 3, build: 'b-test', attempt: 1 } };
  const routes = (states: Record<number, object>) => ({ 'GET versions/*': [200, version] as const, 'POST channels/*/assign': accepted, 'GET channels/*': as(states), 'GET events': feed(11) });

  test('at once: it points there', async () => {
    fake.routes(routes({ 10: channel }));
    expect(await run('assign', 'web:stable', 'web@3', '--reason', 'well', '--retest')).toEqual({ code: 0, stderr: '', stdout: 'Channel web:stable points at web@3.\n' });
    expect(fake.asked.map(({ path, body }) => [path, body])).toEqual([['versions/web%403', undefined], ['channels/web%3Astable/assign', { version: ID, reason: 'well', retest: true }], ['channels/web%3Astable?after=10', undefined]]);
    await run('assign', 'web:stable', ID, '--watch');
    expect(fake.asked.at(-2)).toEqual({ method: 'POST', path: 'channels/web%3Astable/assign', body: { version: ID } });
  });

  test('with a test: it says so, or waits until that is over', async () => {
    fake.routes(routes({ 10: testing, 11: channel }));
    expect((await run('assign', 'web:stable', 'web@3')).stdout).toBe('Version 3 is tested by build b-test: `berth image channel show web:stable` tells how it goes.\n');
    const watched = await run('assign', 'web:stable', 'web@3', '--watch');
    expect([watched.code, watched.stdout]).toEqual([0, expect.stringMatching(/^Version 3 is tested by build b-test\n\nchannel +web:stable\nversion +web@3 /)]);
    const asJson = await run('assign', 'web:stable', 'web@3', '--watch', '--json');
    expect([JSON.parse(asJson.stdout), asJson.stderr]).toEqual([channel, 'Version 3 is tested by build b-test\n']);
  });

  test('ends with 1 when the test has failed', async () => {
    fake.routes(routes({ 10: testing, 11: { ...testing, testing: null, lastTest: { ...channel.lastTest, passed: false, error: 'exit 1' } } }));
    expect(await run('assign', 'web:stable', 'web@3', '--watch')).toMatchObject({ code: 1, stdout: expect.stringMatching(/last test +version 3 failed .*: exit 1\n/) });
  });

  test('a version that failed its test is refused with the flag that tries it again', async () => {
    fake.routes({ 'POST channels/*/assign': problem(409, 'test-failed', 'Version 3 has failed the test smoke of channel stable.', [{ field: 'version', message: 'has failed its test: or have it tried again (--retest)' }]) });
    expect(await run('assign', 'web:stable', ID)).toEqual({ code: 1, stdout: '', stderr: 'berth: Version 3 has failed the test smoke of channel stable.\n  version: has failed its test: or have it tried again (--retest)\n' });
    expect(await run('assign', 'web:stable')).toMatchObject({ code: 2, stderr: expect.stringContaining("missing required argument 'version'") });
  });
});

describe('berth image channel rollback', () => {
  test('goes back to the one before, or to one that is named', async () => {
    fake.routes({ 'GET versions/*': [200, version], 'POST channels/*/rollback': accepted, 'GET channels/*': [200, { ...channel, number: 2 }] });
    expect((await run('rollback', 'web:stable')).stdout).toBe('Channel web:stable points at web@2.\n');
    await run('rollback', 'web:stable', '--to', 'web@3', '--from', ID, '--reason', 'hole');
    expect(fake.asked.filter(({ method }) => method === 'POST').map(({ body }) => body)).toEqual([{}, { to: ID, from: ID, reason: 'hole' }]);
    expect(JSON.parse((await run('rollback', 'web:stable', '--json')).stdout)).toMatchObject({ id: 'web:stable', number: 2 });
  });

  test('a refusal tells its flag', async () => {
    fake.routes({ 'POST channels/*/rollback': problem(409, 'no-version-before', 'Channel web:stable has pointed at no version before that may be used.', [{ field: 'to', message: 'there is none to go back to' }]) });
    expect((await run('rollback', 'web:stable')).stderr).toBe('berth: Channel web:stable has pointed at no version before that may be used.\n  --to: there is none to go back to\n');
    fake.routes({ 'POST channels/*/rollback': problem(409, 'channel-moved', 'Channel web:stable points at version 4 by now.', [{ field: 'from', message: 'is not what it points at' }]) });
    expect((await run('rollback', 'web:stable', '--from', ID)).stderr).toContain('  --from: is not what it points at\n');
  });
});

test('no channels', async () => {
  fake.routes({ 'GET channels': page() });
  expect((await run('list')).stdout).toBe('No channels.\n');
});
