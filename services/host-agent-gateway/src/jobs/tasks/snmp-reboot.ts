import { rebootBy } from './reboot.js';

export const snmpReboot = rebootBy('snmp_reboot', 'Power cycle by PDU', 'Switches the outlet of the machine off and on.');
