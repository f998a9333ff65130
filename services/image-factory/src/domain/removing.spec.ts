import { describe, test } from 'vitest';
import type { ImageEvent } from '@berth/contracts';
import type { ImageCommand } from './decide.js';
import { assigned, begun, channel, complete, completed, ended, failed, given, gone, id, leaving, pushed, pushing, requested, stuck } from '../spec/image.testing.js';

const of = (number: number, more: object = {}): { version: string; cascade: boolean; hosts: boolean } => ({ version: id(number), cascade: false, hosts: false, ...more });
const version = (number: number, more: object = {}): ImageCommand => ({ type: 'DeleteVersion', ...of(number, more) });
const target = (number: number, more: object = {}): ImageCommand => ({ type: 'DeleteTarget', target: 'raw', ...of(number, more) });
const push = (number: number, more: object = {}): ImageCommand => ({ type: 'DeletePush', version: id(number), account: 'here', hosts: false, ...more });
const end = (what: { account: string } | { target: 'raw' | 'oci' }, outcome: { manual: string[] } | { error: string } = { manual: [] }): ImageCommand => ({ type: 'EndDeletion', version: id(1), what, outcome });
/** A version that no channel points at. */
const one = [...begun, ...complete(1), ...complete(2, 1)];
const raw = { target: 'raw' } as const;
const here = { account: 'here' } as const;
const imported: ImageEvent = { type: 'VersionImported', data: { version: id(1), number: 1, revision: 0, target: 'raw', account: 'here', id: 'ami-1', labels: {} } };

describe('removing what was pushed', () => {
  test('begins once, and again when it could not be removed', () => {
    given(...one, ...pushed(1)).when(push(1)).then(leaving(1, here));
    given(...one, ...pushed(1), leaving(1, here)).when(push(1)).then();
    given(...one, ...pushed(1), leaving(1, here), stuck(1, here)).when(push(1)).then(leaving(1, here));
  });
  test('also of what has failed, when something may be left of it', () => {
    const hasFailed: ImageEvent = { type: 'PushFailed', data: { version: id(1), account: 'here', attempt: 1, error: 'x' } };
    given(...one, pushing(1), hasFailed).when(push(1)).thenRejected('not-pushed', 'account');
    given(...one, pushing(1), { type: 'PushStep', data: { version: id(1), account: 'here', facts: { snapshot: 's' } } }, hasFailed).when(push(1)).then(leaving(1, here));
  });
  test('is refused where it is not, while it comes, and while a host was booted from it', () => {
    given(...one).when(push(1)).thenRejected('not-pushed', 'account');
    given(...one, ...pushed(1), leaving(1, here), gone(1, here)).when(push(1)).thenRejected('not-pushed', 'account');
    given(...one, pushing(1)).when(push(1)).thenRejected('push-live', 'account');
    given(...one, ...pushed(1)).when(push(1, { hosts: true })).thenRejected('version-in-use', 'version');
    given(...one, gone(1)).when(push(1)).thenRejected('version-deleted');
  });
  test('what was imported is only forgotten, and told to whoever may remove it', () => {
    given(...begun, imported).when(push(1)).then(gone(1, here, ['ami-1 of account here']));
  });
});

describe('removing what was built', () => {
  test('goes after what was pushed of it', () => {
    given(...one).when(target(1)).then(leaving(1, raw));
    given(...one, ...pushed(1)).when(target(1)).thenRejected('version-in-use', 'cascade');
    given(...one, ...pushed(1)).when(target(1, { cascade: true })).then(leaving(1, here), leaving(1, raw));
    given(...one, ...pushed(1), leaving(1, here)).when(target(1, { cascade: true })).then(leaving(1, raw));
    given(...one, leaving(1, raw)).when(target(1)).then();
    given(...one, leaving(1, raw), stuck(1, raw)).when(target(1)).then(leaving(1, raw));
  });
  test('is refused while it is built or pushed, while something needs it, and when there is nothing', () => {
    given(...begun, ...requested(1)).when(target(1)).thenRejected('version-live', 'version');
    given(...one, pushing(1)).when(target(1, { cascade: true })).thenRejected('version-live', 'version');
    given(...one).when(target(2)).thenRejected('version-in-use', 'version');
    given(...one).when(target(1, { hosts: true })).thenRejected('version-in-use', 'version');
    given(...one).when(target(1, { heir: 'web@3' })).thenRejected('version-in-use', 'version');
    given(...one).when({ ...target(1), target: 'oci' } as ImageCommand).thenRejected('target-not-there', 'target');
    given(...begun, ...requested(1), failed(1), ended(1, 'FAILED')).when(target(1)).thenRejected('target-not-there', 'target');
    given(...one, leaving(1, raw), gone(1, raw)).when(target(1)).thenRejected('target-not-there', 'target');
  });
});

describe('removing a version', () => {
  test('begins with all that is there of it, and is over when the last of that is gone', () => {
    given(...one, ...pushed(1)).when(version(1, { cascade: true })).then(leaving(1), leaving(1, here), leaving(1, raw));
    const under = [...one, ...pushed(1), leaving(1), leaving(1, here), leaving(1, raw)];
    given(...under).when(end(here)).then(gone(1, here));
    given(...under, gone(1, here)).when(end(raw)).then(gone(1, raw), gone(1));
    given(...under, gone(1, here), gone(1, raw), gone(1)).when(end(raw)).then();
    given(...under, gone(1, here), gone(1, raw), gone(1)).when(version(1)).then();
  });
  test('is over at once when nothing is there', () => {
    given(...begun, ...requested(1), failed(1), ended(1, 'FAILED')).when(version(1)).then(leaving(1), gone(1));
    given(...begun, imported).when(version(1)).then(leaving(1), gone(1, here, ['ami-1 of account here']), gone(1, raw), gone(1, {}, ['ami-1 of account here']));
  });
  test('has failed with the first part that could not be removed, and can be tried again', () => {
    const under = [...one, ...pushed(1), leaving(1), leaving(1, here), leaving(1, raw)];
    given(...under).when(end(here, { error: 'in use' })).then(stuck(1, here), stuck(1));
    const half = [...under, stuck(1, here), stuck(1)];
    given(...half).when(end(raw)).then(gone(1, raw));
    given(...half).when(end(raw, { error: 'no' })).then(stuck(1, raw, 'no'));
    given(...half).when(version(1, { cascade: true })).then(leaving(1), leaving(1, here));
    given(...half, gone(1, raw)).when(push(1)).then(leaving(1, here));
    given(...half, gone(1, raw), leaving(1, here)).when(end(here)).then(gone(1, here), gone(1));
  });
  test('tells what only a person may remove', () => {
    given(...one, ...pushed(1), leaving(1, here)).when(end(here, { manual: ['bucket x'] })).then(gone(1, here, ['bucket x']));
  });
  test('is refused while something is under way or needs it, unless with all that', () => {
    given(...begun, ...requested(1)).when(version(1, { cascade: true })).thenRejected('version-live', 'version');
    given(...one, pushing(1)).when(version(1, { cascade: true })).thenRejected('version-live', 'version');
    given(...one, ...pushed(1)).when(version(1)).thenRejected('version-in-use', 'cascade');
    given(...one).when(version(2)).thenRejected('version-in-use', 'version');
    given(...one).when(version(2, { cascade: true })).then(assigned(1, 2, 'delete', 'latest', 'version 2 was removed'), leaving(2), leaving(2, raw));
    given(...one).when(version(1, { cascade: true, hosts: true })).thenRejected('version-in-use', 'version');
    given(...one).when(version(1, { cascade: true, heir: 'web@3' })).thenRejected('version-in-use', 'version');
    given(...one).when(version(9)).thenRejected('unknown-version');
  });
});

describe('removing an image', () => {
  const remove = (more: object = {}): ImageCommand => ({ type: 'Remove', image: 'web', cascade: false, named: [], hosts: new Set<string>(), ...more });
  const over: ImageEvent = { type: 'ImageRemoved', data: {} };
  test('takes its versions with it, the channels going back as they go', () => {
    given(...begun).when(remove()).then(over);
    given(...one).when(remove()).thenRejected('image-in-use', 'cascade');
    given(...one).when(remove({ cascade: true })).then(leaving(1), leaving(1, raw), assigned(null, 2, 'delete', 'latest', 'version 2 was removed'), leaving(2), leaving(2, raw), over);
    given(...one, over).when(remove()).then();
  });
  test('is refused while something names it, is under way, or runs', () => {
    given().when(remove()).thenRejected('unknown-image');
    given(...begun).when(remove({ named: ['deployable shop'] })).thenRejected('image-in-use', 'image');
    given(...begun, ...requested(1)).when(remove({ cascade: true })).thenRejected('version-live');
    given(...one).when(remove({ cascade: true, hosts: new Set([id(1)]) })).thenRejected('version-in-use');
  });
  test('what is still being removed of it goes on', () => {
    given(...one, leaving(1), leaving(1, raw), over).when(end(raw)).then(gone(1, raw), gone(1));
    given(...begun, ...requested(1, ['raw', 'oci']), completed(1), completed(1, 'oci'), ended(1), leaving(1), leaving(1, raw), leaving(1, { target: 'oci' }), channel('x', false)).when(end({ target: 'oci' })).then(gone(1, { target: 'oci' }));
  });
});
