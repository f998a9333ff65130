import type { InterfaceKind } from '@berth/contracts';
import { DriverFault } from '../drivers/driver.js';
import { isUp } from '../up.js';
import type { TaskKind } from './task.js';

const LOOK_MS = 30_000;
const switches = ['ipmi', 'redfish', 'pdu', 'xen', 'ilo'] as const satisfies readonly InterfaceKind[];

/** Looks at a machine from all sides, at once. What can't be asked is said, and is no failure. */
export const status: TaskKind = {
  takesMachine: false,
  lacks: () => undefined,
  async run({ machine, driver, call, signal }) {
    const power: Record<string, string> = {};
    const problems: Record<string, string> = {};
    const told = async (name: string, ask: () => Promise<unknown>): Promise<unknown> => {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof DriverFault) || signal.aborted) throw error;
        problems[name] = error.message;
        return undefined;
      }
    };
    const [up] = await Promise.all([
      told('machine', () => isUp(machine, call(LOOK_MS))),
      ...switches
        .filter((kind) => machine.spec.interfaces[kind] !== undefined)
        .map(async (kind) => {
          const state = await told(kind, async () => driver(kind).power?.(call(LOOK_MS)));
          if (typeof state === 'string') power[kind] = state;
        }),
    ]);
    const seen = typeof up === 'boolean' ? (up ? 'up' : 'down') : 'unknown';
    return { kind: 'complete', machine: seen, result: { up: up ?? null, power, problems, enrolled: machine.access !== undefined, loan: machine.loan ? { to: machine.loan.to, active: machine.loan.active } : null } };
  },
};
