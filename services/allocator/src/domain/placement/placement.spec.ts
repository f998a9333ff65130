import { describe, expect, test } from 'vitest';
import { Placement } from './placement.js';
import { literals, unlimited, wantsKey, type Limits, type Offer, type Wanted } from './wants.js';

const MINUTE = 60_000;
const wanted = (lease: string, order: number, more: Partial<Wanted> = {}): Wanted => ({
  lease, owner: 'ada', attributes: {}, prefer: [], blueprints: [], may: [], priority: 100, askedAt: order, order, ...more,
});
const offer = (resource: string, free: number, more: Partial<Offer> = {}): Offer => ({
  resource, blueprint: 'preallocated', attributes: { os: 'linux', machine: resource }, restricted: false, free, rank: 0, warm: [], ...more,
});
const limits = (more: Partial<Limits>): Limits => ({ ...unlimited, ...more });
const all = (placement: Placement) => {
  const pairs: string[] = [];
  for (let pair = placement.next(); pair; pair = placement.next()) pairs.push(`${pair.wanted.lease}@${pair.resource}`);
  return pairs;
};
const placement = (...given: (Wanted | Offer)[]) => {
  const p = new Placement();
  for (const one of given) 'lease' in one ? p.request(one) : p.offer(one);
  return p;
};

describe('the order of requests', () => {
  test('is that of asking, and no more are served than there are slots', () => {
    const p = placement(offer('h1', 2), wanted('a', 1), wanted('b', 2), wanted('c', 3));
    expect(all(p)).toEqual(['a@h1', 'b@h1']);
    p.offer(offer('h1', 1));
    expect(all(p)).toEqual(['c@h1']);
  });

  test('a point of priority is worth a minute of waiting', () => {
    const low = wanted('low', 1, { owner: 'bob', priority: 100, askedAt: 0 });
    expect(all(placement(low, wanted('high', 2, { priority: 105, askedAt: 5 * MINUTE - 1 }), offer('h', 1)))).toEqual(['high@h']);
    expect(all(placement(low, wanted('high', 2, { priority: 105, askedAt: 5 * MINUTE + 1 }), offer('h', 1)))).toEqual(['low@h']);
    expect(all(placement(low, wanted('high', 2, { priority: 105, askedAt: 5 * MINUTE }), offer('h', 1)))).toEqual(['low@h']);
  });

  test('each slot that its owner holds costs a minute', () => {
    const p = placement(wanted('ada1', 1), wanted('bob1', 2, { owner: 'bob', askedAt: 2 * MINUTE }), wanted('bob2', 3, { owner: 'bob', askedAt: 2 * MINUTE }));
    for (const lease of ['x', 'y', 'z']) p.claimed(lease, { owner: 'ada', blueprint: 'preallocated' });
    p.offer(offer('h', 1));
    expect(all(p)).toEqual(['bob1@h']);
    p.freed('x');
    p.offer(offer('h', 1));
    expect(all(p)).toEqual(['ada1@h']);
  });

  test('follows a priority that changes', () => {
    const p = placement(wanted('a', 1), wanted('b', 2));
    p.reprioritise('b', 101);
    p.reprioritise('nobody', 101);
    expect([...p.waiting()].sort()).toEqual(['a', 'b']);
    p.offer(offer('h', 1));
    expect(all(p)).toEqual(['b@h']);
  });

  test('a request that nothing fits never holds up one that something fits', () => {
    const p = placement(wanted('mac', 1, { attributes: { os: 'mac' } }), wanted('linux', 2, { attributes: { os: 'linux' } }), offer('h', 1));
    expect(all(p)).toEqual(['linux@h']);
    p.offer(offer('m', 1, { attributes: { os: 'mac' } }));
    expect(all(p)).toEqual(['mac@m']);
  });

  test('what is withdrawn, claimed elsewhere or removed is out', () => {
    const p = placement(wanted('a', 1), wanted('b', 2), wanted('c', 3), offer('gone', 5));
    p.remove('gone');
    p.withdraw('a');
    p.claimed('b', { owner: 'ada', blueprint: 'preallocated' });
    expect(p.has('b')).toBe(false);
    expect(all(p)).toEqual([]);
    p.offer(offer('h', 5));
    expect(all(p)).toEqual(['c@h']);
  });

  test('a lease that holds a slot asks in vain until it is freed', () => {
    const p = placement(wanted('a', 1), offer('h', 2));
    expect(all(p)).toEqual(['a@h']);
    p.request(wanted('a', 1));
    expect(p.size).toBe(0);
    p.freed('a');
    p.freed('a');
    p.request(wanted('a', 1));
    expect(all(p)).toEqual(['a@h']);
  });

  test('a request that is made again goes by its new wants', () => {
    const p = placement(wanted('a', 1, { blueprints: ['ec2'] }), wanted('a', 1, { blueprints: [] }), offer('h', 1));
    expect(all(p)).toEqual(['a@h']);
    expect(p.kept().groups).toBe(0);
  });
});

describe('the choice of a host', () => {
  test('keeps to the blueprints asked for', () => {
    const p = placement(offer('h', 1), wanted('a', 1, { blueprints: ['local'] }));
    expect(all(p)).toEqual([]);
    p.offer(offer('l', 1, { blueprint: 'local' }));
    expect(all(p)).toEqual(['a@l']);
  });

  test('a host behind a door is for those who may pass it, and its door may change', () => {
    const p = placement(offer('h', 1, { door: 'widgets' }), wanted('a', 1), wanted('b', 2, { may: ['widgets'] }), wanted('c', 3, { may: ['preallocated'] }));
    expect(all(p)).toEqual(['b@h']);
    p.offer(offer('h', 1));
    expect(all(p)).toEqual(['a@h']);
    p.offer(offer('h', 1, { door: 'widgets', restricted: true }));
    p.request(wanted('d', 4, { may: ['widgets'] }));
    p.request(wanted('e', 5, { may: ['widgets', 'preallocated'] }));
    expect(all(p)).toEqual(['e@h']);
  });

  test('restricted hosts are for those who may use their blueprint', () => {
    const p = placement(offer('h', 2, { restricted: true }), wanted('a', 1), wanted('b', 2, { may: ['preallocated'] }), wanted('c', 3, { blueprints: ['preallocated'] }));
    expect(all(p)).toEqual(['b@h']);
  });

  test('reads expressions', () => {
    const p = placement(wanted('big', 1, { attributes: { cpus: '>=8', os: 'linux|mac', gpu: '!*' } }));
    p.offer(offer('small', 1, { attributes: { cpus: '4', os: 'mac' } }));
    p.offer(offer('gpu', 1, { attributes: { cpus: '16', os: 'mac', gpu: 'yes' } }));
    expect(all(p)).toEqual([]);
    p.offer(offer('right', 1, { attributes: { cpus: '16', os: 'mac' } }));
    expect(all(p)).toEqual(['big@right']);
  });

  test('first the first preference that is to be had, then warm, then rank, then the longest free', () => {
    const p = placement(
      offer('plain', 1, { attributes: {} }), offer('ssd', 1, { attributes: { disk: 'ssd' } }), offer('nvme', 1, { attributes: { disk: 'nvme' }, rank: 10 }),
      offer('warm', 1, { attributes: {}, rank: 5, warm: ['other', 'repo'] }), offer('late', 1, { attributes: {} }), offer('far', 1, { attributes: {}, rank: 7 }),
    );
    const prefer = [{ disk: 'nvme' }, { disk: 'ssd' }];
    for (let i = 1; i <= 6; i++) p.request(wanted(`l${i}`, i, { prefer, affinity: 'repo' }));
    expect(all(p)).toEqual(['l1@nvme', 'l2@ssd', 'l3@warm', 'l4@plain', 'l5@late', 'l6@far']);
  });

  test('a host with several slots keeps its place while it has a free one', () => {
    const p = placement(offer('h1', 2), offer('h2', 1), wanted('a', 1), wanted('b', 2), wanted('c', 3));
    expect(all(p)).toEqual(['a@h1', 'b@h1', 'c@h2']);
    p.offer(offer('h2', 1));
    p.offer(offer('h1', 1));
    p.request(wanted('d', 4));
    expect(all(p)).toEqual(['d@h2']);
  });

  test('that a request tells hosts apart does not change how long they have been free', () => {
    const p = placement(offer('h1', 1), offer('h2', 1), wanted('nowhere', 1, { attributes: { machine: 'h1', gpu: 'yes' } }), wanted('a', 2));
    expect(all(p)).toEqual(['a@h1']);
  });

  test('what a host is warm for may change while it is free', () => {
    const p = placement(offer('h1', 1), offer('h2', 1));
    p.offer(offer('h2', 1, { warm: ['repo', 'repo'] }));
    p.request(wanted('a', 1, { affinity: 'repo' }));
    expect(all(p)).toEqual(['a@h2']);
  });

  test('a host whose attributes changed is matched by the new ones', () => {
    const p = placement(wanted('a', 1, { attributes: { gpu: 'yes' } }), offer('h', 1));
    expect(all(p)).toEqual([]);
    p.offer(offer('h', 1, { attributes: { gpu: 'yes' } }));
    expect(all(p)).toEqual(['a@h']);
  });

  test('one machine of many can be asked for by name', () => {
    const p = new Placement();
    for (let i = 0; i < 100; i++) p.offer(offer(`h${i}`, 1));
    p.request(wanted('any', 1));
    p.request(wanted('pinned', 2, { attributes: { machine: 'h42' } }));
    p.request(wanted('other', 3, { attributes: { machine: '!h1' } }));
    expect(p.kept().classes).toBe(3);
    expect(all(p)).toEqual(['any@h0', 'pinned@h42', 'other@h2']);
  });
});

describe('quotas', () => {
  test('over all: nothing is let through when it is full', () => {
    const p = placement(offer('h', 9), wanted('a', 1), wanted('b', 2));
    p.limit(limits({ hosts: 1 }));
    expect(all(p)).toEqual(['a@h']);
    p.freed('a');
    expect(all(p)).toEqual(['b@h']);
  });

  test('per owner: others go on', () => {
    const p = placement(offer('h', 9), wanted('a1', 1), wanted('a2', 2), wanted('b1', 3, { owner: 'bob' }), wanted('c1', 4, { owner: 'cy' }));
    p.limit(limits({ owner: (owner) => ({ ada: 1, cy: 0 })[owner] }));
    expect(all(p)).toEqual(['a1@h', 'b1@h']);
    p.freed('a1');
    expect(all(p)).toEqual(['a2@h']);
    p.limit(unlimited);
    expect(all(p)).toEqual(['c1@h']);
  });

  test('leases of a blueprint: other blueprints go on', () => {
    const p = placement(offer('h', 9), wanted('a', 1), wanted('b', 2), wanted('c', 3));
    p.limit(limits({ blueprint: (name) => (name === 'preallocated' ? { leases: 1 } : {}) }));
    expect(all(p)).toEqual(['a@h']);
    p.offer(offer('l', 1, { blueprint: 'local', rank: 10 }));
    expect(all(p)).toEqual(['b@l']);
    p.freed('a');
    expect(all(p)).toEqual(['c@h']);
  });

  test('leases of a blueprint per owner: other owners and blueprints go on', () => {
    const p = placement(offer('h', 9), offer('l', 1, { blueprint: 'local', rank: 10 }));
    p.limit(limits({ blueprint: (name) => (name === 'preallocated' ? { leasesPerOwner: 1 } : {}) }));
    for (const [i, lease] of ['a1', 'a2', 'a3', 'b1'].entries()) p.request(wanted(lease, i, { owner: lease[0]! }));
    expect(all(p)).toEqual(['a1@h', 'b1@h', 'a2@l']);
    p.freed('a1');
    expect(all(p)).toEqual(['a3@h']);
  });

  test('a limit that is lowered below what is held takes nothing away, and holds', () => {
    const p = placement(offer('h', 9), wanted('a', 1), wanted('b', 2));
    expect(all(p)).toEqual(['a@h', 'b@h']);
    p.limit(limits({ owner: () => 1 }));
    p.request(wanted('c', 3));
    p.freed('a');
    expect(all(p)).toEqual([]);
    p.freed('b');
    expect(all(p)).toEqual(['c@h']);
  });
});

describe('what waits', () => {
  test('demand: what could be claimed at once, the first of each group', () => {
    const mac = { attributes: { os: 'mac' } };
    const p = placement(wanted('a1', 3), wanted('a2', 2), wanted('b1', 4, { owner: 'bob', ...mac }), wanted('b2', 1, { owner: 'bob' }));
    const demand = () => [...p.demand()].map(({ wanted: { lease }, count }) => `${count} like ${lease}`);
    expect(demand()).toEqual(['3 like b2', '1 like b1']);
    p.limit(limits({ owner: () => 1 }));
    expect(demand()).toEqual(['2 like b2']);
    p.limit(limits({ hosts: 1 }));
    expect(demand()).toEqual(['1 like b2']);
    p.limit(limits({ hosts: 0 }));
    expect(demand()).toEqual([]);
    p.limit(limits({ owner: (owner) => (owner === 'ada' ? 0 : undefined) }));
    expect(demand()).toEqual(['1 like b2', '1 like b1']);
  });

  test('demand: a request that no host could come for does not use up what its owner may hold', () => {
    const p = placement(wanted('mac', 1, { attributes: { os: 'mac' } }), wanted('linux', 2, { attributes: { os: 'linux' } }));
    p.limit(limits({ owner: () => 1 }));
    expect([...p.demand()]).toMatchObject([{ wanted: { lease: 'mac' }, count: 1 }]);
    expect([...p.demand((w) => (w.attributes['os'] === 'mac' ? [] : ['ec2']))]).toMatchObject([{ wanted: { lease: 'linux' }, count: 1 }]);
  });

  test('demand: limits of the blueprints that hosts would come from', () => {
    const p = placement(wanted('a1', 1, { blueprints: ['ec2'] }), wanted('a2', 2, { blueprints: ['ec2'] }), wanted('a3', 3), wanted('b1', 4, { owner: 'bob' }));
    const demand = (sources?: (w: Wanted) => string[]) => [...p.demand(sources)].map(({ wanted: { lease }, count }) => `${count} like ${lease}`);
    p.limit(limits({ blueprint: (name) => (name === 'ec2' ? { leasesPerOwner: 1 } : {}) }));
    expect(demand()).toEqual(['1 like a1', '2 like a3']);
    expect(demand(() => ['ec2'])).toEqual(['1 like a1', '1 like b1']);
    p.limit(limits({ blueprint: (name) => (name === 'ec2' ? { leases: 1 } : {}) }));
    expect(demand(() => ['ec2'])).toEqual(['1 like a1']);
    p.claimed('x', { owner: 'eve', blueprint: 'ec2' });
    expect(demand(() => ['ec2'])).toEqual([]);
    expect(demand(() => ['ec2', 'local'])).toEqual(['2 like a1', '2 like a3']);
  });

  test('ahead: those that come before it and would take a host that fits it', () => {
    const p = placement(
      wanted('any', 1, { owner: 'bob' }), wanted('mac', 2, { owner: 'cy', attributes: { os: 'mac' } }), wanted('full', 3, { owner: 'eve' }),
      wanted('mine', 4, { attributes: { os: 'linux' } }), wanted('late', 5, { owner: 'bob' }), offer('h', 0),
    );
    expect(p.ahead('mine')).toBe(2);
    p.limit(limits({ owner: (owner) => (owner === 'eve' ? 0 : undefined) }));
    expect(p.ahead('mine')).toBe(1);
    expect(p.ahead('nobody')).toBe(0);
  });

  test('nothing stays behind', () => {
    const p = new Placement();
    p.limit(limits({ blueprint: () => ({ leasesPerOwner: 3 }) }));
    for (let i = 0; i < 1000; i++) {
      p.offer(offer(`h${i}`, 1, { blueprint: `b${i % 7}`, warm: [`repo${i % 3}`] }));
      p.request(wanted(`l${i}`, i, { owner: `o${i % 50}`, attributes: { machine: `h${(i * 7) % 1000}` }, prefer: [{ disk: `>=${i}` }], affinity: `repo${i % 3}` }));
    }
    const served = all(p).length;
    expect(served).toBeGreaterThan(100);
    for (let i = 0; i < 1000; i++) p.withdraw(`l${i}`);
    expect(p.kept()).toMatchObject({ leases: 0, groups: 0, open: 0, hosts: 1000, owners: 50, holdings: served });
    // Predicates that nobody uses any more are kept, but not without end.
    expect(p.kept()['classes']).toBeLessThan(600);
    for (let i = 0; i < 1000; i++) {
      p.freed(`l${i}`);
      p.remove(`h${i}`);
    }
    for (const [what, left] of Object.entries(p.kept())) expect({ what, left }).toEqual({ what, left: 0 });
  });
});

describe('wants', () => {
  test('the same whatever their order, apart from that of preferences', () => {
    const one = wanted('a', 1, { attributes: { os: 'linux', cpus: '>=8' }, blueprints: ['a', 'b'], prefer: [{ x: '1' }, { y: '1' }] });
    expect(wantsKey({ ...one, attributes: { cpus: '>=8', os: 'linux' }, blueprints: ['b', 'a'] })).toBe(wantsKey(one));
    expect(wantsKey({ ...one, prefer: [{ y: '1' }, { x: '1' }] })).not.toBe(wantsKey(one));
  });

  test.each([
    ['linux', ['linux']], ['linux| mac', ['linux', 'mac']], ['=a|b', ['a|b']], ['=', ['']], ['!linux', undefined], ['a|!b', undefined], ['>=8', undefined], ['*', undefined], ['!*', undefined],
  ])('literals of %s', (text, values) => expect(literals(text)).toEqual(values));
});
