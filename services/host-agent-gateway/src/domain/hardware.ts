import { rejected, unreachable, type HardwareEvent, type HardwareGroupEvent, type HardwareGroupSpec, type HardwareSpec, type Refusal } from '@berth/contracts';

/** A machine that is lent to a person. PENDING until the last of its steps is done, then ACTIVE. */
export interface Loan {
  job: string;
  to: string;
  steps: readonly { text: string; done: boolean }[];
  /** keeps others off the machine */
  lease?: string;
  active: boolean;
}

/** A machine as hardware. */
export type Hardware = { status: 'none' } | { status: 'managed'; spec: HardwareSpec; loan?: Loan } | { status: 'removed' };

export type HardwareCommand =
  | { type: 'Set'; spec: HardwareSpec }
  /** `live`: a job that is live on it */
  | { type: 'Remove'; name: string; live?: string }
  | { type: 'Lend'; job: string; to: string; steps: readonly string[]; lease?: string }
  | { type: 'CompleteStep'; machine: string; step: number; done: boolean }
  | { type: 'Return' };

const nothing: readonly HardwareEvent[] = [];
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const unknownHardware = (name: string): Refusal => rejected('unknown-hardware', `Machine ${name} is not managed.`, [{ field: 'data.name', message: 'is not the name of a machine that is managed: see `berth hardware list`' }]);

/** Pure. */
export function decide(command: HardwareCommand, hardware: Hardware): readonly HardwareEvent[] | Refusal {
  const loan = hardware.status === 'managed' ? hardware.loan : undefined;
  switch (command.type) {
    case 'Set':
      return hardware.status === 'managed' && same(hardware.spec, command.spec) ? nothing : [{ type: 'HardwareSet', data: command.spec }];
    case 'Remove':
      if (hardware.status !== 'managed') return hardware.status === 'removed' ? nothing : unknownHardware(command.name);
      if (command.live !== undefined) return rejected('hardware-in-use', `Machine ${command.name} has a job that is not over: ${command.live}.`, [{ field: 'data.name', message: `has job ${command.live}: wait for it, or cancel it (berth job cancel ${command.live})` }]);
      if (loan) return rejected('loan-live', `Machine ${command.name} is on loan to ${loan.to}.`, [{ field: 'data.name', message: `is on loan: have it returned first (berth job run return_loan ${command.name})` }]);
      return [{ type: 'HardwareRemoved', data: {} }];
    case 'Lend': {
      if (hardware.status !== 'managed' || loan) return nothing;
      const asked: HardwareEvent = { type: 'LoanRequested', data: { job: command.job, to: command.to, steps: [...command.steps], ...(command.lease !== undefined && { lease: command.lease }) } };
      return command.steps.length === 0 ? [asked, { type: 'LoanActivated', data: {} }] : [asked];
    }
    case 'CompleteStep':
      return completeStep(command, hardware, loan);
    case 'Return':
      return loan ? [{ type: 'LoanReturned', data: {} }] : nothing;
    default:
      return unreachable(command);
  }
}

function completeStep({ machine, step, done }: Extract<HardwareCommand, { type: 'CompleteStep' }>, hardware: Hardware, loan: Loan | undefined): readonly HardwareEvent[] | Refusal {
  if (hardware.status !== 'managed') return unknownHardware(machine);
  if (!loan) return rejected('no-loan', `Machine ${machine} is not on loan.`, [{ field: 'data.machine', message: `is not on loan: ask for it first (berth job run loan ${machine})` }]);
  const known = loan.steps[step];
  if (!known) return rejected('invalid-data', `The loan of machine ${machine} has ${loan.steps.length} steps.`, [{ field: 'data.step', message: loan.steps.length === 0 ? 'there are no steps' : `must be 0 to ${loan.steps.length - 1}` }]);
  if (!done) return known.done ? rejected('invalid-data', 'A step that is done is not undone.', [{ field: 'data.done', message: 'must be true: return the loan and ask anew instead' }]) : nothing;
  if (known.done) return nothing;
  const before = loan.steps.findIndex((one) => !one.done);
  if (before < step) return rejected('invalid-data', `Step ${before} comes first: ${loan.steps[before]!.text}`, [{ field: 'data.step', message: `must be ${before}, the first that is not done` }]);
  const told: HardwareEvent = { type: 'LoanStepDone', data: { step } };
  return step === loan.steps.length - 1 ? [told, { type: 'LoanActivated', data: {} }] : [told];
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(hardware: Hardware, event: HardwareEvent): Hardware {
  const loan = hardware.status === 'managed' ? hardware.loan : undefined;
  if (event.type === 'HardwareSet') return { status: 'managed', spec: event.data, ...(loan && { loan }) };
  if (hardware.status !== 'managed') throw new Error(`hardware that is ${hardware.status} can't have ${event.type}`);
  const { spec } = hardware;
  switch (event.type) {
    case 'HardwareRemoved':
      return { status: 'removed' };
    case 'LoanRequested': {
      const { job, to, steps, lease } = event.data;
      return { status: 'managed', spec, loan: { job, to, steps: steps.map((text) => ({ text, done: false })), active: false, ...(lease !== undefined && { lease }) } };
    }
    case 'LoanReturned':
      return { status: 'managed', spec };
    case 'LoanStepDone':
    case 'LoanActivated':
      if (!loan) throw new Error(`a machine that is not on loan can't have ${event.type}`);
      if (event.type === 'LoanActivated') return { status: 'managed', spec, loan: { ...loan, active: true } };
      return { status: 'managed', spec, loan: { ...loan, steps: loan.steps.map((one, i) => (i === event.data.step ? { ...one, done: true } : one)) } };
    default:
      return unreachable(event);
  }
}

export const hardwareDecider = { initial: { status: 'none' } as Hardware, decide, evolve, ended: () => false, says: ({ type }: HardwareEvent) => (type === 'HardwareSet' || type === 'HardwareRemoved' ? 'hardware' : undefined) };

/** A group of machines. */
export type Group = { status: 'none' } | { status: 'set'; spec: HardwareGroupSpec } | { status: 'removed' };
/** `members`: machines that are in it */
export type GroupCommand = { type: 'Set'; spec: HardwareGroupSpec } | { type: 'Remove'; name: string; members: readonly string[] };

/** Pure. */
export function decideGroup(command: GroupCommand, group: Group): readonly HardwareGroupEvent[] | Refusal {
  if (command.type === 'Set') return group.status === 'set' && same(group.spec, command.spec) ? [] : [{ type: 'HardwareGroupSet', data: command.spec }];
  if (group.status === 'none') return rejected('unknown-hardware-group', `There is no group ${command.name}.`, [{ field: 'data.name', message: 'is not the name of a group: see `berth hardware groups`' }]);
  if (group.status === 'removed') return [];
  if (command.members.length > 0) return rejected('hardware-in-use', `Group ${command.name} has ${command.members.length} machines.`, [{ field: 'data.name', message: `is the group of ${command.members.slice(0, 5).join(', ')}${command.members.length > 5 ? ' and others' : ''}: take them out of it first` }]);
  return [{ type: 'HardwareGroupRemoved', data: {} }];
}

/** Pure. */
export const evolveGroup = (_group: Group, event: HardwareGroupEvent): Group => (event.type === 'HardwareGroupSet' ? { status: 'set', spec: event.data } : { status: 'removed' });

export const groupDecider = { initial: { status: 'none' } as Group, decide: decideGroup, evolve: evolveGroup, ended: () => false, says: () => 'group' };
