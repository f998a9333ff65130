import { rejected, unreachable, type MachineEvent, type Refusal } from '@berth/contracts';

/** What was enrolled: the specification with the pinned host key and what the probe found. */
export type Enrolled = Extract<MachineEvent, { type: 'MachineAdded' }>['data'];

export type Machine =
  | { status: 'none' }
  | { status: 'added'; machine: Enrolled }
  | { status: 'removed'; machine: Enrolled };

export type MachineCommand = { type: 'Add'; machine: Enrolled } | { type: 'Remove'; name: string };

export const nameTaken = (name: string): Refusal =>
  rejected('name-taken', `There is a machine ${name} already.`, [{ field: 'data.name', message: `is taken by another machine: choose another name, or remove it first (berth machine remove ${name})` }]);

/** Everything but what the probe found, which may differ from one try to the next. */
export const sameMachine = (a: Omit<Enrolled, 'facts' | 'hostKey'>, b: Omit<Enrolled, 'facts' | 'hostKey'>) => JSON.stringify(essence(a)) === JSON.stringify(essence(b));
const essence = (m: Omit<Enrolled, 'facts' | 'hostKey'>) => [m.name, m.address, m.port, m.user, m.credential, m.platform, Object.entries(m.attributes).sort(), m.slots, m.folder];

/** Pure. */
export function decide(command: MachineCommand, state: Machine): readonly MachineEvent[] | Refusal {
  switch (command.type) {
    case 'Add':
      if (state.status === 'added') return sameMachine(state.machine, command.machine) ? [] : nameTaken(command.machine.name);
      return [{ type: 'MachineAdded', data: command.machine }];
    case 'Remove':
      if (state.status === 'none') return rejected('unknown-machine', `There is no machine ${command.name}.`, [{ field: 'data.name', message: 'is not the name of a machine: see `berth machine list`' }]);
      return state.status === 'removed' ? [] : [{ type: 'MachineRemoved', data: {} }];
    default:
      return unreachable(command);
  }
}

/** Pure. */
export function evolve(state: Machine, event: MachineEvent): Machine {
  switch (event.type) {
    case 'MachineAdded':
      return { status: 'added', machine: event.data };
    case 'MachineRemoved':
      if (state.status === 'none') throw new Error('a machine that was never added was removed');
      return { status: 'removed', machine: state.machine };
    default:
      return unreachable(event);
  }
}

/** A name may be used again after its machine was removed, so a machine never ends for good. */
export const machineDecider = { initial: { status: 'none' } as Machine, decide, evolve, ended: () => false };
