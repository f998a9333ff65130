import { rebootBy } from './reboot.js';

export const redfishReset = rebootBy('redfish_reset', 'Reset by Redfish', 'Has the management controller restart the machine.');
