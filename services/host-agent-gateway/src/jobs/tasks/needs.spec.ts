import { escalationStep, hardwareSpec, jobNeeds, jobTasks, type HostAccess, type InterfaceKind, type JobNeed, type JobTask, type RebootMethod } from '@berth/contracts';
import { describe, expect, test } from 'vitest';
import type { ManagedMachine } from '../machine.js';
import { tasks } from './index.js';

const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3vRmFXnqYZ3P9nT4gGm8vY2v8f4jzR5kQm3vY2v8f4';
const controller = { address: '10.1.0.7', user: 'root', password: 'bmc' };
const interfaces: Record<InterfaceKind, object> = {
  ssh: { user: 'root', credential: 'agent', hostKey: HOST_KEY },
  ipmi: controller,
  redfish: { url: 'https://10.1.0.7', user: 'root', password: 'bmc' },
  pdu: { address: '10.1.0.8', family: 'apc', outlet: '7', community: 'pdu' },
  xen: { url: 'https://10.1.0.9', vm: '11111111-2222-4333-8444-555555555555', user: 'root', password: 'xen' },
  ilo: { url: 'https://10.1.0.7', user: 'root', password: 'bmc' },
  wake: { mac: '00:11:22:33:44:55' },
};
const access: HostAccess = { transport: 'ssh', address: '10.0.0.7', port: 22, user: 'ci', credential: 'agent', platform: 'linux', folder: '~/b' };

const machineWith = (kinds: readonly InterfaceKind[], { enrolled = false, lent = false, ladder }: { enrolled?: boolean; lent?: boolean; ladder?: readonly RebootMethod[] } = {}): ManagedMachine => ({
  name: 'box',
  spec: hardwareSpec.parse({ name: 'box', address: '10.0.0.7', interfaces: Object.fromEntries(kinds.map((kind) => [kind, interfaces[kind]])) }),
  groups: ladder ? [{ name: 'g', mail: [], escalation: ladder.map((method) => escalationStep.parse({ method })) }] : [],
  ...(enrolled && { access }),
  ...(lent && { loan: { job: 'j', to: 'ada', steps: [], active: true } }),
});

/** As whoever reads the table understands it. */
const isMet = (needs: readonly (readonly JobNeed[])[], { spec, access: enrolled, loan }: ManagedMachine): boolean =>
  needs.every((one) => one.some((need) => (need === 'enrolled' ? enrolled !== undefined : need === 'lent' ? loan !== undefined : need === 'free' ? loan === undefined : spec.interfaces[need] !== undefined)));

/** Every set of interfaces. */
const kinds = Object.keys(interfaces) as InterfaceKind[];
const sets = Array.from({ length: 2 ** kinds.length }, (_, bits) => kinds.filter((_kind, i) => bits & (1 << i)));

describe('what a task needs is what it finds lacking', () => {
  test.each(jobTasks)('%s', (task) => {
    for (const set of sets) {
      for (const how of [{}, { enrolled: true }, { lent: true }, { enrolled: true, lent: true }]) {
        const machine = machineWith(set, how);
        expect([set, how, tasks[task].lacks(machine) === undefined]).toEqual([set, how, isMet(jobNeeds[task], machine)]);
      }
    }
  });

  test.each<RebootMethod[][]>([[['wake', 'file_ticket']], [['ipmi_cycle', 'redfish_cycle']], [['ssh_reboot']], [['file_ticket']]])('a reboot on the ladder %j', (ladder) => {
    const ways = ladder.filter((method): method is Exclude<RebootMethod, 'file_ticket'> & JobTask => method !== 'file_ticket');
    for (const set of sets) {
      const machine = machineWith(set, { ladder });
      expect([set, tasks.reboot.lacks(machine) === undefined]).toEqual([set, ways.some((way) => isMet(jobNeeds[way], machine))]);
    }
  });
});
