import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derivedId, type ResourceEvent } from '@berth/contracts';
import { decide, evolve, resourceDecider, type Resource, type ResourceCommand, type ResourceInfo } from './resource.js';

const info: ResourceInfo = { type: 'host', blueprint: 'preallocated', name: 'box', attributes: { os: 'linux' }, slots: 2 };
const lease = (n: number) => derivedId('lease', String(n));
const claim = (...n: number[]): ResourceCommand => ({ type: 'Slots', claim: n.map((i) => ({ lease: lease(i), owner: 'ada' })), free: [] });
const free = (...n: number[]): ResourceCommand => ({ type: 'Slots', claim: [], free: n.map(lease) });
const run = (...commands: ResourceCommand[]) => {
  let state: Resource = resourceDecider.initial;
  const events: ResourceEvent[] = [];
  for (const command of commands) {
    const decision = decide(command, state) as readonly ResourceEvent[];
    events.push(...decision);
    state = decision.reduce(evolve, state);
  }
  return { state, types: events.map((e) => e.type), events };
};
const create: ResourceCommand = { type: 'Create', info, activate: true };

describe('a resource', () => {
  test('claims the lowest free slots, and leaves out what no longer fits', () => {
    const { events, state } = run(create, claim(1, 2, 3));
    expect(events.slice(2)).toEqual([
      { type: 'SlotClaimed', data: { slot: 0, lease: lease(1), owner: 'ada' } },
      { type: 'SlotClaimed', data: { slot: 1, lease: lease(2), owner: 'ada' } },
    ]);
    expect('claims' in state && [...state.claims.values()]).toEqual([lease(1), lease(2)]);
  });

  test('a slot freed in a commit can be claimed in the same commit', () => {
    const { state } = run(create, claim(1, 2), { type: 'Slots', claim: [{ lease: lease(3), owner: 'ada' }], free: [lease(1)] });
    expect('claims' in state && [...state.claims]).toEqual([[1, lease(2)], [0, lease(3)]]);
  });

  test('a lease that holds a slot gets no second one, and freeing twice frees once', () => {
    expect(run(create, claim(1), claim(1)).types).toEqual(['ResourceCreated', 'ResourceActivated', 'SlotClaimed']);
    expect(run(create, claim(1), free(1), free(1)).types.filter((t) => t === 'SlotFreed')).toHaveLength(1);
  });

  test.each([
    ['being created', [{ type: 'Create', info, activate: false }]],
    ['released', [create, { type: 'Release', reason: 'gone' }]],
    ['broken', [create, { type: 'Break', error: 'x' }]],
    ['destroyed', [create, { type: 'Destroy' }]],
    ['unreachable', [create, { type: 'Report', reachable: false, error: 'x' }]],
    ['quarantined', [create, { type: 'Quarantine', now: '2030-01-01T00:00:00Z', reason: 'x' }]],
    ['held', [create, { type: 'Hold', until: '2030-01-01T00:00:00Z', reason: 'x' }]],
    ['draining', [create, { type: 'Drain', reason: 'x' }]],
    ['reserved', [create, { type: 'Reserve', lease: lease(9), owner: 'ops' }]],
  ] as [string, ResourceCommand[]][])('one that is %s gives no slot', (_, before) => {
    expect(run(...before, claim(1)).types).not.toContain('SlotClaimed');
  });

  test('what ends with its last lease and was launched may be lost before; what is idle just ends', () => {
    const launched: ResourceCommand = { type: 'Create', info: { ...info, wanted: {} }, activate: true };
    const lost = (...before: ResourceCommand[]) => run(...before, { type: 'Release', reason: 'old' }, { type: 'Break', error: 'gone', fault: 'lost' }).types.at(-1);
    expect([lost(launched, claim(1)), lost(launched), lost(create, claim(1))]).toEqual(['ResourceBroken', 'ResourceReleased', 'ResourceReleased']);
  });

  test('destroying frees what is still held', () => {
    expect(run(create, claim(1, 2), { type: 'Destroy' }).types.slice(-3)).toEqual(['SlotFreed', 'SlotFreed', 'ResourceDestroyed']);
  });

  test('each quarantine in a row lasts twice as long, up to an hour, until the host was well', () => {
    const now = '2030-01-01T00:00:00.000Z';
    const lasts = (events: readonly ResourceEvent[]) => events.flatMap((e) => (e.type === 'ResourceQuarantined' ? [(Date.parse(e.data.until) - Date.parse(now)) / 1000] : []));
    const again: ResourceCommand[] = [{ type: 'Quarantine', now, reason: 'x' }, { type: 'EndQuarantine', reason: 'over', forgive: false }];
    expect(lasts(run(create, ...Array.from({ length: 11 }, () => again).flat()).events)).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    const forgiven: ResourceCommand[] = [{ type: 'Health', failed: 'x' }, ...again.slice(0, 1), { type: 'EndQuarantine', reason: 'well', forgive: true }, ...again];
    expect(lasts(run(create, ...forgiven).events)).toEqual([10, 10]);
  });

  test('a quarantine or a hold is ended by the clock only when it is over', () => {
    const quarantine: ResourceCommand = { type: 'Quarantine', until: '2030-01-01T00:01:00Z', now: '2030-01-01T00:00:00Z', reason: 'x' };
    expect(run(create, quarantine, { type: 'EndQuarantine', over: '2030-01-01T00:00:59Z', reason: 'y', forgive: false }).types).not.toContain('QuarantineEnded');
    expect(run(create, quarantine, { type: 'EndQuarantine', over: '2030-01-01T00:01:00Z', reason: 'y', forgive: false }, claim(1)).types.slice(-2)).toEqual(['QuarantineEnded', 'SlotClaimed']);
    const hold: ResourceCommand = { type: 'Hold', until: '2030-01-01T00:01:00Z', reason: 'x' };
    expect(run(create, hold, { type: 'EndHold', over: '2030-01-01T00:00:59Z' }).types).not.toContain('HoldEnded');
    expect(run(create, hold, { type: 'EndHold', over: '2030-01-01T00:01:00Z' }, claim(1)).types.slice(-2)).toEqual(['HoldEnded', 'SlotClaimed']);
  });

  test('flags outlive an outage and a claim, and what is leased can be given back under each of them', () => {
    const { state, types } = run(create, claim(1), { type: 'Hold', until: '2030-01-01T00:00:00Z', reason: 'x' }, { type: 'Drain', reason: 'y' }, { type: 'Report', reachable: false, error: 'z' }, free(1));
    expect(types.at(-1)).toBe('SlotFreed');
    expect('flags' in state && state.flags).toMatchObject({ held: { reason: 'x' }, draining: 'y' });
  });

  test('bookkeeping: keys are replaced, null removes one, and the same again is no event', () => {
    const { state, types } = run(create, { type: 'Keep', facts: { port: 1, phase: 'booting' } }, { type: 'Keep', facts: { phase: null } }, { type: 'Keep', facts: { port: 1 } });
    expect('facts' in state && state.facts).toEqual({ port: 1 });
    expect(types.filter((t) => t === 'FactsKept')).toHaveLength(2);
  });

  test('what the blueprint says goes before what was found', () => {
    const { state } = run({ ...create, activate: false }, { type: 'Activate', attributes: { os: 'other', cpus: '4' } });
    expect('info' in state && state.info.attributes).toEqual({ os: 'linux', cpus: '4' });
  });

  test('one that is to end only while nobody uses it, does', () => {
    expect(run(create, claim(1), { type: 'Release', reason: 'idle', idle: true }).types).not.toContain('ResourceReleased');
    expect(run(create, claim(1), free(1), { type: 'Release', reason: 'idle', idle: true }).types).toContain('ResourceReleased');
  });

  test('reachability is written when it changes', () => {
    const down: ResourceCommand = { type: 'Report', reachable: false, error: 'timed out' };
    const up: ResourceCommand = { type: 'Report', reachable: true, error: '' };
    expect(run(create, up, down, down, up, up).types.slice(2)).toEqual(['ResourceUnreachable', 'ResourceReachable']);
  });

  const reserve: ResourceCommand = { type: 'Reserve', lease: lease(9), owner: 'ops' };
  const take = (...despite: number[]): ResourceCommand => ({ type: 'TakeOver', lease: lease(9), owner: 'ops', despite: despite.map(lease) });

  test('an exclusive lease takes the whole of it once nobody else has a slot, and its end lets others in again', () => {
    expect(run(create, claim(1), reserve, take()).types.filter((type) => type === 'SlotClaimed')).toHaveLength(1);
    const { events, state } = run(create, claim(1), reserve, take(), free(1), take(), claim(2), free(9), claim(2));
    expect(events.slice(3)).toEqual([
      { type: 'ResourceReserved', data: { lease: lease(9), owner: 'ops' } },
      { type: 'SlotFreed', data: { slot: 0, lease: lease(1) } },
      { type: 'SlotClaimed', data: { slot: 2, lease: lease(9), owner: 'ops' } },
      { type: 'SlotFreed', data: { slot: 2, lease: lease(9) } },
      { type: 'ReservationEnded', data: { lease: lease(9) } },
      { type: 'SlotClaimed', data: { slot: 0, lease: lease(2), owner: 'ada' } },
    ]);
    expect('flags' in state && state.flags.reserved).toBeUndefined();
  });

  test('it is taken whatever its state, beside what ended leases have left on it', () => {
    const sick: ResourceCommand[] = [{ type: 'Report', reachable: false, error: 'x' }, { type: 'Drain', reason: 'y' }, { type: 'Quarantine', now: '2030-01-01T00:00:00Z', reason: 'z' }];
    const { events } = run(create, claim(1, 2), ...sick, reserve, take(1), take(1, 2));
    expect(events.at(-1)).toEqual({ type: 'SlotClaimed', data: { slot: 2, lease: lease(9), owner: 'ops' } });
    expect(events.filter(({ type }) => type === 'SlotClaimed')).toHaveLength(3);
  });

  test('of two that reserve the first has it, and nobody takes what is reserved for another', () => {
    const other: ResourceCommand = { type: 'Reserve', lease: lease(8), owner: 'eve' };
    expect(run(create, reserve, other, { type: 'TakeOver', lease: lease(8), owner: 'eve', despite: [] }).types).toEqual(['ResourceCreated', 'ResourceActivated', 'ResourceReserved']);
    expect(run(create, reserve, { type: 'Unreserve', lease: lease(8) }, { type: 'Unreserve', lease: lease(9) }, claim(1)).types.slice(2)).toEqual(['ResourceReserved', 'ReservationEnded', 'SlotClaimed']);
  });

  test('for all commands: a slot has at most one lease, a lease at most one slot, and never more slots than there are', () => {
    const some = fc.subarray([0, 1, 2, 3, 4]);
    const command: fc.Arbitrary<ResourceCommand> = fc.oneof(
      fc.record({ type: fc.constant('Slots' as const), claim: some.map((n) => n.map((i) => ({ lease: lease(i), owner: 'ada' }))), free: some.map((n) => n.map(lease)) }),
      fc.constantFrom<ResourceCommand>(create, { type: 'Break', error: 'x' }, { type: 'Release', reason: 'x' }, { type: 'Activate' }, { type: 'Destroy' }, { type: 'Report', reachable: false, error: 'x' }, reserve, take(), { type: 'Unreserve', lease: lease(9) }, free(9)),
    );
    fc.assert(
      fc.property(fc.array(command), (commands) => {
        const { events } = run(create, ...commands);
        const held = new Map<number, string>();
        for (const event of events) {
          if (event.type === 'SlotClaimed') {
            expect(held.has(event.data.slot)).toBe(false);
            expect([...held.values()]).not.toContain(event.data.lease);
            held.set(event.data.slot, event.data.lease);
            expect(held.size).toBeLessThanOrEqual(info.slots);
          } else if (event.type === 'SlotFreed') {
            expect(held.get(event.data.slot)).toBe(event.data.lease);
            held.delete(event.data.slot);
          }
        }
      }),
    );
  });
});
