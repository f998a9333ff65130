import { managementInterfaces } from '@berth/contracts';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freeUdpPort } from '../../../../../test/support/serve.js';
import { startBmc, type Bmc } from './bmc.testing.js';
import { callWith, commandLines, faultOf, toldBy } from './call.testing.js';
import { ipmi } from './ipmi.js';

let bmc: Bmc;
let on = true;
let broken = false;
const done: string[] = [];

beforeAll(async () => {
  const wired = (what: string): void => {
    if (broken) throw new Error('the wire is cut');
    done.push(what);
  };
  bmc = await startBmc({
    isOn: () => on,
    power: (to) => {
      wired(`power ${to ? 'on' : 'off'}`);
      on = to;
    },
    reset: () => wired('reset'),
    shutdown: () => wired('shutdown'),
    boot: (from) => wired(`boot ${from}`),
  });
});
beforeEach(() => {
  on = true;
  broken = false;
  done.length = 0;
});

const right = () => callWith({ 'bmc-password': bmc.passwords.admin });

describe.each(['lanplus', 'lan'] as const)('over %s', (version) => {
  const driver = () => ipmi(bmc.at({ interface: version }));

  it('does each thing once', async () => {
    expect(await driver().power!(right())).toBe('on');
    await driver().off!(right(), false);
    await driver().off!(right(), true);
    expect(await driver().power!(right())).toBe('off');
    await driver().on!(right());
    await driver().reset!(right());
    await driver().bootFromNetwork!(right());
    expect(done).toEqual(['shutdown', 'power off', 'power on', 'reset', 'boot pxe']);
  });

  it('reads the newest of the log, the newest last', async () => {
    const log = await driver().log!(right(), 2);
    expect(log.map((line) => line.split('|').map((part) => part.trim()).slice(0, 4).filter((_, i) => i !== 2).join(' '))).toEqual(['2 Pre-Init Temperature #0x02', '3 Pre-Init Temperature #0x03']);
  });

  it('tells a wrong password from silence', { timeout: 60_000 }, async () => {
    const wrong = callWith({ 'bmc-password': 'wr0ng' });
    const nobody = ipmi(bmc.at({ interface: version, port: await freeUdpPort() }));
    const [fault, silent] = await Promise.all([faultOf(driver().power!(wrong)), faultOf(nobody.power!(right()))]);
    expect(fault.fault).toBe('not-authorised');
    expect(done).toEqual([]);
    expect([silent.fault, silent.message]).toEqual(['unreachable', 'The IPMI controller at 127.0.0.1 could not be asked, since it gives no answer.']);
  });
});

it('knows the other ways in which it is refused', { timeout: 30_000 }, async () => {
  const guest = callWith({ 'bmc-password': bmc.passwords.guest });
  expect((await faultOf(ipmi(bmc.at({ user: 'guest', level: 'USER' })).off!(guest, true))).fault).toBe('not-authorised');
  expect((await faultOf(ipmi(bmc.at({ user: 'nobody' })).power!(right()))).fault).toBe('not-authorised');
  expect((await faultOf(ipmi(bmc.at({ cipher: 17 })).power!(right()))).fault).toBe('refused');
  expect((await faultOf(ipmi(bmc.at({ address: 'none.invalid' })).power!(right()))).fault).toBe('unreachable');
  expect((await faultOf(ipmi(bmc.at({ user: 'nobody' })).log!(right(), 5))).fault).toBe('not-authorised');
  expect((await faultOf(ipmi(bmc.at()).power!(callWith({})))).fault).toBe('no-secret');
  expect((await faultOf(ipmi(bmc.at()).power!(callWith({ 'bmc-password': 'two\nlines' })))).fault).toBe('no-secret');
  broken = true;
  expect((await faultOf(ipmi(bmc.at()).reset!(right()))).fault).toBe('refused');
  expect(done).toEqual([]);
});

it('shows the password to nobody', async () => {
  const seen = await commandLines('ipmitool', () => ipmi(bmc.at()).power!(right()));
  expect(seen).toEqual([expect.stringContaining('-U admin')]);
  expect(seen.join('')).not.toContain(bmc.passwords.admin);
  const wrong = callWith({ 'bmc-password': 'wr0ng;$(id)' });
  const told = toldBy(await faultOf(ipmi(bmc.at()).power!(wrong))) + wrong.said.join('');
  expect(told).not.toContain('wr0ng');
});

it('ends when it is told to', async () => {
  const call = right();
  const asked = ipmi(bmc.at({ port: await freeUdpPort() })).power!(call);
  call.end();
  expect((await faultOf(asked)).fault).toBe('cancelled');
});

it('takes no parameter that is more than a word', () => {
  for (const [name, value] of Object.entries({ address: '; echo foo', user: '; echo foo', level: '; echo foo', interface: '; echo foo', password: '; echo foo', port: '; echo foo', cipher: '; echo foo' })) {
    const read = managementInterfaces.safeParse({ ipmi: { address: '10.0.0.7', user: 'admin', password: 'bmc', [name]: value } });
    expect(read.error?.issues.map((issue) => issue.path.join('.'))).toEqual([`ipmi.${name}`]);
  }
  expect(managementInterfaces.safeParse({ ipmi: { address: '-E', user: 'admin', password: 'bmc' } }).success).toBe(false);
});
