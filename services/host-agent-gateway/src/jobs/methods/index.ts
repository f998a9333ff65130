import type { RebootMethod } from '@berth/contracts';
import type { Method } from './method.js';
import { cycle, reset } from './power.js';
import { sshReboot } from './ssh.js';
import { wakeUp } from './wake.js';

/** Every way to reboot a machine. A ticket is none: it is what is left when none has worked. */
export const methods = {
  ssh_reboot: sshReboot,
  ipmi_reset: reset('ipmi'),
  ipmi_cycle: cycle('ipmi', true),
  redfish_reset: reset('redfish'),
  redfish_cycle: cycle('redfish', true),
  snmp_reboot: cycle('pdu', false),
  xenapi_reboot: reset('xen'),
  ilo_reboot: reset('ilo'),
  wake: wakeUp,
} as const satisfies Record<Exclude<RebootMethod, 'file_ticket'>, Method>;
