import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { plan, roomOf, type Demand, type Keeping, type Stock, type Supply } from './demand.js';

const NOW = 1_000_000_000;
const demand = (count: number, over: Partial<Demand> = {}): Demand => ({ attributes: { os: 'linux' }, blueprints: [], may: [], owner: 'ada', count, ...over });
const supply = (over: Partial<Supply> = {}): Supply => ({ blueprint: 'cloud', restricted: false, slots: 1, offers: [{ os: 'linux' }], room: 100, minIdle: 0, ...over });
const host = (resource: string, over: Partial<Stock> = {}): Stock => ({ resource, blueprint: 'cloud', attributes: { os: 'linux' }, booting: false, busy: 0, slots: 1, idleSince: NOW, activatedAt: NOW, uses: 0, sound: true, ...over });
const keeping = (over: Partial<Keeping> = {}) => new Map([['cloud', { idleTimeout: 600_000, ...over }], ['mac', { idleTimeout: 600_000 }]]);
const all = (demands: Demand[], supplies: Supply[], stock: Stock[] = [], total = Number.POSITIVE_INFINITY, keep = keeping()) => plan(demands, supplies, stock, keep, total, NOW);

describe('what is launched', () => {
  test('one host for so many unmet requests as it has slots', () => {
    expect(all([demand(3)], [supply()]).launch).toHaveLength(3);
    expect(all([demand(5)], [supply({ slots: 2 })]).launch).toHaveLength(3);
    expect(all([demand(0)], [supply()]).launch).toEqual([]);
  });

  test('what is on its way is not launched again', () => {
    const booting = (n: number) => Array.from({ length: n }, (_, i) => host(`h${i}`, { booting: true, attributes: {}, wanted: { os: 'linux' } }));
    expect(all([demand(3)], [supply()], booting(2)).launch).toHaveLength(1);
    expect(all([demand(3)], [supply()], booting(3)).launch).toEqual([]);
    // On its way, but for something else.
    expect(all([demand(1)], [supply()], [host('m', { booting: true, attributes: {}, wanted: { os: 'mac' } })]).launch).toHaveLength(1);
  });

  test('by the first blueprint that fits and has room, then the next', () => {
    const supplies = [supply({ blueprint: 'cheap', room: 1 }), supply({ blueprint: 'mac', offers: [{ os: 'mac' }] }), supply()];
    expect(all([demand(3)], supplies).launch.map((l) => l.blueprint)).toEqual(['cheap', 'cloud', 'cloud']);
    expect(all([demand(2, { blueprints: ['mac'] })], supplies).launch).toEqual([]);
    expect(all([demand(1)], [supply({ restricted: true })]).launch).toEqual([]);
    expect(all([demand(1, { may: ['cloud'] })], [supply({ restricted: true })]).launch).toHaveLength(1);
  });

  test('an open breaker, or offers that are all refused, send nobody away from a blueprint that works', () => {
    expect(all([demand(1)], [supply({ blueprint: 'broken', room: 0 }), supply({ blueprint: 'empty', offers: [] }), supply()]).launch.map((l) => l.blueprint)).toEqual(['cloud']);
  });

  test('nothing while its breaker is open, one when that is over, and all again once it is closed', () => {
    const until = '2030-01-01T00:00:30.000Z';
    const room = (seconds: number, booting: number, more: object = { breaker: { until } }) => roomOf(more, 10, 4 + booting, booting, Date.parse(until) + 1000 * seconds);
    expect([room(-1, 0), room(0, 0), room(1, 1), room(1, 0, {}), room(1, 0, { disabled: 'x' })]).toEqual([0, 1, 0, 6, 0]);
    expect(roomOf({ breaker: { until } }, 4, 4, 0, Date.parse(until))).toBe(0);
  });

  test('so many idle ones as the pool keeps above those in use', () => {
    const busy = [host('a', { busy: 1 }), host('b', { busy: 1 })];
    expect(all([], [supply({ minIdle: 2 })], busy).launch).toHaveLength(2);
    expect(all([], [supply({ minIdle: 2 })], [...busy, host('c'), host('d', { booting: true })]).launch).toEqual([]);
    // One that boots for a request is not idle when it is up.
    expect(all([demand(1)], [supply({ minIdle: 1 })], [host('d', { booting: true })]).launch).toHaveLength(1);
    expect(all([], [supply({ minIdle: 5, room: 2 })], busy).launch).toHaveLength(2);
  });
});

describe('what is ended', () => {
  const ends = (stock: Stock[], over: Partial<Keeping> = {}, s = supply()) => all([], [s], stock, Number.POSITIVE_INFINITY, keeping(over)).end.map((e) => e.resource);
  const idle = (resource: string, ms: number, over: Partial<Stock> = {}) => host(resource, { idleSince: NOW - ms, ...over });

  test('idle for too long, the longest first, down to what the pool keeps', () => {
    expect(ends([idle('a', 600_000), idle('b', 599_999)])).toEqual(['a']);
    expect(ends([idle('a', 700_000), idle('b', 800_000)], {}, supply({ minIdle: 1 }))).toEqual(['b']);
  });

  test('too old or worn; one in use drains', () => {
    const { end } = all([], [supply()], [host('old', { activatedAt: NOW - 5000, busy: 1 }), host('worn', { uses: 3 })], 9, keeping({ maxAge: 5000, maxUses: 3 }));
    expect(end.map(({ resource, idle: only }) => [resource, only])).toEqual([['old', false], ['worn', false]]);
  });

  test('never one in use for being idle', () => {
    expect(ends([idle('a', 900_000, { busy: 1 })])).toEqual([]);
  });

  test('an idle one of another kind when the limit over all is reached', () => {
    const mac = { blueprint: 'mac', attributes: { os: 'mac' } };
    const { end, launch } = all([demand(1)], [supply()], [host('m1', { ...mac, idleSince: NOW - 5 }), host('m2', { ...mac, idleSince: NOW - 9 }), host('m3', { ...mac, busy: 1, idleSince: NOW - 99 })], 0);
    expect([end.map((e) => e.resource), launch]).toEqual([['m2'], []]);
    expect(all([demand(1)], [supply()], [host('m3', { ...mac, busy: 1 })], 0)).toMatchObject({ end: [], launch: [], short: 1 });
  });
});

describe('hosts booted from versions of an image', () => {
  const cloud = supply({ offers: [{ os: 'linux', imageVersion: '2' }], tests: { offers: [{ os: 'linux', imageVersion: '3' }], room: 5 } });
  const wants = (imageVersion: string, count = 1) => demand(count, { attributes: { os: 'linux', imageVersion } });
  const of = (resource: string, imageVersion: string, over: Partial<Stock> = {}) => host(resource, { attributes: { os: 'linux', imageVersion }, ...over });

  test('whoever wants no version gets the usual one, and one under test is for who wants it', () => {
    const versions = (...demands: Demand[]) => all(demands, [cloud]).launch.map(({ version }) => version);
    expect(versions(demand(2))).toEqual(['2', '2']);
    expect(versions(wants('3'), wants('2'), wants('>=2'), wants('4'))).toEqual(['3', '2', '2']);
    expect(all([demand(1)], [supply({ ...cloud, offers: [] })]).launch).toEqual([]);
    expect(all([], [supply({ ...cloud, minIdle: 1 })]).launch).toEqual([{ blueprint: 'cloud', wants: {}, owner: 'berth', version: '2' }]);
  });

  test('a breaker keeps nobody from a version under test; both share the room', () => {
    expect(all([demand(1), wants('3')], [supply({ ...cloud, room: 0 })]).launch.map(({ version }) => version)).toEqual(['3']);
    expect(all([wants('3', 2), demand(2)], [supply({ ...cloud, room: 3, tests: { ...cloud.tests!, room: 3 } })]).launch.map(({ version }) => version)).toEqual(['3', '3', '2']);
  });

  test('one of a version that is over ends, idle or not, and a new one is launched for it', () => {
    const { end, launch } = all([], [supply({ ...cloud, minIdle: 1 })], [of('idle', '1', { apart: true, over: 'moved' }), of('busy', '1', { apart: true, over: 'moved', busy: 1 }), of('broken', '1', { apart: true, over: 'moved', sound: false })]);
    expect(end).toEqual(['idle', 'busy'].map((resource) => ({ resource, reason: 'moved', idle: false, sake: 'cloud' })));
    expect(launch).toHaveLength(1);
  });

  test('so does a booting one, unless somebody waits for just that version', () => {
    const booting = of('h', '1', { booting: true, apart: true, over: 'moved', wanted: { os: 'linux', imageVersion: '1' } });
    expect(all([demand(1)], [cloud], [booting])).toMatchObject({ end: [{ resource: 'h' }], launch: [{ version: '2' }] });
    expect(all([wants('1')], [cloud], [booting])).toMatchObject({ end: [], launch: [] });
  });

  test('one of a version under test is none that the pool keeps', () => {
    const test = (over: Partial<Stock> = {}) => of('t', '3', { apart: true, ...over });
    expect(all([], [supply({ ...cloud, minIdle: 1 })], [test()])).toMatchObject({ end: [], launch: [{ version: '2' }] });
    expect(all([], [supply({ ...cloud, minIdle: 1 })], [test({ booting: true })]).launch).toHaveLength(1);
    expect(all([], [supply({ ...cloud, minIdle: 1 })], [of('h', '2'), test({ idleSince: NOW - 600_000 })]).end).toMatchObject([{ resource: 't', idle: true }]);
    expect(all([demand(1)], [cloud], [test({ booting: true })]).launch).toMatchObject([{ version: '2' }]);
    expect(all([wants('3')], [cloud], [test({ booting: true })]).launch).toEqual([]);
    // It stands in the way of a request that it does not serve.
    expect(all([demand(1)], [cloud], [test()], 0).end).toMatchObject([{ resource: 't', idle: true }]);
  });
});

test('for all demands and stocks: never more than the limits, never more than is wanted, nothing in use ended for being idle', () => {
  const attributes = fc.constantFrom({ os: 'linux' }, { os: 'mac' });
  fc.assert(
    fc.property(
      fc.array(fc.record({ count: fc.integer({ min: 0, max: 8 }), attributes }), { maxLength: 4 }),
      fc.array(fc.record({ booting: fc.boolean(), busy: fc.integer({ min: 0, max: 1 }), attributes, idle: fc.integer({ min: 0, max: 1_200_000 }) }), { maxLength: 8 }),
      fc.record({ room: fc.integer({ min: 0, max: 6 }), total: fc.integer({ min: 0, max: 6 }), minIdle: fc.integer({ min: 0, max: 3 }), slots: fc.integer({ min: 1, max: 3 }) }),
      (wanted, there, { room, total, minIdle, slots }) => {
        const demands = wanted.map((w) => demand(w.count, { attributes: w.attributes }));
        const stock = there.map((t, i) => host(`h${i}`, { booting: t.booting, busy: t.booting ? 0 : t.busy, attributes: t.attributes, idleSince: NOW - t.idle, slots }));
        const due = all(demands, [supply({ room, minIdle, slots })], stock, total);
        expect(due.launch.length).toBeLessThanOrEqual(Math.min(room, total));
        const needed = demands.filter((d) => d.attributes['os'] === 'linux').reduce((sum, d) => sum + Math.ceil(d.count / slots), 0);
        expect(due.launch.length).toBeLessThanOrEqual(needed + minIdle);
        for (const { resource, idle } of due.end) if (idle) expect(stock.find((s) => s.resource === resource)!.busy).toBe(0);
        expect(new Set(due.end.map((e) => e.resource)).size).toBe(due.end.length);
      },
    ),
  );
});
