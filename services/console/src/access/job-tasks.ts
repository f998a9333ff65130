import type { JobTaskView } from '@berth/client';
import type { JobTask, Role } from '@berth/contracts';

/** What people are told of a task, and what it does to the machine. */
interface Words {
  title: string;
  description: string;
  effect: JobTaskView['effect'];
}

/** Every task in words: one line each. */
export const jobTaskWords: Readonly<Record<JobTask, Words>> = {
  ping: { title: 'Ping', description: 'Looks whether the machine answers to ping.', effect: 'looks' },
  status: { title: 'Status', description: 'Looks at the machine in every way there is: ping, SSH, power.', effect: 'looks' },
  reboot: { title: 'Reboot', description: 'Reboots the machine: one method after the other until it goes down and comes back.', effect: 'power' },
  ssh_reboot: { title: 'Reboot by SSH', description: 'Has the operating system reboot.', effect: 'power' },
  ipmi_off: { title: 'Power off by IPMI', description: 'Switches the machine off.', effect: 'power' },
  ipmi_on: { title: 'Power on by IPMI', description: 'Switches the machine on.', effect: 'changes' },
  ipmi_cycle: { title: 'Power cycle by IPMI', description: 'Switches the machine off, softly if that works, and on again.', effect: 'power' },
  ipmi_reset: { title: 'Reset by IPMI', description: 'Resets the machine without switching it off.', effect: 'power' },
  ipmi_list: { title: 'Event log by IPMI', description: 'Reads the last entries of the event log of the machine.', effect: 'looks' },
  redfish_off: { title: 'Power off by Redfish', description: 'Switches the machine off.', effect: 'power' },
  redfish_on: { title: 'Power on by Redfish', description: 'Switches the machine on.', effect: 'changes' },
  redfish_cycle: { title: 'Power cycle by Redfish', description: 'Switches the machine off, softly if that works, and on again.', effect: 'power' },
  redfish_reset: { title: 'Reset by Redfish', description: 'Resets the machine without switching it off.', effect: 'power' },
  redfish_list: { title: 'Event log by Redfish', description: 'Reads the last entries of the event log of the machine.', effect: 'looks' },
  snmp_reboot: { title: 'Switch its outlet', description: 'Switches the outlet of the machine off and on again.', effect: 'power' },
  xenapi_reboot: { title: 'Reboot by XenAPI', description: 'Has the hypervisor reboot the virtual machine.', effect: 'power' },
  ilo_reboot: { title: 'Reset by iLO', description: 'Has the iLO reset the machine.', effect: 'power' },
  wake: { title: 'Wake', description: 'Sends the machine a wake-on-LAN packet.', effect: 'changes' },
  reimage: { title: 'Reimage', description: 'Installs the machine anew from the network. All that is on it is lost.', effect: 'power' },
  disable: { title: 'Disable', description: 'Takes the machine out of service, once its work is over.', effect: 'changes' },
  enable: { title: 'Enable', description: 'Puts the machine into service again.', effect: 'changes' },
  loan: { title: 'Loan', description: 'Lends the machine to somebody: takes it out of service and asks a person for what is to be done first.', effect: 'changes' },
  return_loan: { title: 'Return a loan', description: 'Takes the machine back and puts it into service again.', effect: 'changes' },
  file_ticket: { title: 'File a ticket', description: 'Has a person look at the machine.', effect: 'changes' },
};

/** The least role that may ask for a task: whoever builds may look, the rest is for those who run the fleet. */
export const leastFor = (task: JobTask): Role => (jobTaskWords[task].effect === 'looks' ? 'builder' : 'operator');
