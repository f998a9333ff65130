import { Option, type Command } from 'commander';
import type { UsageBy, UsageQuery, UsageView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { instant, timeText } from '../options.js';
import { span, table } from '../text.js';

interface UsageOptions extends UsageQuery {
  csv?: boolean;
}

/** `berth usage` */
export function usageCommand(program: Command, context: Context): void {
  leaf(program, 'usage', 'who has used how many hours of hosts, how long they waited, and what it cost: of the last week unless told otherwise')
    .option('--from <time>', 'from then on, such as 2030-01-31T12:00:00Z', instant)
    .option('--to <time>', 'up to then; now when absent', instant)
    .addOption(new Option('--by <what>', 'a line for each').choices(['owner', 'plan', 'blueprint', 'project'] satisfies UsageBy[]).default('owner'))
    .option('--bucket <duration>', 'in stretches of so long, such as 1h or 1d', timeText)
    .addOption(new Option('--csv', 'comma-separated values').conflicts('json'))
    .action(async ({ csv, from, to, by, bucket }: UsageOptions) => {
      const query = { from, to, by, bucket };
      if (csv) return void context.io.stdout.write(await context.berth.usageCsv(query));
      const view = await context.berth.usage(query);
      context.result(view, () => usageText(view));
    });
}

const percent = (share: number | null): string | null => (share === null ? null : `${(100 * share).toFixed(1)}%`);
const money = (cost: Record<string, number>): string | null => Object.entries(cost).map(([currency, value]) => `${value.toFixed(2)} ${currency}`).join(' + ') || null;

function usageText({ by, bucketMs, items, totals }: UsageView): string {
  const whole = bucketMs === null ? [] : [['FROM', ({ from }: { from: string }) => from] as const];
  const used = table(items, [
    ...whole,
    [by.toUpperCase(), (u) => u.key],
    ['HOST HOURS', (u) => u.hostHours.toFixed(2)],
    ['SHARE', (u) => percent(u.share)],
    ['LEASES', (u) => u.leases],
    ['WAIT P50', (u) => u.queueMs && span(u.queueMs.p50)],
    ['P90', (u) => u.queueMs && span(u.queueMs.p90)],
    ['P99', (u) => u.queueMs && span(u.queueMs.p99)],
    ['BUILDS', (u) => u.builds.ended],
    ['FAILED', (u) => u.builds.failed + u.builds.errors],
    ['COST', (u) => money(u.cost)],
  ]);
  const there = table(totals, [
    ['FROM', (t) => t.from],
    ['TO', (t) => t.to],
    ['HOST HOURS', (t) => t.hostHours.toFixed(2)],
    ['OF', (t) => t.capacityHours.toFixed(2)],
    ['USED', (t) => percent(t.utilisation)],
    ['IDLE', (t) => percent(t.idle)],
    ['COST', (t) => money(t.cost)],
  ]);
  return items.length === 0 ? `Nothing was used.\n\n${there}` : `${used}\n\n${there}`;
}
