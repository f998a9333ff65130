import type { Command } from 'commander';
import { wholeList, type PageOptions, type ReplicationInput, type ReplicationView, type WarehouseObject } from '@berth/client';
import { replicationPolicy } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { yamlOf } from '../../readable.js';
import { setNamed } from '../../set-named.js';
import { count } from '../../options.js';
import { facts, pairs, relative, size, table } from '../../text.js';
import { byName, type Form } from '../../yaml-file.js';
import { asked } from './refused.js';

const LIST_NOTES = `
Examples:
  berth image warehouse list --query 'arch == "x86_64" && os.version >= 12'
  berth image warehouse list --query 'audited == "yes"' --json`;
const SET_NOTES = `
Example: second.yaml
  name: second
  query: arch == "x86_64"
  to: {kind: s3, bucket: my-second-images, region: eu-west-1, credentials: "profile:images"}
  on: both                             # what is copied when it changes: body, attributes or both`;

const form: Form<{ name: string }> = { schema: replicationPolicy, nameOf: byName, empty: 'The file says nothing of any policy: `berth image warehouse policy set --help` shows an example.' };

/** `berth image warehouse …` */
export function warehouseCommands(image: Command, context: Context): void {
  const warehouse = image.command('warehouse').description('the files of images, by their attributes, and where they are kept a second time');
  leaf(warehouse, 'list', 'files of images and what they are made of')
    .option('--query <query>', 'only those whose attributes are so')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .addHelpText('after', LIST_NOTES)
    .action(async ({ query, limit, cursor }: { query?: string; limit?: number; cursor?: string }) => {
      const page = await asked(context, context.berth.warehouse.objects({ query, limit, cursor }));
      context.result(page, () => (page.items.length === 0 ? 'No objects.' : objectTable(page.items, context.colour) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
    });
  const policy = warehouse.command('policy').description('which objects are kept a second time, and where');
  const policies = () => context.berth.warehouse.policies;
  leaf(policy, 'list', 'policies, and how they do').action(async () => {
    const page = await wholeList((query: PageOptions) => policies().list(query), {});
    context.result(page, () => (page.items.length === 0 ? 'No policies: save one with `berth image warehouse policy set FILE`.' : policyTable(page.items)));
  });
  leaf(policy, 'show <name>', 'one policy: how it does, and its text as YAML').action(async (name: string) => {
    const view = await asked(context, policies().get(name));
    context.result(view, () => shown(view));
  });
  leaf(policy, 'set <file>', 'save policies from a YAML or JSON file; - is standard input')
    .addHelpText('after', SET_NOTES)
    .action((file: string) => setNamed(context, file, { ...form, what: 'Policy' }, (name, spec) => policies().set(name, spec as ReplicationInput)));
  leaf(policy, 'remove <name>', 'copy nothing more; copies stay where they are').action(async (name: string) => {
    const answer = await asked(context, policies().remove(name));
    context.result(answer, () => `Policy ${name} is removed; its copies stay.`);
  });
  leaf(policy, 'check <name>', 'look at every copy, and make those anew that are not there or differ').action(async (name: string) => {
    const answer = await asked(context, policies().check(name));
    context.result(answer, () => `Every copy of policy ${name} is looked at: \`berth image warehouse policy show ${name}\` tells what came of it.`);
  });
}


const objectTable = (objects: readonly WarehouseObject[], colour: boolean): string =>
  table(
    objects,
    [
      ['OBJECT', (o) => o.id],
      ['IMAGE', (o) => `${o.image}@${o.number}`],
      ['TARGET', (o) => o.target],
      ['SIZE', (o) => size(o.bytes)],
      ['COPIES', (o) => o.replicas.map(({ policy, state, error }) => `${policy} ${state}${error === null ? '' : ` (${error})`}`).join(', ')],
      ['ATTRIBUTES', (o) => pairs(o.attributes)],
    ],
    { colour },
  );

const lastCheck = ({ checking, lastCheck: last }: ReplicationView): string | null => (checking ? 'under way' : last && `${relative(last.at)}: ${last.sound} sound, ${last.repaired} repaired, ${last.failed} failed`);
const placeOf = ({ to }: ReplicationView): string => (to.kind === 'folder' ? to.folder : `s3 ${to.bucket} (${to.region})`);

const policyTable = (policies: readonly ReplicationView[]): string =>
  table(policies, [
    ['POLICY', (p) => p.name],
    ['QUERY', (p) => p.query],
    ['TO', placeOf],
    ['OBJECTS', (p) => p.objects],
    ['THERE', (p) => p.there],
    ['FAILED', (p) => p.failed],
    ['LAST CHECK', lastCheck],
  ]);

function shown(policy: ReplicationView): string {
  const { objects, there, failed, modified, lastCheck: _last, checking: _checking, ...spec } = policy;
  const head = facts([
    ['policy', policy.name],
    ['copies', `${there} of ${objects} there${failed === 0 ? '' : `, ${failed} failed`}`],
    ['last check', lastCheck(policy)],
    ['saved', relative(modified)],
  ]);
  return `${head}\n\n${yamlOf(spec)}`;
}
