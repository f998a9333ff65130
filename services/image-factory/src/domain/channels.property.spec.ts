import fc from 'fast-check';
import type { ImageEvent, ImageTarget } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import { before } from './channels.js';
import { decide, type ImageCommand } from './decide.js';
import { evolve, isUsable, noImage, type Image } from './image.js';
import { fold, id, made, saved, template } from '../spec/image.testing.js';
import { expired } from './keeping.js';

/** What somebody does to one image; which attempt is meant follows from how it stands. */
type Act = (image: Image) => ImageCommand;

const version = fc.integer({ min: 1, max: 5 }).map(id);
const target = fc.constantFrom<ImageTarget>('raw', 'oci');
const channel = fc.constantFrom('latest', 'stable', 'tested');
const account = fc.constantFrom('here', 'there');
const hosts = fc.constantFrom(false, false, false, true);
const minute = fc.integer({ min: 0, max: 5 }).map((at) => `2030-01-01T00:0${at}:00Z`);
/** Mostly that of now. */
const late = fc.constantFrom(0, 0, 0, 1);
const attemptAt = (image: Image, of: string, kind: ImageTarget): number => image.versions.get(of)?.targets.get(kind)?.attempt ?? 1;
const pushAt = (image: Image, of: string, to: string): number => image.versions.get(of)?.pushes.get(to)?.attempt ?? 1;

const building: fc.Arbitrary<Act>[] = [
  fc.record({ version, targets: fc.constantFrom<readonly ImageTarget[]>(['raw'], ['raw', 'oci']) }).map(({ version: of, targets }) => () => ({ type: 'Build', image: 'web', version: of, targets, available: ['raw', 'oci'], labels: {}, cause: 'asked' })),
  fc.record({ version, target, late }).map(({ version: of, target: kind, late: by }) => (image) => ({ type: 'Complete', version: of, target: kind, attempt: attemptAt(image, of, kind) - by, made })),
  fc.record({ version, target, late, error: fc.constantFrom('no space', 'no route') }).map(({ version: of, target: kind, late: by, error }) => (image) => ({ type: 'Fail', version: of, target: kind, attempt: attemptAt(image, of, kind) - by, error })),
  fc.record({ version, target, late, percent: fc.double({ min: 0, max: 120, noNaN: true }) }).map(({ version: of, target: kind, late: by, percent }) => (image) => ({ type: 'Progress', version: of, target: kind, attempt: attemptAt(image, of, kind) - by, percent, activity: 'builds' })),
  fc.record({ version, target }).map((data) => () => ({ type: 'Rebuild', ...data })),
  fc.record({ version }).map((data) => () => ({ type: 'Abort', reason: 'x', ...data })),
  fc.record({ version, account }).map(({ version: of, account: to }) => () => ({ type: 'Import', version: of, place: { account: to, provider: 'cloud', target: 'raw' }, id: `ami of ${of}`, labels: {} })),
];
const pushing: fc.Arbitrary<Act>[] = [
  fc.record({ version, account }).map(({ version: of, account: to }) => () => ({ type: 'Push', version: of, places: [{ account: to, provider: 'cloud', target: 'raw' }] })),
  fc.record({ version, account }).map(({ version: of, account: to }) => (image) => ({ type: 'CompletePush', version: of, account: to, attempt: pushAt(image, of, to), id: 'ami' })),
  fc.record({ version, account, late }).map(({ version: of, account: to, late: by }) => (image) => ({ type: 'FailPush', version: of, account: to, attempt: pushAt(image, of, to) - by, error: 'no quota' })),
  fc.record({ version, account, percent: fc.nat(120) }).map(({ version: of, account: to, percent }) => (image) => ({ type: 'PushProgress', version: of, account: to, attempt: pushAt(image, of, to), percent, activity: 'copies' })),
  fc.record({ version, account }).map(({ version: of, account: to }) => (image) => ({ type: 'KeepPushFacts', version: of, account: to, attempt: pushAt(image, of, to), facts: { task: 'a' } })),
];
const removing: fc.Arbitrary<Act>[] = [
  fc.record({ version, cascade: fc.boolean(), hosts }).map((data) => () => ({ type: 'DeleteVersion', ...data })),
  fc.record({ version, target, cascade: fc.boolean(), hosts }).map((data) => () => ({ type: 'DeleteTarget', ...data })),
  fc.record({ version, account, hosts }).map((data) => () => ({ type: 'DeletePush', ...data })),
  fc.record({ version, what: fc.oneof(fc.record({ account }), fc.record({ target })), outcome: fc.constantFrom({ manual: [] }, { error: 'in use' }) }).map((data) => () => ({ type: 'EndDeletion', ...data })),
];
const using: fc.Arbitrary<Act>[] = [
  fc.record({ version, as: fc.constantFrom('active' as const, 'deprecated' as const, 'disabled' as const) }).map((data) => () => ({ type: 'Mark', reason: 'x', ...data })),
  fc.record({ version, at: minute, now: minute, ancestor: fc.option(fc.constant({ image: 'base', version: id(99) }), { nil: undefined }) }).map(({ ancestor, ...data }) => () => ({ type: 'Revoke', reason: 'x', cascade: true, ...data, ...(ancestor && { ancestor }) })),
  fc.record({ version, now: minute }).map((data) => () => ({ type: 'RevocationDue', ...data })),
  fc.record({ version, cascade: fc.boolean() }).map((data) => () => ({ type: 'Restore', reason: 'x', ...data })),
];
const moving: fc.Arbitrary<Act>[] = [
  fc.record({ channel, managed: fc.boolean(), test: fc.constantFrom(undefined, 'smoke', 'other') }).map(({ test: plan, ...data }) => () => ({ type: 'SaveChannel', image: 'web', ...data, ...(plan !== undefined && { test: plan }) })),
  fc.constant(() => ({ type: 'SaveChannel', image: 'web', channel: 'tested', managed: true, test: 'smoke' })),
  fc.record({ channel }).map((data) => () => ({ type: 'RemoveChannel', image: 'web', ...data })),
  fc.record({ channel, version, retest: fc.boolean() }).map((data) => () => ({ type: 'Assign', image: 'web', ...data })),
  fc.record({ channel }).map((data) => () => ({ type: 'RollBack', image: 'web', reason: 'x', ...data })),
  fc.record({ channel, passed: fc.boolean() }).map(({ channel: name, passed }) => (image) => ({ type: 'EndTest', channel: name, build: image.channels.get(name)?.testing?.build ?? 'none', passed, ...(!passed && { error: 'no boot' }) })),
];
const wholes: fc.Arbitrary<Act>[] = [
  fc.constant(() => ({ type: 'Save', said: { source: 'name: web', format: 'yaml', template } })),
  fc.record({ hosts: fc.constant(new Set<string>()) }).map(({ hosts: none }) => () => ({ type: 'Remove', image: 'web', cascade: true, named: [], hosts: none })),
];
/** What seldom comes about by chance, in one go: a version that is built, a push that goes back and forth, a test that ends. */
const courses: fc.Arbitrary<Act[]>[] = [
  version.map((of) => [
    () => ({ type: 'Build', image: 'web', version: of, targets: ['raw'], available: ['raw', 'oci'], labels: {}, cause: 'asked' }),
    (image) => ({ type: 'Complete', version: of, target: 'raw', attempt: attemptAt(image, of, 'raw'), made }),
  ]),
  fc.record({ version, account, percents: fc.array(fc.nat(120), { minLength: 2, maxLength: 3 }) }).map(({ version: of, account: to, percents }) => [
    () => ({ type: 'Push', version: of, places: [{ account: to, provider: 'cloud', target: 'raw' }] }),
    ...percents.map((percent): Act => (image) => ({ type: 'PushProgress', version: of, account: to, attempt: pushAt(image, of, to), percent, activity: `copies ${percent}` })),
  ]),
  fc.record({ version, target, percents: fc.array(fc.nat(120), { minLength: 2, maxLength: 3 }) }).map(({ version: of, target: kind, percents }) => percents.map((percent): Act => (image) => ({ type: 'Progress', version: of, target: kind, attempt: attemptAt(image, of, kind), percent, activity: `builds ${percent}` }))),
  fc.record({ version, passed: fc.boolean() }).map(({ version: of, passed }) => [
    () => ({ type: 'Assign', image: 'web', channel: 'tested', version: of, retest: true }),
    (image) => ({ type: 'EndTest', channel: 'tested', build: image.channels.get('tested')?.testing?.build ?? 'none', passed }),
  ]),
];
const single = (weight: number, arbitraries: fc.Arbitrary<Act>[]) => ({ weight, arbitrary: fc.oneof(...arbitraries).map((act) => [act]) });
const acts = fc.array(
  fc.oneof({ weight: 32, arbitrary: fc.oneof(...courses) }, single(24, building), single(8, pushing), single(8, removing), single(12, using), single(24, moving), single(1, wholes)),
  { minLength: 10, maxLength: 80 },
).map((all) => all.flat());

/** Where an image stood, what was decided on that, and each event with the state that it came to. */
interface Moment {
  command: ImageCommand;
  from: Image;
  steps: readonly { event: ImageEvent; before: Image; after: Image }[];
  to: Image;
}
function live(all: readonly Act[]): Moment[] {
  let state = [saved(), { type: 'ChannelSaved' as const, data: { channel: 'latest', managed: true } }].reduce(evolve, noImage);
  return all.map((act) => {
    const [command, from] = [act(state), state];
    const decision = decide(command, from);
    const steps = ('accepted' in decision ? [] : decision).map((event) => {
      const was = state;
      state = evolve(was, event);
      return { event, before: was, after: state };
    });
    return { command, from, steps, to: state };
  });
}
const beginning = [saved(), { type: 'ChannelSaved' as const, data: { channel: 'latest', managed: true } }] as const;
const eventsOf = (moments: readonly Moment[]): ImageEvent[] => moments.flatMap(({ steps }) => steps.map(({ event }) => event));
const holds = (check: (moments: readonly Moment[]) => void): void => fc.assert(fc.property(acts, (all) => check(live(all))), { numRuns: 400 });
const numberOf = (image: Image, of: string | null): number => image.versions.get(of ?? '')?.number ?? 0;

describe('laws of channels, whatever is done to an image in whatever order', () => {
  test('a channel points at what may be used, at every moment', () => {
    holds((moments) => {
      for (const { steps, to } of moments) {
        for (const { event, before: was } of steps) if (event.type === 'ChannelAssigned' && event.data.version !== null) expect(isUsable(was.versions.get(event.data.version))).toBe(true);
        for (const { version: of } of to.channels.values()) if (of !== null) expect(isUsable(to.versions.get(of))).toBe(true);
      }
    });
  });

  test('rolling back goes to what it first pointed at earlier, and so does what follows from a revocation or a removal', () => {
    holds((moments) => {
      for (const { event, before: was } of moments.flatMap(({ steps }) => steps)) {
        if (event.type !== 'ChannelAssigned' || event.data.by === 'assign' || event.data.by === 'managed' || event.data.version === null) continue;
        const order = [...new Set(was.channels.get(event.data.channel)!.history)].filter((of) => of !== null);
        const present = event.data.previous === null ? order.length : order.indexOf(event.data.previous);
        expect(order.indexOf(event.data.version)).toBeGreaterThanOrEqual(0);
        expect(order.indexOf(event.data.version)).toBeLessThan(present);
      }
    });
  });

  test('a channel that follows what is built only goes on, unless somebody says otherwise', () => {
    holds((moments) => {
      for (const { event, before: was } of moments.flatMap(({ steps }) => steps)) {
        if (event.type !== 'ChannelAssigned' || event.data.by !== 'managed') continue;
        const { history } = was.channels.get(event.data.channel)!;
        for (const of of history) expect(numberOf(was, event.data.version)).toBeGreaterThan(numberOf(was, of));
      }
    });
  });

  test('with a test it points at nothing that has not passed that one', () => {
    holds((moments) => {
      const passed = new Map<string, string>();
      for (const { event, before: was } of moments.flatMap(({ steps }) => steps)) {
        if (event.type === 'TestEnded' && event.data.passed) passed.set(`${event.data.channel} ${event.data.version}`, was.channels.get(event.data.channel)!.test!);
        if (event.type !== 'ChannelAssigned' || event.data.version === null || (event.data.by !== 'managed' && event.data.by !== 'assign')) continue;
        const plan = was.channels.get(event.data.channel)!.test;
        if (plan !== undefined) expect(passed.get(`${event.data.channel} ${event.data.version}`)).toBe(plan);
      }
    });
  });

  test('each test is a build of its own, and a channel tests one version at a time', () => {
    holds((moments) => {
      const builds = eventsOf(moments).flatMap((event) => (event.type === 'TestStarted' ? [event.data.build] : []));
      expect(new Set(builds).size).toBe(builds.length);
      for (const { event, before: was } of moments.flatMap(({ steps }) => steps)) if (event.type === 'TestStarted') expect(was.channels.get(event.data.channel)!.testing).toBeUndefined();
    });
  });

  test('what is done to a channel says from where', () => {
    holds((moments) => {
      for (const { event, before: was } of moments.flatMap(({ steps }) => steps)) {
        if (event.type !== 'ChannelAssigned') continue;
        expect(event.data.previous).toBe(was.channels.get(event.data.channel)!.version);
        expect(event.data.version).not.toBe(event.data.previous);
      }
    });
  });
});

describe('laws of versions, whatever is done to an image in whatever order', () => {
  test('no error is lost', () => {
    holds((moments) => {
      const { to } = moments.at(-1)!;
      for (const event of eventsOf(moments)) {
        if (event.type === 'TargetFailed') expect(to.versions.get(event.data.version)!.targets.get(event.data.target)!.failed).toContainEqual({ attempt: event.data.attempt, error: event.data.error });
        if (event.type === 'PushFailed') expect(to.versions.get(event.data.version)!.pushes.get(event.data.account)!.failed).toContainEqual({ attempt: event.data.attempt, error: event.data.error });
      }
    });
  });

  test('within an attempt the percentage never becomes less, and is 100 only of what is complete', () => {
    holds((moments) => {
      for (const { from, to } of moments) {
        for (const [of, { targets, pushes }] of to.versions) {
          const was = from.versions.get(of);
          const pairs = [...[...targets].map(([key, now]) => [was?.targets.get(key), now] as const), ...[...pushes].map(([key, now]) => [was?.pushes.get(key), now] as const)];
          for (const [earlier, now] of pairs) {
            if (earlier?.attempt === now.attempt) expect(now.percent).toBeGreaterThanOrEqual(earlier.percent);
            expect(now.attempt).toBeGreaterThanOrEqual(earlier?.attempt ?? 1);
            if (now.status === 'BUILDING' || now.status === 'FAILED') expect(now.percent).toBeLessThan(100);
          }
        }
      }
    });
  });

  test('what a channel points at, would go back to, or tests is never too old', () => {
    holds((moments) => {
      for (const { to } of moments) {
        if (!to.saved) continue;
        const image: Image = { ...to, saved: { ...to.saved, retention: { keep: 1 } } };
        const old = new Set(expired(image, () => 0, 1).map(({ id: of }) => of));
        for (const one of image.channels.values()) for (const of of [one.version, before(image, one)?.id, one.testing?.version]) expect(old.has(of ?? '')).toBe(false);
      }
    });
  });

  test('what is complete is so for all of its targets, numbers are counted once, and what was removed stays so', () => {
    holds((moments) => {
      for (const { from, steps, to } of moments) {
        for (const { event, before: was } of steps) if (event.type === 'VersionEnded' && event.data.status === 'COMPLETE') expect([...was.versions.get(event.data.version)!.targets.values()].every(({ status }) => status === 'COMPLETE')).toBe(true);
        for (const [of, { deletion }] of from.versions) if (deletion === 'DELETED') expect(to.versions.get(of)?.deletion).toBe('DELETED');
        const numbers = [...to.versions.values()].map(({ number }) => number);
        expect(new Set(numbers).size).toBe(numbers.length);
      }
    });
  });

  test('every history comes to the same state again, and no state changes after it was', () => {
    holds((moments) => {
      const told: ImageEvent[] = [...beginning];
      for (const { steps, to } of moments) {
        told.push(...steps.map(({ event }) => event));
        if (steps.length > 0) expect(fold(told)).toEqual(to);
      }
      expect(fold([...beginning, ...eventsOf(moments)])).toEqual(moments.at(-1)!.to);
    });
  });
});
