import { rebootBy } from './reboot.js';

export const sshReboot = rebootBy('ssh_reboot');
