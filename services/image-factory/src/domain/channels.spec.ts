import { derivedId, type ImageEvent } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import type { ImageCommand } from './decide.js';
import { assigned, begun, built, channel, complete, completed, ended, failed, given, gone, id, leaving, made, marked, NOW, requested, revoked } from '../spec/image.testing.js';

const finish = (number: number): ImageCommand => ({ type: 'Complete', version: id(number), target: 'raw', attempt: 1, made });
const assign = (number: number, more: object = {}): ImageCommand => ({ type: 'Assign', image: 'web', channel: 'latest', version: id(number), retest: false, ...more });
const back = (more: object = {}): ImageCommand => ({ type: 'RollBack', image: 'web', channel: 'latest', reason: 'it fails', ...more });
const revoke = (number: number, more: object = {}): ImageCommand => ({ type: 'Revoke', version: id(number), at: NOW, now: NOW, reason: 'broken', cascade: true, ...more });
const build = (number: number, nth: number, name = 'tested') => derivedId(id(number), `test for ${name} ${nth}`);
const testing = (number: number, nth: number, more: object = {}): ImageEvent => ({ type: 'TestStarted', data: { channel: 'tested', version: id(number), build: build(number, nth), plan: 'smoke', by: 'managed', attempt: 1, ...more } });
const tested = (number: number, nth: number, passed: boolean, more: object = {}): ImageEvent => ({ type: 'TestEnded', data: { channel: 'tested', version: id(number), build: build(number, nth), passed, ...more } });
const cancelled = (number: number, nth: number, error: string): ImageEvent => tested(number, nth, false, { cancelled: true, error });
const endTest = (number: number, nth: number, passed: boolean, error?: string): ImageCommand => ({ type: 'EndTest', channel: 'tested', build: build(number, nth), passed, ...(error !== undefined && { error }) });
const three = [...begun, ...complete(1), ...complete(2, 1), ...complete(3, 2)];
const withTest = [...begun, channel('tested', true, 'smoke')];

describe('a channel that follows what is built', () => {
  test('points at each version once it is complete; one that does not follow stays', () => {
    given(...begun, channel('stable', false), ...requested(1)).when(finish(1)).then(completed(1), ended(1), assigned(1, null, 'managed'));
    given(...begun, ...complete(1), ...requested(2)).when(finish(2)).then(completed(2), ended(2), assigned(2, 1, 'managed'));
  });
  test('never goes back by itself: not to what was longer in the making, not to what was rolled back from', () => {
    given(...begun, ...requested(1), ...requested(2), completed(2), ended(2), assigned(2, null, 'managed')).when(finish(1)).then(completed(1), ended(1));
    given(...three, assigned(2, 3, 'rollback'), ...requested(4)).when(finish(4)).then(completed(4), ended(4), assigned(4, 2, 'managed'));
    given(...begun, ...complete(1), ...requested(2), ...complete(3, 1), ...revoked(3), assigned(1, 3, 'revoke')).when(finish(2)).then(completed(2), ended(2));
  });
});

describe('assigning', () => {
  test('points it at what may be used, once', () => {
    given(...three).when(assign(1, { reason: 'known to be good' })).then(assigned(1, 3, 'assign', 'latest', 'known to be good'));
    given(...three).when(assign(3)).then();
  });
  test('is refused for all that may not be used, and says which', () => {
    given(...begun, ...requested(1)).when(assign(1)).thenRejected('version-not-complete', 'version');
    given(...begun, ...requested(1, ['raw', 'oci']), completed(1), failed(1, 'oci'), ended(1, 'PARTIAL')).when(assign(1)).thenRejected('version-not-complete', 'version');
    given(...begun, ...requested(1), failed(1), ended(1, 'FAILED')).when(assign(1)).thenRejected('version-not-complete', 'version');
    given(...three, ...revoked(1)).when(assign(1)).thenRejected('version-revoked', 'version');
    given(...three, marked(1, 'disabled')).when(assign(1)).thenRejected('version-disabled', 'version');
    given(...three, leaving(1)).when(assign(1)).thenRejected('version-deleted', 'version');
    given(...three, gone(1)).when(assign(1)).thenRejected('version-deleted', 'version');
    given(...three).when(assign(9)).thenRejected('unknown-version', 'version');
    given(...three).when(assign(1, { channel: 'none' })).thenRejected('unknown-channel', 'channel');
    given().when(assign(1)).thenRejected('unknown-image', 'image');
    given(...three, marked(1, 'deprecated')).when(assign(1)).then(assigned(1, 3, 'assign'));
  });
});

describe('rolling back', () => {
  test('goes to the one before it that may be used, and again to the one before that', () => {
    given(...three).when(back()).then(assigned(2, 3, 'rollback', 'latest', 'it fails'));
    given(...three, assigned(2, 3, 'rollback')).when(back()).then(assigned(1, 2, 'rollback', 'latest', 'it fails'));
    given(...three, assigned(2, 3, 'rollback'), assigned(1, 2, 'rollback')).when(back()).thenRejected('no-version-before', 'to');
    given(...three, ...revoked(2)).when(back()).then(assigned(1, 3, 'rollback', 'latest', 'it fails'));
    given(...three, ...revoked(2), gone(1)).when(back()).thenRejected('no-version-before');
  });
  test('goes to one that is named when the channel has pointed at it', () => {
    given(...three).when(back({ to: id(1) })).then(assigned(1, 3, 'rollback', 'latest', 'it fails'));
    given(...three).when(back({ to: id(3) })).then();
    given(...three, channel('stable', false)).when(back({ channel: 'stable', to: id(1) })).thenRejected('no-version-before', 'to');
    given(...three, ...revoked(1)).when(back({ to: id(1) })).thenRejected('version-revoked');
  });
  test('only if it still points where somebody thinks that it does', () => {
    given(...three).when(back({ from: id(2) })).thenRejected('channel-moved', 'from');
    given(...three).when(back({ from: id(3) })).then(assigned(2, 3, 'rollback', 'latest', 'it fails'));
    given(...three).when(back({ channel: 'none' })).thenRejected('unknown-channel');
    given().when(back()).thenRejected('unknown-image');
  });
});

describe('revoking', () => {
  const told = (number: number, more: object = {}): ImageEvent => ({ type: 'VersionRevoked', data: { version: id(number), at: NOW, reason: 'broken', cascade: true, ...more } });
  const due = (number: number): ImageEvent => ({ type: 'RevocationDue', data: { version: id(number) } });
  const why = (number: number) => `version ${number} was revoked: broken`;
  test('takes channels back in the same moment, to nothing where there is nothing before', () => {
    given(...three).when(revoke(3)).then(told(3), due(3), assigned(2, 3, 'revoke', 'latest', why(3)));
    given(...begun, ...complete(1)).when(revoke(1)).then(told(1), due(1), assigned(null, 1, 'revoke', 'latest', why(1)));
    given(...three).when(revoke(1)).then(told(1), due(1));
    given(...three, ...revoked(3), assigned(2, 3, 'revoke')).when(revoke(3)).then();
  });
  test('later: nothing moves until then', () => {
    const later = '2030-02-01T00:00:00Z';
    given(...three).when(revoke(3, { at: later })).then(told(3, { at: later }));
    given(...three, told(3, { at: later })).when({ type: 'RevocationDue', version: id(3), now: NOW }).then();
    given(...three, told(3, { at: later })).when({ type: 'RevocationDue', version: id(3), now: later }).then(due(3), assigned(2, 3, 'revoke', 'latest', why(3)));
    given(...three, told(3, { at: later })).when(revoke(3)).then(told(3), due(3), assigned(2, 3, 'revoke', 'latest', why(3)));
    given(...three, ...revoked(3)).when({ type: 'RevocationDue', version: id(3), now: later }).then();
  });
  test('what was restored may be used again, and comes back to a channel only when somebody says so', () => {
    const restored: ImageEvent = { type: 'VersionRestored', data: { version: id(3), reason: 'mended', cascade: false } };
    given(...three, ...revoked(3), assigned(2, 3, 'revoke')).when({ type: 'Restore', version: id(3), reason: 'mended', cascade: false }).then(restored);
    given(...three, ...revoked(3), assigned(2, 3, 'revoke'), restored).when(assign(3)).then(assigned(3, 2, 'assign'));
    given(...three).when({ type: 'Restore', version: id(3), reason: 'x', cascade: true }).thenRejected('version-not-revoked', 'version');
  });
  test('with what it is made of, once for each revocation of that: what was restored for itself stays so', () => {
    const ancestor = { image: 'base', version: id(99) };
    given(...three).when(revoke(3, { ancestor })).then(told(3, { ancestor }), due(3), assigned(2, 3, 'revoke', 'latest', why(3)));
    const restored = [...three, ...revoked(3, { ancestor }), assigned(2, 3, 'revoke'), { type: 'VersionRestored', data: { version: id(3), reason: 'it is fine' } }] as ImageEvent[];
    given(...restored).when(revoke(3, { ancestor })).then();
    const later = '2030-02-01T00:00:00Z';
    given(...restored).when(revoke(3, { ancestor, at: later, now: later })).then(told(3, { ancestor, at: later }), due(3));
    given(...restored).when(revoke(3)).then(told(3), due(3));
  });
  test('with what it is made of, and for itself: that goes on when the other is taken back', () => {
    const ancestor = { image: 'base', version: id(99) };
    const later = '2030-02-01T00:00:00Z';
    const followed = [...three, ...revoked(3, { ancestor }), assigned(2, 3, 'revoke')];
    const back = (more: object = {}): ImageCommand => ({ type: 'Restore', version: id(3), reason: 'restored', cascade: true, ancestor: { ...ancestor, at: NOW, ...more } });
    const restored: ImageEvent = { type: 'VersionRestored', data: { version: id(3), reason: 'restored', cascade: true, ancestor } };
    given(...followed).when(back()).then(restored);
    given(...followed).when(back({ at: later })).then();
    given(...followed).when(back({ version: id(98) })).then();
    given(...followed, restored).when(back()).then();
    given(...three, ...revoked(3), assigned(2, 3, 'revoke')).when(back()).then();

    given(...followed).when(revoke(3, { ancestor: { image: 'other', version: id(98) } })).then();
    given(...followed).when(revoke(3)).then(told(3), due(3));
    given(...followed, told(3), due(3)).when(revoke(3)).then();
    given(...followed, told(3), due(3)).when(back()).then();

    const waiting = [...followed, told(3, { at: later })];
    given(...followed).when(revoke(3, { at: later })).then(told(3, { at: later }));
    given(...waiting).when(revoke(3, { at: later })).then();
    given(...waiting).when({ type: 'RevocationDue', version: id(3), now: NOW }).then();
    given(...waiting).when({ type: 'RevocationDue', version: id(3), now: later }).then(told(3, { at: later }), due(3));
    given(...waiting, told(3, { at: later }), due(3)).when({ type: 'RevocationDue', version: id(3), now: later }).then();
    given(...waiting, told(3, { at: later }), due(3)).when(back()).then();
    given(...waiting).when(back()).then(restored, told(3, { at: later }));
    given(...waiting, restored, told(3, { at: later })).when({ type: 'RevocationDue', version: id(3), now: later }).then(due(3));
    given(...three, told(3, { at: later }), told(3, { ancestor }), due(3), assigned(2, 3, 'revoke')).when(back()).then(restored, told(3, { at: later }));
    // Who restores it for itself takes back both.
    given(...waiting, { type: 'VersionRestored', data: { version: id(3), reason: 'well', cascade: true } }).when({ type: 'RevocationDue', version: id(3), now: later }).then();
  });
});

describe('disabling', () => {
  const disable: ImageCommand = { type: 'Mark', version: id(3), as: 'disabled', reason: 'said so' };
  test('is refused while a channel points at it, and ends its test', () => {
    given(...three).when(disable).thenRejected('version-in-use', 'version');
    given(...three, assigned(2, 3, 'rollback')).when(disable).then(marked(3, 'disabled'));
    given(...withTest, ...built(3), testing(3, 1)).when(disable).then(cancelled(3, 1, 'version 3 is disabled'), marked(3, 'disabled'));
    given(...three, assigned(2, 3, 'rollback'), marked(3, 'disabled')).when(disable).then();
  });
});

describe('a channel with a test', () => {
  test('points at a version once that has passed', () => {
    given(...withTest, ...requested(1)).when(finish(1)).then(completed(1), ended(1), assigned(1, null, 'managed'), testing(1, 1));
    given(...withTest, ...built(1), testing(1, 1)).when(endTest(1, 1, true)).then(tested(1, 1, true), assigned(1, null, 'managed', 'tested'));
    given(...withTest, ...built(1), testing(1, 1)).when(endTest(1, 1, false, 'no boot')).then(tested(1, 1, false, { error: 'no boot' }));
    given(...withTest, ...built(1), testing(1, 1), tested(1, 1, true), assigned(1, null, 'managed', 'tested')).when(endTest(1, 1, true)).then();
  });
  test('does not try again what has failed unless somebody says so, and needs no test of what has passed', () => {
    const hasFailed = [...withTest, ...built(1), testing(1, 1), tested(1, 1, false)];
    given(...hasFailed).when(assign(1, { channel: 'tested' })).thenRejected('test-failed', 'version');
    given(...hasFailed).when(assign(1, { channel: 'tested', retest: true })).then(testing(1, 2, { by: 'assign', attempt: 2 }));
    const hasPassed = [...withTest, ...built(1), ...built(2), testing(1, 1), tested(1, 1, true), assigned(1, null, 'managed', 'tested'), testing(2, 2), tested(2, 2, true), assigned(2, 1, 'managed', 'tested')];
    given(...hasPassed).when(assign(1, { channel: 'tested' })).then(assigned(1, 2, 'assign', 'tested'));
  });
  test('tests the newest that is to come, and one that was longer in the making does not take its place', () => {
    const under = [...withTest, ...requested(1), ...built(2), assigned(2, null, 'managed'), testing(2, 1)];
    given(...under).when(finish(1)).then(completed(1), ended(1));
    given(...under, ...requested(3)).when(finish(3)).then(completed(3), ended(3), assigned(3, 2, 'managed'), cancelled(2, 1, 'version 3 is to come instead'), testing(3, 2));
  });
  test('knows nothing of a version whose test was ended by something else', () => {
    const over = [...withTest, ...built(2), ...built(3), testing(2, 1), cancelled(2, 1, 'version 3 is to come instead'), testing(3, 2), tested(3, 2, true), assigned(3, null, 'managed', 'tested')];
    given(...over).when(assign(2, { channel: 'tested' })).then(testing(2, 3, { by: 'assign', attempt: 2 }));
  });
  test('knows nothing of what another test has said', () => {
    const other = [...withTest, ...built(1), testing(1, 1), tested(1, 1, true), assigned(1, null, 'managed', 'tested'), ...built(2), testing(2, 2), tested(2, 2, false), channel('tested', true, 'other')];
    given(...other).when(assign(2, { channel: 'tested' })).then(testing(2, 3, { by: 'assign', plan: 'other' }));
    given(...withTest, ...built(1), testing(1, 1)).when({ type: 'SaveChannel', image: 'web', channel: 'tested', managed: true, test: 'other' })
      .then(cancelled(1, 1, 'the channel has another test now'), channel('tested', true, 'other'));
  });
  test('has a build of its own for each test, also when a channel of that name was there before', () => {
    const anew = [...withTest, ...built(1), testing(1, 1), { type: 'TestEnded', data: { channel: 'tested', version: id(1), build: build(1, 1), passed: false } }, { type: 'ChannelRemoved', data: { channel: 'tested' } }, channel('tested', false, 'smoke')] as ImageEvent[];
    given(...anew).when(assign(1, { channel: 'tested' })).then(testing(1, 2, { by: 'assign' }));
  });
  test('does not point at what may not be used any more when its test has passed', () => {
    given(...withTest, ...built(1), testing(1, 1)).when(revoke(1)).then(...revoked(1), cancelled(1, 1, 'version 1 was revoked: broken'));
    given(...withTest, ...built(1), testing(1, 1), marked(1, 'disabled')).when(endTest(1, 1, true)).then(tested(1, 1, true));
    given(...withTest, ...built(1), testing(1, 1)).when({ type: 'DeleteVersion', version: id(1), cascade: true, hosts: false })
      .then(cancelled(1, 1, 'version 1 was removed'), leaving(1), leaving(1, { target: 'raw' }));
    given(...withTest, ...built(1), ...built(2), testing(1, 1), tested(1, 1, true), assigned(1, null, 'managed', 'tested'), testing(2, 2), tested(2, 2, true), assigned(2, 1, 'managed', 'tested'), testing(1, 3)).when(back({ channel: 'tested' }))
      .then(cancelled(1, 3, 'the channel was rolled back: it fails'), assigned(1, 2, 'rollback', 'tested', 'it fails'));
  });
});

describe('channels come and go', () => {
  const save = (more: object = {}): ImageCommand => ({ type: 'SaveChannel', image: 'web', channel: 'stable', managed: false, ...more });
  const remove = (more: object = {}): ImageCommand => ({ type: 'RemoveChannel', image: 'web', channel: 'stable', ...more });
  test('one is saved once, and keeps where it points', () => {
    given(...begun).when(save()).then(channel('stable', false));
    given(...begun, channel('stable', false)).when(save()).then();
    expect(given(...three, channel('stable', false), assigned(2, null, 'assign', 'stable'), channel('stable', true)).state.channels.get('stable')).toMatchObject({ managed: true, version: id(2), history: [id(2)] });
    given().when(save()).thenRejected('unknown-image');
    given(...begun).when(save({ channel: 'latest' })).thenRejected('invalid-data', 'managed');
  });
  test('one that nothing needs is removed with its test; `latest` stays', () => {
    given(...begun, channel('stable', false)).when(remove()).then({ type: 'ChannelRemoved', data: { channel: 'stable' } });
    given(...begun, channel('stable', false)).when(remove({ inUse: 'deployable shop' })).thenRejected('channel-in-use', 'channel');
    given(...begun).when(remove({ channel: 'latest' })).thenRejected('channel-in-use', 'channel');
    given(...begun).when(remove()).thenRejected('unknown-channel');
    given(...withTest, ...built(1), testing(1, 1)).when(remove({ channel: 'tested' })).then(cancelled(1, 1, 'the channel was removed'), { type: 'ChannelRemoved', data: { channel: 'tested' } });
  });
});
