import type { ManagedMachine } from '../machine.js';
import type { TaskKind } from './task.js';

/** Why there is nothing to disable or enable; undefined when there is. */
export const notEnrolled = ({ name, access }: ManagedMachine): string | undefined => (access ? undefined : `machine ${name} is not enrolled, so nothing is leased on it: enrol it (berth machine add)`);

/** No new work on a machine, once what is on it has ended: it has the machine to itself by then. */
export const disable: TaskKind = {
  takesMachine: true,
  lacks: notEnrolled,
  async run({ attempts, drain, info, requester }) {
    const end = await attempts.try('disable', 60_000, async () => {
      await drain(true, info.reason ?? `disabled by ${requester}`);
      return undefined;
    });
    return end.outcome === 'succeeded' ? { kind: 'complete', machine: 'unknown' } : { kind: 'failed', machine: 'unknown', code: end.fault, error: end.error };
  },
};
