import { changedMachine, rejected, unreachable, type HostAccess, type MachineChanges, type MachineEvent, type MachineSpec, type Refusal } from '@berth/contracts';

/** What was enrolled: the specification with the pinned host key and what the probe found. */
export type Enrolled = Extract<MachineEvent, { type: 'MachineAdded' }>['data'];

export type Machine =
  | { status: 'none' }
  | { status: 'added'; machine: Enrolled }
  | { status: 'removed'; machine: Enrolled };

/** What a look at a machine found, and how it was got into for that. */
export interface Looked {
  access: HostAccess;
  hostKey: string;
  facts: Enrolled['facts'];
}

export type MachineCommand =
  | { type: 'Add'; machine: Enrolled }
  /** `looked`: where it would be got into otherwise */
  | { type: 'Change'; name: string; changes: MachineChanges; looked?: Looked }
  | { type: 'Remove'; name: string };

const everybody = { projects: [], owners: [] };

export const nameTaken = (name: string): Refusal =>
  rejected('name-taken', `There is a machine ${name} already.`, [{ field: 'data.name', message: `is taken by another machine: choose another name, change that one (berth machine set ${name}), or remove it first (berth machine remove ${name})` }]);

export const unknownMachine = (name: string): Refusal => rejected('unknown-machine', `There is no machine ${name}.`, [{ field: 'data.name', message: 'is not the name of a machine: see `berth machine list`' }]);

/** Everything but what the probe found, which may differ from one try to the next. */
export const sameMachine = (a: Omit<Enrolled, 'facts' | 'hostKey'>, b: Omit<Enrolled, 'facts' | 'hostKey'>) => JSON.stringify(essence(a)) === JSON.stringify(essence(b));
const essence = (m: Omit<Enrolled, 'facts' | 'hostKey'>) => [m.name, m.address, m.port, m.user, m.credential, m.platform, Object.entries(m.attributes).sort(), m.slots, m.folder, m.allow ?? everybody];

/** How the gateway gets in to look at it. */
export const accessOf = ({ address, port, user, credential, platform, folder, hostKey }: MachineSpec): HostAccess => ({
  transport: 'ssh', address, port, user, credential, platform, folder: folder ?? '~/.berth-host', ...(hostKey !== undefined && { hostKey }),
});
const sameAccess = (a: HostAccess, b: HostAccess) => JSON.stringify(a) === JSON.stringify(b);

/** Of an enrolled machine: how it would be got into after a change, when that is otherwise than now and has to be looked at first. */
export function toLookAt(machine: Enrolled, changes: MachineChanges): HostAccess | undefined {
  const access = accessOf(changedMachine(specOf(machine), changes));
  return sameAccess(access, accessOf(specOf(machine))) ? undefined : access;
}
const specOf = (machine: Enrolled): MachineSpec => ({ ...machine, allow: machine.allow ?? everybody });

/** Pure. */
export function decide(command: MachineCommand, state: Machine): readonly MachineEvent[] | Refusal {
  switch (command.type) {
    case 'Add':
      if (state.status === 'added') return sameMachine(state.machine, command.machine) ? [] : nameTaken(command.machine.name);
      return [{ type: 'MachineAdded', data: command.machine }];
    case 'Change':
      return state.status === 'added' ? change(command, state.machine) : unknownMachine(command.name);
    case 'Remove':
      if (state.status === 'none') return unknownMachine(command.name);
      return state.status === 'removed' ? [] : [{ type: 'MachineRemoved', data: {} }];
    default:
      return unreachable(command);
  }
}

function change({ name, changes, looked }: Extract<MachineCommand, { type: 'Change' }>, machine: Enrolled): readonly MachineEvent[] | Refusal {
  const access = toLookAt(machine, changes);
  // It was changed by somebody else since it was looked at: what was found says nothing of how it would be got into now.
  if (access && !(looked && sameAccess(looked.access, access))) {
    return rejected('machine-changed', `Machine ${name} is not changed: it was changed meanwhile, and would be got into in a way that was not tried.`, [{ field: 'data.name', message: 'is that of a machine which somebody else has just changed: look at it and send the change again' }]);
  }
  const wanted = specOf({ ...changedMachine(specOf(machine), changes), hostKey: machine.hostKey, facts: machine.facts });
  const next: Enrolled = { ...wanted, ...(access && looked ? { hostKey: looked.hostKey, facts: looked.facts } : { hostKey: machine.hostKey, facts: machine.facts }) };
  const changed = differing(machine, next);
  return changed.length === 0 ? [] : [{ type: 'MachineChanged', data: { ...next, changed } }];
}

/** The fields in which two differ, by name. */
function differing(was: Enrolled, is: Enrolled): string[] {
  const text = (value: unknown) => JSON.stringify(value, (_key, part: unknown) => (isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part));
  const [before, after] = [specOf(was), specOf(is)] as Record<string, unknown>[];
  return Object.keys({ ...before, ...after }).filter((field) => text(before![field]) !== text(after![field])).sort();
}
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Pure. */
export function evolve(state: Machine, event: MachineEvent): Machine {
  switch (event.type) {
    case 'MachineAdded':
      return { status: 'added', machine: event.data };
    case 'MachineChanged': {
      if (state.status !== 'added') throw new Error(`a machine that is ${state.status} was changed`);
      const { changed: _, ...machine } = event.data;
      return { status: 'added', machine };
    }
    case 'MachineRemoved':
      if (state.status === 'none') throw new Error('a machine that was never added was removed');
      return { status: 'removed', machine: state.machine };
    default:
      return unreachable(event);
  }
}

/** A name may be used again after its machine was removed, so a machine never ends for good. */
export const machineDecider = { initial: { status: 'none' } as Machine, decide, evolve, ended: () => false, says: () => 'machine' };
