import type { Command } from 'commander';
import { wholeList, type HardwareGroupView, type PageOptions } from '@berth/client';
import { hardwareGroupSpec } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { setNamed } from '../set-named.js';
import { table } from '../text.js';
import { byName, type Form } from '../yaml-file.js';

const NOTES = `
Example: macs.yaml
  name: macs
  escalation:                           # how a reboot goes on when a method fails
    - {method: ssh_reboot, downWithin: 1m, upWithin: 5m}
    - {method: ipmi_cycle, timeout: 2m}
    - {method: snmp_reboot}
    - {method: file_ticket}
  loanSteps: [take the secrets off, make an account]
  mail: [ops@example.com]`;

const form: Form<{ name: string }> = { schema: hardwareGroupSpec, nameOf: byName, empty: 'The file says nothing of any group: `berth hardware group set --help` shows an example.' };

/** `berth hardware groups`, `berth hardware group set|remove` */
export function groupCommands(hardware: Command, context: Context): void {
  leaf(hardware, 'groups', 'groups of machines, and how they are driven').action(async () => {
    const page = await wholeList((query: PageOptions) => context.berth.hardwareGroups.list(query), {});
    context.result(page, () => (page.items.length === 0 ? 'No groups yet: make one with `berth hardware group set FILE`.' : listed(page.items, context.colour)));
  });
  const group = hardware.command('group').description('one group of machines that are driven alike');
  leaf(group, 'set <file>', 'say how groups are driven, from a YAML or JSON file; - is standard input')
    .addHelpText('after', NOTES)
    .action((file: string) => setNamed(context, file, { ...form, what: 'Group' }, (name, spec) => context.berth.hardwareGroups.set(name, spec as Parameters<typeof context.berth.hardwareGroups.set>[1])));
  leaf(group, 'remove <name>', 'forget a group that no machine is in').action(async (name: string) => {
    const answer = await context.berth.hardwareGroups.remove(name);
    context.result(answer, () => `Group ${name} is removed.`);
  });
}

const listed = (groups: HardwareGroupView[], colour: boolean): string =>
  table(
    groups,
    [
      ['GROUP', (g) => g.name],
      ['MACHINES', (g) => g.machines.join(', ')],
      ['REBOOT', (g) => g.escalation?.map(({ method }) => method).join(', ') ?? 'all methods'],
      ['LOAN STEPS', (g) => g.loanSteps?.length ?? 0],
      ['MAIL', (g) => g.mail.join(', ')],
    ],
    { colour },
  );
