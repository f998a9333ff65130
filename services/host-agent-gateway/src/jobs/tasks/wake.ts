import { rebootBy } from './reboot.js';

export const wake = rebootBy('wake', 'Wake up', 'Sends a wake-on-LAN packet, and waits until the machine is up.');
