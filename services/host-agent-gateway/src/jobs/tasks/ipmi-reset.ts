import { rebootBy } from './reboot.js';

export const ipmiReset = rebootBy('ipmi_reset');
