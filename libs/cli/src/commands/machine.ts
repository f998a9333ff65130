import type { Command } from 'commander';
import { wholeList, type MachineView, type MachineQuery } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { count, keyValue } from '../options.js';
import { ends, facts, pairs, relative, table } from '../text.js';
import { serviceCommands } from './service.js';

interface AddOptions {
  address: string;
  port?: number;
  user: string;
  credential: string;
  platform?: 'linux' | 'mac' | 'windows';
  attribute?: Record<string, string>;
  slots?: number;
  hostKey?: string;
  folder?: string;
}

/** `berth machine …` */
export function machineCommands(program: Command, context: Context): void {
  const machine = program.command('machine').description('machines of the fleet');
  leaf(machine, 'add <name>', 'enrol a machine: Berth logs in, looks around, and keeps its host key')
    .requiredOption('--address <host>', 'host name or IP address')
    .option('--port <port>', 'SSH port', count)
    .requiredOption('--user <login>', 'login name')
    .requiredOption('--credential <reference>', 'agent, file:PATH of a private key, or env:NAME')
    .option('--platform <platform>', 'linux, mac or windows')
    .option('--attribute <key=value...>', 'free attributes that requests can ask for', keyValue)
    .option('--slots <count>', 'how many leases it can hold at once', count)
    .option('--host-key <key>', 'its public host key; learnt when absent')
    .option('--folder <path>', 'base folder on the machine')
    .action(async (name: string, { attribute, ...options }: AddOptions) => {
      await context.berth.machines.add({ name, ...options, ...(attribute && { attributes: attribute }) });
      const view = await context.berth.machines.get(name);
      context.result(view, () => `${name} is enrolled: ${pairs(view.facts)}\nhost key: ${view.hostKey}`);
    });
  leaf(machine, 'list', 'machines, and whether they can be reached').action(async () => {
    const page = await wholeList((query: MachineQuery) => context.berth.machines.list(query), {});
    context.result(page, () => (page.items.length === 0 ? 'No machines yet: add one with `berth machine add`.' : listed(page.items, context.colour)));
  });
  leaf(machine, 'show <name>', 'one machine').action(async (name: string) => {
    const view = await context.berth.machines.get(name);
    context.result(view, () =>
      facts([
        ['name', view.name],
        ['address', `${view.user}@${view.address}:${view.port}`],
        ['state', state(view)],
        ['error', view.error],
        ['quarantined', view.quarantined && `${view.quarantined.reason}; ${ends(view.quarantined.until)}`],
        ['held', view.held && `${view.held.reason}; ${ends(view.held.until)}`],
        ['draining', view.draining],
        ['slots', `${view.busy} of ${view.slots} in use`],
        ['platform', view.platform],
        ['attributes', pairs(view.attributes)],
        ['facts', pairs(view.facts)],
        ['credential', view.credential],
        ['host key', view.hostKey],
        ['folder', view.folder],
        ['resource', view.resource],
        ['added', relative(view.added)],
      ]),
    );
  });
  leaf(machine, 'remove <name>', 'take a machine out of the fleet').action(async (name: string) => {
    const answer = await context.berth.machines.remove(name);
    context.result(answer, () => `${name} is removed.`);
  });
  serviceCommands(machine, '<name>', context, (name, verb, input) => context.berth.machines.service(name, verb, input));
}

const state = ({ reachable, state: host }: MachineView): string => (!reachable ? 'unreachable' : host === null || host === 'active' ? 'reachable' : host);

const listed = (machines: MachineView[], colour: boolean): string =>
  table(
    machines,
    [
      ['NAME', (m) => m.name],
      ['ADDRESS', (m) => `${m.user}@${m.address}:${m.port}`],
      ['PLATFORM', (m) => m.platform],
      ['SLOTS', (m) => `${m.busy}/${m.slots}`],
      ['STATE', state],
      ['ATTRIBUTES', (m) => pairs(m.attributes)],
      ['ADDED', (m) => relative(m.added)],
    ],
    { colour },
  );
