import { describe, expect, test } from 'vitest';
import { CATALOG, derivedId, type AnyRecorded, type CatalogEvent, type ImageEvent } from '@berth/contracts';
import { ImageViews, type Wish } from './images.js';

const AT = '2030-01-31T12:00:00.000Z';
const v = (n: number) => derivedId('version', String(n));
const build = (n: number) => derivedId('build', String(n));
const wish = (over: Partial<Wish> = {}): Wish => ({ image: 'debian', channel: 'stable', region: 'eu-central-1', credentials: 'default', ...over });
const booted = (n: number, over: object = {}) => ({ image: 'debian', version: v(n), number: n, id: `ami-${n}`, ...over });

const version = (n: number): ImageEvent[] => [
  { type: 'VersionRequested', data: { version: v(n), number: n, revision: 1, targets: ['ec2'], labels: {}, cause: 'asked' } },
  { type: 'VersionEnded', data: { version: v(n), status: 'COMPLETE' } },
  pushed(n, 'frankfurt', `ami-${n}`),
];
const pushed = (n: number, account: string, id: string): ImageEvent => ({ type: 'PushCompleted', data: { version: v(n), account, id } });
const points = (n: number | null, previous: number | null, by: 'assign' | 'managed' | 'rollback' | 'revoke' | 'delete' = 'assign'): ImageEvent => ({
  type: 'ChannelAssigned', data: { channel: 'stable', version: n === null ? null : v(n), previous: previous === null ? null : v(previous), by },
});
const channel: ImageEvent = { type: 'ChannelSaved', data: { channel: 'stable', managed: false } };
const revoked = (n: number, at = AT): ImageEvent => ({ type: 'VersionRevoked', data: { version: v(n), at, reason: 'a hole', cascade: true } });
const begins = (n: number, b = n): ImageEvent => ({ type: 'TestStarted', data: { channel: 'latest', version: v(n), build: build(b), plan: 'smoke', by: 'managed', attempt: 1 } });
const ends = (n: number, b = n): ImageEvent => ({ type: 'TestEnded', data: { channel: 'latest', version: v(n), build: build(b), passed: true } });

const provider = (name = 'amazon', endpoint?: string): CatalogEvent => ({ type: 'ProviderSaved', data: { name, description: '', kind: 'ec2', target: 'ec2', ...(endpoint !== undefined && { endpoint }) } });
const account = (name: string, region: string, credentials = 'env:OTHER', at = 'amazon'): CatalogEvent => ({ type: 'AccountSaved', data: { name, description: '', provider: at, region, credentials } });
const accounts = [provider(), account('frankfurt', 'eu-central-1'), account('oregon', 'us-west-2')];

function views(image: readonly ImageEvent[], catalog: readonly CatalogEvent[] = accounts): ImageViews {
  const all = new ImageViews();
  const tell = (kind: 'image' | 'catalog', id: string, event: ImageEvent | CatalogEvent) => all.apply({ kind, id, sequence: 1, commit: { id: build(0), at: AT, actor: '', cause: build(0), events: [event] } } as Extract<AnyRecorded, { kind: 'image' | 'catalog' }>);
  for (const event of catalog) tell('catalog', CATALOG, event);
  for (const event of image) tell('image', 'debian', event);
  return all;
}
const launched = (image: readonly ImageEvent[], over: Partial<Wish> = {}, catalog?: readonly CatalogEvent[]) => views(image, catalog).source(wish(over))?.channel;
const one = [channel, ...version(1)];
const two = [...one, ...version(2)];

describe('what a channel launches', () => {
  test('the version that it points at', () => {
    expect(launched([...two, points(1, null)])).toEqual({ image: 'debian', version: v(1), number: 1, id: 'ami-1' });
    expect(launched([...two, points(1, null), points(2, 1)])).toEqual({ image: 'debian', version: v(2), number: 2, id: 'ami-2' });
  });
  test('nothing is known of an image that Berth does not have, or has no more', () => {
    expect(launched([...one, points(1, null)], { image: 'fedora' })).toBeUndefined();
    expect(launched([...one, points(1, null), { type: 'ImageRemoved', data: {} }])).toBeUndefined();
  });
  test('what was imported, and what its provider made itself', () => {
    const imported: ImageEvent = { type: 'VersionImported', data: { version: v(1), number: 1, revision: 0, target: 'ec2', account: 'frankfurt', id: 'ami-i', labels: {} } };
    expect(launched([imported, channel, points(1, null)])).toMatchObject({ id: 'ami-i' });
    const made: ImageEvent = { type: 'TargetCompleted', data: { version: v(1), target: 'ec2', made: { provided: { account: 'oregon', id: 'ami-m' } } } };
    expect(launched([...one, made, points(1, null)], { region: 'us-west-2' })).toMatchObject({ id: 'ami-m' });
  });

  const notPushed = 'version 1 of image debian is not pushed to us-west-2: push it with `berth image push`';
  test.each<[string, ImageEvent[], Partial<Wish>]>([
    ['image debian has no channel beta: make it, or name another', [...one, points(1, null)], { channel: 'beta' }],
    ['image debian has no channel stable: make it, or name another', [...one, points(1, null), { type: 'ChannelRemoved', data: { channel: 'stable' } }], {}],
    ['channel stable of image debian points at no version: assign it one', one, {}],
    ['channel stable of image debian points at no version: assign it one', [...one, points(1, null), points(null, 1, 'revoke')], {}],
    ['version 1 of image debian is revoked', [...one, points(1, null), revoked(1)], {}],
    ['version 1 of image debian is revoked', [...one, points(1, null), revoked(1, '2031-01-01T00:00:00Z'), { type: 'RevocationDue', data: { version: v(1) } }], {}],
    ['version 1 of image debian is disabled', [...one, points(1, null), { type: 'VersionMarked', data: { version: v(1), as: 'disabled', reason: 'x' } }], {}],
    ['version 1 of image debian is not complete', [...one, { type: 'VersionEnded', data: { version: v(1), status: 'PARTIAL' } }, points(1, null)], {}],
    ['the version of image debian is deleted', [...one, points(1, null), { type: 'DeletionStarted', data: { version: v(1) } }], {}],
    [notPushed, [...one, points(1, null)], { region: 'us-west-2' }],
    [notPushed, [...one, pushed(1, 'oregon', 'ami-o'), points(1, null), { type: 'DeletionStarted', data: { version: v(1), account: 'oregon' } }], { region: 'us-west-2' }],
  ])('or the one reason why not: %s', (said, events, over) => expect(launched(events, over)).toBe(said));

  test('a revocation that is to come, or was taken back, and what is deprecated keep nobody from it', () => {
    for (const event of [revoked(1, '2031-01-01T00:00:00Z'), { type: 'VersionMarked', data: { version: v(1), as: 'deprecated', reason: 'x' } } as const]) expect(launched([...one, points(1, null), event])).toMatchObject({ number: 1 });
    expect(launched([...one, points(1, null), revoked(1), { type: 'VersionRestored', data: { version: v(1), reason: 'x' } }])).toMatchObject({ number: 1 });
  });

  test('of several accounts of the region the one with the same credentials, else the first by name', () => {
    const several = [...accounts, account('berlin', 'eu-central-1', 'profile:ci')];
    const events = [...one, pushed(1, 'berlin', 'ami-b'), points(1, null)];
    expect(launched(events, { credentials: 'env:OTHER' }, several)).toMatchObject({ id: 'ami-1' });
    expect(launched(events, { credentials: 'profile:ci' }, several)).toMatchObject({ id: 'ami-b' });
    expect(launched(events, { credentials: 'default' }, several)).toMatchObject({ id: 'ami-b' });
  });
  test('only from the server that is launched on', () => {
    const own = [provider('own', 'https://ec2.example/'), account('frankfurt', 'eu-central-1', 'default', 'own')];
    expect(launched([...one, points(1, null)], { endpoint: 'https://ec2.example' }, own)).toMatchObject({ id: 'ami-1' });
    expect(launched([...one, points(1, null)], {}, own)).toMatch(/is not pushed to eu-central-1/);
    const amazon = [provider('amazon', 'https://ec2.eu-central-1.amazonaws.com'), account('frankfurt', 'eu-central-1')];
    expect(launched([...one, points(1, null)], {}, amazon)).toMatchObject({ id: 'ami-1' });
    expect(launched([...one, points(1, null)], {}, [...amazon, provider('amazon', 'https://ec2.example/')])).toMatch(/is not pushed/);
    expect(launched([...one, points(1, null)], {}, [...amazon, { type: 'CatalogEntryRemoved', data: { kind: 'account', name: 'frankfurt' } }])).toMatch(/is not pushed/);
    expect(launched([...one, points(1, null)], {}, [{ type: 'ProviderSaved', data: { name: 'amazon', description: '', kind: 'mock', target: 'mock' } }, account('frankfurt', 'eu-central-1')])).toMatch(/is not pushed/);
  });
});

describe('versions under test', () => {
  const tests = (events: readonly ImageEvent[], over: Partial<Wish> = {}) => views(events).source(wish(over))?.tests.map(({ number }) => number);
  test('are offered besides, whatever the channel, as long as a test of them runs', () => {
    expect(tests([...two, points(1, null), begins(2)])).toEqual([2]);
    expect(tests([...two, points(1, null), begins(2), begins(2, 7), ends(2)])).toEqual([2]);
    expect(tests([...two, points(1, null), begins(2), ends(2)])).toEqual([]);
    expect(tests([...two, begins(2)], { channel: 'none' })).toEqual([2]);
  });
  test('but not where they are not, and not the one of the channel a second time', () => {
    expect(tests([...two, points(1, null), begins(2)], { region: 'us-west-2' })).toEqual([]);
    expect(tests([...two, points(2, null), begins(2)])).toEqual([]);
    expect(tests([...two, points(1, null), begins(2), revoked(2)])).toEqual([]);
    expect(tests([...two, points(1, null), begins(2), { type: 'Deleted', data: { version: v(2), manual: [] } }])).toEqual([]);
  });
});

describe('what a channel can be taken back to', () => {
  const back = (...events: ImageEvent[]) => views([...two, ...version(3), ...events]).hasBefore(wish());
  test.each<[string, boolean, ImageEvent[]]>([
    ['nothing at its first version', false, [points(1, null)]],
    ['the one before', true, [points(1, null), points(2, 1)]],
    ['not one that is revoked', false, [points(1, null), points(2, 1), revoked(1)]],
    ['not one that is gone', false, [points(1, null), points(2, 1), { type: 'Deleted', data: { version: v(1), manual: [] } }]],
    ['not what it was taken back from', false, [points(1, null), points(2, 1), points(1, 2, 'rollback')]],
    ['what was before the one that it was taken back to', true, [points(1, null), points(2, 1), points(3, 2), points(2, 3, 'rollback')]],
    ['nothing where it comes back to its only other one', true, [points(1, null), points(2, 1), points(1, 2), points(2, 1, 'managed')]],
  ])('%s', (_, expected, events) => expect(back(...events)).toBe(expected));
});

describe('what becomes of a host', () => {
  const standing = (events: readonly ImageEvent[], host: ReturnType<typeof booted> & { test?: boolean } = booted(1), over: Partial<Wish> = {}) => views([...two, points(1, null), ...events]).standing(wish(over), host);
  test('it is kept as long as its channel points at its version', () => {
    expect(standing([])).toEqual({ is: 'kept' });
    expect(standing([begins(1)])).toEqual({ is: 'kept' });
    expect(standing([], booted(1), { image: 'fedora' })).toEqual({ is: 'kept' });
    expect(standing([], booted(1), { channel: 'beta' })).toEqual({ is: 'kept' });
  });
  test('it is over once the channel has moved, to and fro', () => {
    expect(standing([points(2, 1)])).toEqual({ is: 'over', reason: 'channel stable of debian points at version 2: it was booted from version 1' });
    expect(standing([points(2, 1), points(1, 2, 'rollback')], booted(2))).toEqual({ is: 'over', reason: 'channel stable of debian points at version 1: it was booted from version 2' });
    expect(standing([points(2, 1)], booted(1, { image: 'fedora', version: v(9) }))).toEqual({ is: 'over', reason: 'channel stable of debian points at version 2: it was booted from version 1 of fedora' });
  });
  test('but worth more than none where the next one can not be launched, unless it may not be used itself', () => {
    const gone: ImageEvent = { type: 'Deleted', data: { version: v(2), account: 'frankfurt', manual: [] } };
    expect(standing([gone, points(2, 1)])).toEqual({ is: 'kept' });
    expect(standing([gone, points(2, 1), revoked(1)])).toEqual({ is: 'over', reason: 'it was booted from version 1 of debian: version 1 of image debian is revoked' });
    expect(standing([points(null, 1, 'revoke'), revoked(1)])).toMatchObject({ is: 'over' });
    expect(standing([points(2, 1), { type: 'Deleted', data: { version: v(1), manual: [] } }])).toMatchObject({ is: 'over' });
  });
  test('one that was booted for a test ends with it, also when its version is the usual one then', () => {
    const host = booted(2, { test: true });
    expect(standing([begins(2)], host)).toEqual({ is: 'test' });
    expect(standing([begins(2), ends(2)], host)).toEqual({ is: 'over', reason: 'it was booted for a test of version 2 of debian, which is over' });
    expect(standing([begins(2), ends(2), points(2, 1)], host)).toMatchObject({ is: 'over' });
    expect(standing([begins(2), points(2, 1)], host)).toEqual({ is: 'test' });
  });
  test('one of the version before serves a test of that version', () => expect(standing([points(2, 1), begins(1)])).toEqual({ is: 'test' }));
});

test('what only tells how far something is changes nothing that is launched', () => {
  const all = views([...one, points(1, null)]);
  const tell = (event: ImageEvent) => all.apply({ kind: 'image', id: 'debian', sequence: 2, commit: { id: build(1), at: AT, actor: '', cause: build(1), events: [event] } });
  expect(tell({ type: 'PushProgressed', data: { version: v(1), account: 'oregon', percent: 10, activity: 'copying' } })).toBe(false);
  expect(tell({ type: 'LabelsSet', data: { version: v(1), labels: {} } })).toBe(false);
  expect(tell(pushed(1, 'oregon', 'ami-o'))).toBe(true);
});
