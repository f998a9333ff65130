import { rebootBy } from './reboot.js';

export const xenapiReboot = rebootBy('xenapi_reboot', 'Reboot by XenAPI', 'Has the hypervisor restart the virtual machine.');
