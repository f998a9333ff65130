import type { ManagementInterfaces } from '@berth/contracts';
import { createSocket } from 'node:dgram';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { freeUdpPort, serve, startPuppets } from '../../../../../test/support/serve.js';

/** What a controller is wired to. A method that throws is a wire that does not work: the controller refuses the command. */
export interface Chassis {
  isOn(): boolean;
  power(on: boolean): void;
  reset(): void;
  /** The operating system is asked to shut down. */
  shutdown(): void;
  boot(from: string): void;
}

/** A real controller that speaks IPMI 1.5 and 2.0 (`ipmi_sim`). */
export interface Bmc {
  readonly port: number;
  /** Of its users: `admin`, and `guest`, who may only look. */
  readonly passwords: { admin: string; guest: string };
  /** As it is set in Berth; `password` is the secret `bmc-password`. */
  at(changes?: Partial<Ipmi>): Ipmi;
  stop(): Promise<void>;
}
type Ipmi = NonNullable<ManagementInterfaces['ipmi']>;

export async function startBmc(chassis: Chassis): Promise<Bmc> {
  const folder = await tempFolder('bmc');
  await mkdir(join(folder, 'state'));
  const passwords = { admin: 'Adm1n;$(id)', guest: 'gu3st-pass' };
  const puppets = await startPuppets(([, verb, ...words]) => {
    if (verb === 'get') return words.map((word) => (word === 'power' ? `power:${chassis.isOn() ? 1 : 0}\n` : word === 'boot' ? 'boot:default\n' : '')).join('');
    if (verb !== 'set') return '';
    const [what, value = ''] = words;
    if (what === 'power') chassis.power(value === '1');
    else if (what === 'reset') chassis.reset();
    else if (what === 'shutdown') chassis.shutdown();
    else if (what === 'boot') chassis.boot(value);
    else throw new Error(`the chassis has no ${what}`);
    return '';
  });
  const allowed = ['callback', 'user', 'operator', 'admin'].map((level) => `    allowed_auths_${level} none md2 md5 straight`);
  const port = await freeUdpPort();
  await writeFile(
    join(folder, 'lan.conf'),
    [
      'name "bmc"', 'set_working_mc 0x20', '  startlan 1', `    addr 127.0.0.1 ${port}`, '    priv_limit admin', ...allowed, '    guid a123456789abcdefa123456789abcdef', '  endlan',
      `  chassis_control "${puppets.command('0x20')}"`,
      '  user 1 false "" "" user 10 none md2 md5 straight',
      `  user 2 true "admin" "${passwords.admin}" admin 10 none md2 md5 straight`,
      `  user 3 true "guest" "${passwords.guest}" user 10 none md2 md5 straight`,
      '',
    ].join('\n'),
  );
  const event = (sensor: number): string => `sel_add 0x20 0x02 0x00 0x00 0x00 0x00 0x20 0x00 0x04 0x01 0x0${sensor} 0x6f 0x00 0xff 0xff`;
  await writeFile(join(folder, 'commands'), ['mc_setbmc 0x20', 'mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02', 'sel_enable 0x20 1000 0x0a', event(1), event(2), event(3), 'mc_enable 0x20', ''].join('\n'));
  const served = await serve('ipmi_sim', ['-c', 'lan.conf', '-f', 'commands', '-s', 'state', '-n'], { cwd: folder });
  await answers(port);
  return {
    port,
    passwords,
    at: (changes = {}) => ({ address: '127.0.0.1', port, user: 'admin', password: 'bmc-password', interface: 'lanplus', level: 'ADMINISTRATOR', cipher: 3, ...changes }),
    stop: async () => {
      await served.stop();
      await puppets.stop();
    },
  };
}

/** Asks with the presence ping of RMCP until it is answered. */
async function answers(port: number): Promise<void> {
  const socket = createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      const ask = (): void => socket.send(Buffer.from('0600ff06000011be80000000', 'hex'), port, '127.0.0.1');
      const again = setInterval(ask, 20);
      const late = setTimeout(() => finish(() => reject(new Error('ipmi_sim does not answer'))), 10_000);
      const finish = (then: () => void): void => {
        clearInterval(again);
        clearTimeout(late);
        then();
      };
      socket.on('message', () => finish(resolve)).on('error', (error) => finish(() => reject(error)));
      ask();
    });
  } finally {
    socket.close();
  }
}
