import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assigned, at, BUILD, built, channelSaved, completed, ended, FoldedImages, imageHistory, imported, keptAs, pushed, pushFailed, pushStarted, requested, revoked, saved, started, targetFailed, V1, V2 } from './images.testing.js';

const fresh = () => new FoldedImages().happen('image', 'web', saved('web'), channelSaved('latest', { managed: true }));
const v1 = (of: FoldedImages) => of.versions.get(V1)!;

describe('a version', () => {
  test('is asked for, built in part, rebuilt, and complete: percent is the mean, errors stay', () => {
    const of = fresh().happen('image', 'web', requested(V1, 1, { labels: { team: 'web' }, reason: 'nightly' }));
    expect(v1(of)).toMatchObject({ image: 'web', number: 1, status: 'PENDING', percent: 0, by: 'spec:2', reason: 'nightly', labels: { team: 'web' }, cause: 'asked', created: at(2), ended: null, shown: true });
    of.happen('image', 'web', started(V1, 'raw'), started(V1, 'oci')).happen('image', 'web', { type: 'TargetProgressed', data: { version: V1, target: 'raw', percent: 41, activity: 'installs' } });
    expect(v1(of)).toMatchObject({ status: 'BUILDING', percent: 20, activity: 'raw: installs', targets: [{ percent: 41, activity: 'installs', build: BUILD, attempt: 1 }, { percent: 0 }] });
    of.happen('image', 'web', { type: 'TargetProgressed', data: { version: V1, target: 'raw', percent: 30, activity: 'goes on' } });
    expect(v1(of).targets[0]).toMatchObject({ percent: 41, activity: 'goes on' });
    of.happen('image', 'web', completed(V1, 'raw'), targetFailed(V1, 'oci')).happen('image', 'web', ended(V1, 'PARTIAL'));
    expect(v1(of)).toMatchObject({ status: 'PARTIAL', percent: 50, activity: null, error: 'oci: no mirror', ended: at(7), targets: [{ status: 'COMPLETE', percent: 100, file: keptAs(V1, 'raw', 'image.raw') }, { status: 'FAILED', error: 'no mirror', failed: [{ attempt: 1, error: 'no mirror', at: at(6) }] }] });
    of.happen('image', 'web', started(V1, 'oci', 2));
    expect(v1(of)).toMatchObject({ status: 'BUILDING', error: null, ended: null, targets: [{}, { status: 'BUILDING', attempt: 2, percent: 0, error: null, failed: [{ error: 'no mirror' }] }] });
    of.happen('image', 'web', targetFailed(V1, 'oci', 2, 'no room')).happen('image', 'web', started(V1, 'oci', 3)).happen('image', 'web', completed(V1, 'oci'), ended(V1));
    expect(v1(of)).toMatchObject({ status: 'COMPLETE', percent: 100, error: null, targets: [{}, { status: 'COMPLETE', attempt: 3, error: null, failed: [{ attempt: 1, error: 'no mirror' }, { attempt: 2, error: 'no room' }] }] });
    expect(of.images.get('web')).toMatchObject({ status: 'COMPLETE', living: [{ id: V1, number: 1, status: 'COMPLETE' }] });
  });

  test('a step that only the factory needs changes no row', () => {
    const of = fresh().happen('image', 'web', requested(V1, 1), started(V1, 'raw'));
    const before = v1(of);
    of.happen('image', 'web', { type: 'TargetStep', data: { version: V1, target: 'raw', facts: { snapshot: 's' } } }, { type: 'PushStep', data: { version: V1, account: 'a-raw', facts: {} } }, assigned('latest', V1));
    expect(v1(of)).toBe(before);
  });

  test('is pushed, not, pushed again, taken away with a hitch, and gone', () => {
    const of = fresh().happen('image', 'web', requested(V1, 1), ...built(V1, 'raw', 'oci')).happen('image', 'web', pushStarted(V1, 'a-raw'), pushStarted(V1, 'b-raw'));
    of.happen('image', 'web', { type: 'PushProgressed', data: { version: V1, account: 'a-raw', percent: 60, activity: 'copies' } }).happen('image', 'web', { type: 'PushProgressed', data: { version: V1, account: 'a-raw', percent: 5, activity: 'copies on' } });
    expect(v1(of).pushes).toMatchObject([{ account: 'a-raw', provider: 'p-raw', status: 'BUILDING', percent: 60, activity: 'copies on', id: null }, { account: 'b-raw', status: 'BUILDING' }]);
    of.happen('image', 'web', pushFailed(V1, 'a-raw'), pushed(V1, 'b-raw'));
    expect(v1(of)).toMatchObject({ pushed: ['b-raw'], pushes: [{ status: 'FAILED', error: 'no room', percent: 60 }, { status: 'COMPLETE', percent: 100, id: 'disk-b-raw' }] });
    of.happen('image', 'web', pushStarted(V1, 'a-raw', 'raw', 2));
    expect(v1(of).pushes[0]).toMatchObject({ status: 'BUILDING', percent: 0, attempt: 2, error: null, failed: [{ attempt: 1, error: 'no room' }] });
    of.happen('image', 'web', pushed(V1, 'a-raw')).happen('image', 'web', { type: 'DeletionStarted', data: { version: V1, account: 'a-raw' } });
    expect([v1(of).pushed, v1(of).pushes[0]]).toMatchObject([['b-raw'], { status: 'DELETING', id: 'disk-a-raw' }]);
    of.happen('image', 'web', { type: 'DeletionFailed', data: { version: V1, account: 'a-raw', error: 'in use' } });
    expect(v1(of).pushes[0]).toMatchObject({ status: 'DELETEFAILED', error: 'in use', id: 'disk-a-raw', failed: [{ error: 'no room' }] });
    of.happen('image', 'web', { type: 'Deleted', data: { version: V1, account: 'a-raw', manual: [] } }, { type: 'Deleted', data: { version: V1, target: 'oci', manual: [] } });
    expect(v1(of)).toMatchObject({ status: 'COMPLETE', pushes: [{ status: 'DELETED', id: null }, {}], targets: [{ status: 'COMPLETE' }, { status: 'DELETED', file: null, sbom: null }] });
    of.happen('image', 'web', { type: 'DeletionStarted', data: { version: V1 } });
    expect([v1(of).status, of.images.get('web')!.status]).toEqual(['DELETING', 'DELETING']);
    of.happen('image', 'web', { type: 'Deleted', data: { version: V1, manual: ['disk-b-raw of b-raw'] } });
    expect(v1(of)).toMatchObject({ status: 'DELETED', manual: ['disk-b-raw of b-raw'], pushed: [], shown: false, targets: [{ status: 'DELETED', file: null }, {}], pushes: [{}, { status: 'DELETED', id: null }] });
    expect(of.images.get('web')).toMatchObject({ status: 'NEW', living: [] });
  });

  test('is imported: complete, and where it is', () => {
    const of = new FoldedImages().happen('image', 'web', imported(V1, 1, { os: { name: 'rhel' } }), channelSaved('latest', { managed: true }));
    expect(v1(of)).toMatchObject({ status: 'COMPLETE', percent: 100, imported: true, cause: 'import', os: { name: 'rhel' }, pushed: ['eu'], targets: [{ target: 'ec2', status: 'COMPLETE', provided: { account: 'eu', id: 'ami-1' } }], pushes: [{ account: 'eu', provider: null, status: 'COMPLETE', id: 'ami-1' }], ended: at(1) });
    expect(of.images.get('web')).toMatchObject({ revision: 0, template: null, status: 'COMPLETE', removed: null });
  });

  test('is revoked at once or later, and restored; hidden while it is not offered', () => {
    const of = fresh().happen('image', 'web', requested(V1, 1), ...built(V1, 'raw', 'oci')).happen('image', 'web', revoked(V1, { at: '2030-02-01T01:00:00+01:00' }));
    expect(v1(of)).toMatchObject({ revoked: { at: '2030-02-01T00:00:00.000Z', holds: false }, shown: true });
    of.happen('image', 'web', { type: 'RevocationDue', data: { version: V1 } });
    expect(v1(of)).toMatchObject({ revoked: { holds: true }, shown: false });
    of.happen('image', 'web', { type: 'VersionRestored', data: { version: V1, reason: 'well' } });
    expect(v1(of)).toMatchObject({ revoked: null, shown: true });
    of.happen('image', 'web', revoked(V1, { ancestor: { image: 'base', version: V2 } }));
    expect(v1(of)).toMatchObject({ revoked: { holds: true, reason: 'CVE', ancestor: { image: 'base', version: V2 } }, shown: false });
    // One of its own that is still to come does not end it, and is what is left when it ends.
    const own = revoked(V1, { at: '2040-01-01T00:00:00Z' });
    of.happen('image', 'web', own);
    expect(v1(of)).toMatchObject({ revoked: { holds: true, ancestor: { version: V2 } }, shown: false });
    of.happen('image', 'web', { type: 'VersionRestored', data: { version: V1, reason: 'restored', cascade: true, ancestor: { image: 'base', version: V2 } } }, own);
    expect(v1(of)).toMatchObject({ revoked: { at: '2040-01-01T00:00:00.000Z', holds: false, ancestor: null }, shown: true });
    of.happen('image', 'web', { type: 'VersionRestored', data: { version: V1, reason: 'well' } }, { type: 'VersionMarked', data: { version: V1, as: 'deprecated', reason: 'old' } });
    expect(v1(of)).toMatchObject({ use: 'deprecated', useReason: 'old', shown: false });
  });
});

describe('an image and its channels', () => {
  test('a channel remembers the last 50 of where it pointed, and its tests', () => {
    const of = fresh();
    for (let i = 0; i < 60; i++) of.happen('image', 'web', assigned('latest', i % 2 ? V1 : V2));
    const channel = of.channels.get('web:latest')!;
    expect([channel.history.length, channel.version, channel.history[0], channel.managed]).toEqual([50, V1, { version: V1, by: 'assign', reason: null, who: 'spec:61', at: at(61) }, true]);
    of.happen('image', 'web', { type: 'TestStarted', data: { channel: 'latest', version: V2, build: BUILD, plan: 'p', by: 'assign', attempt: 2 } });
    expect(of.channels.get('web:latest')).toMatchObject({ version: V1, testing: { version: V2, build: BUILD, attempt: 2 } });
    of.happen('image', 'web', { type: 'TestEnded', data: { channel: 'latest', version: V2, build: BUILD, passed: false, error: 'no boot' } });
    expect(of.channels.get('web:latest')).toMatchObject({ version: V1, testing: null, lastTest: { version: V2, passed: false, error: 'no boot', at: at(63) } });
  });

  test('a name that is free again is another image: nothing of the old one is left on it', () => {
    const of = fresh().happen('image', 'web', requested(V1, 1), ...built(V1, 'raw', 'oci'), assigned('latest', V1), channelSaved('prod')).happen('image', 'web', { type: 'ImageRemoved', data: {} });
    expect([of.images.get('web')!.removed, of.channels.get('web:latest')!.removed, v1(of).status]).toEqual([at(3), at(3), 'DELETED']);
    of.happen('image', 'web', saved('web'), channelSaved('latest', { managed: true }));
    expect(of.images.get('web')).toMatchObject({ removed: null, created: at(4), living: [], status: 'NEW' });
    expect(of.channels.get('web:latest')).toMatchObject({ removed: null, version: null, history: [], created: at(4) });
    expect(of.channels.get('web:prod')!.removed).toBe(at(3));
  });
});

describe('laws', () => {
  const history = fc.array(fc.nat(2 ** 20), { maxLength: 200, size: 'max' }).map((choices) => imageHistory('web', choices));

  test('percent never goes back within an attempt, and no failure is ever taken away', () => {
    fc.assert(fc.property(history, (commits) => {
      const of = new FoldedImages();
      for (const events of commits) {
        const before = new Map(of.versions);
        of.happen('image', 'web', ...events);
        for (const [id, version] of of.versions) {
          const parts = [...version.targets, ...version.pushes];
          const earlier = before.get(id);
          for (const [nth, part] of earlier ? [...earlier.targets, ...earlier.pushes].entries() : []) {
            const now = nth < earlier!.targets.length ? version.targets[nth]! : version.pushes[nth - earlier!.targets.length]!;
            expect(now.failed.slice(0, part.failed.length)).toEqual(part.failed);
            if (now.attempt === part.attempt) expect(now.percent).toBeGreaterThanOrEqual(part.percent);
          }
          expect(version.percent).toBe(Math.floor(version.targets.reduce((sum, { percent }) => sum + percent, 0) / version.targets.length));
          expect(parts.every(({ status, id: made }: { status: string; id?: string | null }) => status !== 'DELETED' || (made ?? null) === null)).toBe(true);
        }
      }
    }), { numRuns: 60 });
  });

  test('a commit that is told twice changes nothing the second time', () => {
    fc.assert(fc.property(history, (commits) => {
      const [once, twice] = [new FoldedImages(), new FoldedImages()];
      for (const [nth, events] of commits.entries()) {
        const recorded = { kind: 'image', id: 'web', sequence: nth + 1, commit: { id: V1, at: at(nth), actor: 'spec', cause: V1, events } } as never;
        once.apply(recorded);
        twice.apply(recorded);
        twice.apply(recorded);
      }
      expect(twice).toEqual(once);
    }), { numRuns: 30 });
  });
});
