import { listBy } from './power.js';

export const redfishList = listBy('redfish');
