import { rebootBy } from './reboot.js';

export const xenapiReboot = rebootBy('xenapi_reboot');
