import { explanation, leaseRequest, type ConsideredCode, type LeaseRequest } from '@berth/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, type BlueprintView, type FleetView, type Ground, type HostView } from './explain.js';
import { Placement } from './placement/placement.js';

const NOW = Date.parse('2030-01-31T12:00:00Z');
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const request = (more: Partial<LeaseRequest> = {}): LeaseRequest => ({ ...leaseRequest.parse({ type: 'host', owner: 'ada' }), ...more });
const blueprint = (more: Partial<BlueprintView> = {}): BlueprintView => ({
  name: 'pool', kind: 'preallocated', type: 'host', allow: { projects: [], owners: [] }, rank: 100, limits: {}, resources: 1, leases: 0, leasesOf: () => 0, launches: [], ...more,
});
const cloud = (more: Partial<BlueprintView> = {}) => blueprint({ name: 'cloud', kind: 'ec2', launches: [{ os: 'linux', cpus: '8' }], resources: 0, ...more });
const tested = (more: Partial<BlueprintView> = {}, failed?: { until: string; reason: string }) => cloud({ launches: [{ imageVersion: '2' }], tests: [{ attributes: { imageVersion: '3' }, failed }], ...more });
const host = (n: number, more: Partial<HostView> = {}): HostView => ({
  resource: id(n), name: `h${n}`, blueprint: 'pool', attributes: { os: 'linux' }, slots: 1, status: 'active', since: '2030-01-31T11:30:00Z', claims: [], ...more,
});
const fleet = (blueprints: BlueprintView[], hosts: HostView[] = [], quota: FleetView['quota'] = {}): FleetView => ({ blueprints, hosts, quota });
const claim = (owner: string, until?: string) => ({ lease: id(99), owner, ...(until !== undefined && { until }) });
const until = '2030-01-31T12:30:00Z';
const busy = { claims: [claim('bob')] };

type Case = [code: ConsideredCode, reason: string, fleet: FleetView, request?: Partial<LeaseRequest>, ahead?: number];
describe('the one reason', () => {
  test.each<Case>([
    ['free', '1 of 1 slot free', fleet([blueprint()], [host(1)])],
    ['attributes', 'attribute os=linux, wanted mac', fleet([blueprint()], [host(1)]), { attributes: { os: 'mac' } }],
    ['attributes', 'no gpu attribute, wanted *', fleet([blueprint()], [host(1)]), { attributes: { gpu: '*' } }],
    ['attributes', 'attribute os=linux, wanted mac; no cpus attribute, wanted >=8', fleet([blueprint()], [host(1)]), { attributes: { os: 'mac', cpus: '>=8', disk: 'ssd' } }],
    ['no-free-slot', 'no free slot: held by bob until 12:30Z, cy until 2030-02-01 09:00Z, dan and 1 more', fleet([blueprint()], [host(1, { slots: 4, claims: [claim('bob', until), claim('cy', '2030-02-01T09:00:00Z'), claim('dan'), claim('eve')] })])],
    ['not-authorised', 'machine h1 is for project ml only', fleet([blueprint()], [host(1, { allow: { projects: ['ml'], owners: [] } })]), { project: 'web' }],
    ['not-authorised', 'machine h1 is for projects ml, web or owner bob only', fleet([blueprint()], [host(1, { ...busy, allow: { projects: ['ml', 'web'], owners: ['bob'] } })])],
    ['not-authorised', 'machine h1 is for owners bob, cy, dan and 1 more only', fleet([blueprint()], [host(1, { draining: 'kernel', allow: { projects: [], owners: ['bob', 'cy', 'dan', 'eve'] } })])],
    ['free', '1 of 1 slot free', fleet([blueprint()], [host(1, { allow: { projects: ['web'], owners: [] } })]), { project: 'web' }],
    ['free', '1 of 1 slot free', fleet([blueprint()], [host(1, { allow: { projects: ['web'], owners: ['ada'] } })])],
    ['quarantined', 'quarantined until 12:30Z: disk full', fleet([blueprint()], [host(1, { quarantined: { until, reason: 'disk full' } })])],
    ['held', 'held until 12:30Z: debugging', fleet([blueprint()], [host(1, { held: { until, reason: 'debugging' } })])],
    ['draining', 'draining: kernel', fleet([blueprint()], [host(1, { draining: 'kernel' })])],
    ['ending', 'ending since 11:30Z', fleet([blueprint()], [host(1, { status: 'released' })])],
    ['ending', 'ending since 11:30Z: it is old', fleet([blueprint()], [host(1, { status: 'released', ending: 'it is old', apart: 'it is old' })])],
    ['attributes', 'it is of a version under test', fleet([blueprint()], [host(1, { apart: 'it is of a version under test' })])],
    ['free', '1 of 1 slot free', fleet([blueprint()], [host(1, { attributes: { imageVersion: '3' }, apart: 'it is of a version under test' })]), { attributes: { imageVersion: '3' } }],
    ['broken', 'broken: no route', fleet([blueprint()], [host(1, { status: 'broken', error: 'no route' })])],
    ['unreachable', 'unreachable: timed out', fleet([blueprint()], [host(1, { unreachable: 'timed out' })])],
    ['booting', 'booting since 11:30Z (installing)', fleet([blueprint()], [host(1, { status: 'pending', phase: 'installing' })])],
    ['quota', 'quota: ada holds 5 of 5 hosts', fleet([blueprint()], [host(1)], { owner: { limit: 5, used: 5 } })],
    ['quota', 'quota: 9 of 9 hosts are leased', fleet([blueprint()], [host(1)], { hosts: { limit: 9, used: 9 } })],
    ['limit', 'limit reached: 3 of 3 leases', fleet([blueprint({ limits: { leases: 3 }, leases: 3 })], [host(1)])],
    ['limit', 'limit reached: ada has 1 of 1 lease', fleet([blueprint({ limits: { leasesPerOwner: 1 }, leasesOf: () => 1 })], [host(1)])],
    ['behind', 'behind 3 requests that come first', fleet([blueprint()], [host(1)]), {}, 3],
  ])('for a host: %s, %s', (code, reason, given, wants, ahead = 0) => {
    const told = explain(request(wants), given, { ahead }, NOW);
    expect(told.considered.find((c) => c.resource === id(1))).toMatchObject({ code, reason, name: 'h1', blueprint: 'pool' });
    expect(explanation.parse(told)).toEqual(told);
  });

  test.each<Case>([
    ['other-type', 'makes a working-copy, wanted a host', fleet([blueprint({ type: 'working-copy', kind: 'working-copy' })])],
    ['not-asked-for', 'not asked for: wanted gpu or big', fleet([blueprint()]), { blueprints: ['gpu', 'big'] }],
    ['disabled', 'disabled: being moved', fleet([blueprint({ disabled: 'being moved' })])],
    ['not-authorised', 'project web may not use it', fleet([blueprint({ allow: { projects: ['ml'], owners: ['bob'] } })]), { project: 'web' }],
    ['not-authorised', 'ada may not use it', fleet([blueprint({ allow: { projects: [], owners: ['bob'] } })])],
    ['no-resources', 'it has no hosts: add a machine (berth machine add)', fleet([blueprint()])],
    ['can-launch', 'could launch one', fleet([cloud()])],
    ['can-launch', 'could launch one', fleet([tested({ breaker: { until, reason: 'no boot' } })]), { attributes: { imageVersion: '3' } }],
    ['breaker-open', 'the version under test is not launched until 12:30Z: no boot', fleet([tested({}, { until, reason: 'no boot' })]), { attributes: { imageVersion: '3' } }],
    ['breaker-open', 'breaker open until 12:30Z: no boot', fleet([tested({ breaker: { until, reason: 'no boot' } })])],
    ['attributes', 'attribute imageVersion=2, wanted 4', fleet([tested()]), { attributes: { imageVersion: '4' } }],
    ['attributes', 'attribute os=linux, wanted mac', fleet([cloud()]), { attributes: { os: 'mac' } }],
    ['can-launch', 'a machine gets its host soon', fleet([blueprint({ launches: [{ os: 'linux' }] })], [], { launches: { limit: 0, used: 0 } })],
    ['limit', 'limit reached: 5 of 5 resources', fleet([cloud({ limits: { resources: 5 }, resources: 5 })])],
    ['limit', 'limit reached: 2 of 2 resources', fleet([cloud({ limits: { resources: 5 }, max: 2, resources: 2 })])],
    ['quota', 'quota: 7 of 7 resources are launched', fleet([cloud()], [], { launches: { limit: 7, used: 7 } })],
    ['breaker-open', 'breaker open until 12:30Z: no such image', fleet([cloud({ breaker: { until, reason: 'no such image' } })])],
    ['can-launch', 'could launch one', fleet([cloud({ breaker: { until: '2030-01-31T11:59:00Z', reason: 'no such image' } })])],
    ['no-resources', 'not to be had until 12:30Z: no capacity', fleet([cloud({ refused: { until, reason: 'no capacity' } })])],
    ['no-free-slot', 'h1: no free slot: held by bob', fleet([blueprint()], [host(1, busy)])],
    ['free', 'h2, the most hopeful of 2 hosts: 1 of 1 slot free', fleet([blueprint()], [host(1, busy), host(2)])],
  ])('for a blueprint: %s, %s', (code, reason, given, wants, ahead = 0) => {
    const told = explain(request(wants), given, { ahead }, NOW);
    expect(told.considered.find((c) => c.resource === undefined)).toMatchObject({ code, reason });
    expect(explanation.parse(told)).toEqual(told);
  });

  test('says who holds the slots', () => {
    const { considered } = explain(request(), fleet([blueprint()], [host(1, { claims: [claim('bob', until)] })]), { ahead: 0 }, NOW);
    expect(considered.find((c) => c.resource)).toMatchObject({ until, holders: [{ lease: id(99), owner: 'bob', until }] });
  });

  test('names none of other projects to who sees only some', () => {
    const claims = [{ ...claim('bob', until), project: 'web' }, { ...claim('cy', until), project: 'ml' }, claim('dan')];
    const seenBy = (projects: string[] | undefined) => explain(request(), { ...fleet([blueprint()], [host(1, { slots: 3, claims })]), projects }, { ahead: 0 }, NOW);
    const told = (projects: string[] | undefined) => {
      const said = seenBy(projects);
      expect(explanation.parse(said)).toEqual(said);
      const { reason, holders } = said.considered.find((c) => c.resource)!;
      return [reason, holders!.map(({ lease, owner }) => [lease !== undefined, owner]), said.next];
    };
    expect(told(undefined)).toEqual(['no free slot: held by bob until 12:30Z, cy until 12:30Z, dan', [[true, 'bob'], [true, 'cy'], [true, 'dan']], 'the lease of bob on h1 ends, unless it is renewed']);
    expect(told(['ml'])).toEqual(['no free slot: held by another project until 12:30Z, cy until 12:30Z, another project', [[false, 'another project'], [true, 'cy'], [false, 'another project']], 'the lease of another project on h1 ends, unless it is renewed']);
    expect(JSON.stringify(seenBy([]))).not.toMatch(/bob|cy|dan|000000000099/);
  });

  test('of a composite the same, also of what its members would stand on', () => {
    const set = blueprint({ name: 'set', kind: 'composite', type: 'composite', grounds: () => [{ name: 'a', request: request() }, { name: 'b', request: request() }] });
    const given = { ...fleet([set, blueprint()], [host(1), host(2, { claims: [{ ...claim('bob', until), project: 'web' }] })]), projects: ['ml'] };
    expect(JSON.stringify(explain(request({ type: 'composite', project: 'ml' }), given, { ahead: 0 }, NOW))).toMatch(/^(?!.*bob).*another project/);
  });

  test('lists 64, the most hopeful first, and every blueprint', () => {
    const hosts = Array.from({ length: 100 }, (_, i) => host(i, i === 77 ? {} : i === 50 ? { attributes: {} } : busy));
    const { considered, more } = explain(request({ attributes: { os: 'linux' } }), fleet([blueprint(), cloud({ disabled: 'x' })], hosts), { ahead: 0 }, NOW);
    expect(considered).toHaveLength(64);
    expect(more).toBe(38);
    expect(considered.map((c) => c.code)).toEqual(['free', 'free', ...Array.from({ length: 61 }, () => 'no-free-slot'), 'disabled']);
  });
});

type Whole = [verdict: 'now' | 'wait' | 'never', reason: string, next: string, fleet: FleetView, request?: Partial<LeaseRequest>, ahead?: number];
describe('the whole', () => {
  test.each<Whole>([
    ['now', 'h1 has a free slot', 'it gets a slot of h1', fleet([blueprint()], [host(1)])],
    ['wait', 'all 3 slots of the hosts that fit are taken: h1 (1), h2 (2)', 'somebody gives back a slot of h1', fleet([blueprint()], [host(1, busy), host(2, { slots: 2, claims: [claim('a'), claim('b')] })])],
    ['wait', 'the one slot of the hosts that fit is taken: h1 (1)', 'the requests that come first are served', fleet([blueprint()], [host(1)]), {}, 2],
    ['wait', 'the one slot of the hosts that fit is taken: h1 (1); cloud may have no more than 5 resources', 'somebody gives back a slot of h1', fleet([blueprint(), cloud({ max: 5, resources: 5 })], [host(1, busy)])],
    ['wait', 'the one slot of the hosts that fit is taken: h1 (1)', 'cloud launches a host', fleet([blueprint(), cloud()], [host(1, busy)])],
    ['wait', 'the one slot of the hosts that fit is taken: h1 (1)', 'the lease of bob on h1 ends, unless it is renewed', fleet([blueprint()], [host(1, { claims: [claim('bob', until)] })])],
    ['wait', 'waits until a host of cloud is ready', 'cloud launches a host', fleet([cloud()])],
    ['wait', 'waits until a host of cloud is ready', 'h1 gets ready', fleet([cloud({ max: 1, resources: 1 })], [host(1, { blueprint: 'cloud', status: 'pending', by: until })])],
    ['wait', 'cloud launches nothing until 12:30Z: no such image', 'cloud tries to launch again', fleet([cloud({ breaker: { until, reason: 'no such image' } })])],
    ['wait', 'cloud may have no more than 0 resources', 'a lease or resource of cloud ends, or its limit is raised', fleet([cloud({ max: 0 })])],
    ['wait', "the hosts that fit can't be reached: h1 (timed out)", 'h1 can be reached again', fleet([blueprint()], [host(1, { unreachable: 'timed out' })])],
    ['wait', 'the hosts that fit are not in service: h1 is quarantined until 12:30Z: ill, h2 is draining: old', 'h1 is no longer quarantined', fleet([blueprint()], [host(1, { quarantined: { until, reason: 'ill' } }), host(2, { draining: 'old' })])],
    ['wait', 'ada holds as many hosts as the quota allows (2)', 'ada or others give back a host, or the quota is raised', fleet([blueprint()], [host(1)], { owner: { limit: 2, used: 2 } })],
    ['wait', 'pool has as many leases as its limit allows (2)', 'a lease or resource of pool ends, or its limit is raised', fleet([blueprint({ limits: { leases: 2 }, leases: 2 })], [host(1)])],
    ['never', 'there are no hosts: add a machine (berth machine add), or a blueprint that launches some', 'nothing, as long as that stays so', fleet([blueprint()])],
    ['never', 'no host fits: os=mac is wanted, there is os=linux; gpu=yes is wanted, no host says what its gpu is', 'nothing, as long as that stays so', fleet([blueprint(), cloud()], [host(1)]), { attributes: { os: 'mac', gpu: 'yes' } }],
    ['never', 'no host fits: no single host has all of os=linux, gpu=yes', 'nothing, as long as that stays so', fleet([blueprint()], [host(1), host(2, { attributes: { os: 'mac', gpu: 'yes' } })]), { attributes: { os: 'linux', gpu: 'yes' } }],
    ['never', 'no host comes from the blueprints asked for (gpu)', 'nothing, as long as that stays so', fleet([blueprint()], [host(1)]), { blueprints: ['gpu'] }],
    ['never', 'pool is disabled: moving', 'nothing, as long as that stays so', fleet([blueprint({ disabled: 'moving' })], [host(1)])],
    ['never', 'pool: ada may not use it', 'nothing, as long as that stays so', fleet([blueprint({ allow: { projects: [], owners: ['bob'] } })], [host(1)])],
    ['never', 'the quota allows ada no hosts', 'nothing, as long as that stays so', fleet([blueprint()], [host(1)], { owner: { limit: 0, used: 0 } })],
    ['never', 'pool may give no leases: the limit is 0', 'nothing, as long as that stays so', fleet([blueprint({ limits: { leases: 0 } })], [host(1)])],
    ['never', 'the quota allows no launched resources', 'nothing, as long as that stays so', fleet([cloud()], [], { launches: { limit: 0, used: 0 } })],
    ['never', 'no blueprint makes a service: save one', 'nothing, as long as that stays so', fleet([blueprint()]), { type: 'service' }],
    ['wait', 'waits for its host lease', 'it gets its host lease', fleet([blueprint({ name: 'copies', type: 'working-copy', kind: 'working-copy' })]), { type: 'working-copy' }],
    ['now', 'copies could make it at once', 'copies makes it', fleet([blueprint({ name: 'copies', type: 'working-copy', kind: 'working-copy' })]), { type: 'working-copy', host: { lease: id(1) } }],
    ['wait', 'db may have no more than 3 resources', 'a lease or resource of db ends, or its limit is raised', fleet([blueprint({ name: 'db', type: 'service', kind: 'service', limits: { resources: 3 }, resources: 3 })], [], { hosts: { limit: 1, used: 1 } }), { type: 'service' }],
    ['wait', 'waits for the leases of its members', 'it gets the leases of its members', fleet([blueprint({ name: 'set', type: 'composite', kind: 'composite' })]), { type: 'composite' }],
  ])('%s: %s; next: %s', (verdict, reason, next, given, wants, ahead = 0) => {
    const told = explain(request(wants), given, { ahead }, NOW);
    expect({ verdict: told.verdict, reason: told.reason, next: told.next, ahead: told.ahead }).toEqual({ verdict, reason, next, ahead });
    expect(explanation.parse(told)).toEqual(told);
  });

  describe('of what leases something to stand on', () => {
    const pier = (value: string): Ground => ({ request: request({ attributes: { pier: value } }) });
    const member = (name: string, value: string): Ground => ({ name, ...pier(value) });
    const on = (...grounds: Ground[]) => blueprint({ name: 'copies', type: 'working-copy', kind: 'working-copy', grounds: () => grounds });
    const at = (n: number, value: string, more: Partial<HostView> = {}) => host(n, { attributes: { pier: value }, ...more });
    const copy = { type: 'working-copy' } as const;

    test.each<Whole>([
      ['now', 'copies could make it at once', 'copies makes it', fleet([on(pier('a')), blueprint()], [at(1, 'a')]), copy],
      ['wait', 'waits for its host lease: the one slot of the hosts that fit is taken: h1 (1)', 'the lease of bob on h1 ends, unless it is renewed', fleet([on(pier('a')), blueprint()], [at(1, 'a', { claims: [claim('bob', until)] })]), copy],
      ['never', 'no host fits: pier=b is wanted, there is pier=a', 'nothing, as long as that stays so', fleet([on(pier('b')), blueprint()], [at(1, 'a')]), copy],
      ['never', 'the quota allows ada no hosts', 'nothing, as long as that stays so', fleet([on(pier('a')), blueprint()], [at(1, 'a')], { owner: { limit: 0, used: 0 } }), copy],
      ['now', 'more could make it at once', 'more makes it', fleet([on(pier('b')), { ...on(pier('a')), name: 'more' }, blueprint()], [at(1, 'a')]), copy],
      ['wait', 'copies may have no more than 1 resource', 'a lease or resource of copies ends, or its limit is raised', fleet([{ ...on(pier('a')), limits: { resources: 1 } }, blueprint()], [at(1, 'a')]), copy],
      ['wait', 'waits for its host lease: member two: the one slot of the hosts that fit is taken: h1 (1)', 'member two: somebody gives back a slot of h1', fleet([on(member('one', 'a'), member('two', 'a')), blueprint()], [at(1, 'a')]), copy],
      ['now', 'copies could make it at once', 'copies makes it', fleet([on(member('one', 'a'), member('two', 'a')), blueprint()], [at(1, 'a'), at(2, 'a')]), copy],
      ['wait', 'waits for its host lease: member two: ada holds as many hosts as the quota allows (1)', 'member two: ada or others give back a host, or the quota is raised', fleet([on(member('one', 'a'), member('two', 'a')), blueprint()], [at(1, 'a'), at(2, 'a')], { owner: { limit: 1, used: 0 } }), copy],
      ['never', 'member two: no host fits: pier=b is wanted, there is pier=a', 'nothing, as long as that stays so', fleet([on(member('one', 'a'), member('two', 'b')), blueprint()], [at(1, 'a', busy)]), copy],
      ['now', 'copies could make it at once', 'copies makes it', fleet([on(pier('b')), blueprint()]), { ...copy, host: { lease: id(1) } }],
    ])('%s: %s; next: %s', (verdict, reason, next, given, wants) => {
      const told = explain(request(wants), given, { ahead: 0 }, NOW);
      expect({ verdict: told.verdict, reason: told.reason, next: told.next }).toEqual({ verdict, reason, next });
      expect(explanation.parse(told)).toEqual(told);
    });

    test('what stands on what stands on a host says what that host waits for', () => {
      const service = blueprint({ name: 'web', type: 'service', kind: 'service', grounds: () => [{ request: request(copy) }] });
      const told = explain(request({ type: 'service' }), fleet([service, on(pier('a')), blueprint()], [at(1, 'a', { claims: [claim('bob', until)] })]), { ahead: 0 }, NOW);
      expect(told).toMatchObject({ verdict: 'wait', reason: 'waits for the lease it stands on: the one slot of the hosts that fit is taken: h1 (1)', by: until });
    });

    test('the hosts that it could stand on are listed, each once', () => {
      const { considered, more } = explain(request(copy), fleet([on(member('one', 'a'), member('two', 'b')), blueprint()], [at(1, 'a', busy), at(2, 'b')]), { ahead: 0 }, NOW);
      expect(considered.map(({ blueprint: name, name: of, code }) => [name, of, code])).toEqual([
        ['copies', undefined, 'can-launch'], ['pool', undefined, 'no-free-slot'], ['pool', 'h1', 'no-free-slot'], ['pool', 'h2', 'attributes'],
      ]);
      expect(more).toBe(0);
      const many = Array.from({ length: 100 }, (_, n) => at(n, 'a', busy));
      expect(explain(request(copy), fleet([on(pier('a')), blueprint()], many), { ahead: 0 }, NOW)).toMatchObject({ considered: { length: 64 }, more: 102 - 64 });
    });
  });

  test('next comes with a time where one is known', () => {
    const given = fleet([blueprint()], [host(1, busy), host(2, { claims: [claim('cy', '2030-01-31T14:00:00+01:00')] }), host(3, { quarantined: { until: '2030-01-31T13:01:00Z', reason: 'x' } })]);
    expect(explain(request(), given, { ahead: 0 }, NOW)).toMatchObject({ next: 'the lease of cy on h2 ends, unless it is renewed', by: '2030-01-31T14:00:00+01:00' });
  });

  test('the reason does not change as slots come and go', () => {
    const reasons = [[true, true], [true, false], [false, true], [false, false]].map(([one, two]) =>
      explain(request(), fleet([blueprint()], [host(1, one ? busy : {}), host(2, two ? busy : {})]), { ahead: 1 }, NOW).reason);
    expect(new Set(reasons).size).toBe(1);
  });

  test('puts into words only what it lists', () => {
    let words = 0;
    const claims = [{ lease: id(99), get owner() { return `bob${words++}`; } }];
    const hosts = Array.from({ length: 10_000 }, (_, i) => host(i, { claims }));
    expect(explain(request(), fleet([blueprint()], hosts), { ahead: 0 }, NOW)).toMatchObject({ considered: { length: 64 }, more: 9937 });
    expect(words).toBeLessThan(200);
  });
});

describe('for all fleets, the verdict is what a placement decides', () => {
  const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
  /** Mostly not there: with everything in the way at once nothing would ever be served. */
  const option = <T>(of: fc.Arbitrary<T>) => fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: of });
  const names = ['pool', 'cloud', 'local'];
  const has = fc.record({ os: pick('linux', 'mac'), cpus: pick('4', '16') }, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
  const wants = fc.record({ os: pick('linux', '!mac', '*'), cpus: pick('>=8', '4') }, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
  const passing = option(fc.constant({ until, reason: 'x' }));
  const most = option(fc.nat(2));
  const allow = fc.record({ projects: pick<string[]>([], [], ['web']), owners: pick<string[]>([], [], ['bob'], ['ada', 'bob']) });
  const blueprints = fc.tuple(...names.map((name) => fc.record({
    name: fc.constant(name), kind: pick<BlueprintView['kind']>('ec2', 'preallocated'), disabled: option(fc.constant('x')), allow,
    limits: fc.record({ resources: most, leases: most, leasesPerOwner: most }), breaker: passing, refused: passing, launches: fc.array(has, { maxLength: 2 }), resources: fc.nat(3),
  })));
  const hosts = fc.array(
    fc.record({
      blueprint: pick(...names), attributes: has, slots: fc.integer({ min: 1, max: 2 }), status: pick<HostView['status']>('active', 'active', 'active', 'active', 'pending', 'released', 'broken'),
      unreachable: option(fc.constant('x')), quarantined: passing, held: passing, draining: option(fc.constant('x')), allow: option(allow), claims: fc.array(pick('ada', 'bob'), { maxLength: 2 }),
    }),
    { maxLength: 12, size: 'max' },
  );
  const quotas = fc.record({ hosts: most, owner: most, launches: most });
  const asked = fc.record({ attributes: fc.oneof(fc.constant({}), wants), blueprints: fc.oneof(fc.constant<string[]>([]), fc.subarray(names, { maxLength: 2 })), project: option(pick('web', 'ml')) });

  test('now, or never', () => {
    const seen = { now: 0, wait: 0, never: 0 };
    fc.assert(
      fc.property(blueprints, hosts, quotas, asked, (specs, machines, quota, { project, ...wanted }) => {
        const views = machines.map((m, n): HostView => ({ ...host(n), ...m, claims: m.claims.slice(0, m.slots).map((owner, i) => ({ lease: id(100 + 10 * n + i), owner })) }));
        const claims = views.flatMap(({ blueprint: name, claims: own }) => own.map((c) => ({ ...c, blueprint: name })));
        const leases = (name: string, owner?: string) => claims.filter((c) => c.blueprint === name && (owner === undefined || c.owner === owner)).length;
        const use = (limit: number | undefined, used: number) => (limit === undefined ? undefined : { limit, used });
        const given = fleet(specs.map((spec) => blueprint({ ...spec, leases: leases(spec.name), leasesOf: (owner) => leases(spec.name, owner) })), views, {
          hosts: use(quota.hosts, claims.length), owner: use(quota.owner, claims.filter(({ owner }) => owner === 'ada').length), launches: use(quota.launches, 1),
        });
        const told = explain(request({ ...wanted, ...(project !== undefined && { project }) }), given, { ahead: 0 }, NOW);
        seen[told.verdict]++;

        const specOf = (name: string) => specs.find((spec) => spec.name === name)!;
        const restricted = (name: string) => specOf(name).allow.projects.length + specOf(name).allow.owners.length > 0;
        const may = names.filter((name) => specOf(name).allow.owners.includes('ada') || (project !== undefined && specOf(name).allow.projects.includes(project)));
        const door = ({ allow: of }: HostView) => of && JSON.stringify(of);
        const passes = views.flatMap((h) => (h.allow?.owners.includes('ada') || (project !== undefined && h.allow?.projects.includes(project)) ? [door(h)!] : []));
        const single = { lease: 'it', owner: 'ada', prefer: [], may: [...may, ...passes], priority: 100, askedAt: 0, order: 1, ...wanted };
        const offer = (resource: string, name: string, attributes: Record<string, string>, free: number, behind?: string) => ({ resource, blueprint: name, attributes, restricted: restricted(name), free, rank: 0, warm: [], ...(behind !== undefined && { door: behind }) });
        const behind = (h: HostView) => (h.allow && h.allow.projects.length + h.allow.owners.length > 0 ? door(h) : undefined);

        const today = new Placement();
        today.limit({ hosts: quota.hosts, owner: (owner) => (owner === 'ada' ? quota.owner : undefined), blueprint: (name) => specOf(name).limits });
        for (const { lease, ...by } of claims) today.claimed(lease, by);
        for (const h of views) {
          const usable = h.status === 'active' && !h.unreachable && !h.quarantined && !h.held && !h.draining && !specOf(h.blueprint).disabled;
          today.offer(offer(h.resource, h.blueprint, h.attributes, usable ? h.slots - h.claims.length : 0, behind(h)));
        }
        today.request(single);
        expect(today.next() !== undefined).toBe(told.verdict === 'now');

        const zero = (limit: number | undefined) => (limit === 0 ? 0 : undefined);
        const someDay = new Placement();
        someDay.limit({ hosts: zero(quota.hosts), owner: () => zero(quota.owner), blueprint: (name) => ({ leases: zero(specOf(name).limits.leases), leasesPerOwner: zero(specOf(name).limits.leasesPerOwner) }) });
        for (const h of views) if (h.status !== 'released' && !specOf(h.blueprint).disabled) someDay.offer(offer(h.resource, h.blueprint, h.attributes, h.slots, behind(h)));
        for (const spec of specs) {
          if (spec.disabled || spec.limits.resources === 0 || (quota.launches === 0 && spec.kind === 'ec2')) continue;
          for (const [i, attributes] of spec.launches.entries()) someDay.offer(offer(`${spec.name}${i}`, spec.name, attributes, 1));
        }
        someDay.request(single);
        expect(someDay.next() === undefined).toBe(told.verdict === 'never');
        expect(told.reason).not.toMatch(/undefined|: $|^$/);
        expect(told.next).not.toMatch(/undefined|^$/);
      }),
      { numRuns: 1000 },
    );
    for (const times of Object.values(seen)) expect(times).toBeGreaterThan(20);
  });
});
