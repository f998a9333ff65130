import { rebootBy } from './reboot.js';

export const iloReboot = rebootBy('ilo_reboot');
