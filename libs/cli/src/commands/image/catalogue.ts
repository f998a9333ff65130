import type { Command } from 'commander';
import { wholeList, type BerthHttp, type CatalogView, type PageOptions } from '@berth/client';
import { catalogEntries, type CatalogEntryKind } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { yamlOf } from '../../readable.js';
import { setNamed } from '../../set-named.js';
import { facts, relative } from '../../text.js';
import { byName, type Form } from '../../yaml-file.js';
import { catalogTable, deployableTable } from './list-tables.js';
import { asked } from './refused.js';

/** What people say of a kind of entry. */
interface Kind {
  plural: 'providers' | 'accounts' | 'environments' | 'pools' | 'catalogs' | 'deployables';
  description: string;
  example: string;
}

const kinds: { readonly [K in CatalogEntryKind]: Kind } = {
  provider: {
    plural: 'providers', description: 'a place that images are pushed to',
    example: `
Examples, one document each:
  {name: aws, kind: ec2}                                       # takes images that EC2 has made; regions are of its accounts
  {name: disks, kind: ec2, target: raw, bucket: {name: my-images}}
  {name: registry, kind: folder, target: oci, folder: /srv/images}`,
  },
  account: {
    plural: 'accounts', description: 'credentials on a provider, in one region of it',
    example: `
Example: eu.yaml
  name: eu
  provider: aws
  region: eu-central-1
  credentials: profile:images          # by reference: default, profile:NAME, or env:PREFIX`,
  },
  environment: {
    plural: 'environments', description: 'what may be built and pushed where',
    example: `
Example: production.yaml
  name: production
  targets: [raw, ec2]                  # none: all
  accounts: [eu, us]                   # none: all that take these targets`,
  },
  pool: { plural: 'pools', description: 'a pool of an environment', example: '\nExample:\n  {name: web-servers, environment: production}' },
  catalog: { plural: 'catalogs', description: 'a catalog of a pool; with a name only: how what it offers stands', example: '\nExample:\n  {name: shop, pool: web-servers, description: what the shop runs}' },
  deployable: { plural: 'deployables', description: 'what catalogs offer: an image, by its channel', example: '\nExample:\n  {name: shop-web, catalogs: [shop], image: web, channel: stable}' },
};

/** One kind of the catalogue, whichever it is. */
interface Calls {
  get: (name: string) => Promise<object>;
  set: (name: string, entry: Record<string, unknown>) => Promise<unknown>;
  remove: (name: string) => Promise<object>;
}
const callsOf = (berth: BerthHttp, { plural }: Kind): Calls => berth[plural] as unknown as Calls;

/** `berth image provider|account|environment|pool|catalog|deployable …` */
export function catalogueCommands(image: Command, context: Context): void {
  for (const kind of Object.keys(kinds) as CatalogEntryKind[]) {
    const { description, example, plural } = kinds[kind];
    const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    const form: Form<{ name: string }> = { schema: catalogEntries[kind], nameOf: byName, empty: `The file says nothing of any ${kind}: \`berth image ${kind} set --help\` shows an example.` };
    const group = kind === 'catalog' ? catalogGroup(image, context, description) : image.command(kind).description(description);
    leaf(group, 'set <file>', `save ${plural} from a YAML or JSON file; - is standard input`)
      .addHelpText('after', example)
      .action((file: string) => setNamed(context, file, { ...form, what: title }, (name, spec) => callsOf(context.berth, kinds[kind]).set(name, spec)));
    leaf(group, 'show <name>', 'one of them: who names it, and its text as YAML').action(async (name: string) => {
      const view = await asked(context, callsOf(context.berth, kinds[kind]).get(name));
      context.result(view, () => shown(kind, view));
    });
    leaf(group, 'remove <name>', 'remove one that nothing names').action(async (name: string) => {
      const answer = await asked(context, callsOf(context.berth, kinds[kind]).remove(name));
      context.result(answer, () => `${title} ${name} is removed.`);
    });
  }
}

/** `berth image catalog` alone shows all of them, and with a name what that one offers. */
const catalogGroup = (image: Command, context: Context, description: string): Command =>
  leaf(image, 'catalog', description)
    .argument('[name]', 'a catalog (default: all)')
    .action(async (name: string | undefined) => {
      if (name !== undefined) {
        const view = await asked(context, context.berth.catalogs.get(name));
        return context.result(view, () => offered(view, context.colour));
      }
      const page = await wholeList((query: PageOptions) => context.berth.catalogs.list(query), {});
      context.result(page, () => (page.items.length === 0 ? 'No catalogs: save one with `berth image catalog set FILE`.' : catalogTable(page.items)));
    });

/** A catalog, and how what it offers stands. */
function offered({ name, description, pool, environment, deployables }: CatalogView, colour: boolean): string {
  const head = facts([['catalog', name], ['description', description], ['pool', pool], ['environment', environment]]);
  return [head, deployables.length === 0 ? 'It offers nothing.' : deployableTable(deployables, colour)].join('\n\n');
}

/** What is said of it, without what Berth adds: read again, it is the same. */
function shown(kind: CatalogEntryKind, view: object): string {
  const fields = new Map(Object.entries(view));
  const modified = fields.get('modified') as string | undefined;
  const head = facts([
    [kind, fields.get('name') as string],
    ['named by', fields.has('used') ? String(fields.get('used')) : null],
    ['state', fields.get('state') as string | undefined],
    ['version', fields.get('number') as number | undefined],
    ['saved', modified === undefined ? null : `${relative(modified)} by ${String(fields.get('by'))}`],
  ]);
  const said = catalogEntries[kind];
  const known = 'options' in said ? new Set(said.options.flatMap((one) => Object.keys(one.shape))) : new Set(Object.keys(said.shape));
  return `${head}\n\n${yamlOf(Object.fromEntries([...fields].filter(([key]) => known.has(key))))}`;
}
