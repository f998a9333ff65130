import { rebootBy } from './reboot.js';

export const ipmiCycle = rebootBy('ipmi_cycle');
