import type { JobTask, Role } from '@berth/contracts';

/** What people are told of a task, and whether it only looks. */
interface Words {
  title: string;
  description: string;
  /** it changes nothing on the machine */
  looks?: true;
}

/** Every task in words: one line each. */
export const jobTaskWords: Readonly<Record<JobTask, Words>> = {
  ping: { title: 'Ping', description: 'Looks whether the machine answers to ping.', looks: true },
  status: { title: 'Status', description: 'Looks at the machine in every way there is: ping, SSH, power.', looks: true },
  reboot: { title: 'Reboot', description: 'Reboots the machine: one method after the other until it goes down and comes back.' },
  ssh_reboot: { title: 'Reboot by SSH', description: 'Has the operating system reboot.' },
  ipmi_off: { title: 'Power off by IPMI', description: 'Switches the machine off.' },
  ipmi_on: { title: 'Power on by IPMI', description: 'Switches the machine on.' },
  ipmi_cycle: { title: 'Power cycle by IPMI', description: 'Switches the machine off, softly if that works, and on again.' },
  ipmi_reset: { title: 'Reset by IPMI', description: 'Resets the machine without switching it off.' },
  ipmi_list: { title: 'Event log by IPMI', description: 'Reads the last entries of the event log of the machine.', looks: true },
  redfish_off: { title: 'Power off by Redfish', description: 'Switches the machine off.' },
  redfish_on: { title: 'Power on by Redfish', description: 'Switches the machine on.' },
  redfish_cycle: { title: 'Power cycle by Redfish', description: 'Switches the machine off, softly if that works, and on again.' },
  redfish_reset: { title: 'Reset by Redfish', description: 'Resets the machine without switching it off.' },
  redfish_list: { title: 'Event log by Redfish', description: 'Reads the last entries of the event log of the machine.', looks: true },
  snmp_reboot: { title: 'Switch its outlet', description: 'Switches the outlet of the machine off and on again.' },
  xenapi_reboot: { title: 'Reboot by XenAPI', description: 'Has the hypervisor reboot the virtual machine.' },
  ilo_reboot: { title: 'Reset by iLO', description: 'Has the iLO reset the machine.' },
  wake: { title: 'Wake', description: 'Sends the machine a wake-on-LAN packet.' },
  reimage: { title: 'Reimage', description: 'Installs the machine anew from the network. All that is on it is lost.' },
  disable: { title: 'Disable', description: 'Takes the machine out of service, once its work is over.' },
  enable: { title: 'Enable', description: 'Puts the machine into service again.' },
  loan: { title: 'Loan', description: 'Lends the machine to somebody: takes it out of service and asks a person for what is to be done first.' },
  return_loan: { title: 'Return a loan', description: 'Takes the machine back and puts it into service again.' },
  file_ticket: { title: 'File a ticket', description: 'Has a person look at the machine.' },
};

/** The least role that may ask for a task: whoever builds may look, the rest is for those who run the fleet. */
export const leastFor = (task: JobTask): Role => (jobTaskWords[task].looks ? 'builder' : 'operator');
