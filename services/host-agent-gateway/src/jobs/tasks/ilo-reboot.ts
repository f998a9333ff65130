import { rebootBy } from './reboot.js';

export const iloReboot = rebootBy('ilo_reboot', 'Reset by iLO', 'Has the iLO restart the machine.');
