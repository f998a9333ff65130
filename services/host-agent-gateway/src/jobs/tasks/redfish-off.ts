import { offBy } from './power.js';

export const redfishOff = offBy('redfish');
