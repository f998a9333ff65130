import { rebootBy } from './reboot.js';

export const snmpReboot = rebootBy('snmp_reboot');
