import { managementInterfaces } from '@berth/contracts';
import { expect, it } from 'vitest';
import { driverOf, type DriverKind } from './index.js';

// What each offers, since a job chooses by what is there.
const OFFERS: Record<DriverKind, string[]> = {
  ipmi: ['bootFromNetwork', 'log', 'off', 'on', 'power', 'reset'],
  redfish: ['bootFromNetwork', 'log', 'off', 'on', 'power', 'reset'],
  pdu: ['off', 'on', 'power'],
  xen: ['off', 'on', 'power', 'reset'],
  ilo: ['off', 'on', 'power', 'reset'],
  wake: ['on'],
};

it('makes a driver of each interface that a machine has, and of no other', () => {
  const all = managementInterfaces.parse({
    ipmi: { address: '10.0.0.7', user: 'admin', password: 'p' },
    redfish: { url: 'https://10.0.0.7', user: 'admin', password: 'p' },
    pdu: { address: '10.0.0.7', family: 'sentry3', outlet: 'AA1', community: 'c' },
    xen: { url: 'https://10.0.0.7', vm: '4f1c1b9e-7c3c-4a5e-9d43-0a3f6f9b2c11', user: 'root', password: 'p' },
    ilo: { url: 'https://10.0.0.7', user: 'admin', password: 'p' },
    wake: { mac: '00:1b:21:0a:fe:7f' },
  });
  for (const [kind, offers] of Object.entries(OFFERS) as [DriverKind, string[]][]) {
    expect(Object.keys(driverOf(kind, all) ?? {}).sort(), kind).toEqual(offers);
    expect(driverOf(kind, {}), kind).toBeUndefined();
  }
});
