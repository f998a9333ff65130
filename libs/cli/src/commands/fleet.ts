import { Option, type Command } from 'commander';
import type { CapacityView, QuotaView, SlotCounts } from '@berth/client';
import type { Quota } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { countOf, countOrNone, type Limit } from '../options.js';
import { facts, relative, table, type Column } from '../text.js';

interface SetOptions {
  hosts?: Limit;
  hostsPerOwner?: Limit;
  resources?: Limit;
  owner?: Record<string, Limit>;
  none?: boolean;
}

/** `berth capacity`, `berth quota …`, `berth orphans` */
export function fleetCommands(program: Command, context: Context): void {
  leaf(program, 'capacity', 'slots of hosts: free, busy, and why the others can not be had')
    .option('--by <attribute>', 'also per value of an attribute, such as os')
    .action(async ({ by }: { by?: string }) => {
      const view = await context.berth.capacity(by);
      context.result(view, () => capacityText(view));
    });
  quotaCommands(program, context);
  leaf(program, 'orphans', 'what was found on hosts and in clouds that nobody owned: the last 100').action(async () => {
    const page = await context.berth.orphans();
    context.result(page, () =>
      page.items.length === 0
        ? 'No orphans.'
        : table(page.items, [
            ['WHAT', (o) => o.what],
            ['ID', (o) => o.id],
            ['WHERE', (o) => o.where],
            ['FOUND', (o) => relative(o.found)],
            ['DESTROYED', (o) => (o.destroyed === null ? (o.grace === null ? null : `due ${relative(o.grace)}`) : relative(o.destroyed))],
          ]),
    );
  });
}

function quotaCommands(program: Command, context: Context): void {
  const quota = program.command('quota').description('limits across blueprints');
  leaf(quota, 'show', 'the limits, and how much of them is used').action(async () => {
    const view = await context.berth.quota.get();
    context.result(view, () => quotaText(view));
  });
  leaf(quota, 'set', 'change limits; those that are not named stay')
    .option('--hosts <count>', 'slots of hosts leased at a time, over all owners; or none', countOrNone)
    .option('--hosts-per-owner <count>', 'slots of hosts that one owner may hold at a time; or none', countOrNone)
    .option('--owner <name=count...>', 'the same for one owner by name; or none', countOf)
    .option('--resources <count>', 'resources launched at a time, over all blueprints; or none', countOrNone)
    .addOption(new Option('--none', 'no limits at all').conflicts(['hosts', 'hostsPerOwner', 'owner', 'resources']))
    .action(async (options: SetOptions, command: Command) => {
      const { hosts, hostsPerOwner, owner, resources, none } = options;
      if (!none && [hosts, hostsPerOwner, owner, resources].every((one) => one === undefined)) command.error('error: give a limit to change, or --none', { code: 'berth.usage' });
      const before = none ? { owners: {} } : (await context.berth.quota.get()).quota;
      await context.berth.quota.set(changed(before, options));
      const view = await context.berth.quota.get();
      context.result(view, () => quotaText(view));
    });
}

/** The limits with those named replaced, or taken away. */
function changed(before: Quota, { hosts, hostsPerOwner, owner = {}, resources }: SetOptions): Quota {
  const owners = Object.entries({ ...before.owners, ...owner }).filter((entry): entry is [string, number] => entry[1] !== 'none');
  const next = { hosts: hosts ?? before.hosts, hostsPerOwner: hostsPerOwner ?? before.hostsPerOwner, resources: resources ?? before.resources };
  const limits = Object.entries(next).filter((entry): entry is [string, number] => entry[1] !== undefined && entry[1] !== 'none');
  return { ...Object.fromEntries(limits), owners: Object.fromEntries(owners) };
}

const counted = <T extends SlotCounts>(first: Column<T>): Column<T>[] => [
  first,
  ['SLOTS', (c) => c.total],
  ['FREE', (c) => c.free],
  ['BUSY', (c) => c.busy],
  ['BOOTING', (c) => c.booting],
  ['HELD', (c) => c.held],
  ['QUARANTINED', (c) => c.quarantined],
  ['DRAINING', (c) => c.draining],
  ['UNREACHABLE', (c) => c.unreachable],
  ['BROKEN', (c) => c.broken],
];

function capacityText({ total, blueprints, by, values }: CapacityView): string {
  const rows = [...blueprints.map((one) => ({ ...one, name: one.enabled ? one.blueprint : `${one.blueprint} (disabled)` })), { ...total, name: 'all' }];
  const parts = [table(rows, counted(['BLUEPRINT', (c) => c.name]))];
  if (by !== null) parts.push(table(values, counted([by.toUpperCase(), (c) => c.value])));
  return parts.join('\n\n');
}

const limit = (most: number | null | undefined): string => (most === undefined || most === null ? 'no limit' : String(most));

function quotaText({ quota, use }: QuotaView): string {
  const head = facts([
    ['host slots', `${use.hosts} in use, ${limit(quota.hosts)}`],
    ['per owner', limit(quota.hostsPerOwner)],
    ['launched resources', `${use.resources} in use, ${limit(quota.resources)}`],
  ]);
  if (use.owners.length === 0) return head;
  return `${head}\n\n${table(use.owners, [
    ['OWNER', (o) => o.owner],
    ['HOST SLOTS', (o) => o.hosts],
    ['LIMIT', (o) => (o.limit === null ? null : o.limit)],
  ])}`;
}
