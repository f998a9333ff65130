import type { ManagementInterfaces } from '@berth/contracts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { freeUdpPort, serve, startPuppets } from '../../../../../test/support/serve.js';
import { eventually } from '../../../../../test/support/wait.js';

/** An outlet as the MIB of its family has it. Written down here once more, since a table can't show that it is right itself. */
export interface SimulatedOutlet {
  state: string;
  command: string;
  /** Values of the object `state`. */
  isOn: number;
  isOff: number;
  /** Values that the object `command` takes. */
  on: number;
  off: number;
  /** What hangs on it. */
  isOnNow(): boolean;
  switched(on: boolean): void;
}

/** A real SNMP agent (net-snmp's `snmpd`) with outlets that can be switched. */
export interface SimulatedPdu {
  readonly port: number;
  /** Of those who may switch, and of those who may look. */
  readonly communities: { write: string; read: string };
  /** As it is set in Berth; `community` is the secret `pdu-community`. */
  at(changes: Partial<Pdu> & Pick<Pdu, 'family' | 'outlet'>): Pdu;
  stop(): Promise<void>;
}
type Pdu = NonNullable<ManagementInterfaces['pdu']>;

export async function startPdu(outlets: readonly SimulatedOutlet[]): Promise<SimulatedPdu> {
  const folder = await tempFolder('pdu');
  const communities = { write: 'wr1te "it" #;$(id)', read: 'r3ad-only' };
  const puppets = await startPuppets(() => '', agent(outlets));
  const port = await freeUdpPort();
  const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;
  await writeFile(
    join(folder, 'snmpd.conf'),
    [
      `agentAddress udp:127.0.0.1:${port}`,
      `rwcommunity ${quoted(communities.write)} 127.0.0.1`,
      `rocommunity ${quoted(communities.read)} 127.0.0.1`,
      ...[...new Set(outlets.flatMap(({ state, command }) => [state, command]))].map((oid) => `pass_persist .${oid.split('.').slice(0, -1).join('.')} ${puppets.command('-')}`),
      '',
    ].join('\n'),
  );
  const served = await serve('snmpd', ['-f', '-Lo', '-C', '-c', join(folder, 'snmpd.conf'), '-r', '-I', '-smux'], { cwd: folder, env: { SNMP_PERSISTENT_DIR: folder, SNMPCONFPATH: folder, MIBS: '', MIBDIRS: folder, HOME: folder } });
  await eventually(() => /NET-SNMP version/.test(served.said()));
  return {
    port,
    communities,
    at: (changes) => ({ address: '127.0.0.1', port, community: 'pdu-community', ...changes }),
    stop: async () => {
      await served.stop();
      await puppets.stop();
    },
  };
}

/** The protocol of `pass_persist`, see snmpd.conf(5). */
function agent(outlets: readonly SimulatedOutlet[]): (line: string) => string | undefined {
  let open: string[] = [];
  return (line) => {
    if (open.length === 0 && line === 'PING') return 'PONG\n';
    // One more line end comes after what is to be set.
    if (open.length === 0 && line === '') return undefined;
    open.push(line);
    const [verb, oid = '', value = ''] = open;
    if (open.length < (verb === 'set' ? 3 : 2)) return undefined;
    open = [];
    const outlet = outlets.find(({ state, command }) => oid === `.${state}` || oid === `.${command}`);
    if (verb === 'getnext' || outlet === undefined) return verb === 'set' ? 'not-writable\n' : 'NONE\n';
    const isCommand = oid === `.${outlet.command}`;
    if (verb === 'get') return `${oid}\ninteger\n${isCommand && outlet.command !== outlet.state ? outlet.on : outlet.isOnNow() ? outlet.isOn : outlet.isOff}\n`;
    if (!isCommand) return 'not-writable\n';
    const wanted = /^integer (-?\d+)\s*$/.exec(value)?.[1];
    if (wanted === undefined) return 'wrong-type\n';
    if (Number(wanted) !== outlet.on && Number(wanted) !== outlet.off) return 'wrong-value\n';
    outlet.switched(Number(wanted) === outlet.on);
    return 'DONE\n';
  };
}
