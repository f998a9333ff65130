import { expression, satisfies } from '@berth/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Model } from './model.testing.js';
import { Placement } from './placement.js';
import { fits, literals, wantsKey, type Limits, type Offer, type Wanted } from './wants.js';

const owners = ['ada', 'bob', 'cy'];
const blueprints = ['pool', 'local', 'ec2'];
const doors = ['front', 'back'];
const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const some = <T extends Record<string, fc.Arbitrary<string>>>(of: T) => fc.record(of, { requiredKeys: [] }) as fc.Arbitrary<Record<string, string>>;
const has = some({ os: pick('linux', 'mac'), cpus: pick('4', '8', '16'), disk: pick('ssd', 'hdd'), machine: pick('m1', 'm2', 'm3', 'm4') });
const wants = some({ os: pick('linux', 'mac|linux', '!mac', '*'), cpus: pick('>=8', '<16', '8'), disk: pick('!*', 'ssd'), machine: pick('m1', 'm3|m2', '!m1') });

const wantedWith = (preferences: { prefer: fc.Arbitrary<Record<string, string>[]>; affinity: fc.Arbitrary<string | undefined> }): fc.Arbitrary<Wanted> => fc
  .record({
    lease: fc.nat(14), owner: pick(...owners), attributes: wants, blueprints: fc.subarray(blueprints, { maxLength: 1 }),
    may: fc.subarray([...blueprints, ...doors]), priority: fc.nat(3), askedAt: fc.nat(6).map((minutes) => minutes * 30_000), ...preferences,
  })
  .map(({ lease, affinity, ...rest }) => ({ lease: `l${lease}`, order: lease, ...rest, ...(affinity !== undefined && { affinity }) }));
const wanted = wantedWith({ prefer: fc.array(wants, { maxLength: 2 }), affinity: fc.option(pick('r1', 'r2'), { nil: undefined }) });
const indifferent = wantedWith({ prefer: fc.constant([]), affinity: fc.constant(undefined) });
const offer: fc.Arbitrary<Offer> = fc
  .record({
    resource: fc.nat(6).map((n) => `h${n}`), blueprint: pick(...blueprints), attributes: has, restricted: fc.boolean(), door: fc.option(pick(...doors), { nil: undefined, freq: 1 }),
    free: fc.nat(3), rank: fc.nat(1), warm: fc.subarray(['r1', 'r2']),
  })
  .map(({ door, ...rest }) => ({ ...rest, ...(door !== undefined && { door }) }));
const most = fc.option(fc.nat(3), { nil: undefined });
const limits: fc.Arbitrary<Limits> = fc
  .record({ hosts: fc.option(fc.nat(6), { nil: undefined }), owners: fc.array(most, { minLength: 3, maxLength: 3 }), blueprints: fc.array(fc.record({ leases: most, leasesPerOwner: most }), { minLength: 3, maxLength: 3 }) })
  .map((l) => ({ hosts: l.hosts, owner: (owner) => l.owners[owners.indexOf(owner)], blueprint: (name) => l.blueprints[blueprints.indexOf(name)] ?? {} }));

type Step = (on: Pick<Placement, 'request' | 'withdraw' | 'reprioritise' | 'offer' | 'remove' | 'limit' | 'claimed' | 'freed' | 'next'>) => unknown;
const lease = fc.nat(14).map((n) => `l${n}`);
const named = (name: string, step: Step): Step => Object.assign(step, { toString: () => name });
const stepOf = (requests: fc.Arbitrary<Wanted>): fc.Arbitrary<Step> => fc.oneof(
  { weight: 6, arbitrary: requests.map((w) => named(`request ${JSON.stringify(w)}`, (on) => on.request(w))) },
  { weight: 4, arbitrary: offer.map((o) => named(`offer ${JSON.stringify(o)}`, (on) => on.offer(o))) },
  { weight: 6, arbitrary: fc.constant(named('next', (on) => on.next())) },
  { weight: 2, arbitrary: lease.map((l) => named(`freed ${l}`, (on) => on.freed(l))) },
  { weight: 1, arbitrary: fc.tuple(lease, pick(...owners), pick(...blueprints)).map(([l, owner, blueprint]) => named(`claimed ${l} ${owner} ${blueprint}`, (on) => on.claimed(l, { owner, blueprint }))) },
  { weight: 1, arbitrary: lease.map((l) => named(`withdraw ${l}`, (on) => on.withdraw(l))) },
  { weight: 1, arbitrary: fc.tuple(lease, fc.nat(3)).map(([l, priority]) => named(`reprioritise ${l} ${priority}`, (on) => on.reprioritise(l, priority))) },
  { weight: 1, arbitrary: fc.nat(6).map((n) => named(`remove h${n}`, (on) => on.remove(`h${n}`))) },
  { weight: 1, arbitrary: limits.map((l) => named(`limit ${JSON.stringify([l.hosts, owners.map(l.owner), blueprints.map(l.blueprint)])}`, (on) => on.limit(l))) },
);
const historyOf = (requests: fc.Arbitrary<Wanted>) => fc.array(stepOf(requests), { maxLength: 80, size: 'max' });
const history = historyOf(wanted);
const runs = { numRuns: 400 };

/** The same history told to both. */
function told(steps: readonly Step[]) {
  const placement = new Placement();
  const model = new Model();
  for (const one of steps) expect(one(placement)).toEqual(one(model));
  return { placement, model };
}
function drain(placement: Placement) {
  const pairs = [];
  for (let pair = placement.next(); pair; pair = placement.next()) pairs.push(pair);
  return pairs;
}

describe('for all histories', () => {
  test('it decides as the plain model does', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { placement, model } = told(steps);
        expect([...placement.waiting()].sort()).toEqual([...model.waits.keys()].sort());
        for (const one of placement.waiting()) expect([one, placement.ahead(one)]).toEqual([one, model.ahead(one)]);
        const sorted = (demand: Iterable<{ wanted: Wanted; count: number }>) => [...demand].map((d) => `${wantsKey(d.wanted)} ${d.wanted.lease} ${d.count}`).sort();
        expect(sorted(placement.demand())).toEqual(sorted(model.demand(wantsKey)));
        for (;;) {
          const pair = placement.next();
          expect(pair).toEqual(model.next());
          if (!pair) break;
        }
      }),
      runs,
    );
  });

  test('capacity, one slot per lease, quotas, order, and nothing left that could be served', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { placement, model } = told(steps);
        const { limits: limit } = model;
        const before = { all: model.holdings.size, of: new Map(owners.map((owner) => [owner, model.held(owner)])) };
        const free = new Map([...model.hosts].map(([resource, host]) => [resource, host.free]));
        const waits = new Map(model.waits);
        const holders = new Set(model.holdings.keys());
        for (let pair = placement.next(); pair; pair = placement.next()) {
          const { wanted: served, resource } = pair;
          const { offer: host } = model.hosts.get(resource)!;
          expect(fits(served, host)).toBe(true);
          expect(holders.has(served.lease)).toBe(false);
          const score = (w: Wanted) => w.askedAt - 60_000 * w.priority + 60_000 * model.held(w.owner);
          for (const other of waits.values()) {
            if (other.lease === served.lease || !fits(other, host) || !model.allowed(other.owner, host.blueprint)) continue;
            expect(score(served) < score(other) || (score(served) === score(other) && served.order < other.order)).toBe(true);
          }
          model.claimed(served.lease, { owner: served.owner, blueprint: host.blueprint });
          holders.add(served.lease);
          waits.delete(served.lease);
          free.set(resource, free.get(resource)! - 1);
          expect(free.get(resource)).toBeGreaterThanOrEqual(0);
          if (limit.hosts !== undefined) expect(model.holdings.size).toBeLessThanOrEqual(Math.max(limit.hosts, before.all));
          expect(model.held(served.owner)).toBeLessThanOrEqual(Math.max(limit.owner(served.owner) ?? 99, before.of.get(served.owner)!));
          const { leases, leasesPerOwner } = limit.blueprint(host.blueprint);
          if (leases !== undefined) expect([...model.holdings.values()].filter(({ blueprint }) => blueprint === host.blueprint).length).toBeLessThanOrEqual(leases);
          if (leasesPerOwner !== undefined) expect(model.held(served.owner, host.blueprint)).toBeLessThanOrEqual(leasesPerOwner);
        }
        for (const w of waits.values()) {
          for (const [resource, { offer: host }] of model.hosts) {
            if (free.get(resource)! > 0 && fits(w, host)) expect(model.allowed(w.owner, host.blueprint)).toBe(false);
          }
        }
      }),
      runs,
    );
  });

  test('demand is what is placed when hosts for all of it come', () => {
    const satisfying = { os: 'linux', cpus: '8', disk: 'ssd', machine: 'm2' };
    const { disk: _, ...diskless } = satisfying;
    const come = [satisfying, diskless, { ...satisfying, machine: 'm1' }, { ...diskless, machine: 'm1' }];
    fc.assert(
      // A preference may take room under a limit from those who can't do without: of requests without any it is exact.
      fc.property(historyOf(indifferent), (steps) => {
        const { placement } = told(steps);
        drain(placement);
        const demanded = new Map([...placement.demand()].map(({ wanted: w, count }) => [wantsKey(w), count]));
        for (const blueprint of ['another', ...blueprints]) {
          // Hosts of blueprints with limits are for those who name them: for the others they come from elsewhere.
          for (const [i, attributes] of come.entries()) placement.offer({ resource: `${blueprint}${i}`, blueprint, attributes, restricted: false, free: 99, rank: blueprint === 'another' ? 0 : 1, warm: [] });
        }
        const placed = new Map<string, number>();
        for (const { wanted: w } of drain(placement)) placed.set(wantsKey(w), (placed.get(wantsKey(w)) ?? 0) + 1);
        expect(new Map([...placed].sort())).toEqual(new Map([...demanded].sort()));
      }),
      runs,
    );
  });

  test('nothing stays behind once all is withdrawn, freed and removed', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { placement, model } = told(steps);
        for (const one of [...placement.waiting()]) placement.withdraw(one);
        for (const one of model.holdings.keys()) placement.freed(one);
        for (const one of model.hosts.keys()) placement.remove(one);
        expect(Object.entries(placement.kept()).filter(([, left]) => left > 0)).toEqual([]);
      }),
      runs,
    );
  });
});

describe('fairness', () => {
  const plain = (name: string, owner: string, order: number, more: Partial<Wanted> = {}): Wanted => ({
    lease: name, owner, attributes: {}, prefer: [], blueprints: [], may: [], priority: 100, askedAt: 0, order, ...more,
  });
  const host = (free: number): Offer => ({ resource: 'h', blueprint: 'pool', attributes: {}, restricted: false, free, rank: 0, warm: [] });

  test('two owners with equal requests end within one slot of each other, however many each asks for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 60 }), fc.integer({ min: 20, max: 60 }), fc.nat(40), (ada, bob, slots) => {
        const p = new Placement();
        for (let i = 0; i < ada; i++) p.request(plain(`a${i}`, 'ada', i));
        for (let i = 0; i < bob; i++) p.request(plain(`b${i}`, 'bob', 1000 + i));
        p.offer(host(slots));
        const served = drain(p).map(({ wanted: { owner } }) => owner);
        const share = (owner: string) => served.filter((one) => one === owner).length;
        expect(Math.abs(share('ada') - share('bob'))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('a request of low priority, of an owner with many slots, is served in bounded time among an endless stream of higher ones', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 30 }), fc.nat(10), (low, above, slots) => {
        const p = new Placement();
        for (let i = 0; i < slots; i++) p.claimed(`held${i}`, { owner: 'ada', blueprint: 'pool' });
        p.request(plain('patient', 'ada', 0, { priority: low }));
        let order = 0;
        for (let minute = 0; ; minute++) {
          // More come every minute than are served, each of an owner who holds nothing.
          for (let i = 0; i < 2; i++) p.request(plain(`l${++order}`, `o${order}`, order, { priority: low + above, askedAt: minute * 60_000 }));
          p.offer(host(1));
          const { lease: name } = p.next()!.wanted;
          p.freed(name);
          if (name === 'patient') break;
          // Two a minute came before it for as many minutes as it is behind: all that it can have to wait for.
          expect(minute).toBeLessThanOrEqual(2 * (above + slots + 1));
        }
      }),
    );
  });
});

test('literals are what an expression equals', () => {
  const text = fc.array(pick('a', 'b', '=', '!', '|', '*', ' ', '>', '8'), { minLength: 1, maxLength: 5 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 5 }), (written, values) => {
      const known = literals(written);
      try {
        expression(written);
      } catch {
        return;
      }
      if (!known) return;
      for (const value of [...values, ...known, written]) expect(satisfies({ x: value }, { x: written })).toBe(known.includes(value));
    }),
    { numRuns: 1000 },
  );
});
