import { DriverFault } from '../drivers/driver.js';
import { ping as send } from '../drivers/ping.js';
import type { TaskKind } from './task.js';

/** Four packets within five seconds: one that is lost is a fault. */
export const ping: TaskKind = {
  takesMachine: false,
  lacks: () => undefined,
  async run({ machine, attempts }) {
    const end = await attempts.try('ping', 15_000, async (going) => {
      if (await send(going.call(15_000), machine.spec.address, { count: 4, seconds: 5 })) return undefined;
      throw new DriverFault('unreachable', `machine ${machine.name} does not answer at ${machine.spec.address}`);
    });
    if (end.outcome === 'succeeded') return { kind: 'complete', machine: 'up' };
    return { kind: 'failed', machine: end.fault === 'unreachable' ? 'down' : 'unknown', code: end.fault, error: end.error };
  },
};
