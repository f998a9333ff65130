import { describe, expect, test } from 'vitest';
import type { BoardCell } from '@berth/client';
import type { CatalogEvent, ImageEvent } from '@berth/contracts';
import { imageBoard } from './image-board.js';
import { assigned, built, catalogue, channelSaved, completed, ended, FoldedImages, imported, pushed, pushFailed, pushStarted, requested, revoked, saved, started, targetFailed, V1, V2 } from './images.testing.js';
import { catalogView, deployableView } from './image-views.js';

/** An image of raw and oci in an environment of both, and what became of it. */
const told = (...events: ImageEvent[]): FoldedImages => new FoldedImages().happen('catalog', 'main', ...catalogue).happen('image', 'web', saved('web', { environment: 'dev' }), channelSaved('latest', { managed: true }), ...events);
const boardOf = (of: FoldedImages) => imageBoard(of.facts('web'));
/** The cell of a version with an account; of no version when there is none yet. */
const cellOf = (of: FoldedImages, account = 'a-raw', version: string | null = V1): BoardCell => boardOf(of).versions.find((row) => row.version === version)!.cells.find((cell) => cell.account === account)!;
const cell = (state: BoardCell['state'], offer: BoardCell['offer'], more: Partial<BoardCell> = {}): BoardCell => ({ account: 'a-raw', state, percent: null, activity: null, failed: 0, error: null, id: null, offer, ...more });

const asked = requested(V1, 1);
const whole = [asked, ...built(V1, 'raw', 'oci')];
const progress: ImageEvent = { type: 'TargetProgressed', data: { version: V1, target: 'raw', percent: 40, activity: 'installs' } };
const sending: ImageEvent = { type: 'PushProgressed', data: { version: V1, account: 'a-raw', percent: 70, activity: 'copies' } };
const deleting: ImageEvent = { type: 'DeletionStarted', data: { version: V1, account: 'a-raw' } };
const stuck: ImageEvent = { type: 'DeletionFailed', data: { version: V1, account: 'a-raw', error: 'in use' } };
const gone: ImageEvent = { type: 'Deleted', data: { version: V1, account: 'a-raw', manual: [] } };
const there = [...whole, pushStarted(V1, 'a-raw'), pushed(V1, 'a-raw')];
const failedOnce = [asked, started(V1, 'raw'), targetFailed(V1, 'raw'), started(V1, 'oci'), completed(V1, 'oci'), ended(V1, 'PARTIAL')];
/** A newer one whose targets are built; a channel keeps the older one on the board. */
const newer = (...targets: ('raw' | 'oci')[]) => [assigned('latest', V1), requested(V2, 2, { targets }), ...built(V2, ...targets)];
const marked = (as: 'active' | 'deprecated' | 'disabled'): ImageEvent => ({ type: 'VersionMarked', data: { version: V1, as, reason: 'old' } });

describe('what a cell says, and the one thing that is on offer', () => {
  test.each<[title: string, events: ImageEvent[], expected: BoardCell]>([
    ['asked for', [asked], cell('building', null, { percent: 0 })],
    ['building', [asked, started(V1, 'raw'), progress], cell('building', null, { percent: 40, activity: 'installs' })],
    ['failed once', failedOnce, cell('not_built', 'build', { failed: 1, error: 'no mirror' })],
    ['failed twice', [...failedOnce, started(V1, 'raw', 2), targetFailed(V1, 'raw', 2, 'no room'), ended(V1, 'PARTIAL')], cell('not_built', 'build', { failed: 2, error: 'no room' })],
    ['failed, and built once more', [...failedOnce, started(V1, 'raw', 2)], cell('building', null, { percent: 0, failed: 1, error: 'no mirror' })],
    ['built', whole, cell('not_pushed', 'push')],
    ['built after it had failed: what failed then is no word about the push', [...failedOnce, started(V1, 'raw', 2), completed(V1, 'raw'), ended(V1)], cell('not_pushed', 'push')],
    ['pushing', [...whole, pushStarted(V1, 'a-raw'), sending], cell('pushing', null, { percent: 70, activity: 'copies' })],
    ['a push that failed', [...whole, pushStarted(V1, 'a-raw'), pushFailed(V1, 'a-raw')], cell('not_pushed', 'push', { failed: 1, error: 'no room' })],
    ['pushing once more', [...whole, pushStarted(V1, 'a-raw'), pushFailed(V1, 'a-raw'), pushStarted(V1, 'a-raw', 'raw', 2)], cell('pushing', null, { percent: 0, failed: 1, error: 'no room' })],
    ['pushed', there, cell('pushed', 'delete', { id: 'disk-a-raw' })],
    ['deleting', [...there, deleting], cell('deleting', null, { id: 'disk-a-raw' })],
    ['a delete that failed', [...there, deleting, stuck], cell('delete_failed', 'delete', { id: 'disk-a-raw', error: 'in use' })],
    ['a delete that failed, tried again', [...there, deleting, stuck, deleting], cell('deleting', null, { id: 'disk-a-raw' })],
    ['deleted', [...there, deleting, gone], cell('not_pushed', 'push')],
    ['outdated and built: it can still be pushed by itself', [...whole, ...newer('raw', 'oci')], cell('not_pushed', 'push')],
    ['outdated and not built', [...failedOnce, ...newer('raw', 'oci')], cell('not_built', null, { failed: 1, error: 'no mirror' })],
    ['the newer one has another target', [...failedOnce, ...newer('oci')], cell('not_built', 'build', { failed: 1, error: 'no mirror' })],
    ['the newer one is revoked', [...failedOnce, ...newer('raw', 'oci'), revoked(V2)], cell('not_built', 'build', { failed: 1, error: 'no mirror' })],
    ['outdated and pushed', [...there, ...newer('raw', 'oci')], cell('pushed', 'delete', { id: 'disk-a-raw' })],
    ['revoked and built', [...whole, revoked(V1)], cell('not_pushed', null)],
    ['revoked, but not yet', [...whole, revoked(V1, { at: '2040-01-01T00:00:00Z' })], cell('not_pushed', 'push')],
    ['revoked and not built', [...failedOnce, revoked(V1)], cell('not_built', null, { failed: 1, error: 'no mirror' })],
    ['revoked and pushed', [...there, revoked(V1)], cell('pushed', 'delete', { id: 'disk-a-raw' })],
    ['restored', [...whole, revoked(V1), { type: 'VersionRestored', data: { version: V1, reason: 'well' } }], cell('not_pushed', 'push')],
    ['disabled', [...whole, marked('disabled')], cell('not_pushed', null)],
    ['deprecated', [...whole, marked('deprecated')], cell('not_pushed', 'push')],
    ['the version is being removed', [...whole, { type: 'DeletionStarted', data: { version: V1 } }], cell('not_pushed', null)],
    ['what was built is being removed', [...whole, { type: 'DeletionStarted', data: { version: V1, target: 'raw' } }], cell('not_built', null)],
    ['what was built could not be removed', [...whole, { type: 'DeletionStarted', data: { version: V1, target: 'raw' } }, { type: 'DeletionFailed', data: { version: V1, target: 'raw', error: 'busy' } }], cell('not_built', null)],
    ['what was built is removed', [...whole, { type: 'Deleted', data: { version: V1, target: 'raw', manual: [] } }], cell('not_built', 'build')],
    ['a target that this version was not asked for', [requested(V1, 1, { targets: ['oci'] }), ...built(V1, 'oci')], cell('not_built', 'build')],
  ])('%s', (_title, events, expected) => expect(cellOf(told(...events))).toEqual(expected));

  test('not built: there is no version yet', () => {
    const board = boardOf(told());
    expect(board).toMatchObject({ image: 'web', environment: 'dev', buildAll: true, pushAll: null, versions: [{ version: null, number: null, status: 'NEW', channels: [] }] });
    expect(board.accounts).toEqual([{ account: 'a-oci', provider: 'p-oci', region: null, target: 'oci' }, { account: 'a-raw', provider: 'p-raw', region: null, target: 'raw' }, { account: 'b-raw', provider: 'p-raw', region: null, target: 'raw' }]);
    expect(cellOf(told(), 'a-raw', null)).toEqual(cell('not_built', 'build'));
  });

  test('a target that the environment does not have: its accounts are not there', () => {
    const of = told().happen('image', 'web', saved('web', { revision: 2, environment: 'prod' }));
    expect(boardOf(of).accounts.map(({ account }) => account)).toEqual(['a-raw']);
  });

  test('an account of a target that the image is not built for: nothing is on offer', () => {
    const of = new FoldedImages().happen('catalog', 'main', ...catalogue).happen('image', 'web', saved('web', { environment: 'dev', targets: ['raw'] }), channelSaved('latest'), requested(V1, 1, { targets: ['raw'] }), ...built(V1, 'raw'));
    expect([cellOf(of, 'a-oci'), cellOf(of)]).toEqual([cell('not_built', null, { account: 'a-oci' }), cell('not_pushed', 'push')]);
  });

  test('imported: it is where it was, and is not built', () => {
    const of = new FoldedImages().happen('catalog', 'main', ...catalogue).happen('image', 'web', imported(V1, 1), channelSaved('latest', { managed: true }));
    expect([cellOf(of, 'eu'), cellOf(of)]).toEqual([cell('pushed', 'delete', { account: 'eu', id: 'ami-1' }), cell('not_built', null)]);
    expect(boardOf(of)).toMatchObject({ environment: null, buildAll: false, pushAll: null });
    // Even where there is a template by now.
    of.happen('image', 'web', saved('web'));
    expect([cellOf(of), boardOf(of).buildAll]).toEqual([cell('not_built', null), true]);
  });

  test('an account that the environment does not have any more stays as long as something is there', () => {
    const of = told(...there).happen('image', 'web', saved('web', { revision: 2, environment: 'dev' })).happen('catalog', 'main', { type: 'EnvironmentSaved', data: { name: 'dev', description: '', targets: ['oci'], accounts: [] } } satisfies CatalogEvent);
    expect(boardOf(of).accounts.map(({ account }) => account)).toEqual(['a-oci', 'a-raw']);
    expect(cellOf(of)).toEqual(cell('pushed', 'delete', { id: 'disk-a-raw' }));
    of.happen('image', 'web', deleting, gone);
    expect(boardOf(of).accounts.map(({ account }) => account)).toEqual(['a-oci']);
  });
});

describe('which versions are on the board', () => {
  const numbers = (of: FoldedImages) => boardOf(of).versions.map(({ number }) => number);
  const second = [requested(V2, 2), ...built(V2, 'raw', 'oci')];
  test('the newest, and older ones only while something of them is pushed or a channel points at them', () => {
    expect(numbers(told(...whole, ...second))).toEqual([2]);
    expect(numbers(told(...whole, ...second, assigned('latest', V1)))).toEqual([2, 1]);
    expect(numbers(told(...there, ...second))).toEqual([2, 1]);
    expect(numbers(told(...there, ...second, deleting))).toEqual([2, 1]);
    expect(numbers(told(...there, ...second, deleting, gone))).toEqual([2]);
    expect(numbers(told(...whole, pushStarted(V1, 'a-raw'), pushFailed(V1, 'a-raw'), ...second))).toEqual([2]);
    expect(numbers(told(...there, ...second, { type: 'Deleted', data: { version: V2, manual: [] } }))).toEqual([1]);
    expect(boardOf(told(...whole, assigned('latest', V1))).versions[0]!.channels).toEqual(['latest']);
  });

  test('all is pushed of the newest one that is built and may be used', () => {
    const all = (...events: ImageEvent[]) => boardOf(told(...events)).pushAll;
    expect(all(asked)).toBeNull();
    expect(all(...whole)).toBe(V1);
    expect(all(...whole, ...second)).toBe(V2);
    expect(all(...whole, ...second, revoked(V2))).toBe(V1);
    expect(all(...whole, requested(V2, 2), started(V2, 'raw'))).toBe(V1);
    const everywhere = ['a-raw', 'b-raw', 'a-oci'].flatMap((account) => [pushStarted(V1, account, account.endsWith('oci') ? 'oci' : 'raw'), pushed(V1, account)]);
    expect(all(...whole, ...everywhere)).toBeNull();
    expect(all(...whole, ...everywhere, ...second)).toBe(V2);
  });
});

describe('how a deployable stands', () => {
  const state = (...events: ImageEvent[]) => {
    const facts = told(...events).facts('web');
    return deployableView(facts.catalogue.get('deployable', 'shop-web')!, ['shop'], new Map([['web', facts]]), facts.catalogue);
  };
  const points = assigned('latest', V1);
  const push = (...accounts: string[]) => accounts.flatMap((account) => [pushStarted(V1, account, account.endsWith('oci') ? 'oci' : 'raw'), pushed(V1, account)]);
  test.each<[title: string, events: ImageEvent[], expected: string]>([
    ['nothing is there', [], 'not_built'],
    ['its first version is being built', [asked], 'building'],
    ['it is built, and the channel points at nothing yet', whole, 'not_built'],
    ['one target has failed', [...failedOnce, points], 'not_built'],
    ['a target is built once more', [...failedOnce, points, started(V1, 'raw', 2)], 'building'],
    ['nothing is pushed', [...whole, points], 'not_pushed'],
    ['some is pushed', [...whole, points, ...push('a-raw')], 'not_pushed'],
    ['one is being pushed', [...whole, points, ...push('a-raw', 'a-oci'), pushStarted(V1, 'b-raw')], 'pushing'],
    ['all is pushed', [...whole, points, ...push('a-raw', 'b-raw', 'a-oci')], 'pushed'],
    ['one could not be removed', [...whole, points, ...push('a-raw', 'b-raw', 'a-oci'), deleting, stuck], 'pushed'],
    ['one was removed', [...whole, points, ...push('a-raw', 'b-raw', 'a-oci'), deleting, gone], 'not_pushed'],
    ['a newer one is being built: the channel points at the one before', [...whole, points, ...push('a-raw', 'b-raw', 'a-oci'), requested(V2, 2)], 'pushed'],
  ])('%s: %s', (_title, events, expected) => expect(state(...events).state).toBe(expected));

  test('it names what its channel points at; its catalog, the environment', () => {
    expect(state(...whole, points)).toMatchObject({ name: 'shop-web', version: V1, number: 1 });
    const facts = told(...whole, points).facts('web');
    expect(catalogView(facts.catalogue.get('catalog', 'shop')!, new Map([['web', facts]]), facts.catalogue)).toEqual({ name: 'shop', description: '', pool: 'pool', environment: 'dev', deployables: [{ name: 'shop-web', description: '', catalogs: ['shop'], image: 'web', channel: 'latest', version: V1, number: 1, state: 'not_pushed' }] });
  });

  test('of an image that is not there it is not built', () => {
    const { catalogue: known } = told().facts('web');
    expect(deployableView(known.get('deployable', 'shop-web')!, ['shop'], new Map(), known)).toMatchObject({ version: null, number: null, state: 'not_built' });
  });
});
