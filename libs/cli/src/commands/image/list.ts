import type { Command } from 'commander';
import { wholeList, type ChannelQuery, type ImageQuery, type ImageVersionQuery, type Page, type PageOptions } from '@berth/client';
import { imageTargets } from '@berth/contracts';
import { leaf, type Context } from '../../context.js';
import { Failure, USAGE } from '../../failure.js';
import { count } from '../../options.js';
import { table } from '../../text.js';
import { channelTable } from './channel.js';
import { accountTable, catalogTable, deployableTable, environmentTable, imageTable, poolTable, providerTable } from './list-tables.js';
import { asked } from './refused.js';
import { pushTable, targetTable, versionTable } from './version-text.js';
import { oneLabel, oneOf } from './words.js';

type Optional = string | true | undefined;
interface Kinds {
  images?: true;
  versions?: Optional;
  builds?: Optional;
  targetimages?: string;
  providerimages?: string;
  targets?: true;
  providers?: true;
  accounts?: true;
  environments?: true;
  pools?: true;
  catalogs?: true;
  deployables?: true;
  channels?: Optional;
}
interface Filters {
  status?: string;
  environment?: string;
  account?: string;
  region?: string;
  channel?: string;
  label?: string;
  all?: true;
  sort?: string;
  limit?: number;
  cursor?: string;
}
type Options = Kinds & Filters;

const NOTES = `
Examples:
  berth image list --status COMPLETE
  berth image list --versions web --label ring=canary --region eu-central-1
  berth image list --versions --all
  berth image list --providerimages web@3
  berth image list --channels web

VERSION is an id, IMAGE@NUMBER or IMAGE:CHANNEL. Versions that are deprecated, disabled, revoked or removed are shown with --all.
--builds is another word for --versions.`;

const names: { readonly [K in keyof Required<Kinds>]: string } = {
  images: '--images', versions: '--versions', builds: '--builds', targetimages: '--targetimages', providerimages: '--providerimages', targets: '--targets', providers: '--providers', accounts: '--accounts', environments: '--environments',
  pools: '--pools', catalogs: '--catalogs', deployables: '--deployables', channels: '--channels',
};
const paging = ['sort', 'limit', 'cursor'] as const;
/** What each list can be asked for. */
const filters: { readonly [K in keyof Kinds]?: readonly (keyof Filters)[] } = {
  images: ['status', 'environment', ...paging],
  versions: ['status', 'account', 'region', 'channel', 'label', 'all', ...paging],
  channels: paging,
};

/** `berth image list` */
export function listCommand(image: Command, context: Context): void {
  leaf(image, 'list', 'images, or with a flag versions, what was built and pushed of them, and what is in the catalogue')
    .option('--images', 'images (when nothing else is said)')
    .option('--versions [image]', 'versions, the newest first: of all images, or of one')
    .option('--builds [image]', 'the same')
    .option('--targetimages <version>', 'what a version was built as')
    .option('--providerimages <version>', 'where a version was pushed to')
    .option('--targets', 'what images can be built as, and the providers that take it')
    .option('--providers', 'places that images are pushed to')
    .option('--accounts', 'accounts on them')
    .option('--environments', 'what may be built and pushed where')
    .option('--pools', 'pools of environments')
    .option('--catalogs', 'catalogs of pools')
    .option('--deployables', 'what catalogs offer')
    .option('--channels [image]', 'channels: of all images, or of one')
    .option('--status <status>', 'images and versions: only these, such as COMPLETE (with commas)')
    .option('--environment <name>', 'images: only of this environment')
    .option('--channel <name>', 'versions: only those that this channel points at')
    .option('--account <name>', 'versions: only what is pushed there')
    .option('--region <region>', 'versions: only what is pushed to an account in this region')
    .option('--label <key=value>', 'versions: only with this label', oneLabel)
    .option('--all', 'versions: also those that are deprecated, disabled, revoked or removed')
    .option('--sort <order>', 'such as created; with - before it the newest first')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .addHelpText('after', NOTES)
    .action((options: Options) => list(context, options));
}

async function list(context: Context, options: Options): Promise<void> {
  const { builds, ...rest } = options;
  const given = Object.fromEntries(Object.keys(names).map((key) => [key, options[key as keyof Kinds]]).filter(([, value]) => value !== undefined)) as Kinds;
  const flag = Object.keys(given).length === 0 ? 'images' : oneOf<Kinds>(given, names);
  const kind = flag === 'builds' ? 'versions' : flag;
  const taken = filters[kind] ?? [];
  const foreign = ([...new Set(Object.values(filters).flat())]).find((key) => options[key] !== undefined && !taken.includes(key));
  if (foreign !== undefined) throw new Failure('usage', `--${foreign} does not go with ${names[flag]}${taken.length === 0 ? '' : `: that takes ${taken.map((key) => `--${key}`).join(', ')}`}.`, [], USAGE);
  await lists[kind](context, { ...rest, versions: rest.versions ?? builds });
}

/** One page, as text with the way to the next one. */
function shown<T>(context: Context, page: Page<T>, none: string, text: (items: readonly T[], colour: boolean) => string): void {
  context.result(page, () => (page.items.length === 0 ? none : text(page.items, context.colour) + (page.cursor === null ? '' : `\nMore: --cursor ${page.cursor}`)));
}

const nameOf = (value: Optional): string | undefined => (value === true ? undefined : value);

const lists: { readonly [K in Exclude<keyof Kinds, 'builds'>]-?: (context: Context, options: Options) => Promise<void> } = {
  images: async (context, { status, environment, sort, limit, cursor }) =>
    shown(context, await asked(context, context.berth.images.list({ status, environment, sort, limit, cursor } satisfies ImageQuery)), 'No images: save one with `berth image save FILE`.', imageTable),
  versions: async (context, { versions, status, channel, account, region, label, all, sort, limit, cursor }) => {
    const image = nameOf(versions);
    const query: ImageVersionQuery = { image, status, channel, account, region, label, all, sort, limit, cursor };
    shown(context, await asked(context, context.berth.versions.list(query), { named: image }), 'No versions.', versionTable);
  },
  channels: async (context, { channels, sort, limit, cursor }) => {
    const image = nameOf(channels);
    shown(context, await asked(context, context.berth.channels.list({ image, sort, limit, cursor } satisfies ChannelQuery), { named: image }), 'No channels.', channelTable);
  },
  targetimages: async (context, { targetimages: id }) => {
    const version = await asked(context, context.berth.versions.get(id!), { named: id });
    shown(context, { items: version.targets, cursor: null }, 'Nothing was built of it.', (_, colour) => targetTable(version, colour));
  },
  providerimages: async (context, { providerimages: id }) => {
    const version = await asked(context, context.berth.versions.get(id!), { named: id });
    shown(context, { items: version.pushes, cursor: null }, 'Nothing was pushed of it.', (_, colour) => pushTable(version, colour));
  },
  targets: async (context) => {
    const { items } = await wholeList((query: PageOptions) => context.berth.providers.list(query), {});
    const targets = imageTargets.map((target) => ({ target, providers: items.filter((one) => one.target === target).map(({ name }) => name) }));
    shown(context, { items: targets, cursor: null }, '', (rows) => table(rows, [['TARGET', (t) => t.target], ['PROVIDERS', (t) => t.providers.join(', ')]]));
  },
  providers: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.providers.list(query), {}), 'No providers: save one with `berth image provider set FILE`.', providerTable),
  accounts: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.accounts.list(query), {}), 'No accounts: save one with `berth image account set FILE`.', accountTable),
  environments: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.environments.list(query), {}), 'No environments: save one with `berth image environment set FILE`.', environmentTable),
  pools: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.pools.list(query), {}), 'No pools: save one with `berth image pool set FILE`.', poolTable),
  catalogs: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.catalogs.list(query), {}), 'No catalogs: save one with `berth image catalog set FILE`.', catalogTable),
  deployables: async (context) => shown(context, await wholeList((query: PageOptions) => context.berth.deployables.list(query), {}), 'No deployables: save one with `berth image deployable set FILE`.', deployableTable),
};
