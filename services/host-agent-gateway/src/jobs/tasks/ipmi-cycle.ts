import { rebootBy } from './reboot.js';

export const ipmiCycle = rebootBy('ipmi_cycle', 'Power cycle by IPMI', 'Switches the machine off and on through the management controller; softly first.');
