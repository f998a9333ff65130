import { describe, expect, test } from 'vitest';
import { hardwareGroupSpec, hardwareSpec, type HardwareEvent } from '@berth/contracts';
import { decide, decideGroup, evolve, evolveGroup, groupDecider, hardwareDecider, type HardwareCommand } from './hardware.js';

const spec = hardwareSpec.parse({ name: 'box', address: '10.0.0.1' });
const other = hardwareSpec.parse({ name: 'box', address: '10.0.0.2' });
const job = '7f8c1d66-0000-4000-8000-000000000001';
const set: HardwareEvent = { type: 'HardwareSet', data: spec };
const removed: HardwareEvent = { type: 'HardwareRemoved', data: {} };
const lent = (steps: string[]): HardwareEvent => ({ type: 'LoanRequested', data: { job, to: 'ada', steps } });
const step = (n: number): HardwareEvent => ({ type: 'LoanStepDone', data: { step: n } });
const activated: HardwareEvent = { type: 'LoanActivated', data: {} };
const returned: HardwareEvent = { type: 'LoanReturned', data: {} };

const histories = {
  none: [],
  managed: [set],
  pending: [set, lent(['account', 'image'])],
  half: [set, lent(['account', 'image']), step(0)],
  active: [set, lent(['account', 'image']), step(0), step(1), activated],
  removed: [set, removed],
} satisfies Record<string, HardwareEvent[]>;
const done = (n: number, is = true): HardwareCommand => ({ type: 'CompleteStep', machine: 'box', step: n, done: is });
const commands = {
  set: { type: 'Set', spec },
  change: { type: 'Set', spec: other },
  remove: { type: 'Remove', name: 'box' },
  removeBusy: { type: 'Remove', name: 'box', live: job },
  lend: { type: 'Lend', job, to: 'ada', steps: ['account', 'image'] },
  lendAtOnce: { type: 'Lend', job, to: 'ada', steps: [] },
  first: done(0),
  second: done(1),
  undo: done(0, false),
  beyond: done(2),
  giveBack: { type: 'Return' },
} as const satisfies Record<string, HardwareCommand>;

type Row = Record<keyof typeof commands, HardwareEvent[] | string>;
const changed: HardwareEvent = { type: 'HardwareSet', data: other };
const onLoan = { set: [], change: [changed], remove: 'loan-live', removeBusy: 'hardware-in-use', lend: [], lendAtOnce: [], beyond: 'invalid-data', giveBack: [returned] };
const none = { set: [set], change: [changed], lend: [], lendAtOnce: [], first: 'unknown-hardware', second: 'unknown-hardware', undo: 'unknown-hardware', beyond: 'unknown-hardware', giveBack: [] };
/** What follows from each command in each state: events, or the code of a refusal. */
const table: Record<keyof typeof histories, Row> = {
  none: { ...none, remove: 'unknown-hardware', removeBusy: 'unknown-hardware' },
  managed: { set: [], change: [changed], remove: [removed], removeBusy: 'hardware-in-use', lend: [lent(['account', 'image'])], lendAtOnce: [lent([]), activated], first: 'no-loan', second: 'no-loan', undo: 'no-loan', beyond: 'no-loan', giveBack: [] },
  pending: { ...onLoan, first: [step(0)], second: 'invalid-data', undo: [] },
  half: { ...onLoan, first: [], second: [step(1), activated], undo: 'invalid-data' },
  active: { ...onLoan, first: [], second: [], undo: 'invalid-data' },
  removed: { ...none, remove: [], removeBusy: [] },
};

describe('a machine as hardware', () => {
  for (const [state, row] of Object.entries(table) as [keyof typeof histories, Row][]) {
    test.each(Object.entries(row) as [keyof typeof commands, HardwareEvent[] | string][])(`${state}, told to %s`, (name, expected) => {
      const decision = decide(commands[name], (histories[state] as HardwareEvent[]).reduce(evolve, hardwareDecider.initial));
      if (typeof expected === 'string') expect(decision).toMatchObject({ accepted: false, code: expected });
      else expect(decision).toEqual(expected);
    });
  }

  test('a step that comes too early is told which one is first', () => {
    expect(decide(done(1), histories.pending.reduce(evolve, hardwareDecider.initial))).toMatchObject({ errors: [{ field: 'data.step', message: 'must be 0, the first that is not done' }] });
  });

  test('what is said of a machine on loan changes, and the loan stays', () => {
    expect([...histories.active, changed].reduce(evolve, hardwareDecider.initial)).toMatchObject({ status: 'managed', spec: other, loan: { to: 'ada', active: true } });
  });
});

describe('a group', () => {
  const group = hardwareGroupSpec.parse({ name: 'g', escalation: [{ method: 'ssh_reboot', timeout: '30s' }, { method: 'file_ticket' }] });
  const made = evolveGroup(groupDecider.initial, { type: 'HardwareGroupSet', data: group });
  test('has its times in milliseconds, and the usual ones where none are given', () => expect(group.escalation![0]).toEqual({ method: 'ssh_reboot', timeout: 30_000, downWithin: 60_000, upWithin: 300_000 }));
  test('is set once', () => {
    expect(decideGroup({ type: 'Set', spec: group }, groupDecider.initial)).toEqual([{ type: 'HardwareGroupSet', data: group }]);
    expect(decideGroup({ type: 'Set', spec: group }, made)).toEqual([]);
  });
  test('goes only when nobody is in it', () => {
    expect(decideGroup({ type: 'Remove', name: 'g', members: ['box'] }, made)).toMatchObject({ code: 'hardware-in-use', errors: [{ message: expect.stringContaining('box') as unknown }] });
    expect(decideGroup({ type: 'Remove', name: 'g', members: [] }, made)).toEqual([{ type: 'HardwareGroupRemoved', data: {} }]);
    expect(decideGroup({ type: 'Remove', name: 'g', members: [] }, groupDecider.initial)).toMatchObject({ code: 'unknown-hardware-group' });
  });
});
