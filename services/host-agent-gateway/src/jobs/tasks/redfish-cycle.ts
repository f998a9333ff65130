import { rebootBy } from './reboot.js';

export const redfishCycle = rebootBy('redfish_cycle', 'Power cycle by Redfish', 'Switches the machine off and on through Redfish; softly first.');
