import type { InterfaceKind, ManagementInterfaces } from '@berth/contracts';
import type { Driver } from './driver.js';
import { ilo } from './ilo.js';
import { ipmi } from './ipmi.js';
import { pdu } from './pdu.js';
import { redfish } from './redfish.js';
import { wake } from './wake.js';
import { xen } from './xen.js';

/** Interfaces from outside of a machine. SSH is none: it is a way into its operating system. */
export type DriverKind = Exclude<InterfaceKind, 'ssh'>;

type Makers = { [Kind in DriverKind]: (at: NonNullable<ManagementInterfaces[Kind]>) => Driver };

const makers: Makers = { ipmi, redfish, pdu, xen, ilo, wake };

/** The driver of one interface of a machine, or undefined when the machine has no such interface. @throws DriverFault when it can't be as it is set */
export function driverOf<Kind extends DriverKind>(kind: Kind, interfaces: ManagementInterfaces): Driver | undefined {
  const at = interfaces[kind];
  return at === undefined ? undefined : makers[kind](at);
}

export { DriverFault, type Call, type Driver, type Power } from './driver.js';
export { ping } from './ping.js';
