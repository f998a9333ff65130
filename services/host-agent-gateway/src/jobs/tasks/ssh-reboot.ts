import { rebootBy } from './reboot.js';

export const sshReboot = rebootBy('ssh_reboot', 'Reboot over SSH', 'Asks the operating system of the machine to reboot.');
