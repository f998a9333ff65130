import { rebootBy } from './reboot.js';

export const ipmiReset = rebootBy('ipmi_reset', 'Reset by IPMI', 'Presses the reset button through the management controller.');
