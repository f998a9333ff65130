import { imageTemplate, type ImageEvent, type ImageTarget } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { buildOf } from './building.js';
import type { ImageCommand } from './decide.js';
import { assigned, begun, channel, complete, completed, ended, failed, given, gone, id, leaving, made, marked, requested, revoked, saved, started } from '../spec/image.testing.js';
import { noImage } from './image.js';
import type { Said } from './revision.js';

const build = (number: number, more: object = {}): ImageCommand => ({ type: 'Build', image: 'web', version: id(number), available: ['raw', 'oci'], labels: {}, cause: 'asked', ...more });
const of = (number: number, attempt = 1, target: ImageTarget = 'raw') => ({ version: id(number), target, attempt });

describe('asking for a version', () => {
  test('each target is built by a build of its own, all that are there unless some are named', () => {
    given(...begun).when(build(1)).then(...requested(1, ['raw', 'oci']));
    given(...begun).when(build(1, { targets: ['oci', 'oci'] })).then(...requested(1, ['oci']));
    const parent = { image: 'base', version: id(9) };
    given(...begun).when(build(1, { targets: ['raw'], labels: { team: 'web' }, reason: 'why not', parent })).then(
      { type: 'VersionRequested', data: { version: id(1), number: 1, revision: 1, targets: ['raw'], labels: { team: 'web' }, cause: 'asked', reason: 'why not', parent } }, started(1));
  });
  test('the same again is nothing new, also once it is over', () => {
    given(...begun, ...requested(1)).when(build(1)).then();
    given(...begun, ...complete(1), gone(1)).when(build(1)).then();
  });
  test('numbers go on counting, also over what was removed and under the name of a removed image', () => {
    given(...begun, ...complete(1), ...complete(2, 1)).when(build(3, { targets: ['raw'] })).then(...requested(3));
    given(...begun, ...complete(1), gone(1), { type: 'ImageRemoved', data: {} }, saved(2)).when(build(3, { targets: ['raw'] })).then(
      { type: 'VersionRequested', data: { version: id(3), number: 2, revision: 2, targets: ['raw'], labels: {}, cause: 'asked' } }, started(3));
  });
  test('is refused of what is not there, has no template, or can not be built so', () => {
    given().when(build(1)).thenRejected('unknown-image');
    given(...begun, { type: 'ImageRemoved', data: {} }).when(build(1)).thenRejected('unknown-image');
    given({ type: 'VersionImported', data: { version: id(1), number: 1, revision: 0, target: 'ec2', account: 'here', id: 'ami-1', labels: {} } }).when(build(2)).thenRejected('version-imported', 'image');
    given(...begun).when(build(1, { available: [] })).thenRejected('unbuildable-target', 'targets');
    given(...begun).when(build(1, { targets: ['raw', 'ec2'] })).thenRejected('unbuildable-target', 'targets');
  });
});

describe('a revision of an image', () => {
  const spec = { source: 'name: web', format: 'yaml' as const, template: saved().data['template' as never] };
  test('is saved once, with the channel that every image has', () => {
    given().when({ type: 'Save', said: spec }).then(...begun);
    given(...begun).when({ type: 'Save', said: spec }).then();
    given(...begun).when({ type: 'Save', said: { ...spec, environment: 'prod' } }).then(saved(2, { environment: 'prod' }));
  });
  describe('with what is said beside its template', () => {
    const own = imageTemplate.parse({ name: 'web', os: { name: 'debian', version: '12' }, targets: { raw: {} } });
    const targets = { oci: { host: {} }, raw: { host: {}, size: '9GiB' } };
    const all = { targets, environment: 'prod', retention: { keep: 5, maxAge: 7 }, rebuild: { schedule: '0 3 * * 1', onParent: true } };
    const merged = { ...own, targets: { ...targets, raw: own.targets.raw } };
    const before = [saved(1, { ...all, template: merged }), channel()];
    const said = { source: 'name: web', format: 'yaml' as const, template: own };
    const kept = { ...said, unsaid: 'kept' as const };
    const next = (less: object) => saved(2, { ...all, template: merged, ...less });

    test('the template goes before it', () => given().when({ type: 'Save', said: { ...said, ...all } }).then(...before));
    test('the same again is no new revision, whether it is said again or kept', () => {
      given(...before).when({ type: 'Save', said: { ...said, ...all } }).then();
      given(...before).when({ type: 'Save', said: kept }).then();
    });
    test('what is not said is gone, unless it is to be kept', () => {
      given(...before).when({ type: 'Save', said }).then(saved(2, { template: own }));
      given(...before).when({ type: 'Save', said: { ...kept, source: 'other' } }).then(next({ source: 'other' }));
      given(...before, { type: 'ImageRemoved', data: {} }).when({ type: 'Save', said: kept }).then(saved(2, { template: own }), channel());
      given().when({ type: 'Save', said: kept }).then(saved(1, { template: own }), channel());
    });
    test.each<[Partial<Said>, object]>([
      [{ environment: null }, { environment: undefined }],
      [{ environment: 'trial' }, { environment: 'trial' }],
      [{ targets: null }, { targets: undefined, template: own }],
      [{ targets: { mock: { host: {}, outcome: 'failed' } } }, { targets: { mock: { host: {}, outcome: 'failed' } }, template: { ...own, targets: { mock: { host: {}, outcome: 'failed' }, raw: own.targets.raw } } }],
      [{ retention: null }, { retention: undefined }],
      [{ retention: { keep: 3 } }, { retention: { keep: 3, maxAge: 7 } }],
      [{ retention: { maxAge: 8 } }, { retention: { keep: 5, maxAge: 8 } }],
      [{ retention: { maxAge: null } }, { retention: { keep: 5 } }],
      [{ rebuild: null }, { rebuild: undefined }],
      [{ rebuild: { schedule: null } }, { rebuild: { onParent: true } }],
      [{ rebuild: { onParent: false } }, { rebuild: { schedule: '0 3 * * 1', onParent: false } }],
    ])('%j says something of itself alone', (change, less) => given(...before).when({ type: 'Save', said: { ...kept, ...change } }).then(JSON.parse(JSON.stringify(next(less))) as ImageEvent));
    test('parts that nothing says', () => {
      given().when({ type: 'Save', said: { ...said, retention: { maxAge: 8 }, rebuild: { schedule: '0 3 * * 1' } } }).then(saved(1, { template: own, retention: { keep: 10, maxAge: 8 }, rebuild: { schedule: '0 3 * * 1', onParent: false } }), channel());
      given(...before).when({ type: 'Save', said: { ...said, retention: { keep: 3 }, rebuild: { onParent: true } } }).then(saved(2, { template: own, retention: { keep: 3 }, rebuild: { onParent: true } }));
    });
  });
  test('never has the number of one before, also after the image was removed without a version of it', () => {
    given(...begun, saved(2, { environment: 'prod' }), { type: 'ImageRemoved', data: {} }).when({ type: 'Save', said: spec }).then(saved(3), begun[1]!);
  });
});

describe('how far a target is', () => {
  const progress = (percent: number, activity = 'builds', attempt = 1): ImageCommand => ({ type: 'Progress', ...of(1, attempt), percent, activity });
  const progressed = (percent: number, activity = 'builds'): ImageEvent => ({ type: 'TargetProgressed', data: { version: id(1), target: 'raw', percent, activity } });
  const under = [...begun, ...requested(1)];
  test('is told when it is further or does something else, never less than before and complete only at the end', () => {
    given(...under).when(progress(10.4)).then(progressed(10));
    given(...under, progressed(10)).when(progress(10)).then();
    given(...under, progressed(10)).when(progress(5)).then();
    given(...under, progressed(10)).when(progress(5, 'waits')).then(progressed(10, 'waits'));
    given(...under).when(progress(100)).then(progressed(99));
  });
  test('says nothing of another attempt, or once it is over', () => {
    given(...under).when(progress(10, 'builds', 2)).then();
    given(...begun, ...complete(1)).when(progress(10)).then();
    given(...begun).when(progress(10)).then();
    given(...under, progressed(50), failed(1), ended(1, 'FAILED'), started(1, 'raw', 2)).when(progress(10, 'builds', 2)).then(progressed(10));
  });
  test('facts are stored when they are new; an empty text takes one away', () => {
    const facts = (more: Record<string, string>): ImageCommand => ({ type: 'KeepFacts', ...of(1), facts: more });
    const step = (more: Record<string, string>): ImageEvent => ({ type: 'TargetStep', data: { version: id(1), target: 'raw', facts: more } });
    given(...under).when(facts({ ami: 'a' })).then(step({ ami: 'a' }));
    given(...under, step({ ami: 'a' })).when(facts({ ami: 'a' })).then();
    given(...under, step({ ami: 'a' })).when(facts({ ami: '' })).then(step({ ami: '' }));
    expect(given(...under, step({ ami: 'a', b: 'c' }), step({ ami: '' })).state.versions.get(id(1))!.targets.get('raw')!.facts).toEqual({ b: 'c' });
    given(...under).when(facts({ ami: '' })).then();
  });
});

describe('the end of a target', () => {
  const two = [...begun, ...requested(1, ['raw', 'oci'])];
  const complete1: ImageCommand = { type: 'Complete', ...of(1), made };
  const fail: ImageCommand = { type: 'Fail', ...of(1), error: 'no space' };
  test('is the end of its version when it is the last one: all, some or none of it was built', () => {
    given(...two).when(complete1).then(completed(1));
    given(...two, completed(1, 'oci')).when(complete1).then(completed(1), ended(1), assigned(1, null, 'managed'));
    given(...two, failed(1, 'oci')).when(complete1).then(completed(1), ended(1, 'PARTIAL'));
    given(...two, completed(1, 'oci')).when(fail).then(failed(1), ended(1, 'PARTIAL'));
    given(...two, failed(1, 'oci')).when(fail).then(failed(1), ended(1, 'FAILED'));
  });
  test('counts once, and only that of the attempt that is under way', () => {
    for (const command of [complete1, fail]) {
      given(...begun, ...complete(1)).when(command).then();
      given(...begun, ...requested(1), failed(1), ended(1, 'FAILED')).when(command).then();
      given(...begun, ...requested(1), failed(1), ended(1, 'FAILED'), started(1, 'raw', 2)).when(command).then();
      given(...begun).when(command).then();
    }
  });
  test('moves no channel to what was revoked or disabled meanwhile', () => {
    given(...begun, ...requested(1), ...revoked(1)).when(complete1).then(completed(1), ended(1));
    given(...begun, ...requested(1), marked(1, 'disabled')).when(complete1).then(completed(1), ended(1));
  });
});

describe('building a target once more', () => {
  const again: ImageCommand = { type: 'Rebuild', version: id(1), target: 'raw' };
  test('is another attempt, and its errors stay', () => {
    const failedOnce = [...begun, ...requested(1), failed(1), ended(1, 'FAILED')];
    given(...failedOnce).when(again).then(started(1, 'raw', 2));
    const { state } = given(...failedOnce, started(1, 'raw', 2), failed(1, 'raw', 2, 'no route'));
    expect(state.versions.get(id(1))!.targets.get('raw')!.failed).toEqual([{ attempt: 1, error: 'no space' }, { attempt: 2, error: 'no route' }]);
    expect(buildOf(id(1), 'raw', 2)).not.toBe(buildOf(id(1), 'raw', 1));
  });
  test('makes a version that was built in part complete, and channels follow', () => {
    given(...begun, ...requested(1, ['raw', 'oci']), completed(1, 'oci'), failed(1), ended(1, 'PARTIAL'), started(1, 'raw', 2))
      .when({ type: 'Complete', ...of(1, 2), made }).then(completed(1), ended(1), assigned(1, null, 'managed'));
  });
  test('is refused while it is built, when it has not failed, and of what is not there', () => {
    given(...begun, ...requested(1)).when(again).thenRejected('target-live', 'target');
    given(...begun, ...complete(1)).when(again).thenRejected('target-not-failed', 'target');
    given(...begun, ...requested(1)).when({ ...again, target: 'oci' }).thenRejected('target-not-there', 'target');
    given(...begun).when(again).thenRejected('unknown-version');
    given(...begun, ...requested(1), failed(1), ended(1, 'FAILED'), leaving(1)).when(again).thenRejected('version-deleted');
    given(...begun, { type: 'VersionImported', data: { version: id(1), number: 1, revision: 0, target: 'raw', account: 'here', id: 'x', labels: {} } }).when(again).thenRejected('version-imported');
  });
});

describe('aborting', () => {
  const abort: ImageCommand = { type: 'Abort', version: id(1), reason: 'wrong one' };
  test('ends what is being built, and leaves what was', () => {
    given(...begun, ...requested(1, ['raw', 'oci']), completed(1, 'oci')).when(abort).then(failed(1, 'raw', 1, 'it was aborted: wrong one'), ended(1, 'PARTIAL'));
    given(...begun, ...requested(1)).when(abort).then(failed(1, 'raw', 1, 'it was aborted: wrong one'), ended(1, 'FAILED'));
    given(...begun, ...complete(1)).when(abort).then();
    given(...begun).when(abort).thenRejected('unknown-version');
  });
});

describe('labels and attributes', () => {
  test('labels stay as they are once a version is complete; attributes can be set at any time, and an empty one is taken away', () => {
    const labels: ImageCommand = { type: 'SetLabels', version: id(1), labels: { team: 'web' } };
    given(...begun, ...requested(1)).when(labels).then({ type: 'LabelsSet', data: { version: id(1), labels: { team: 'web' } } });
    given(...begun, ...complete(1)).when(labels).thenRejected('labels-frozen', 'labels');
    given(...begun, ...requested(1), failed(1), ended(1, 'FAILED')).when(labels).then({ type: 'LabelsSet', data: { version: id(1), labels: { team: 'web' } } });
    const set: ImageEvent = { type: 'AttributesSet', data: { version: id(1), attributes: { tier: 'gold', site: 'a' } } };
    given(...begun, ...complete(1)).when({ type: 'SetAttributes', version: id(1), attributes: { tier: 'gold', site: 'a' } }).then(set);
    given(...begun, ...complete(1), set).when({ type: 'SetAttributes', version: id(1), attributes: { tier: '' } }).then({ type: 'AttributesSet', data: { version: id(1), attributes: { site: 'a' } } });
    given(...begun, ...complete(1), set).when({ type: 'SetAttributes', version: id(1), attributes: { tier: 'gold' } }).then();
    given(...begun, ...complete(1), leaving(1)).when({ type: 'SetAttributes', version: id(1), attributes: { tier: 'gold' } }).thenRejected('version-deleted');
  });
});

test('nothing is there in the beginning', () => expect(given().state).toBe(noImage));
