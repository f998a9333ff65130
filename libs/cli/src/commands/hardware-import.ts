import type { Command } from 'commander';
import { hardwareDocument, type HardwareDocument, type HardwareDocumentInput, type HardwareImport, type ImportedView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Exit, Failure, FAILED } from '../failure.js';
import { yamlOf } from '../readable.js';
import { printable } from '../text.js';
import { called, readDocuments, refusedAt, textOf, type Written } from '../yaml-file.js';

const NOTES = `
The file is as \`berth hardware export\` writes it:
  groups:
    - {name: macs, loanSteps: [take the secrets off]}
  hardware:
    - {name: mac-7, address: 10.0.0.7, groups: [macs]}

The same import again changes nothing. One that is refused keeps none of the others from being done; the command ends with 1 then.`;

/** `berth hardware import|export` */
export function importCommands(hardware: Command, context: Context): void {
  leaf(hardware, 'import <file>', 'make all machines and groups be what a YAML or JSON file says; - is standard input')
    .option('--dry-run', 'change nothing: print what would be different, by name')
    .option('--prune', 'forget what is not in the file')
    .addHelpText('after', NOTES)
    .action((file: string, options: { dryRun?: true; prune?: true }) => bring(context, file, options));
  leaf(hardware, 'export', 'all that is said of machines and groups, as YAML that can be imported').action(async () => {
    const document = await context.berth.hardware.export();
    context.result(document, () => yamlOf(document));
  });
}

async function bring(context: Context, file: string, { dryRun = false, prune = false }: { dryRun?: boolean; prune?: boolean }): Promise<void> {
  const [written, second] = readDocuments(await textOf(context.io, file), called(file), { schema: hardwareDocument, empty: `${called(file)} is empty: \`berth hardware import --help\` shows what it says.` });
  if (second) throw new Failure('invalid-data', `Nothing is saved. ${second.place}: an import is one document, with all machines below hardware: and all groups below groups:.`);
  const before = await context.berth.hardware.export();
  const told = await context.berth.hardware.import(written!.raw as HardwareDocumentInput, { dryRun, prune }).catch((error: unknown) => {
    throw refusedAt(written!, error);
  });
  context.result(told, () => report(told, before, written!));
  if ([...told.groups, ...told.hardware].some(({ error }) => error !== null)) throw new Exit(FAILED);
}

/** By name what was different, with what it was and what it is to be. */
function report(told: HardwareImport, before: HardwareDocument, written: Written<HardwareDocument>): string {
  const lines = (['groups', 'hardware'] as const).flatMap((field) => {
    const what = field === 'groups' ? 'group' : 'machine';
    return told[field].filter(({ change }) => change !== 'same').flatMap((one) => {
      const at = written.value[field].findIndex(({ name }) => name === one.name);
      const [old, next] = [before[field].find(({ name }) => name === one.name), written.value[field][at]];
      return [`${one.error ? `${verbs[one.change]} not` : verbs[one.change]}  ${what} ${one.name}`, ...one.paths.map((path) => `  ${path}: ${plain(valueAt(old, path))} -> ${plain(valueAt(next, path))}`), ...refusalOf(one, at === -1 ? undefined : written.tell({ field: `${field}[${at}]`, message: one.error?.message ?? '' }).message)];
    });
  });
  const all = [...told.groups, ...told.hardware];
  const count = (change: ImportedView['change']) => all.filter((one) => one.change === change && one.error === null).length;
  const failed = all.filter(({ error }) => error !== null).length;
  const sum = `${count('added')} added, ${count('changed')} changed, ${count('removed')} removed, ${count('same')} the same${failed === 0 ? '' : `, ${failed} refused`}${told.dryRun ? ': nothing is done, this is a dry run' : ''}.`;
  return [...lines.map(printable), sum].join('\n');
}

const verbs = { added: 'added', changed: 'changed', removed: 'removed', same: 'same' } as const;

const refusalOf = ({ error }: ImportedView, placed: string | undefined): string[] => (error === null ? [] : [`  refused: ${placed ?? error.message}`]);

/** What stands at a path such as `interfaces.ipmi.port`. */
const valueAt = (spec: unknown, path: string): unknown => (path.match(/[^.[\]]+/g) ?? []).reduce<unknown>((value, part) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined), spec);

const plain = (value: unknown): string => (value === undefined ? 'nothing' : typeof value === 'string' ? value : JSON.stringify(value));
