import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagementInterfaces } from '@berth/contracts';
import { DriverFault, lineOf, type Call, type Driver } from './driver.js';
import { family } from './pdu-families.js';
import { lastLine, runProgram, type Ended } from './program.js';

type Pdu = NonNullable<ManagementInterfaces['pdu']>;

/** An outlet of a power distribution unit, over SNMP by net-snmp's programs. */
export function pdu(at: Pdu): Driver {
  const outlet = family(at);
  const where = `The PDU at ${at.address}`;
  const agent = isIPv6(at.address) ? `udp6:[${at.address}]:${at.port}` : `udp:${at.address}:${at.port}`;

  const run = async (call: Call, program: 'snmpget' | 'snmpset', args: readonly string[]): Promise<Ended> => {
    const community = await lineOf(call, at.community);
    const folder = await mkdtemp(join(tmpdir(), 'berth-snmp-'));
    try {
      // In a file, since as an argument everybody on the machine could read it. Version 1: some families have no 2c (APC's newer cards).
      await writeFile(join(folder, 'snmp.conf'), `defVersion 1\ndefCommunity "${community.replace(/["\\]/g, '\\$&')}"\n`, { mode: 0o600 });
      const env = { SNMPCONFPATH: folder, SNMP_PERSISTENT_DIR: folder, HOME: folder, MIBS: '', MIBDIRS: folder };
      return await runProgram(call, { program, args: ['-r', '2', '-t', '2', '-Oqve', agent, ...args], env, secrets: [community] });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };

  const faultOf = ({ stdout, stderr, code }: Ended): DriverFault => {
    const said = `${stdout}\n${stderr}`.trim().slice(-4_096);
    const fault = (kind: DriverFault['fault'], why: string): DriverFault => new DriverFault(kind, `${where} ${why}`, said);
    if (/^Timeout: /m.test(said)) return fault('unreachable', 'gives no answer, as it does too for a community that it does not know.');
    if (/Unknown host/i.test(said)) return fault('unreachable', 'has an address that is not known.');
    if (/authorizationError|noAccess/.test(said)) return fault('not-authorised', 'does not allow this to the community.');
    if (/noSuchName|No Such (?:Object|Instance)/i.test(said)) return fault('refused', `has no outlet ${at.outlet}, or does not show it to the community.`);
    if (/readOnly|notWritable/.test(said)) return fault('not-authorised', 'lets the community read the outlet and not switch it.');
    const reason = /^Reason: (.*)$/m.exec(said)?.[1];
    if (reason !== undefined) return fault('refused', `refused to switch outlet ${at.outlet}: ${reason}.`);
    return fault('unknown-answer', `could not be asked: the program ended with ${code} and said: ${lastLine(said)}`);
  };

  const read = async (call: Call, oid: string): Promise<number> => {
    const ended = await run(call, 'snmpget', [`.${oid}`]);
    if (ended.code !== 0 || /No Such/i.test(ended.stdout)) throw faultOf(ended);
    if (!/^-?\d+\s*$/.test(ended.stdout)) throw new DriverFault('unknown-answer', `${where} gave an answer that is no number: ${lastLine(ended.stdout)}`, ended.stdout);
    return Number(ended.stdout);
  };
  const write = async (call: Call, value: number): Promise<void> => {
    const ended = await run(call, 'snmpset', [`.${outlet.command}`, 'i', String(value)]);
    if (ended.code === 0) return;
    const fault = faultOf(ended);
    // Version 1 has one word for "there is none" and for "you may not".
    if (/noSuchName/.test(fault.output) && (await read(call, outlet.state).then(() => true, () => false))) {
      throw new DriverFault('not-authorised', `${where} lets the community read outlet ${at.outlet} and not switch it.`, fault.output);
    }
    throw fault;
  };

  return {
    power: async (call) => {
      const value = await read(call, outlet.state);
      return value === outlet.isOn ? 'on' : value === outlet.isOff ? 'off' : 'unknown';
    },
    on: (call) => write(call, outlet.on),
    // A plug knows no other way.
    off: (call) => write(call, outlet.off),
  };
}
