import type { HostPool } from '../../transports/pool.js';
import type { Going } from '../attempts.js';
import type { Driver } from '../drivers/driver.js';
import type { ManagedMachine } from '../machine.js';
import type { InterfaceKind } from '@berth/contracts';

/** What a method works with. */
export interface Tools {
  machine: ManagedMachine;
  pool: HostPool;
  /** @throws when the machine has no such interface: asked for by `lacks` first */
  driver(kind: Exclude<InterfaceKind, 'ssh'>): Driver;
}

/** One way to have a machine start anew. It does that; whether the machine went down and came back is looked at by whoever asked. */
export interface Method {
  /** Why it can't be used with a machine; undefined when it can. */
  lacks(machine: ManagedMachine): string | undefined;
  /** After a restart it is called again, and must not repeat blindly what `going` says was sent. @throws DriverFault */
  act(tools: Tools, going: Going, timeoutMs: number): Promise<void>;
}
