import { managementInterfaces } from '@berth/contracts';
import { afterEach, expect, it } from 'vitest';
import { tempFolder } from '../../../../../test/support/cleanup.js';
import { eventually } from '../../../../../test/support/wait.js';
import { connect } from '../../transports/connect.js';
import { callWith } from './call.testing.js';
import { driverOf, ping } from './index.js';
import { startMachine, type Machine, type MachineOptions } from './machine.testing.js';

let machine: Machine;
const start = async (options?: MachineOptions): Promise<Machine> => (machine = await startMachine({ bootMs: 50, shutdownMs: 50, ...options }));
afterEach(() => machine.stop());
const call = () => callWith(machine.secrets);
const ipmi = () => driverOf('ipmi', machine.hardware)!;
const pdu = () => driverOf('pdu', machine.hardware)!;
/** Runs a command on it, as long as it lives. */
async function overSsh(command: string): Promise<string> {
  const transport = await connect({ id: 'machine', transport: 'ssh', address: machine.ssh.address!, port: machine.ssh.port, user: machine.ssh.user, credential: machine.ssh.credential, hostKey: machine.ssh.hostKey, folder: await tempFolder('folder') });
  try {
    const { stdout, stderr } = await transport.exec(command);
    return `${stdout.toString()}${stderr.toString()}`.trim();
  } finally {
    await transport.close();
  }
}

it('has interfaces that can be set, and goes down and comes back when it is reset', async () => {
  await start();
  expect(managementInterfaces.parse(machine.hardware)).toEqual(machine.hardware);
  expect(await overSsh('echo it is up')).toBe('it is up');
  await ipmi().reset!(call());
  await eventually(() => machine.events.at(-1) === 'up');
  expect(machine.events).toEqual(['reset', 'down', 'up']);
  expect(await overSsh('echo it is up')).toBe('it is up');
});

it('ignores its reset button when it is made so, and not its power button', async () => {
  await start({ ignoresReset: true });
  await ipmi().reset!(call());
  expect(machine.isUp()).toBe(true);
  await ipmi().off!(call(), true);
  expect([machine.isUp(), await ipmi().power!(call())]).toEqual([false, 'off']);
  await expect(overSsh('echo it is up')).rejects.toThrow();
  await ipmi().on!(call());
  await eventually(() => machine.isUp());
  expect(machine.events).toEqual(['reset', 'power off', 'down', 'power on', 'up']);
});

it('shuts down when it is asked to, in its own time, or hangs', async () => {
  await start();
  await ipmi().off!(call(), false);
  await eventually(() => machine.events.at(-1) === 'down');
  await machine.stop();
  await start({ ignoresShutdown: true });
  await ipmi().off!(call(), false);
  expect([machine.isUp(), machine.events]).toEqual([true, ['shutdown']]);
});

it('hangs on an outlet, without which no button does anything', async () => {
  await start();
  await pdu().off!(call(), true);
  expect(await pdu().power!(call())).toBe('off');
  await ipmi().on!(call());
  expect(machine.isOn()).toBe(false);
  await pdu().on!(call());
  await eventually(() => machine.isUp());
  expect(machine.events).toEqual(['outlet off', 'down', 'power on', 'outlet on', 'up']);
});

it('is rebooted over SSH, or refuses that', async () => {
  await start({ interfaces: [] });
  await overSsh('sudo -n reboot').catch(() => undefined); // The connection may end first.
  await eventually(() => machine.events.at(-1) === 'up');
  expect(machine.events).toEqual(['ssh reboot', 'down', 'up']);
  await machine.stop();
  await start({ ignoresSsh: true, interfaces: [] });
  expect(await overSsh('reboot; echo $?')).toBe('it refused\n1');
  expect([machine.isUp(), machine.events]).toEqual([true, ['ssh reboot']]);
  expect(Object.keys(machine.hardware)).toEqual(['ssh']);
});

it('is found by its own ping while it is up', async () => {
  await start({ interfaces: ['pdu'] });
  const before = process.env['PATH'];
  process.env['PATH'] = `${machine.programs}:${before}`;
  try {
    expect(await ping(callWith(), '127.0.0.1')).toBe(true);
    await pdu().off!(call(), true);
    expect(await ping(callWith(), '127.0.0.1')).toBe(false);
  } finally {
    process.env['PATH'] = before;
  }
});

it('comes back as another host when it was installed anew', async () => {
  await start({ reinstalls: true, interfaces: ['ipmi'] });
  const { hostKey } = machine.ssh;
  await ipmi().reset!(call());
  await eventually(() => machine.events.at(-1) === 'up');
  expect(machine.ssh.hostKey).toBe(hostKey);
  await ipmi().bootFromNetwork!(call());
  await ipmi().reset!(call());
  await eventually(() => machine.events.filter((event) => event === 'up').length === 2);
  expect(machine.ssh.hostKey).not.toBe(hostKey);
});
