import { Option, type Command } from 'commander';
import { wholeList, type MachineView, type MachineQuery } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Failure, USAGE } from '../failure.js';
import { count, keyValue, several } from '../options.js';
import { ends, facts, pairs, relative, table } from '../text.js';
import { serviceCommands } from './service.js';

/** What can be said of a machine. */
interface Options {
  address?: string;
  port?: number;
  user?: string;
  credential?: string;
  platform?: 'linux' | 'mac' | 'windows';
  attribute?: Record<string, string>;
  slots?: number;
  hostKey?: string;
  folder?: string;
  allowProject?: string[];
  allowOwner?: string[];
}
type AddOptions = Options & Required<Pick<Options, 'address' | 'user' | 'credential'>>;
interface SetOptions extends Options {
  removeAttribute?: string[];
  learnHostKey?: true;
  blueprintFolder?: true;
  allowEverybody?: true;
}

/** `berth machine …` */
export function machineCommands(program: Command, context: Context): void {
  const machine = program.command('machine').description('machines of the fleet');
  saying(leaf(machine, 'add <name>', 'enrol a machine: Berth logs in, looks around, and keeps its host key'), true)
    .action(async (name: string, { attribute, allowProject, allowOwner, ...options }: AddOptions) => {
      const allow = allowProject || allowOwner ? { projects: allowProject ?? [], owners: allowOwner ?? [] } : undefined;
      await context.berth.machines.add({ name, ...options, ...(attribute && { attributes: attribute }), ...(allow && { allow }) });
      const view = await context.berth.machines.get(name);
      context.result(view, () => `${name} is enrolled: ${pairs(view.facts)}\nhost key: ${view.hostKey}`);
    });
  saying(leaf(machine, 'set <name>', 'change a machine: what is not said stays as it is'), false)
    .option('--remove-attribute <key...>', 'attributes that it is to have no longer', several)
    .addOption(new Option('--learn-host-key', 'learn its public host key anew, and trust what it shows').conflicts('hostKey'))
    .addOption(new Option('--blueprint-folder', 'the base folder that its blueprint says').conflicts('folder'))
    .addOption(new Option('--allow-everybody', 'everybody may use it').conflicts(['allowProject', 'allowOwner']))
    .action(async (name: string, options: SetOptions) => {
      const changes = changesOf(options);
      if (Object.keys(changes).length === 0) throw new Failure('usage', 'Nothing is to be changed: say what, such as --slots 4 or --attribute gpu=yes.', [], USAGE);
      await context.berth.machines.change(name, changes);
      const view = await context.berth.machines.get(name);
      context.result(view, () => `${name} is changed.${view.busy > 0 ? ` What runs on it goes on as it was: it gives no new leases until its ${view.busy === 1 ? 'lease is' : `${view.busy} leases are`} over, unless only who may use it has changed.` : ''}`);
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
        ['for', forWhom(view)],
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

/** The options that say what a machine is like. */
function saying(command: Command, isNew: boolean): Command {
  const needed = (flags: string, description: string) => (isNew ? command.requiredOption(flags, description) : command.option(flags, description));
  needed('--address <host>', 'host name or IP address');
  command.option('--port <port>', 'SSH port', count);
  needed('--user <login>', 'login name');
  needed('--credential <reference>', 'agent, file:PATH of a private key, or env:NAME');
  return command
    .option('--platform <platform>', 'linux, mac or windows')
    .option('--attribute <key=value...>', 'free attributes that requests can ask for', keyValue)
    .option('--slots <count>', 'how many leases it can hold at once', count)
    .option('--host-key <key>', isNew ? 'its public host key; learnt when absent' : 'its public host key from now on')
    .option('--folder <path>', 'base folder on the machine')
    .option('--allow-project <name...>', 'only these projects may use it, beside the owners', several)
    .option('--allow-owner <name...>', 'only these owners may use it, beside the projects', several);
}

type Changes = Parameters<Context['berth']['machines']['change']>[1];

/** As a merge patch: null takes away. */
function changesOf({ attribute, removeAttribute = [], learnHostKey, blueprintFolder, allowProject, allowOwner, allowEverybody, ...options }: SetOptions): Changes {
  const attributes = { ...attribute, ...Object.fromEntries(removeAttribute.map((key) => [key, null])) };
  return {
    ...options,
    ...(Object.keys(attributes).length > 0 && { attributes }),
    ...(learnHostKey && { hostKey: null }),
    ...(blueprintFolder && { folder: null }),
    ...(allowEverybody ? { allow: null } : (allowProject || allowOwner) && { allow: { ...(allowProject && { projects: allowProject }), ...(allowOwner && { owners: allowOwner }) } }),
  };
}

const forWhom = ({ allow: { projects, owners } }: MachineView): string | undefined => [...projects.map((name) => `project ${name}`), ...owners.map((name) => `owner ${name}`)].join(', ') || undefined;

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
