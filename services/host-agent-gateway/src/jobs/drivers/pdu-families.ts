import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault } from './driver.js';

type Pdu = NonNullable<ManagementInterfaces['pdu']>;

/** Which objects show and switch one outlet, and by which numbers. */
export interface Outlet {
  state: string;
  command: string;
  /** Values of `state`; all others are neither. */
  isOn: number;
  isOff: number;
  /** Values of `command`. */
  on: number;
  off: number;
}

interface Family extends Omit<Outlet, 'state' | 'command'> {
  /** The columns of the two tables; the index of the outlet comes after. */
  state: string;
  command: string;
  /** How the family names an outlet, and the index that this stands for. */
  named: string;
  index(outlet: string): string | undefined;
}

const number = (outlet: string): string | undefined => (/^[1-9]\d{0,3}$/.test(outlet) ? outlet : undefined);
/** `AA1`: tower or unit A, infeed or cord A, outlet 1. */
const lettered = (outlet: string): string | undefined => {
  const [, first, second, last] = /^([A-Za-z])([A-Za-z])([1-9]\d{0,2})$/.exec(outlet) ?? [];
  if (first === undefined || second === undefined) return /^[1-9]\d?\.[1-9]\d?\.[1-9]\d{0,2}$/.test(outlet) ? outlet : undefined;
  return [first, second].map((letter) => letter.toUpperCase().charCodeAt(0) - 64).join('.') + `.${last}`;
};

const FAMILIES: Record<Exclude<Pdu['family'], 'oid'>, Family> = {
  // PowerNet-MIB (APC): rPDUOutletStatusOutletState (on 1, off 2); rPDUOutletControlOutletCommand (immediateOn 1, immediateOff 2).
  apc: { state: '1.3.6.1.4.1.318.1.1.12.3.5.1.1.4', command: '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4', isOn: 1, isOff: 2, on: 1, off: 2, named: 'its number, such as 7', index: number },
  // Sentry3-MIB (Server Technology): outletStatus (off 0, on 1, offWait 2, onWait 3, and errors), outletControlAction (on 1, off 2).
  sentry3: { state: '1.3.6.1.4.1.1718.3.2.3.1.5', command: '1.3.6.1.4.1.1718.3.2.3.1.11', isOn: 1, isOff: 0, on: 1, off: 2, named: 'tower, infeed and outlet, such as AA1', index: lettered },
  // Sentry4-MIB (Server Technology): st4OutletState (unknown 0, on 1, off 2), st4OutletControlAction (on 1, off 2).
  sentry4: { state: '1.3.6.1.4.1.1718.4.1.8.3.1.1', command: '1.3.6.1.4.1.1718.4.1.8.5.1.2', isOn: 1, isOff: 2, on: 1, off: 2, named: 'unit, cord and outlet, such as AA1', index: lettered },
  // PDU2-MIB (Raritan PX2 and PX3): outletSwitchingState (on 7, off 8), outletSwitchingOperation (off 0, on 1); the index begins with the PDU, 1 but for linked ones.
  raritan: {
    state: '1.3.6.1.4.1.13742.6.4.1.2.1.3', command: '1.3.6.1.4.1.13742.6.4.1.2.1.2', isOn: 7, isOff: 8, on: 1, off: 0, named: 'its number, such as 7, or that of the linked PDU and its own, such as 2.7',
    index: (outlet) => (/^[1-9]\d{0,2}\.[1-9]\d{0,3}$/.test(outlet) ? outlet : number(outlet) && `1.${outlet}`),
  },
};

/** The objects of an outlet. @throws DriverFault `refused` when the family has no outlet of such a name */
export function family(at: Pdu): Outlet {
  if (at.family === 'oid') {
    if (at.oid === undefined) throw new DriverFault('refused', 'The PDU is of family oid, and no object is set: set oid.');
    const { outlet, on, off } = at.oid;
    return { state: outlet, command: outlet, isOn: on, isOff: off, on, off };
  }
  const { named, index, ...values } = FAMILIES[at.family];
  const end = index(at.outlet);
  if (end === undefined) throw new DriverFault('refused', `A PDU of family ${at.family} has no outlet ${at.outlet}: use ${named}.`);
  return { ...values, state: `${values.state}.${end}`, command: `${values.command}.${end}` };
}
