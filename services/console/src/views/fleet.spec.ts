import { describe, expect, test } from 'vitest';
import { blueprintSpec, builtInBlueprints, type AnyRecorded, type BlueprintEvent, type FleetEvent, type ResourceEvent } from '@berth/contracts';
import { Fleet } from './fleet.js';

const at = (second: number) => `2030-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
const uuid = (n: number) => `7f8c1d66-0000-5000-8000-${String(n).padStart(12, '0')}`;

/** A fleet as of second 30 that has seen commits of one event each, a second apart. */
function given(...things: { kind: AnyRecorded['kind']; id: string; event: unknown }[]): Fleet {
  const fleet = new Fleet(() => Date.parse(at(30)));
  things.forEach(({ kind, id, event }, i) => fleet.apply({ kind, id, sequence: i + 1, commit: { id: `c${i}`, at: at(i + 1), actor: 'spec', cause: 'c', events: [event] } } as unknown as AnyRecorded));
  return fleet;
}
const resource = (n: number, ...events: ResourceEvent[]) => events.map((event) => ({ kind: 'resource' as const, id: uuid(n), event }));
const blueprint = (name: string, ...events: BlueprintEvent[]) => events.map((event) => ({ kind: 'blueprint' as const, id: name, event }));
const fleetwide = (...events: FleetEvent[]) => events.map((event) => ({ kind: 'fleet' as const, id: 'fleet', event }));
const created = (more: Partial<Extract<ResourceEvent, { type: 'ResourceCreated' }>['data']> = {}): ResourceEvent => ({ type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name: 'box', attributes: { os: 'linux' }, slots: 4, ...more } });
const active: ResourceEvent = { type: 'ResourceActivated', data: {} };
const claimed = (slot: number, lease: number, owner = 'ada'): ResourceEvent => ({ type: 'SlotClaimed', data: { slot, lease: uuid(lease), owner } });
const later = at(50);

describe('a resource', () => {
  test('from paper to its first lease', () => {
    const host = { transport: 'ssh' as const, address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux' as const, folder: '~/.berth-host' };
    const fleet = given(
      ...resource(1, created({ blueprint: 'cloud', version: 3, attributes: { os: 'linux', class: 'big' } }), { type: 'FactsKept', data: { facts: { phase: 'booting', instance: 'i-1', gone: 1 } } }, { type: 'FactsKept', data: { facts: { phase: 'ready', gone: null } } }, { type: 'ResourceActivated', data: { host, attributes: { os: 'other', cpus: '2' } } }, claimed(1, 9)),
    );
    expect(fleet.resource(uuid(1))).toEqual({
      id: uuid(1), name: 'box', type: 'host', blueprint: 'cloud', version: 3, status: 'active', state: 'active', phase: 'ready', attributes: { os: 'linux', class: 'big', cpus: '2' },
      machine: null, address: 'ci@10.0.0.1:22', reachable: true, error: null, quarantined: null, held: null, draining: null, reserved: null, health: { failures: 0, error: null },
      slots: 4, free: 3, busy: 1, leases: [{ slot: 1, lease: uuid(9), owner: 'ada', since: at(5) }], uses: 1, parent: null, members: null, path: null, commit: null, port: null, uri: null,
      facts: { phase: 'ready', instance: 'i-1' }, owner: 'ada', capabilities: ['working-copy', 'service'], until: null, created: at(1), modified: at(5), activated: at(4), destroyed: null, position: 5,
    });
  });

  const quarantined: ResourceEvent = { type: 'ResourceQuarantined', data: { until: later, reason: 'flaky', count: 2 } };
  const held: ResourceEvent = { type: 'ResourceHeld', data: { until: later, reason: 'ada looks' } };
  const draining: ResourceEvent = { type: 'DrainBegan', data: { reason: 'new disk' } };
  const unreachable: ResourceEvent = { type: 'ResourceUnreachable', data: { error: 'no route' } };
  test.each<[string, ResourceEvent[], object]>([
    ['booting', [], { state: 'booting', free: 0 }],
    ['active', [active], { state: 'active', free: 4 }],
    ['quarantined', [active, quarantined], { state: 'quarantined', free: 0, quarantined: quarantined.data }],
    ['quarantined no more', [active, quarantined, { type: 'QuarantineEnded', data: { reason: 'by hand' } }], { state: 'active', quarantined: null }],
    ['quarantined until it was seen to be well', [active, { type: 'ResourceQuarantined', data: { until: at(29), reason: 'flaky', count: 1 } }], { state: 'quarantined', free: 0 }],
    ['held until a moment ago', [active, { type: 'ResourceHeld', data: { until: at(29), reason: 'ada looks' } }], { state: 'active', free: 4, held: null }],
    ['held before quarantined', [active, quarantined, held], { state: 'held', free: 0, held: held.data }],
    ['held no more', [active, held, { type: 'HoldEnded', data: {} }], { state: 'active', held: null }],
    ['draining', [active, draining], { state: 'draining', free: 0, draining: 'new disk' }],
    ['drained no more', [active, draining, { type: 'DrainEnded', data: {} }], { state: 'active', draining: null }],
    ['out of reach before all these', [active, quarantined, held, draining, unreachable], { state: 'unreachable', free: 0, reachable: false, error: 'no route' }],
    ['back', [active, unreachable, { type: 'ResourceReachable', data: {} }], { state: 'active', error: null }],
    ['unwell', [active, { type: 'HealthFailed', data: { error: 'no disk', failures: 2 } }], { state: 'active', health: { failures: 2, error: 'no disk' } }],
    ['well again', [active, { type: 'HealthFailed', data: { error: 'no disk', failures: 2 } }, { type: 'HealthPassed', data: {} }], { health: { failures: 0, error: null } }],
    ['ending', [active, { type: 'ResourceReleased', data: { reason: 'old' } }], { state: 'ending', status: 'released', free: 0 }],
    ['broken', [{ type: 'ResourceBroken', data: { error: 'no image', fault: 'image' } }], { state: 'broken', error: 'no image', free: 0 }],
    ['given back', [active, claimed(0, 9), { type: 'SlotFreed', data: { slot: 0, lease: uuid(9) } }], { uses: 1, busy: 0, free: 4 }],
  ])('%s', (_name, events, expected) => expect(given(...resource(1, created(), ...events)).resource(uuid(1))).toMatchObject(expected));

  test('gone, and its machine without a host', () => {
    const machine = { kind: 'machine' as const, id: 'box', event: { type: 'MachineAdded', data: { name: 'box', address: 'h', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: {}, slots: 4, hostKey: 'k', facts: {} } } };
    const before = [machine, ...resource(1, created({ machine: 'box' }), active, held)];
    expect(given(...before).machine('box')).toMatchObject({ resource: uuid(1), state: 'held', held: held.data, folder: null });
    const after = given(...before, ...resource(1, { type: 'ResourceDestroyed', data: {} }));
    expect(after.resource(uuid(1))).toBeUndefined();
    expect(after.machine('box')).toMatchObject({ resource: null, state: null, held: null });
  });
});

describe('blueprints', () => {
  const spec = blueprintSpec.parse({ name: 'cloud', kind: 'service', start: 'true', description: 'a service' });
  const saved = (version: number): BlueprintEvent => ({ type: 'BlueprintSaved', data: { version, spec } });

  test('those that are built in are there from the start, and come back', () => {
    expect(given().blueprintList().map(({ name, version, enabled, kind }) => [name, version, enabled, kind])).toEqual([['local', 0, true, 'local'], ['preallocated', 0, true, 'preallocated'], ['working-copy', 0, true, 'working-copy']]);
    const own = { ...builtInBlueprints.local, description: 'mine' };
    const fleet = given(...blueprint('local', { type: 'BlueprintSaved', data: { version: 1, spec: own } }));
    expect(fleet.blueprint('local')).toMatchObject({ version: 1, description: 'mine', saved: at(1) });
    expect(given(...blueprint('local', { type: 'BlueprintSaved', data: { version: 1, spec: own } }, { type: 'BlueprintRemoved', data: {} })).blueprint('local')).toMatchObject({ version: 0, saved: null });
  });

  test('saved, disabled, enabled, removed', () => {
    expect(given(...blueprint('cloud', saved(1), saved(2))).blueprint('cloud')).toMatchObject({ version: 2, kind: 'service', type: 'service', enabled: true, disabledReason: null, spec, saved: at(2) });
    expect(given(...blueprint('cloud', saved(1), { type: 'BlueprintDisabled', data: { reason: 'costs' } }, saved(2))).blueprint('cloud')).toMatchObject({ version: 2, enabled: false, disabledReason: 'costs' });
    expect(given(...blueprint('cloud', saved(1), { type: 'BlueprintDisabled', data: { reason: 'costs' } }, { type: 'BlueprintEnabled', data: {} })).blueprint('cloud')).toMatchObject({ enabled: true });
    expect(given(...blueprint('cloud', saved(1), { type: 'BlueprintRemoved', data: {} })).blueprint('cloud')).toBeUndefined();
  });

  test('how its launches go', () => {
    const failed: BlueprintEvent = { type: 'LaunchFailed', data: { resource: uuid(1), fault: 'capacity', error: 'none left', offer: 'a/b/spot' } };
    const refused = (offer: string, until: string): BlueprintEvent => ({ type: 'OfferRefused', data: { resource: uuid(1), offer, fault: 'capacity', error: 'none left', until } });
    const opened: BlueprintEvent = { type: 'BreakerOpened', data: { until: later, reason: 'no image', failures: 3 } };
    const fleet = given(...blueprint('cloud', saved(1), failed, refused('old', at(20)), refused('a', at(40)), refused('a', later), opened));
    expect(fleet.blueprint('cloud')).toMatchObject({
      lastFailure: { resource: uuid(1), fault: 'capacity', error: 'none left', offer: 'a/b/spot', at: at(2) }, refusedOffers: [{ offer: 'a', fault: 'capacity', error: 'none left', until: later }], breaker: opened.data,
    });
    expect(given(...blueprint('cloud', saved(1), failed, opened, { type: 'LaunchSucceeded', data: { resource: uuid(2) } }, { type: 'BreakerClosed', data: {} })).blueprint('cloud')).toMatchObject({ lastFailure: null, breaker: null });
    expect(given(...blueprint('cloud', saved(1), failed, refused('a', later), saved(2))).blueprint('cloud')).toMatchObject({ lastFailure: null, refusedOffers: [] });
  });
});

describe('capacity', () => {
  const hosts = [
    ...resource(1, created(), active, claimed(0, 9), claimed(2, 8)),
    ...resource(2, created({ attributes: { os: 'mac' }, slots: 2 }), active, { type: 'ResourceHeld', data: { until: later, reason: 'x' } }, claimed(0, 7, 'bob')),
    ...resource(3, created({ blueprint: 'gone', attributes: {}, slots: 1 })),
    ...resource(4, created({ type: 'working-copy', blueprint: 'working-copy', slots: 1 }), active, claimed(0, 6)),
  ];
  const none = { total: 0, free: 0, busy: 0, booting: 0, held: 0, quarantined: 0, draining: 0, unreachable: 0, broken: 0 };

  test('counts each slot of hosts once', () => {
    expect(given(...hosts).capacity('os')).toEqual({
      total: { ...none, total: 7, free: 2, busy: 3, booting: 1, held: 1 },
      blueprints: [
        { blueprint: 'gone', enabled: false, ...none, total: 1, booting: 1 },
        { blueprint: 'local', enabled: true, ...none },
        { blueprint: 'preallocated', enabled: true, ...none, total: 6, free: 2, busy: 3, held: 1 },
      ],
      by: 'os',
      values: [{ value: 'linux', ...none, total: 4, free: 2, busy: 2 }, { value: 'mac', ...none, total: 2, busy: 1, held: 1 }, { value: null, ...none, total: 1, booting: 1 }],
    });
    expect(given(...hosts).capacity(null)).toMatchObject({ by: null, values: [] });
  });

  test('use under the quota: what is leased or set aside, each lease once', () => {
    const reserved: FleetEvent = { type: 'Reserved', data: { slots: [{ lease: uuid(9), owner: 'ada', blueprint: 'p', host: true }, { lease: uuid(5), owner: 'eve', blueprint: 'p', host: true }, { lease: uuid(4), owner: 'eve', blueprint: 'c', host: false }], launches: [{ resource: uuid(40), blueprint: 'cloud', launched: true }, { resource: uuid(41), blueprint: 'c', launched: false }] } };
    const limits: FleetEvent = { type: 'QuotaSet', data: { hosts: 10, hostsPerOwner: 2, owners: { ada: 5, zoe: 1 } } };
    const fleet = given(...hosts, ...fleetwide({ type: 'FleetFounded', data: { installation: uuid(1) } }, limits, reserved));
    expect(fleet.quota()).toEqual({
      quota: { hosts: 10, hostsPerOwner: 2, owners: { ada: 5, zoe: 1 } },
      use: { hosts: 4, resources: 1, owners: [{ owner: 'ada', hosts: 2, limit: 5 }, { owner: 'bob', hosts: 1, limit: 2 }, { owner: 'eve', hosts: 1, limit: 2 }, { owner: 'zoe', hosts: 0, limit: 1 }] },
    });
    expect(given(...fleetwide(limits, reserved, { type: 'Returned', data: { slots: [uuid(5), uuid(9)], launches: [uuid(40)] } })).quota().use).toMatchObject({ hosts: 0, resources: 0 });
    expect(given().quota()).toEqual({ quota: { owners: {} }, use: { hosts: 0, resources: 0, owners: [] } });
  });

  test('orphans: found, destroyed, the last hundred', () => {
    const what = { what: 'instance' as const, id: 'i-1', where: 'eu-central-1' };
    const found: FleetEvent = { type: 'OrphanFound', data: { ...what, grace: later } };
    const destroyed: FleetEvent = { type: 'OrphanDestroyed', data: what };
    expect(given(...fleetwide(found)).orphans()).toEqual([{ ...what, found: at(1), grace: later, destroyed: null }]);
    expect(given(...fleetwide(found, destroyed, found)).orphans()).toEqual([{ ...what, found: at(3), grace: later, destroyed: null }, { ...what, found: at(1), grace: later, destroyed: at(2) }]);
    expect(given(...fleetwide(destroyed)).orphans()).toEqual([{ ...what, found: null, grace: null, destroyed: at(1) }]);
    expect(given(...fleetwide(...Array.from({ length: 120 }, (_, i): FleetEvent => ({ type: 'OrphanDestroyed', data: { ...what, id: `i-${i}` } })))).orphans().map((o) => o.id)).toEqual(Array.from({ length: 100 }, (_, i) => `i-${119 - i}`));
  });
});
