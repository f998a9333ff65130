import { HostError } from '../../transports/errors.js';
import { connect } from '../../transports/connect.js';
import { pause } from '../../runner/pause.js';
import { lacksLogin, loginOf, type ManagedMachine } from '../machine.js';
import { cycle, need } from '../methods/power.js';
import type { Going } from '../attempts.js';
import type { TaskContext, TaskKind } from './task.js';

const COMMAND_MS = 120_000;
/** Between two looks whether the installed system answers. */
const LOOK_MS = 5_000;

const controllerOf = ({ spec: { interfaces } }: ManagedMachine): 'redfish' | 'ipmi' | undefined => (interfaces.redfish ? 'redfish' : interfaces.ipmi ? 'ipmi' : undefined);

/**
 * Has a machine install itself anew from the network. It is ready when the installation says so (ReportInstalled), or when it
 * lets us in with another key than before; that key is pinned then, on purpose.
 */
export const reimage: TaskKind = {
  takesMachine: true,
  lacks: (machine) => (controllerOf(machine) === undefined ? `machine ${machine.name} has neither an interface redfish nor ipmi, which make it start from the network` : lacksLogin(machine)),
  async run(context) {
    const { attempts, machine, pool, driver, info } = context;
    const controller = controllerOf(machine)!;
    const begun = await attempts.try(`${controller}_network_boot`, COMMAND_MS, async (going) => {
      if (!going.has('next-boot')) {
        await need(driver(controller), 'bootFromNetwork', controller)(going.call(COMMAND_MS));
        await going.step('next-boot');
      }
      await cycle(controller, true).act({ machine, pool, driver }, going, COMMAND_MS);
      return undefined;
    });
    if (begun.outcome === 'failed') return { kind: 'failed', machine: 'unknown', code: begun.fault, error: begun.error };
    await context.note('waits for the installation to report back');
    const done = await attempts.try('installation', info.hardLimit, (going) => installed(context, going));
    return done.outcome === 'succeeded' ? { kind: 'complete', machine: 'up' } : { kind: 'failed', machine: 'unknown', code: done.fault, error: done.error };
  },
};

async function installed(context: TaskContext, going: Going): Promise<string> {
  const login = loginOf(context.machine)!;
  for (;;) {
    going.signal.throwIfAborted();
    const told = context.installed();
    const key = told?.hostKey ?? (await newKey(login, told !== undefined));
    if (key !== undefined) {
      if (key !== '') await context.pin(key);
      return key === '' ? 'the installation reported back; the host key is as before' : `installed; pinned ${key.split(' ').slice(0, 2).join(' ')}`;
    }
    await pause(LOOK_MS, going.signal);
  }
}

/** The key of a machine that lets us in; undefined while it does not, or while it is the old one and nobody has said that it is new. '': it is the old one, and that is known. */
async function newKey({ hostKey, ...login }: NonNullable<ReturnType<typeof loginOf>>, told: boolean): Promise<string | undefined> {
  try {
    const transport = await connect(login);
    try {
      const shown = transport.hostKey;
      return shown !== undefined && shown !== hostKey ? shown : told ? '' : undefined;
    } finally {
      await transport.close();
    }
  } catch (error) {
    if (error instanceof HostError) return undefined; // not yet
    throw error;
  }
}
