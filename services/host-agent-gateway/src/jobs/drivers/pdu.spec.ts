import { managementInterfaces } from '@berth/contracts';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freeUdpPort } from '../../../../../test/support/serve.js';
import { callWith, commandLines, faultOf, toldBy } from './call.testing.js';
import { pdu } from './pdu.js';
import { startPdu, type SimulatedPdu } from './pdu.testing.js';

// As the MIBs have them.
const OBJECTS = {
  'apc 7': { state: '1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.7', command: '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.7', isOn: 1, isOff: 2, on: 1, off: 2 },
  'sentry3 BA12': { state: '1.3.6.1.4.1.1718.3.2.3.1.5.2.1.12', command: '1.3.6.1.4.1.1718.3.2.3.1.11.2.1.12', isOn: 1, isOff: 0, on: 1, off: 2 },
  'sentry4 AB3': { state: '1.3.6.1.4.1.1718.4.1.8.3.1.1.1.2.3', command: '1.3.6.1.4.1.1718.4.1.8.5.1.2.1.2.3', isOn: 1, isOff: 2, on: 1, off: 2 },
  'raritan 9': { state: '1.3.6.1.4.1.13742.6.4.1.2.1.3.1.9', command: '1.3.6.1.4.1.13742.6.4.1.2.1.2.1.9', isOn: 7, isOff: 8, on: 1, off: 0 },
  'raritan 2.9': { state: '1.3.6.1.4.1.13742.6.4.1.2.1.3.2.9', command: '1.3.6.1.4.1.13742.6.4.1.2.1.2.2.9', isOn: 7, isOff: 8, on: 1, off: 0 },
  'oid 5': { state: '1.3.6.1.4.1.99999.1.5', command: '1.3.6.1.4.1.99999.1.5', isOn: 10, isOff: 20, on: 10, off: 20 },
} as const;
type Name = keyof typeof OBJECTS;

let agent: SimulatedPdu;
const states = new Map<Name, boolean>();
const done: string[] = [];

beforeAll(async () => {
  agent = await startPdu(
    (Object.keys(OBJECTS) as Name[]).map((name) => ({
      ...OBJECTS[name],
      isOnNow: () => states.get(name) ?? true,
      switched: (on) => {
        states.set(name, on);
        done.push(`${name} ${on ? 'on' : 'off'}`);
      },
    })),
  );
});
beforeEach(() => {
  states.clear();
  done.length = 0;
});

const writer = () => callWith({ 'pdu-community': agent.communities.write });
const at = (name: Name) => {
  const [family, outlet] = name.split(' ') as ['apc', string];
  return agent.at({ family, outlet, ...((family as string) === 'oid' ? { oid: { outlet: OBJECTS['oid 5'].state, on: 10, off: 20 } } : {}) });
};

describe.each(Object.keys(OBJECTS) as Name[])('%s', (name) => {
  it('is looked at and switched, and no other outlet is', async () => {
    const outlet = pdu(at(name));
    expect(await outlet.power!(writer())).toBe('on');
    await outlet.off!(writer(), true);
    expect(await outlet.power!(writer())).toBe('off');
    await outlet.on!(writer());
    expect(await outlet.power!(writer())).toBe('on');
    expect(done).toEqual([`${name} off`, `${name} on`]);
  });
});

it('tells apart why it is refused', { timeout: 40_000 }, async () => {
  const apc = (changes = {}) => pdu({ ...at('apc 7'), ...changes });
  const reader = callWith({ 'pdu-community': agent.communities.read });
  expect(await apc().power!(reader)).toBe('on');
  expect((await faultOf(apc().off!(reader, true))).fault).toBe('not-authorised');
  const missing = await faultOf(apc({ outlet: '8' }).on!(writer()));
  expect([missing.fault, missing.message]).toEqual(['refused', 'The PDU at 127.0.0.1 has no outlet 8, or does not show it to the community.']);
  expect((await faultOf(apc({ outlet: '8' }).power!(writer()))).fault).toBe('refused');
  expect((await faultOf(pdu({ ...at('oid 5'), oid: { outlet: OBJECTS['oid 5'].state, on: 10, off: 21 } }).off!(writer(), true))).message).toContain('refused to switch outlet 5');
  const wrong = callWith({ 'pdu-community': 'wr0ng;$(id)' });
  const nobody = apc({ port: await freeUdpPort() });
  const silent = await Promise.all([faultOf(apc().power!(wrong)), faultOf(nobody.power!(writer()))]);
  expect(silent.map(({ fault }) => fault)).toEqual(['unreachable', 'unreachable']);
  expect(silent.map(toldBy).join('') + wrong.said.join('')).not.toContain('wr0ng');
  expect((await faultOf(apc({ address: 'none.invalid' }).power!(writer()))).fault).toBe('unreachable');
  expect((await faultOf(apc().power!(callWith({})))).fault).toBe('no-secret');
  expect(done).toEqual([]);
});

it('knows which names of outlets a family has', async () => {
  for (const [family, outlet] of [['apc', 'AA1'], ['apc', '0'], ['sentry3', '7'], ['sentry4', 'A1'], ['raritan', '1.2.3']] as const) {
    expect(() => pdu(agent.at({ family, outlet })), `${family} ${outlet}`).toThrow(`A PDU of family ${family} has no outlet ${outlet}: use `);
  }
});

it('shows the community to nobody, and leaves no file', async () => {
  const call = writer();
  for (const [program, doing] of [['snmpset', () => pdu(at('apc 7')).off!(call, true)], ['snmpget', () => pdu(at('apc 7')).power!(call)]] as const) {
    const seen = await commandLines(program, doing);
    expect(seen).toEqual([expect.stringContaining('1.3.6.1.4.1.318')]);
    expect(seen.join('')).not.toContain('wr1te');
  }
  expect((await readdir(tmpdir())).filter((name) => name.startsWith('berth-snmp'))).toEqual([]);
});

it('ends when it is told to', async () => {
  const call = writer();
  const asked = pdu({ ...at('apc 7'), port: await freeUdpPort() }).power!(call);
  call.end();
  expect((await faultOf(asked)).fault).toBe('cancelled');
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ address: '; echo foo', outlet: '; echo foo', family: '; echo foo', community: '; echo foo', port: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ pdu: { address: '10.0.0.7', family: 'apc', outlet: '7', community: 'c', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toEqual([`pdu.${name}`]);
  }
});
