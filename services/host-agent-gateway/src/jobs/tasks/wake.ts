import { rebootBy } from './reboot.js';

export const wake = rebootBy('wake');
