import { onBy } from './power.js';

export const redfishOn = onBy('redfish');
