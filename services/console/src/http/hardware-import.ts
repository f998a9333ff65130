import type { HardwareDocument, HardwareImport, ImportedView } from '@berth/client';
import { derivedId } from '@berth/contracts';
import { changesOf, type Change } from '../views/hardware-changes.js';
import type { Commands } from './commands.js';
import { HttpProblem } from './problem.js';

/** Commands that are on their way at once. */
const AT_ONCE = 8;

/** What is sent for a change; null: nothing is to be done. */
type Sending = (change: Change) => ['SetHardware' | 'RemoveHardware' | 'SetHardwareGroup' | 'RemoveHardwareGroup', unknown] | null;

const sendingHardware: Sending = ({ change, name, spec }) => (change === 'same' ? null : change === 'removed' ? ['RemoveHardware', { name }] : ['SetHardware', spec]);
const sendingGroup: Sending = ({ change, name, spec }) => (change === 'same' ? null : change === 'removed' ? ['RemoveHardwareGroup', { name }] : ['SetHardwareGroup', spec]);

/**
 * Makes what is said be what is wanted. Groups come before the machines in them and go after them. One that is refused is told
 * of and keeps none of the others from being done.
 *
 * @param id of the import: the commands have ids that follow from it, so it can be sent again
 * @throws {HttpProblem} when the gateway is away, or the same name stands there twice
 */
export async function importHardware(commands: Pick<Commands, 'send'>, now: HardwareDocument, wanted: HardwareDocument, { dryRun, prune }: { dryRun: boolean; prune: boolean }, id: string): Promise<HardwareImport> {
  refuseTwice('hardware', wanted.hardware);
  refuseTwice('groups', wanted.groups);
  const groups = changesOf(now.groups, wanted.groups, prune);
  const hardware = changesOf(now.hardware, wanted.hardware, prune);
  const errors = new Map<Change, ImportedView['error']>();
  const carryOut = async (changes: readonly Change[], sending: Sending): Promise<void> => {
    const waiting = [...changes];
    const next = async (): Promise<void> => {
      for (let change = waiting.shift(); change; change = waiting.shift()) errors.set(change, await send(commands, sending(change), derivedId(id, `${sending.name} ${change.name}`)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  };
  if (!dryRun) {
    const isRemoved = ({ change }: Change) => change === 'removed';
    await carryOut(groups.filter((one) => !isRemoved(one)), sendingGroup);
    await carryOut(hardware.filter((one) => !isRemoved(one)), sendingHardware);
    await carryOut(hardware.filter(isRemoved), sendingHardware);
    await carryOut(groups.filter(isRemoved), sendingGroup);
  }
  const told = (changes: readonly Change[]) => changes.map((one): ImportedView => ({ name: one.name, change: one.change, paths: one.paths, error: errors.get(one) ?? null }));
  return { dryRun, groups: told(groups), hardware: told(hardware) };
}

async function send(commands: Pick<Commands, 'send'>, what: ReturnType<Sending>, id: string): Promise<ImportedView['error']> {
  if (what === null) return null;
  try {
    await commands.send('host-agent-gateway', what[0], what[1], id);
    return null;
  } catch (error) {
    // An outage is no refusal: the rest would wait as long, one after the other.
    if (!(error instanceof HttpProblem) || error.status >= 500) throw error;
    return { code: error.code, message: error.message };
  }
}

function refuseTwice(field: string, all: readonly { name: string }[]): void {
  const at = all.findIndex(({ name }, index) => all.findIndex((other) => other.name === name) !== index);
  if (at === -1) return;
  const message = `${JSON.stringify(all[at]!.name)} stands there twice: leave one of them out`;
  throw new HttpProblem('invalid-data', `The import is refused, and nothing is done: ${field}[${at}].name ${message}.`, [{ field: `${field}[${at}].name`, message }]);
}
