import { rebootBy } from './reboot.js';

export const redfishCycle = rebootBy('redfish_cycle');
