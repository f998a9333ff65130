import type { ImageEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import type { ImageCommand } from './decide.js';
import { assigned, begun, built, channel, complete, completed, failed, given, gone, id, leaving, marked, pushed, pushing, requested, revoked, stuck } from '../spec/image.testing.js';
import type { Place } from './pushing.js';

const place = (account = 'here', target: Place['target'] = 'raw'): Place => ({ account, provider: 'cloud', target });
const push = (number: number, ...places: Place[]): ImageCommand => ({ type: 'Push', version: id(number), places });
const all = (number: number, ...places: Place[]): ImageCommand => ({ type: 'PushAll', version: id(number), places });
const of = (attempt = 1) => ({ version: id(1), account: 'here', attempt });
const one = [...begun, ...complete(1)];
const pushFailed = (attempt = 1, error = 'no quota'): ImageEvent => ({ type: 'PushFailed', data: { version: id(1), account: 'here', attempt, error } });
const step = (facts: Record<string, string>): ImageEvent => ({ type: 'PushStep', data: { version: id(1), account: 'here', facts } });

describe('pushing', () => {
  test('begins at each account where it is not, or not any more', () => {
    given(...one).when(push(1, place('here'), place('there'))).then(pushing(1), pushing(1, 'there'));
    given(...one, ...pushed(1)).when(push(1, place('here'), place('there'))).then(pushing(1, 'there'));
    given(...one, pushing(1)).when(push(1, place())).then();
    given(...one, pushing(1), pushFailed()).when(push(1, place())).then(pushing(1, 'here', 2));
    given(...one, ...pushed(1), leaving(1, { account: 'here' }), gone(1, { account: 'here' })).when(push(1, place())).then(pushing(1, 'here', 2));
  });
  test('is refused while it is being removed there, and of what is not built', () => {
    given(...one, ...pushed(1), leaving(1, { account: 'here' })).when(push(1, place())).thenRejected('push-live', 'accounts');
    given(...one, ...pushed(1), leaving(1, { account: 'here' }), stuck(1, { account: 'here' })).when(push(1, place())).thenRejected('push-live', 'accounts');
    given(...begun, ...requested(1)).when(push(1, place())).thenRejected('target-not-built', 'accounts');
    given(...begun, ...requested(1), failed(1)).when(push(1, place())).thenRejected('target-not-built', 'accounts');
    given(...one).when(push(1, place('here', 'ec2'))).thenRejected('target-not-built', 'accounts');
    given(...one).when(push(9, place())).thenRejected('unknown-version');
  });
  test('is refused of what may not be launched', () => {
    given(...one, ...revoked(1)).when(push(1, place())).thenRejected('version-revoked', 'version');
    given(...one, marked(1, 'disabled')).when(push(1, place())).thenRejected('version-disabled', 'version');
    given(...one, leaving(1)).when(push(1, place())).thenRejected('version-deleted', 'version');
    given(...one, marked(1, 'deprecated')).when(push(1, place())).then(pushing(1));
  });
  test('what is built of a version can be pushed while the rest of it is not', () => {
    given(...begun, ...requested(1, ['raw', 'oci']), completed(1)).when(push(1, place())).then(pushing(1));
  });
});

describe('pushing to all accounts', () => {
  test('begins where the target is built and it is not there', () => {
    given(...one, ...pushed(1)).when(all(1, place('here'), place('there'), place('cloud', 'ec2'))).then(pushing(1, 'there'));
    given(...one, ...pushed(1), leaving(1, { account: 'here' })).when(all(1, place('here'), place('there'))).then(pushing(1, 'there'));
    given(...one, ...pushed(1)).when(all(1, place())).then();
  });
  test('is refused when nothing fits, or something newer is built', () => {
    given(...one).when(all(1, place('cloud', 'ec2'))).thenRejected('target-not-built', 'version');
    given(...one).when(all(1)).thenRejected('target-not-built', 'version');
    given(...one, ...requested(2)).when(all(1, place())).then(pushing(1));
    given(...one, ...requested(2, ['raw', 'oci']), completed(2)).when(all(1, place())).thenRejected('version-outdated', 'version');
    given(...one, ...complete(2, 1), gone(2)).when(all(1, place())).then(pushing(1));
  });
});

describe('how far a push is', () => {
  const progress = (percent: number, attempt = 1, activity = 'copies'): ImageCommand => ({ type: 'PushProgress', ...of(attempt), percent, activity });
  const progressed = (percent: number, activity = 'copies'): ImageEvent => ({ type: 'PushProgressed', data: { version: id(1), account: 'here', percent, activity } });
  test('never less than before within an attempt, and complete only at the end', () => {
    given(...one, pushing(1)).when(progress(40)).then(progressed(40));
    given(...one, pushing(1), progressed(40)).when(progress(30)).then();
    given(...one, pushing(1), progressed(40)).when(progress(30, 1, 'waits')).then(progressed(40, 'waits'));
    given(...one, pushing(1)).when(progress(100)).then(progressed(99));
    given(...one, pushing(1), progressed(40), pushFailed(), pushing(1, 'here', 2)).when(progress(10, 2)).then(progressed(10));
    given(...one, pushing(1), progressed(40), pushFailed(), pushing(1, 'here', 2)).when(progress(50, 1)).then();
    given(...one).when(progress(10)).then();
  });
  test('facts are stored when they are new, also while it is being removed', () => {
    const keep = (facts: Record<string, string>, attempt = 1): ImageCommand => ({ type: 'KeepPushFacts', ...of(attempt), facts });
    given(...one, pushing(1)).when(keep({ task: 'a' })).then(step({ task: 'a' }));
    given(...one, pushing(1), step({ task: 'a' })).when(keep({ task: 'a' })).then();
    given(...one, pushing(1)).when(keep({ task: 'a' }, 2)).then();
    given(...one, ...pushed(1)).when(keep({ task: 'a' })).then();
    given(...one, ...pushed(1), leaving(1, { account: 'here' })).when(keep({ left: 'a' })).then(step({ left: 'a' }));
  });
  test('ends once, and its errors stay', () => {
    const done: ImageCommand = { type: 'CompletePush', ...of(), id: 'made-here' };
    given(...one, pushing(1)).when(done).then(pushed(1)[1]!);
    given(...one, ...pushed(1)).when(done).then();
    given(...one, pushing(1)).when({ type: 'FailPush', ...of(), error: 'no quota' }).then(pushFailed());
    given(...one, pushing(1), pushFailed()).when({ type: 'FailPush', ...of(), error: 'again' }).then();
    given(...one, pushing(1), pushFailed(), pushing(1, 'here', 2)).when(done).then();
    const { state } = given(...one, pushing(1), pushFailed(), pushing(1, 'here', 2), pushFailed(2, 'no route'), pushing(1, 'here', 3), pushed(1)[1]!);
    expect(state.versions.get(id(1))!.pushes.get('here')).toMatchObject({ status: 'COMPLETE', percent: 100, id: 'made-here', failed: [{ attempt: 1, error: 'no quota' }, { attempt: 2, error: 'no route' }] });
  });
});

describe('taking in what a provider has', () => {
  const take = (number: number, more: object = {}): ImageCommand => ({ type: 'Import', version: id(number), place: place('cloud', 'ec2'), id: 'ami-1', labels: {}, ...more });
  const taken = (number: number, counted = number, more: object = {}): ImageEvent => ({ type: 'VersionImported', data: { version: id(number), number: counted, revision: 0, target: 'ec2', account: 'cloud', id: 'ami-1', labels: {}, ...more } });
  test('makes a version that is complete, and the image where there is none', () => {
    given().when(take(1, { os: { name: 'debian' } })).then(taken(1, 1, { os: { name: 'debian' } }), channel(), assigned(1, null, 'managed'));
    given(...one).when(take(2)).then(taken(2), assigned(2, 1, 'managed'));
    given(taken(1), channel()).when(take(1)).then();
  });
  test('once: the same image of the same account is one version', () => {
    given(taken(1), channel()).when(take(2)).thenRejected('name-taken', 'id');
    given(taken(1), channel(), gone(1, { account: 'cloud' }), gone(1)).when(take(2)).then(taken(2), assigned(2, null, 'managed'));
  });
  test('can be pointed at like any other', () => {
    given(...begun, channel('stable', false), taken(1)).when({ type: 'Assign', image: 'web', channel: 'stable', version: id(1), retest: false }).then(assigned(1, null, 'assign', 'stable'));
    given(...begun, ...built(1)).when(take(2)).then(taken(2), assigned(2, null, 'managed'));
  });
});
