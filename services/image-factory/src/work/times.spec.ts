import { describe, expect, test } from 'vitest';
import { derivedId, type ImageEvent } from '@berth/contracts';
import { decide, type ImageCommand } from '../domain/decide.js';
import { evolve, noImage, type Image } from '../domain/image.js';
import type { Hosts } from '../follow/hosts.js';
import type { Images } from '../images.js';
import { begun, channel, complete, id, saved, template } from '../spec/image.testing.js';
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
  const part: Pick<Images, 'image' | 'childrenOf' | 'parentOf' | 'buildable' | 'tell' | 'askedAt' | 'heirOf'> & { images: { entries(): IterableIterator<[string, { state: Image; revision: number }]> } } = {
    images: { entries: () => new Map([...states].map(([name, state]) => [name, { state, revision: 0 }])).entries() },
    image: (name) => states.get(name) ?? noImage,
    childrenOf: children,
    buildable: () => ['raw'],
    askedAt: (version) => asked.get(version) ?? 0,
    heirOf: (version) => heirs.get(version),
    parentOf: ({ saved: its }) => {
      const parent = its?.template.parent;
      const version = parent && states.get(parent.image)?.channels.get(parent.channel)?.version;
      return parent && version ? { image: parent.image, version } : undefined;
    },
    tell: (image, command) => {
      told.push({ image, command });
      const decision = decide(command, states.get(image)!);
      if (!('accepted' in decision)) states.set(image, decision.reduce(evolve, states.get(image)!));
    },
  };
  const hosts: Pick<Hosts, 'has'> = { has: () => false };
  const times = new Times({ log: { warn: () => undefined } as never }, part as unknown as Images, hosts as Hosts, () => clock.now);
  return { times, told, clock, asked, heirs, states, types: () => told.map(({ image, command }) => `${image} ${command.type}`) };
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
