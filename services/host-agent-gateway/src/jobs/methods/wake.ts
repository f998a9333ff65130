import { lacks } from '../machine.js';
import type { Method } from './method.js';
import { need } from './power.js';

/** A packet that wakes a machine which is off. One that is on does not notice. */
export const wakeUp: Method = {
  lacks: (machine) => lacks(machine, 'wake'),
  async act({ driver }, going, timeoutMs) {
    await going.step('sent');
    // Sent again after a restart: twice awake is awake.
    await need(driver('wake'), 'on', 'wake')(going.call(timeoutMs));
  },
};
