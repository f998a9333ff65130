import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { commands, type MachineChanges, type MachineEvent } from '@berth/contracts';
import { accessOf, decide, evolve, machineDecider, toLookAt, type Enrolled, type Machine, type MachineCommand } from './machine.js';

const everybody = { projects: [], owners: [] };
const box: Enrolled = { name: 'box', address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: { pool: 'loft', floor: '3' }, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: { cpus: '8' }, allow: everybody };
const added: MachineEvent = { type: 'MachineAdded', data: box };
const removed: MachineEvent = { type: 'MachineRemoved', data: {} };
const read = (changes: unknown): MachineChanges => {
  const { name: _, ...read } = commands.allocator.ChangeMachine.parse({ name: 'box', ...(changes as object) });
  return read;
};
/** A change as it comes, with a look at the machine where that is due. */
const change = (changes: unknown, of: Enrolled = box): MachineCommand => {
  const access = toLookAt(of, read(changes));
  return { type: 'Change', name: 'box', changes: read(changes), ...(access && { looked: { access, hostKey: access.hostKey ?? 'ssh-ed25519 LEARNT', facts: { cpus: '16' } } }) };
};
const given = (...events: MachineEvent[]): Machine => events.reduce(evolve, machineDecider.initial);
const outcome = (state: Machine, command: MachineCommand): string | readonly MachineEvent[] => {
  const decision = decide(command, state);
  return 'accepted' in decision ? decision.code : decision;
};
const changed = (fields: string[], more: Partial<Enrolled>): MachineEvent[] => [{ type: 'MachineChanged', data: { ...box, ...more, changed: fields } }];

describe('every state and every command', () => {
  const other = { ...box, slots: 3 };
  const table: [name: string, state: Machine, expected: Record<string, string | readonly MachineEvent[]>][] = [
    ['none', given(), { add: [added], addOther: [{ type: 'MachineAdded', data: other }], change: 'unknown-machine', same: 'unknown-machine', remove: 'unknown-machine' }],
    ['added', given(added), { add: [], addOther: 'name-taken', change: changed(['slots'], { slots: 4 }), same: [], remove: [removed] }],
    ['removed', given(added, removed), { add: [added], addOther: [{ type: 'MachineAdded', data: other }], change: 'unknown-machine', same: 'unknown-machine', remove: [] }],
    ['added again', given(added, removed, added), { add: [], addOther: 'name-taken', change: changed(['slots'], { slots: 4 }), same: [], remove: [removed] }],
  ];
  test.each(table)('%s', (_name, state, expected) => {
    const all = { add: { type: 'Add', machine: box }, addOther: { type: 'Add', machine: other }, change: change({ slots: 4 }), same: change({ slots: 2 }), remove: { type: 'Remove', name: 'box' } } as const satisfies Record<string, MachineCommand>;
    expect(Object.fromEntries(Object.entries(all).map(([name, command]) => [name, outcome(state, command)]))).toEqual(expected);
  });
});

describe('a change', () => {
  test.each<[string, unknown, MachineEvent[]]>([
    ['of one attribute leaves the others', { attributes: { floor: 4 } }, changed(['attributes'], { attributes: { pool: 'loft', floor: '4' } })],
    ['takes an attribute away with null', { attributes: { floor: null } }, changed(['attributes'], { attributes: { pool: 'loft' } })],
    ['takes all away with null', { attributes: null, slots: null }, changed(['attributes', 'slots'], { attributes: {}, slots: 1 })],
    ['replaces one list of who may use it', { allow: { projects: ['widgets'] } }, changed(['allow'], { allow: { projects: ['widgets'], owners: [] } })],
    ['of how it is got into keeps the pinned key and takes what was found', { address: '10.0.0.2' }, changed(['address', 'facts'], { address: '10.0.0.2', facts: { cpus: '16' } })],
    ['of the key alone', { hostKey: 'ssh-ed25519 BBBB' }, changed(['facts', 'hostKey'], { hostKey: 'ssh-ed25519 BBBB', facts: { cpus: '16' } })],
    ['learns the key anew with null', { hostKey: null }, changed(['facts', 'hostKey'], { hostKey: 'ssh-ed25519 LEARNT', facts: { cpus: '16' } })],
    ['that says what is so already is none', { address: '10.0.0.1', attributes: { pool: 'loft' }, allow: null }, []],
    ['of nothing is none', {}, []],
  ])('%s', (_name, changes, expected) => {
    expect(outcome(given(added), change(changes))).toEqual(expected);
  });

  test('that was looked at as the machine was before somebody else changed it is refused', () => {
    const state = given(added, ...changed(['address'], { address: '10.0.0.9' }));
    expect(outcome(state, change({ user: 'builder' }))).toBe('machine-changed');
    expect(outcome(state, { type: 'Change', name: 'box', changes: read({ user: 'builder' }) })).toBe('machine-changed');
    // What does not concern how it is got into is not in the way of that.
    expect(outcome(state, change({ slots: 3 }))).toEqual(changed(['slots'], { address: '10.0.0.9', slots: 3 }));
  });

  test('of a machine that was enrolled before it could be said who may use it', () => {
    const { allow: _, ...old } = box;
    const state = given({ type: 'MachineAdded', data: old });
    expect(outcome(state, change({ allow: everybody }, old))).toEqual([]);
    expect(outcome(state, change({ allow: { owners: ['ada'] } }, old))).toEqual(changed(['allow'], { allow: { projects: [], owners: ['ada'] } }));
  });

  test.each([
    [{ slot: 3 }, 'unrecognized_keys'],
    [{ address: null }, 'invalid_type'],
    [{ slots: 0 }, 'too_small'],
    [{ attributes: { '1st': 'x' } }, 'invalid_key'],
    [{ allow: { project: ['x'] } }, 'unrecognized_keys'],
  ])('%j is none', (changes, code) => {
    expect(commands.allocator.ChangeMachine.safeParse({ name: 'box', ...changes }).error?.issues.map((issue) => issue.code)).toEqual([code]);
  });

  test('whatever it is: done twice it is done once, and what is left out stays', () => {
    const changes = fc.record(
      {
        address: fc.constantFrom('10.0.0.1', '10.0.0.2'), port: fc.constantFrom(22, 2222, null), slots: fc.constantFrom(1, 2, 9, null), hostKey: fc.constantFrom('ssh-ed25519 AAAA', 'ssh-ed25519 BBBB', null),
        attributes: fc.dictionary(fc.constantFrom('pool', 'floor', 'gpu'), fc.constantFrom('a', 'b', null)), folder: fc.constantFrom('/srv', null), allow: fc.record({ projects: fc.subarray(['p', 'q']), owners: fc.subarray(['ada']) }, { requiredKeys: [] }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(changes, (given_) => {
        const first = decide(change(given_), given(added));
        if ('accepted' in first) throw new Error(first.message);
        const state = first.reduce(evolve, given(added));
        if (state.status !== 'added') throw new Error(state.status);
        // A key that is to be learnt is learnt each time.
        if (given_.hostKey !== null) expect(outcome(state, change(given_, state.machine))).toEqual([]);
        const { machine } = state;
        for (const field of ['address', 'port', 'slots', 'folder'] as const) if (!(field in given_)) expect(machine[field]).toBe(box[field]);
        for (const name of ['pool', 'floor']) if (!(name in (given_.attributes ?? {}))) expect(machine.attributes[name]).toBe(box.attributes[name]);
        if (!('hostKey' in given_)) expect(machine.hostKey).toBe(box.hostKey);
        expect(accessOf({ ...machine, allow: everybody }).hostKey).toBeDefined();
      }),
    );
  });
});

test('folds what no command can lead to only when it can', () => {
  expect(() => given(removed)).toThrow('never added');
  expect(() => given(...changed(['slots'], { slots: 4 }))).toThrow('none was changed');
});
