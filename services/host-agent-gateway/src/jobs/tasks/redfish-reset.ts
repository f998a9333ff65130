import { rebootBy } from './reboot.js';

export const redfishReset = rebootBy('redfish_reset');
