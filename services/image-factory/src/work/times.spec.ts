import { describe, expect, test, vi } from 'vitest';
import { derivedId, type ImageEvent } from '@berth/contracts';
import { decide, type ImageCommand } from '../domain/decide.js';
import { evolve, noImage, type Image } from '../domain/image.js';
import { refuse } from '../domain/refusals.js';
import type { Hosts } from '../follow/hosts.js';
import type { Images } from '../images.js';
import { begun, built, channel, complete, id, saved, template } from '../spec/image.testing.js';
import { Times } from './times.js';

const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);

/** Images in memory, whose commands are decided at once; and the time, which the test moves. */
function images(all: Record<string, readonly ImageEvent[]>) {
  const states = new Map<string, Image>(Object.entries(all).map(([name, events]) => [name, events.reduce(evolve, noImage)]));
  const children = (name: string) => [...states].filter(([, { saved: its }]) => its?.template.parent?.image === name).map(([child]) => child);
  const told: { image: string; command: ImageCommand }[] = [];
  const asked = new Map<string, number>();
  const heirs = new Map<string, string>();
  const clock = { now: at('2030-01-01T00:00:30Z') };
  const scheduled = new Map<string, number>();
  const warned: string[] = [];
  const part: Pick<Images, 'image' | 'childrenOf' | 'parentOf' | 'buildable' | 'tell' | 'askedAt' | 'heirOf' | 'scheduledSince' | 'madeOf' | 'ownerOf'> & { images: { entries(): IterableIterator<[string, { state: Image; revision: number }]> } } = {
    images: { entries: () => new Map([...states].map(([name, state]) => [name, { state, revision: 0 }])).entries() },
    image: (name) => states.get(name) ?? noImage,
    childrenOf: children,
    buildable: () => ['raw'],
    madeOf: (version) => [...states.values()].flatMap(({ versions }) => [...versions.values()].filter(({ parent }) => parent?.version === version).map(({ id: made }) => made)),
    ownerOf: (version) => [...states].find(([, { versions }]) => versions.has(version))?.[0],
    askedAt: (version) => asked.get(version) ?? 0,
    heirOf: (version) => heirs.get(version),
    scheduledSince: (name) => scheduled.get(name) ?? at('2029-12-31T23:00:00Z'),
    parentOf: ({ saved: its }) => {
      const parent = its?.template.parent;
      const version = parent && states.get(parent.image)?.channels.get(parent.channel)?.version;
      return parent && (version ? { image: parent.image, version } : refuse('version-not-complete', 'there is none', 'image', 'build one'));
    },
    tell: (image, command) => {
      told.push({ image, command });
      const decision = decide(command, states.get(image)!);
      if ('accepted' in decision || decision.length === 0) return;
      states.set(image, decision.reduce(evolve, states.get(image)!));
      shown(image, decision);
    },
  };
  const hosts: Pick<Hosts, 'has'> = { has: () => false };
  /** a factory that has just come up */
  const begin = () => new Times({ log: { warn: (_about: unknown, text: string) => warned.push(text) } as never }, part as unknown as Images, hosts as Hosts, () => clock.now);
  const times = begin();
  const shown = (image: string, events: readonly ImageEvent[]) => times.react({ kind: 'image', id: image, commit: { events } } as never);
  return { times, begin, told, clock, asked, heirs, scheduled, warned, states, tell: (image: string, command: ImageCommand) => part.tell(image, command, ''), types: () => told.map(({ image, command }) => `${image} ${command.type}`) };
}

describe('what happens without being asked for', () => {
  test('a version is built whenever its schedule says so, once for each time', () => {
    const { times, told, clock } = images({ web: [saved(1, { rebuild: { schedule: '0 3 * * *', onParent: false } }), channel()] });
    times.look();
    clock.now = at('2030-01-01T02:59:59Z');
    times.look();
    expect(told).toEqual([]);
    clock.now = at('2030-01-01T03:00:00Z');
    times.look();
    times.look();
    expect(told.map(({ command }) => command)).toMatchObject([{ type: 'Build', cause: 'schedule', version: derivedId('web', `scheduled ${at('2030-01-01T03:00:00Z')}`) }]);
    clock.now = at('2030-01-02T03:00:01Z');
    times.look();
    expect(told).toHaveLength(2);
  });

  const scheduled = (schedule: string) => [saved(1, { rebuild: { schedule, onParent: false } }), channel()];
  const versionsFor = (...times: string[]) => times.map((time) => derivedId('web', `scheduled ${at(time)}`));
  const builtOf = (told: readonly { command: ImageCommand }[]) => told.flatMap(({ command }) => (command.type === 'Build' ? [command.version] : []));

  test('times that have passed while no factory was there are made up for once, however often it comes up', () => {
    const { begin, told, clock } = images({ web: scheduled('0 3 * * *') });
    clock.now = at('2030-01-05T12:00:00Z');
    for (let starts = 0; starts < 3; starts++) {
      const times = begin();
      times.look();
      times.look();
    }
    expect(builtOf(told)).toEqual(versionsFor('2030-01-05T03:00:00Z'));
    clock.now = at('2030-01-06T03:00:00Z');
    begin().look();
    expect(builtOf(told)).toEqual(versionsFor('2030-01-05T03:00:00Z', '2030-01-06T03:00:00Z'));
  });

  test('so are those that have passed while it slept', () => {
    const { times, begin, told, clock } = images({ web: scheduled('0 3 * * *') });
    times.look();
    clock.now = at('2030-01-05T12:00:00Z');
    times.look();
    times.look();
    begin().look();
    expect(builtOf(told)).toEqual(versionsFor('2030-01-05T03:00:00Z'));
  });

  test('no time was missed that is older than the schedule, or when none has passed', () => {
    const { begin, told, clock, scheduled: since } = images({ web: scheduled('0 3 * * *') });
    begin().look();
    clock.now = at('2030-01-05T12:00:00Z');
    since.set('web', at('2030-01-05T03:00:00Z'));
    begin().look();
    expect(told).toEqual([]);
  });

  test('what could not be built when it was due is tried again when a factory comes up, and said once by each', () => {
    const made = { ...template, parent: { image: 'base', channel: 'latest' } };
    const of = images({ base: begun, web: [saved(1, { template: made, rebuild: { schedule: '0 3 * * *', onParent: false } }), channel()] });
    of.clock.now = at('2030-01-01T03:00:00Z');
    for (let starts = 0; starts < 2; starts++) {
      const times = of.begin();
      times.look();
      times.look();
    }
    expect([of.told, of.warned.length]).toEqual([[], 2]);
    of.states.set('base', complete(1).reduce(evolve, of.states.get('base')!));
    of.begin().look();
    expect(builtOf(of.told)).toEqual(versionsFor('2030-01-01T03:00:00Z'));
  });

  test.each([
    ['the last day of months that have one', '0 3 31 * *', '2030-03-15T00:00:00Z', '2030-01-31T03:00:00Z', '2030-03-31T03:00:00Z'],
    ['a day that most years do not have', '0 3 29 2 *', '2031-06-01T00:00:00Z', '2028-02-29T03:00:00Z', '2032-02-29T03:00:00Z'],
    ['a year that ends', '59 23 31 12 *', '2031-01-01T00:00:00Z', '2030-12-31T23:59:00Z', '2031-12-31T23:59:00Z'],
  ])('%s: the last and the next', (_what, schedule, now, last, next) => {
    const { begin, told, clock, scheduled: since } = images({ web: scheduled(schedule) });
    since.set('web', at('2020-01-01T00:00:00Z'));
    clock.now = at(now);
    const times = begin();
    times.look();
    clock.now = at(next) - 1;
    times.look();
    expect(builtOf(told)).toEqual(versionsFor(last));
    clock.now = at(next);
    times.look();
    expect(builtOf(told)).toEqual(versionsFor(last, next));
  });

  test('nights in which clocks are set, elsewhere, have the times that other nights have', () => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    try {
      expect([new Date('2030-03-30T12:00:00Z').getHours(), new Date('2030-03-31T12:00:00Z').getHours()]).toEqual([13, 14]);
      for (const [schedule, day] of [['30 1 * * *', '2030-03-31'], ['30 1 * * *', '2030-10-27'], ['30 2 * * *', '2030-03-31'], ['30 0 * * *', '2030-10-27']] as const) {
        const { times, told, clock } = images({ web: scheduled(schedule) });
        const begins = at(`${day}T00:00:00Z`);
        for (clock.now = begins; clock.now < begins + DAY; clock.now += 600_000) times.look();
        const [minute = '', hour = ''] = schedule.split(' ');
        expect(builtOf(told).slice(1)).toEqual(versionsFor(`${day}T0${hour}:${minute}:00Z`));
      }
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('a revocation that was put off holds from its time on', () => {
    const late: ImageEvent = { type: 'VersionRevoked', data: { version: id(1), at: '2030-01-01T00:01:00Z', reason: 'old', cascade: true } };
    const { times, clock, types, states } = images({ web: [...begun, ...complete(1), late] });
    times.look();
    expect(types()).toEqual([]);
    clock.now = at('2030-01-01T00:01:00Z');
    times.look();
    times.look();
    expect(types()).toEqual(['web RevocationDue']);
    expect(states.get('web')?.channels.get('latest')?.version).toBeNull();
  });

  test('versions that are too old go, but for what is kept and what channels need', () => {
    const { times, types, clock, asked, heirs, told } = images({ web: [saved(1, { retention: { keep: 1, maxAge: DAY } }), channel(), ...complete(1), ...complete(2, 1), ...complete(3, 2), ...complete(4, 3)] });
    for (const number of [1, 2, 3, 4]) asked.set(id(number), at('2030-01-01T00:00:00Z') + number * 1000);
    times.look();
    expect(types()).toEqual([]);
    clock.now += 2 * DAY;
    // Something is being built of 1.
    heirs.set(id(1), 'child@1');
    times.look();
    // 4 is the newest and what `latest` points at; 3 is where it would go back to.
    const gone = () => told.map(({ command }) => ('version' in command ? command.version : ''));
    expect(gone()).toEqual([id(2)]);
    heirs.clear();
    clock.now += DAY;
    times.look();
    expect(gone()).toEqual([id(2), id(1)]);
  });

  describe('what is made of a version that is revoked, and restored', () => {
    // base@1, of which middle@2 is made, of which top@3 is made; aside@4 is made of base@1 too.
    const of = (number: number, image: string, parent: number): ImageEvent[] => built(number).map((event) => (event.type === 'VersionRequested' ? { ...event, data: { ...event.data, parent: { image, version: id(parent) } } } : event));
    const family = () => {
      const it = images({ base: [...begun, ...built(1)], middle: [...begun, ...of(2, 'base', 1)], top: [...begun, ...of(3, 'middle', 2)], aside: [...begun, ...of(4, 'base', 1)] });
      const owner = (number: number) => ['base', 'middle', 'top', 'aside'][number - 1]!;
      it.times.caughtUp();
      it.times.stop();
      return {
        ...it,
        revoke: (number: number, more: object = {}) => it.tell(owner(number), { type: 'Revoke', version: id(number), at: new Date(it.clock.now).toISOString(), now: new Date(it.clock.now).toISOString(), reason: 'hole', cascade: true, ...more }),
        restore: (number: number, cascade = true) => it.tell(owner(number), { type: 'Restore', version: id(number), reason: 'mended', cascade }),
        until: (time: string) => {
          it.clock.now = at(time);
          it.times.look();
        },
        revoked: () => [1, 2, 3, 4].filter((number) => it.states.get(owner(number))!.versions.get(id(number))!.revoked?.due),
      };
    };

    test('comes back with it, down to the last', () => {
      const { revoke, restore, revoked } = family();
      revoke(1);
      expect(revoked()).toEqual([1, 2, 3, 4]);
      restore(1);
      expect(revoked()).toEqual([]);
      revoke(1, { at: '2030-01-01T00:00:10Z' });
      expect(revoked()).toEqual([1, 2, 3, 4]);
    });
    test('stays where it is when that is said', () => {
      const { revoke, restore, revoked } = family();
      revoke(1);
      restore(1, false);
      expect(revoked()).toEqual([2, 3, 4]);
      restore(2);
      expect(revoked()).toEqual([4]);
    });
    test('stays revoked where it was revoked for itself: before', () => {
      const { revoke, restore, revoked } = family();
      revoke(4);
      revoke(2, { cascade: false });
      revoke(1);
      expect(revoked()).toEqual([1, 2, 4]);
      restore(1);
      expect(revoked()).toEqual([2, 4]);
    });
    test('… or meanwhile, and what came with it then comes back with it', () => {
      const { revoke, restore, revoked, told } = family();
      revoke(1);
      revoke(2);
      const before = told.length;
      revoke(2);
      expect(told).toHaveLength(before + 1);
      restore(1);
      expect(revoked()).toEqual([2, 3]);
      restore(2);
      expect(revoked()).toEqual([]);
    });
    test('… or for a time that is still to come, which stays so', () => {
      for (const order of [[1, 4], [4, 1]]) {
        const { revoke, restore, revoked, until } = family();
        for (const number of order) revoke(number, number === 4 ? { at: '2030-01-02T00:00:00Z' } : {});
        expect(revoked()).toEqual([1, 2, 3, 4]);
        restore(1);
        expect(revoked()).toEqual([]);
        until('2030-01-02T00:00:00Z');
        expect(revoked()).toEqual([4]);
      }
    });
    test('… whose time has come meanwhile', () => {
      const { revoke, restore, revoked, until } = family();
      revoke(1);
      revoke(4, { at: '2030-01-02T00:00:00Z' });
      until('2030-01-02T00:00:00Z');
      restore(1);
      expect(revoked()).toEqual([4]);
    });
    test('what was restored for itself stays so, and what was revoked for itself follows once it is restored', () => {
      const { revoke, restore, revoked } = family();
      revoke(1);
      restore(2);
      expect(revoked()).toEqual([1, 4]);
      restore(1);
      revoke(4);
      revoke(1, { at: '2030-01-01T00:00:10Z' });
      restore(4);
      expect(revoked()).toEqual([1, 2, 3, 4]);
      restore(4);
      expect(revoked()).toEqual([1, 2, 3]);
    });
    test('is the same for a factory that comes up later', () => {
      const { revoke, states, begin, revoked } = family();
      revoke(1);
      const restored: ImageEvent = { type: 'VersionRestored', data: { version: id(1), reason: 'mended', cascade: true } };
      const before = states.get('base')!;
      states.set('base', evolve(before, restored));
      const times = begin();
      times.caughtUp();
      times.stop();
      expect(revoked()).toEqual([]);
    });
    test('what was restored before restoring was passed on stays as it was', () => {
      const { revoke, states, begin, revoked } = family();
      revoke(1);
      states.set('base', evolve(states.get('base')!, { type: 'VersionRestored', data: { version: id(1), reason: 'mended' } }));
      const times = begin();
      times.caughtUp();
      times.stop();
      expect(revoked()).toEqual([2, 3, 4]);
    });
  });

  test('an image follows the channel that it is made of, where that was said', () => {
    const made = { ...template, name: 'child', parent: { image: 'web', channel: 'latest' } };
    const { times, types, told } = images({
      web: [...begun, ...complete(1)],
      child: [saved(1, { template: made, rebuild: { onParent: true } }), channel()],
      aside: [saved(1, { template: { ...made, name: 'aside' }, rebuild: { onParent: false } }), channel()],
    });
    times.caughtUp();
    times.stop();
    expect(types()).toEqual(['child Build']);
    expect(told[0]!.command).toMatchObject({ cause: 'parent', parent: { image: 'web', version: id(1) } });
  });
});
