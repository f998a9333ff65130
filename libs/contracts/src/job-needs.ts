import { z } from 'zod';
import { managementInterfaces, type InterfaceKind } from './hardware.js';
import type { JobTask } from './job.js';

/** What a machine must have, or how it must be, for a task: an interface; `enrolled`: it is in the fleet; `lent` or `free`: it is on loan or it is not. */
export const jobNeed = z.enum([...(Object.keys(managementInterfaces.shape) as InterfaceKind[]), 'enrolled', 'lent', 'free']);
export type JobNeed = z.infer<typeof jobNeed>;

/** How one gets into its operating system. */
const login = ['enrolled', 'ssh'] as const satisfies readonly JobNeed[];

/** What each task needs: of each of these one. A reboot on a ladder of its own needs what one of its methods needs instead, each of which is a task too. */
export const jobNeeds: Readonly<Record<JobTask, readonly (readonly JobNeed[])[]>> = {
  ping: [],
  status: [],
  reboot: [[...login, 'ipmi', 'redfish', 'pdu', 'xen', 'ilo']],
  ssh_reboot: [login],
  ipmi_off: [['ipmi']],
  ipmi_on: [['ipmi']],
  ipmi_cycle: [['ipmi']],
  ipmi_reset: [['ipmi']],
  ipmi_list: [['ipmi']],
  redfish_off: [['redfish']],
  redfish_on: [['redfish']],
  redfish_cycle: [['redfish']],
  redfish_reset: [['redfish']],
  redfish_list: [['redfish']],
  snmp_reboot: [['pdu']],
  xenapi_reboot: [['xen']],
  ilo_reboot: [['ilo']],
  wake: [['wake']],
  reimage: [['redfish', 'ipmi'], login],
  disable: [['enrolled']],
  enable: [['enrolled']],
  loan: [['free']],
  return_loan: [['lent']],
  file_ticket: [],
};
