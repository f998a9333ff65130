import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fits, Placement, type Offer, type Wanted } from './placement.js';

const wanted = (lease: string, order: number, more: Partial<Wanted> = {}): Wanted => ({ lease, owner: 'ada', attributes: {}, blueprints: [], priority: 100, order, ...more });
const offer = (resource: string, free: number, more: Partial<Offer> = {}): Offer => ({ resource, blueprint: 'preallocated', attributes: { os: 'linux' }, free, rank: 0, ...more });
const all = (placement: Placement) => {
  const pairs: string[] = [];
  for (let pair = placement.next(); pair; pair = placement.next()) pairs.push(`${pair.wanted.lease}@${pair.resource}`);
  return pairs;
};

describe('placement', () => {
  test('serves in the order of asking, and not more than there is', () => {
    const p = new Placement();
    p.offer(offer('h1', 2));
    for (const [i, lease] of ['a', 'b', 'c'].entries()) p.request(wanted(lease, i));
    expect(all(p)).toEqual(['a@h1', 'b@h1']);
    p.offer(offer('h1', 1));
    expect(all(p)).toEqual(['c@h1']);
  });

  test('serves a higher priority first, also one that came late', () => {
    const p = new Placement();
    p.request(wanted('low', 1));
    p.request(wanted('high', 2, { priority: 200 }));
    p.offer(offer('h1', 1));
    expect(all(p)).toEqual(['high@h1']);
  });

  test('a request that nothing fits never holds up one that something fits', () => {
    const p = new Placement();
    p.request(wanted('mac', 1, { attributes: { os: 'mac' } }));
    p.request(wanted('linux', 2, { attributes: { os: 'linux' } }));
    p.offer(offer('h1', 1));
    expect(all(p)).toEqual(['linux@h1']);
    p.offer(offer('m1', 1, { attributes: { os: 'mac' } }));
    expect(all(p)).toEqual(['mac@m1']);
  });

  test('prefers the lower rank, and the host that has been free longest', () => {
    const p = new Placement();
    p.offer(offer('local', 5, { rank: 10, blueprint: 'local' }));
    p.offer(offer('h1', 1));
    p.offer(offer('h2', 1));
    for (const [i, lease] of ['a', 'b', 'c'].entries()) p.request(wanted(lease, i));
    expect(all(p)).toEqual(['a@h1', 'b@h2', 'c@local']);
  });

  test('keeps to the blueprints asked for', () => {
    const p = new Placement();
    p.offer(offer('h1', 1));
    p.request(wanted('a', 1, { blueprints: ['local'] }));
    expect(all(p)).toEqual([]);
    p.offer(offer('l', 1, { blueprint: 'local', rank: 10 }));
    expect(all(p)).toEqual(['a@l']);
  });

  test('forgets what was withdrawn or removed', () => {
    const p = new Placement();
    p.request(wanted('a', 1));
    p.request(wanted('b', 2));
    p.withdraw('a');
    p.offer(offer('gone', 1));
    p.remove('gone');
    expect(all(p)).toEqual([]);
    p.offer(offer('h1', 2));
    expect(all(p)).toEqual(['b@h1']);
  });

  test('a host whose attributes changed is matched by the new ones', () => {
    const p = new Placement();
    p.request(wanted('a', 1, { attributes: { gpu: 'yes' } }));
    p.offer(offer('h1', 1));
    expect(all(p)).toEqual([]);
    p.offer(offer('h1', 1, { attributes: { gpu: 'yes' } }));
    expect(all(p)).toEqual(['a@h1']);
  });

  test('for all requests and hosts: fits hold, capacity holds, nothing that could be served is left, and order holds among equals', () => {
    const attributes = fc.record({ os: fc.constantFrom('linux', 'mac'), gpu: fc.constantFrom('yes', 'no') }, { requiredKeys: [] });
    fc.assert(
      fc.property(
        fc.array(fc.record({ attributes, priority: fc.integer({ min: 0, max: 2 }), withdrawn: fc.boolean() }), { maxLength: 30 }),
        fc.array(fc.record({ attributes, free: fc.integer({ min: 0, max: 4 }) }), { maxLength: 8 }),
        (requests, hosts) => {
          const p = new Placement();
          const asked = requests.map((r, i) => wanted(`l${i}`, i, { attributes: r.attributes as Record<string, string>, priority: r.priority }));
          const offers = hosts.map((h, i) => offer(`h${i}`, h.free, { attributes: h.attributes as Record<string, string> }));
          // Both come in any mixture; here requests first, half of the hosts in between.
          offers.slice(0, offers.length / 2).forEach((o) => p.offer(o));
          asked.forEach((w) => p.request(w));
          offers.slice(offers.length / 2).forEach((o) => p.offer(o));
          requests.forEach((r, i) => r.withdrawn && p.withdraw(`l${i}`));
          const placed = new Map<string, string>();
          for (let pair = p.next(); pair; pair = p.next()) {
            expect(placed.has(pair.wanted.lease)).toBe(false);
            placed.set(pair.wanted.lease, pair.resource);
          }
          const left = new Map(offers.map((o) => [o.resource, o.free]));
          for (const [lease, resource] of placed) {
            const w = asked.find((a) => a.lease === lease)!;
            expect(requests[asked.indexOf(w)]!.withdrawn).toBe(false);
            expect(fits(w, offers.find((o) => o.resource === resource)!)).toBe(true);
            left.set(resource, left.get(resource)! - 1);
          }
          for (const free of left.values()) expect(free).toBeGreaterThanOrEqual(0);
          const waiting = asked.filter((w, i) => !requests[i]!.withdrawn && !placed.has(w.lease));
          for (const w of waiting) for (const o of offers) if (left.get(o.resource)! > 0) expect(fits(w, o)).toBe(false);
          // Of two that want the same, the one that comes later is never served instead of the earlier.
          for (const w of waiting) {
            for (const s of asked.filter((a) => placed.has(a.lease) && JSON.stringify(a.attributes) === JSON.stringify(w.attributes))) {
              expect(s.priority > w.priority || (s.priority === w.priority && s.order < w.order)).toBe(true);
            }
          }
        },
      ),
    );
  });
});
