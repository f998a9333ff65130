import type { ManagementInterfaces } from '@berth/contracts';
import { delimiter } from 'node:path';
import { startPuppets } from '../../../../../test/support/serve.js';
import { startTestSshd } from '../../../../../test/support/sshd.js';
import { startBmc } from './bmc.testing.js';
import { startPdu } from './pdu.testing.js';
import { createPlant, type PlantOptions } from './plant.testing.js';

export interface MachineOptions extends Omit<PlantOptions, 'up' | 'down'> {
  /** `reboot`, asked for over SSH, fails. */
  ignoresSsh?: boolean;
  /** A start from the network installs it anew, so that it comes back with another host key. */
  reinstalls?: boolean;
  /** The interfaces that it has, besides SSH; all when absent. */
  interfaces?: readonly ('ipmi' | 'pdu')[];
}

/**
 * One simulated machine: a real SSH server, which is gone while the machine is down, behind a real controller for IPMI and on an
 * outlet of a real SNMP agent.
 *
 * Over SSH, `reboot`, `shutdown`, `systemctl` and `sudo` are those of the simulation as long as they are called without a path.
 * With one they are those of the machine that the test runs on: never do that.
 */
export interface Machine {
  /** What to put into SetHardware as `interfaces`. */
  readonly hardware: ManagementInterfaces;
  /** As in `hardware`, with the key that it shows now. */
  readonly ssh: NonNullable<ManagementInterfaces['ssh']>;
  /** The values of the secrets that `hardware` names. */
  readonly secrets: Readonly<Record<string, string>>;
  /**
   * A folder with a `ping` that finds this machine while it is up, to be put in front of PATH of whoever pings it: loopback, where
   * it is, answers always.
   */
  readonly programs: string;
  /** Its SSH server answers. */
  isUp(): boolean;
  /** It has power, up or not. */
  isOn(): boolean;
  /** What was asked of it (`reset`, `power off`, `power on`, `shutdown`, `boot pxe`, `outlet off`, `outlet on`, `ssh reboot`) and what became of it (`down`, `up`), in order. */
  readonly events: readonly string[];
  stop(): Promise<void>;
}

/** Starts one that is up. It ends with the test file at the latest. */
export async function startMachine(options: MachineOptions = {}): Promise<Machine> {
  const { ignoresSsh = false, reinstalls = false, interfaces = ['ipmi', 'pdu'] } = options;
  const events: string[] = [];
  let plugged = true;
  let fromNetwork = false;

  const commands = await startPuppets(([name = '', ...words]) => {
    if (name === 'ping') {
      if (!isUp) throw new Error('4 packets transmitted, 0 received, 100% packet loss');
      return '4 packets transmitted, 4 received, 0% packet loss\n';
    }
    const said = [name, ...words].filter((word) => word !== 'sudo' && word !== '-n').join(' ');
    if (!/^(?:systemctl )?reboot\b|^shutdown (?:-r|\/r)\b/.test(said)) throw new Error(`this machine does not do: ${said}`);
    events.push('ssh reboot');
    if (ignoresSsh) throw new Error('it refused');
    plant.restart();
    return '';
  });
  let folder = '';
  for (const name of ['reboot', 'shutdown', 'systemctl', 'sudo', 'ping']) ({ folder } = await commands.install(name));
  const sshd = await startTestSshd({ env: { PATH: [folder, process.env['PATH'] ?? ''].join(delimiter) } });

  // Its server takes a moment to start and to stop, and the machine may have been switched meanwhile: one after the other, to what is wanted then.
  let wanted = true;
  let isUp = true;
  let work = Promise.resolve();
  let failed: Error | undefined;
  const settle = (): void => {
    work = work
      .then(async () => {
        if (wanted === isUp) return;
        if (wanted) {
          await (fromNetwork && reinstalls ? sshd.changeHostKey() : sshd.restart());
          fromNetwork = false;
          isUp = true;
          events.push('up');
        } else {
          isUp = false;
          await sshd.stop();
        }
      })
      .catch((error: Error) => void (failed ??= error));
  };
  const plant = createPlant({
    ...options,
    up: () => {
      wanted = true;
      settle();
    },
    down: () => {
      // A machine that goes down while it starts was not up.
      if (wanted) events.push('down');
      wanted = false;
      settle();
    },
  });
  const asked = (what: string, doing: () => void): void => {
    events.push(what);
    if (plugged) doing();
  };

  const bmc = interfaces.includes('ipmi')
    ? await startBmc({
        isOn: plant.isOn,
        power: (on) => asked(`power ${on ? 'on' : 'off'}`, () => plant.power(on)),
        reset: () => asked('reset', plant.reset),
        shutdown: () => asked('shutdown', plant.shutdown),
        boot: (from) =>
          asked(`boot ${from}`, () => {
            fromNetwork = from === 'pxe';
          }),
      })
    : undefined;
  // APC's MIB.
  const pdu = interfaces.includes('pdu')
    ? await startPdu([
        {
          state: '1.3.6.1.4.1.318.1.1.12.3.5.1.1.4.7', command: '1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.7', isOn: 1, isOff: 2, on: 1, off: 2,
          isOnNow: () => plugged,
          switched: (on) => {
            events.push(`outlet ${on ? 'on' : 'off'}`);
            plugged = on;
            // It starts by itself when it gets power, as machines in racks are set to.
            plant.power(on);
          },
        },
      ])
    : undefined;

  const ssh = (): Machine['ssh'] => ({ address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, hostKey: sshd.hostKeyPublic });
  return {
    get hardware() {
      return { ssh: ssh(), ...(bmc && { ipmi: bmc.at() }), ...(pdu && { pdu: pdu.at({ family: 'apc', outlet: '7' }) }) };
    },
    get ssh() {
      return ssh();
    },
    secrets: { ...(bmc && { 'bmc-password': bmc.passwords.admin }), ...(pdu && { 'pdu-community': pdu.communities.write }) },
    programs: folder,
    isUp: () => isUp,
    isOn: plant.isOn,
    events,
    stop: async () => {
      plant.stop();
      await Promise.all([bmc?.stop(), pdu?.stop()]);
      await commands.stop();
      await work;
      await sshd.stop();
      if (failed !== undefined) throw failed;
    },
  };
}
