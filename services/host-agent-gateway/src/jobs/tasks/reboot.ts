import type { EscalationStep, MachineOutcome, RebootMethod } from '@berth/contracts';
import { DriverFault } from '../drivers/driver.js';
import { escalationOf, type ManagedMachine } from '../machine.js';
import { methods } from '../methods/index.js';
import { comesBack, goesDownAndComesBack, isUp } from '../up.js';
import type { Outcome, TaskContext, TaskKind } from './task.js';

type Way = Exclude<RebootMethod, 'file_ticket'>;

/** Climbs the ladder of its group until the machine has gone down and come back; at its end a person is asked. */
export const reboot: TaskKind = {
  takesMachine: true,
  reboots: true,
  lacks: (machine) => {
    const ladder = escalationOf(machine).filter(({ method }) => method !== 'file_ticket');
    return ladder.some(({ method }) => methods[method as Way].lacks(machine) === undefined) ? undefined : `machine ${machine.name} has nothing that any of ${ladder.map(({ method }) => method).join(', ')} needs`;
  },
  async run(context) {
    const { attempts, info, machine } = context;
    let last = 'it has nothing that a method needs';
    for (const rung of info.escalation ?? escalationOf(machine)) {
      if (rung.method === 'file_ticket') return withTicket(context, last);
      const missing = methods[rung.method].lacks(machine);
      if (missing !== undefined) {
        await attempts.skip(rung.method, missing);
        continue;
      }
      // One that was begun in time is seen to its end, whoever carries on.
      if (!attempts.known && context.pastSoftLimit()) return { kind: 'failed', machine: await seen(context), code: 'timeout', error: `no further method was tried after ${info.softLimit / 1000} s; the last one: ${last}` };
      await context.note(`reboots it by ${rung.method}`);
      const end = await attempt(context, { ...rung, method: rung.method });
      if (end.outcome === 'succeeded') return { kind: 'complete', machine: 'up', result: { method: rung.method } };
      last = `${rung.method}: ${end.error}`;
    }
    return { kind: 'failed', machine: await seen(context), code: 'all-failed', error: `no method brought machine ${machine.name} back; the last one: ${last}` };
  },
};

function attempt({ attempts, machine, pool, driver }: TaskContext, { method, timeout, downWithin, upWithin }: EscalationStep & { method: Way }) {
  return attempts.try(method, timeout, async (going) => {
    await methods[method].act({ machine, pool, driver }, going, timeout);
    // What is woken was down.
    if (method === 'wake') await comesBack(machine, going, upWithin);
    else await goesDownAndComesBack(machine, going, { downWithin, upWithin });
    return undefined;
  });
}

/** The ticket is what became of it: the job has failed, whoever comes to look. */
async function withTicket(context: TaskContext, last: string): Promise<Outcome> {
  const { attempts, machine, fileTicket, requester } = context;
  let filed = '';
  const end = await attempts.try('file_ticket', 60_000, async () => {
    const { id, how, url } = await fileTicket(`problem with ${machine.name}: it could not be brought back`, `${requester} asked for a reboot. No method brought the machine back; the last one: ${last}.`);
    filed = `ticket ${id} was ${how}`;
    return url ?? filed;
  });
  const is = await seen(context);
  if (end.outcome === 'succeeded') return { kind: 'failed', machine: is, code: 'ticket-filed', error: `no method brought machine ${machine.name} back, so a person is to look at it${filed === '' ? '' : ` (${filed})`}; the last method: ${last}` };
  return { kind: 'failed', machine: is, code: end.fault, error: `no method brought machine ${machine.name} back, and no ticket could be filed: ${end.error}` };
}

const LOOK_MS = 6000;

/** What has become of the machine is looked at: that a method failed says nothing of it, and one may have worked too late. */
async function seen({ machine, call }: TaskContext): Promise<MachineOutcome> {
  try {
    return (await isUp(machine, call(LOOK_MS))) ? 'up' : 'down';
  } catch (error) {
    if (error instanceof DriverFault) return 'unknown';
    throw error;
  }
}

/** One method alone, as a task of its own. */
export function rebootBy(method: Way): TaskKind {
  return {
    takesMachine: true,
    reboots: true,
    lacks: (machine: ManagedMachine) => methods[method].lacks(machine),
    async run(context) {
      const rung = context.info.escalation?.find((one) => one.method === method);
      const end = await attempt(context, { timeout: 120_000, downWithin: 60_000, upWithin: 300_000, ...rung, method });
      if (end.outcome === 'succeeded') return { kind: 'complete', machine: 'up', result: { method } };
      return { kind: 'failed', machine: end.fault === 'stayed-up' ? 'up' : end.fault === 'stayed-down' ? 'down' : 'unknown', code: end.fault, error: end.error };
    },
  };
}
