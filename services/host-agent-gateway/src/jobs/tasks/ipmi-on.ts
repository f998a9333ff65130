import { onBy } from './power.js';

export const ipmiOn = onBy('ipmi');
