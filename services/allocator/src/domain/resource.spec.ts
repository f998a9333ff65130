import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { derivedId, type ResourceEvent } from '@berth/contracts';
import { reasonToWait } from './reason.js';
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
  ] as [string, ResourceCommand[]][])('one that is %s gives no slot', (_, before) => {
    expect(run(...before, claim(1)).types).not.toContain('SlotClaimed');
  });

  test('destroying frees what is still held', () => {
    expect(run(create, claim(1, 2), { type: 'Destroy' }).types.slice(-3)).toEqual(['SlotFreed', 'SlotFreed', 'ResourceDestroyed']);
  });

  test('reachability is written when it changes', () => {
    const down: ResourceCommand = { type: 'Report', reachable: false, error: 'timed out' };
    const up: ResourceCommand = { type: 'Report', reachable: true, error: '' };
    expect(run(create, up, down, down, up, up).types.slice(2)).toEqual(['ResourceUnreachable', 'ResourceReachable']);
  });

  test('for all commands: a slot has at most one lease, a lease at most one slot, and never more slots than there are', () => {
    const some = fc.subarray([0, 1, 2, 3, 4]);
    const command: fc.Arbitrary<ResourceCommand> = fc.oneof(
      fc.record({ type: fc.constant('Slots' as const), claim: some.map((n) => n.map((i) => ({ lease: lease(i), owner: 'ada' }))), free: some.map((n) => n.map(lease)) }),
      fc.constantFrom<ResourceCommand>(create, { type: 'Break', error: 'x' }, { type: 'Release', reason: 'x' }, { type: 'Activate' }, { type: 'Destroy' }, { type: 'Report', reachable: false, error: 'x' }),
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

describe('why a request waits', () => {
  const host = (over: Partial<ResourceInfo> = {}, ...commands: ResourceCommand[]) => run({ ...create, info: { ...info, ...over } } as ResourceCommand, ...commands).state as Exclude<Resource, { status: 'none' | 'destroyed' }>;
  const wants = (attributes: Record<string, string>) => ({ attributes, blueprints: [] });
  test.each([
    ['no hosts', wants({}), [], 'there are no hosts'],
    ['an attribute that none has', wants({ os: 'mac' }), [host()], 'os=mac is wanted, there is os=linux'],
    ['an attribute that none names', wants({ gpu: 'yes' }), [host()], 'no host says what its gpu is'],
    ['a combination that none has', wants({ os: 'linux', gpu: 'yes' }), [host(), host({ attributes: { os: 'mac', gpu: 'yes' } })], 'no single host has all of os=linux, gpu=yes'],
    ['all down', wants({}), [host({}, { type: 'Report', reachable: false, error: 'timed out' })], "can't be reached: box (timed out)"],
    ['all taken', wants({}), [host({}, claim(1, 2))], 'all 2 slots of the hosts that fit are taken: box (2)'],
    ['all draining', wants({}), [host({}, claim(1), { type: 'Release', reason: 'x' })], 'not in service: box is released'],
  ] as const)('%s', (_, request, hosts, text) => {
    expect(reasonToWait(request, [...hosts])).toContain(text);
  });
});
