import type { JobTask } from '@berth/contracts';
import { disable } from './disable.js';
import { enable } from './enable.js';
import { fileTicket } from './file-ticket.js';
import { iloReboot } from './ilo-reboot.js';
import { ipmiCycle } from './ipmi-cycle.js';
import { ipmiList } from './ipmi-list.js';
import { ipmiOff } from './ipmi-off.js';
import { ipmiOn } from './ipmi-on.js';
import { ipmiReset } from './ipmi-reset.js';
import { loan } from './loan.js';
import { ping } from './ping.js';
import { reboot } from './reboot.js';
import { redfishCycle } from './redfish-cycle.js';
import { redfishList } from './redfish-list.js';
import { redfishOff } from './redfish-off.js';
import { redfishOn } from './redfish-on.js';
import { redfishReset } from './redfish-reset.js';
import { reimage } from './reimage.js';
import { returnLoan } from './return-loan.js';
import { snmpReboot } from './snmp-reboot.js';
import { sshReboot } from './ssh-reboot.js';
import { status } from './status.js';
import type { TaskKind } from './task.js';
import { wake } from './wake.js';
import { xenapiReboot } from './xenapi-reboot.js';

/** Everything that can be done with a machine. A new task is a file, and a line here and in `jobTasks` of the contracts. */
export const tasks = {
  ping, status, reboot, wake, reimage, disable, enable, loan,
  ssh_reboot: sshReboot,
  ipmi_off: ipmiOff, ipmi_on: ipmiOn, ipmi_cycle: ipmiCycle, ipmi_reset: ipmiReset, ipmi_list: ipmiList,
  redfish_off: redfishOff, redfish_on: redfishOn, redfish_cycle: redfishCycle, redfish_reset: redfishReset, redfish_list: redfishList,
  snmp_reboot: snmpReboot, xenapi_reboot: xenapiReboot, ilo_reboot: iloReboot,
  return_loan: returnLoan,
  file_ticket: fileTicket,
} as const satisfies Record<JobTask, TaskKind>;
