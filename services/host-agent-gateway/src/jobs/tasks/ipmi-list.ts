import { listBy } from './power.js';

export const ipmiList = listBy('ipmi');
