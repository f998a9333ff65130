import { InvalidArgumentError, type Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { wholeList, type HardwareQuery, type HardwareView, type LoanView } from '@berth/client';
import { hardwareSpec, hostKey } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { Failure } from '../failure.js';
import { yamlOf } from '../readable.js';
import { setNamed } from '../set-named.js';
import { facts, relative, table } from '../text.js';
import { byName, type Form } from '../yaml-file.js';
import { groupCommands } from './hardware-group.js';
import { importCommands } from './hardware-import.js';

const SET_NOTES = `
Example: mac-7.yaml
  name: mac-7
  address: 10.0.0.7
  groups: [macs]                        # made before: \`berth hardware group set\`
  workers: [{id: mac-7-worker, group: releng}]
  interfaces:
    ipmi: {address: 10.1.0.7, user: root, password: ipmi-macs}   # a password is the name of a secret
    pdu: {address: 10.1.0.2, family: sentry3, outlet: AA1, community: pdu-write}`;

/** `berth hardware …` */
export function hardwareCommands(program: Command, context: Context): void {
  const hardware = program.command('hardware').description('machines from outside: how they are reached when their operating system is not');
  leaf(hardware, 'list', 'machines that are managed, with their workers and groups')
    .option('--group <name...>', 'only in these groups')
    .option('--worker <id...>', 'only with these workers')
    .option('--interface <kind>', 'only with these: ssh, ipmi, redfish, pdu, xen, ilo, wake (with commas)')
    .option('--status <status>', 'only these: lent, free')
    .action(async ({ group, worker, interface: kind, status }: HardwareQuery) => {
      const page = await wholeList((query: HardwareQuery) => context.berth.hardware.list(query), { group, worker, interface: kind, status });
      context.result(page, () => (page.items.length === 0 ? 'No machines are managed: say how one is with `berth hardware set FILE`.' : listed(page.items, context.colour)));
    });
  leaf(hardware, 'show <name>', 'one machine: its loan, and what is said of it as YAML').action(async (name: string) => {
    const view = await context.berth.hardware.get(name);
    context.result(view, () => shown(view));
  });
  leaf(hardware, 'set <file>', 'say how machines are managed, from a YAML or JSON file; - is standard input')
    .addHelpText('after', SET_NOTES)
    .action((file: string) => setNamed(context, file, { ...form, what: 'Machine' }, (name, spec) => context.berth.hardware.set(name, spec as Parameters<typeof context.berth.hardware.set>[1])));
  leaf(hardware, 'remove <name>', 'forget how a machine is managed').action(async (name: string) => {
    const answer = await context.berth.hardware.remove(name);
    context.result(answer, () => `${name} is not managed any more.`);
  });
  importCommands(hardware, context);
  groupCommands(hardware, context);
  leaf(hardware, 'loan-step', 'say that a step of a loan is done')
    .argument('<machine>', 'that is lent')
    .argument('<step>', 'which, counted from 0 as `berth hardware show` does', stepOf)
    .action(async (machine: string, step: number) => {
      await context.berth.hardware.loanStep(machine, step);
      const view = await context.berth.hardware.get(machine);
      context.result(view, () => [`Step ${step} is done.`, ...(view.loan ? loanLines(view.loan) : [])].join('\n'));
    });
  leaf(hardware, 'installed <machine>', 'report that the installation of a machine that is being reimaged has finished')
    .option('--host-key-file <path>', 'its new public host key, such as /etc/ssh/ssh_host_ed25519_key.pub: it is pinned')
    .action(async (machine: string, { hostKeyFile }: { hostKeyFile?: string }) => {
      const key = hostKeyFile === undefined ? undefined : await keyIn(context, hostKeyFile);
      const answer = await context.berth.jobs.installed(machine, key);
      context.result(answer, () => `Job ${answer.id} knows that ${machine} is installed.`);
    });
}

const form: Form<{ name: string }> = { schema: hardwareSpec, nameOf: byName, empty: 'The file says nothing of any machine: `berth hardware set --help` shows an example.' };

function stepOf(text: string): number {
  if (!/^\d{1,2}$/.test(text)) throw new InvalidArgumentError(`A step is a number from 0 on, not ${JSON.stringify(text)}: \`berth hardware show\` counts them.`);
  return Number(text);
}

async function keyIn(context: Context, file: string): Promise<string> {
  const text = await readFile(resolve(context.io.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Failure('file', `${file} can't be read (${error.code}).`);
  });
  const parsed = hostKey.safeParse(text.trim());
  if (parsed.success) return parsed.data;
  throw new Failure('invalid-data', `${file} is no public key of OpenSSH: name a file such as /etc/ssh/ssh_host_ed25519_key.pub.`);
}

const listed = (machines: HardwareView[], colour: boolean): string =>
  table(
    machines,
    [
      ['NAME', (m) => m.name],
      ['ADDRESS', (m) => m.address],
      ['ENROLLED', (m) => (m.enrolled ? 'yes' : 'no')],
      ['GROUPS', (m) => m.groups.join(', ')],
      ['WORKERS', (m) => m.workers.map(({ id }) => id).join(', ')],
      ['INTERFACES', (m) => Object.keys(m.interfaces).join(', ')],
      ['LOAN', (m) => m.loan && `${m.loan.status} to ${m.loan.to}`],
    ],
    { colour },
  );

const loanLines = ({ to, status, steps }: LoanView): string[] => [
  `loan to ${to}: ${status}`,
  ...steps.map(({ text, done, by }, i) => `  step ${i}  ${done === null ? 'to do' : `done ${relative(done)}${by === null ? '' : ` by ${by}`}`}  ${text}`),
];

function shown({ enrolled, loan, set, by, ...spec }: HardwareView): string {
  const head = facts([
    ['machine', spec.name],
    ['enrolled', enrolled ? 'yes' : 'no'],
    ['set', `${relative(set)} by ${by}`],
  ]);
  return [head, loan ? loanLines(loan).join('\n') : '', yamlOf(spec)].filter(Boolean).join('\n\n');
}

