import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derivedId, type FleetEvent, type Quota } from '@berth/contracts';
import { decide, evolve, fleetDecider, type Fleet, type FleetCommand, type SlotRoom } from './fleet.js';

const lease = (n: number) => derivedId('lease', String(n));
const slot = (n: number, owner = 'ada', over: Partial<SlotRoom> = {}): SlotRoom => ({ lease: lease(n), owner, blueprint: 'preallocated', host: true, ...over });
const reserve = (slots: SlotRoom[], limits = {}, give?: string[]): FleetCommand => ({ type: 'Reserve', slots, launches: [], limits, ...(give && { give: { slots: give, launches: [] } }) });
const quota = (over: Partial<Quota>, inUse = { hosts: 0, resources: 0 }): FleetCommand => ({ type: 'SetQuota', quota: { owners: {}, ...over }, inUse });
function run(...commands: FleetCommand[]) {
  let state: Fleet = fleetDecider.initial;
  for (const command of commands) state = (decide(command, state) as readonly FleetEvent[]).reduce(evolve, state);
  return { state, held: [...state.slots.keys()] };
}

describe('room under the limits', () => {
  test('over all, by owner, and by the name of an owner', () => {
    expect(run(quota({ hosts: 2 }), reserve([slot(1), slot(2, 'bob'), slot(3, 'eve')])).held).toEqual([lease(1), lease(2)]);
    expect(run(quota({ hostsPerOwner: 1 }), reserve([slot(1), slot(2), slot(3, 'bob')])).held).toEqual([lease(1), lease(3)]);
    expect(run(quota({ hostsPerOwner: 1, owners: { ada: 2, bob: 0 } }), reserve([slot(1), slot(2), slot(3), slot(4, 'bob')])).held).toEqual([lease(1), lease(2)]);
  });

  test('a quota below what is in use or set aside is refused, unless it was so before', () => {
    const { state } = run(quota({ hosts: 3 }), reserve([slot(1), slot(2)]));
    expect(decide(quota({ hosts: 1 }), state)).toMatchObject({ accepted: false, code: 'limit-in-use', errors: [{ field: 'data.hosts', message: expect.stringContaining('2 in use') }] });
    expect(decide(quota({ hosts: 2 }), state)).toMatchObject([{ type: 'QuotaSet' }]);
    expect(decide(quota({ hosts: 2 }, { hosts: 5, resources: 0 }), state)).toMatchObject({ message: expect.stringContaining('5 hosts') });
    expect(decide(quota({ resources: 3 }, { hosts: 2, resources: 4 }), state)).toMatchObject({ code: 'limit-in-use', errors: [{ field: 'data.resources' }] });
    // What was in use before the limit was set stays, and must not keep the other limits from being set.
    const over = run(quota({ hosts: 1 }), { type: 'Adopt', slots: [slot(1), slot(2)], launches: [] }).state;
    expect(decide(quota({ hosts: 1, hostsPerOwner: 1 }), over)).toMatchObject([{ type: 'QuotaSet' }]);
  });

  test('of a blueprint, and of an owner with it', () => {
    expect(run(reserve([slot(1), slot(2), slot(3, 'ada', { blueprint: 'other' })], { preallocated: { leases: 1 } })).held).toEqual([lease(1), lease(3)]);
    expect(run(reserve([slot(1), slot(2), slot(3, 'bob')], { preallocated: { leasesPerOwner: 1 } })).held).toEqual([lease(1), lease(3)]);
  });

  test('what stands on a host does not count against the hosts', () => {
    expect(run(quota({ hosts: 1 }), reserve([slot(1), slot(2, 'ada', { host: false })])).held).toEqual([lease(1), lease(2)]);
  });

  test('what is given back in the same commit can be taken in it', () => {
    expect(run(quota({ hosts: 1 }), reserve([slot(1)]), reserve([slot(2)], {}, [lease(1)])).held).toEqual([lease(2)]);
  });

  test('what is in use is counted whatever the limit, and keeps others out', () => {
    expect(run(quota({ hosts: 1 }), { type: 'Adopt', slots: [slot(1), slot(2)], launches: [] }, reserve([slot(3)])).held).toEqual([lease(1), lease(2)]);
  });

  test('launches by blueprint and over all; what is made on a leased host counts for its blueprint only', () => {
    const launch = (n: number, blueprint = 'cloud', launched = true) => ({ resource: lease(n), blueprint, launched });
    const { state } = run(quota({ resources: 2 }), { type: 'Reserve', slots: [], launches: [launch(1), launch(2), launch(3, 'other'), launch(4, 'copies', false), launch(5, 'copies', false)], limits: { cloud: { resources: 1 }, copies: { resources: 1 } } });
    expect([...state.launches.keys()]).toEqual([lease(1), lease(3), lease(4)]);
  });

  test('the mark of an installation is given once', () => {
    expect(run({ type: 'Found', installation: lease(1) }, { type: 'Found', installation: lease(2) }).state.installation).toBe(lease(1));
  });

  test('for all orders of asking and giving back: no limit is ever passed', () => {
    const one = fc.record({ n: fc.integer({ min: 0, max: 9 }), owner: fc.constantFrom('ada', 'bob'), blueprint: fc.constantFrom('x', 'y') });
    const command = fc.oneof(
      fc.array(one, { maxLength: 4 }).map((some): FleetCommand => reserve(some.map(({ n, owner, blueprint }) => slot(n, owner, { blueprint })), { x: { leases: 2, leasesPerOwner: 1 }, y: { leases: 3 } })),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 3 }).map((some): FleetCommand => ({ type: 'Return', slots: some.map(lease), launches: [] })),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        let state = run(quota({ hosts: 4, hostsPerOwner: 3, owners: { bob: 2 } })).state;
        for (const each of commands) {
          state = (decide(each, state) as readonly FleetEvent[]).reduce(evolve, state);
          const held = [...state.slots.values()];
          const count = (fits: (s: (typeof held)[number]) => boolean) => held.filter(fits).length;
          expect(held.length).toBeLessThanOrEqual(4);
          expect(count((s) => s.owner === 'ada')).toBeLessThanOrEqual(3);
          expect(count((s) => s.owner === 'bob')).toBeLessThanOrEqual(2);
          expect(count((s) => s.blueprint === 'x')).toBeLessThanOrEqual(2);
          expect(count((s) => s.blueprint === 'y')).toBeLessThanOrEqual(3);
          for (const owner of ['ada', 'bob']) expect(count((s) => s.blueprint === 'x' && s.owner === owner)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
