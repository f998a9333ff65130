import { offBy } from './power.js';

export const ipmiOff = offBy('ipmi');
