import type { HardwareGroupView, HardwareView, JobTaskView } from '@berth/client';
import type { EscalationStep, JobNeed } from '@berth/contracts';

/** What can be asked for on a machine, and what can't although whoever looks may: with the reason. */
export interface Offers {
  offered: readonly JobTaskView[];
  withheld: readonly { task: JobTaskView; why: string }[];
}

const words: Record<JobNeed, string> = {
  ssh: 'the interface ssh', ipmi: 'the interface ipmi', redfish: 'the interface redfish', pdu: 'the interface pdu', xen: 'the interface xen', ilo: 'the interface ilo', wake: 'the interface wake',
  enrolled: 'to be enrolled', lent: 'to be on loan', free: 'not to be on loan',
};

/** The ladder of a machine: of the first of its groups that has one; undefined: the usual one. */
export function ladderOf({ groups }: Pick<HardwareView, 'groups'>, all: readonly HardwareGroupView[]): { group: string; steps: readonly EscalationStep[] } | undefined {
  for (const name of groups) {
    const steps = all.find((group) => group.name === name)?.escalation;
    if (steps) return { group: name, steps };
  }
  return undefined;
}

/** Whether a machine has what a task needs; what it lacks in words when it has not. */
export function lacks({ needs }: Pick<JobTaskView, 'needs'>, machine: HardwareView): string | undefined {
  const has = (need: JobNeed): boolean => {
    switch (need) {
      case 'enrolled':
        return machine.enrolled;
      case 'lent':
        return machine.loan !== null;
      case 'free':
        return machine.loan === null;
      default:
        return machine.interfaces[need] !== undefined;
    }
  };
  const missing = needs.filter((one) => !one.some(has));
  return missing.length === 0 ? undefined : `needs ${missing.map((one) => one.map((need) => words[need]).join(' or ')).join(', and ')}`;
}

/** What can be asked for on a machine by whoever was told of these tasks: permitted, published and configured. */
export function offersOf(tasks: readonly JobTaskView[], machine: HardwareView, groups: readonly HardwareGroupView[]): Offers {
  const ladder = ladderOf(machine, groups)?.steps;
  const why = (task: JobTaskView): string | undefined => {
    if (!task.published) return 'is not published here: BERTH_JOB_TASKS says what is';
    if (task.task !== 'reboot' || !ladder) return lacks(task, machine);
    const ways = tasks.filter((one) => ladder.some(({ method }) => method !== 'file_ticket' && method === one.task));
    return ways.some((way) => lacks(way, machine) === undefined) ? undefined : `needs what one of ${ways.map((way) => way.task).join(', ') || 'no method'} does`;
  };
  const told = tasks.filter(({ may }) => may).map((task) => ({ task, why: why(task) }));
  return {
    offered: told.filter((one) => one.why === undefined).map(({ task }) => task),
    withheld: told.flatMap(({ task, why: reason }) => (reason === undefined ? [] : [{ task, why: reason }])),
  };
}
