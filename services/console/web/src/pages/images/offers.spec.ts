import { describe, expect, test } from 'vitest';
import type { BoardCell, LiveEvent } from '@berth/client';
import { offeredBy, type Row } from './offers';

const account = { account: 'eu', provider: 'shelf', region: null, target: 'mock' } as const;
const row: Row = { version: 'v3', number: 3, status: 'COMPLETE', channels: [], cells: [] };
const none: Row = { version: null, number: null, status: 'NEW', channels: [], cells: [] };
const cell = (offer: BoardCell['offer'], failed = 0): BoardCell => ({ account: 'eu', state: 'not_built', percent: null, activity: null, failed, error: null, id: null, offer });
const event = (type: string, data: object, id = 'web'): LiveEvent => ({ kind: 'image', id, type, data, at: '2030-01-01T00:00:00Z', actor: 'spec' });

describe('what a cell of the board offers', () => {
  test.each([
    ['a first version', none, cell('build'), 'Build a first version for eu', 'images/web/build', { targets: ['mock'] }],
    ['one more of what has failed', row, cell('build', 1), 'Build version 3 again for eu', 'versions/v3/targets/mock/rebuild', {}],
    ['a new version with a target that this one was not built for', row, cell('build'), 'Build a version after 3 for eu', 'images/web/build', { targets: ['mock'] }],
    ['a push', row, cell('push'), 'Push version 3 to eu', 'versions/v3/push', { accounts: ['eu'] }],
    ['a push once more', row, cell('push', 2), 'Push version 3 to eu', 'versions/v3/push', { accounts: ['eu'] }],
    ['a removal', row, cell('delete'), 'Delete version 3 from eu', 'versions/v3/accounts/eu', undefined],
  ])('%s', (_what, of, given, label, path, body) => {
    const offered = offeredBy('web', of, account, given);
    expect([offered?.label, offered?.command.path, offered?.command.body]).toEqual([label, path, body]);
  });

  test('nothing', () => expect(offeredBy('web', row, account, cell(null))).toBeUndefined());

  test('is on its way until that very thing has begun', () => {
    const { until } = offeredBy('web', row, account, cell('push'))!.command;
    expect(until!(event('PushStarted', { version: 'v3', account: 'eu' }))).toBe(true);
    for (const other of [event('PushStarted', { version: 'v3', account: 'us' }), event('PushStarted', { version: 'v2', account: 'eu' }), event('PushStarted', { version: 'v3', account: 'eu' }, 'db'), event('PushFailed', { version: 'v3', account: 'eu' })]) expect(until!(other)).toBe(false);
  });
});
