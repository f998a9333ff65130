import type { Command } from 'commander';
import type { LeaseQuery, LeaseView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { count, instant, time, untilOf } from '../options.js';
import { relative, table } from '../text.js';
import { fileCommands } from './lease-files.js';
import { leaseText, lifeCommands } from './lease-life.js';
import { requestCommand } from './lease-request.js';
import { serviceOfLeaseCommands } from './lease-service.js';
import { sessionCommands } from './lease-session.js';
import { workCommands } from './lease-work.js';

/** `berth lease …` */
export function leaseCommands(program: Command, context: Context): void {
  const lease = program.command('lease').description('leases of hosts, working copies, services and composites');
  requestCommand(lease, context);
  leaf(lease, 'list', 'leases, newest first')
    .option('--status <status>', 'only these: pending, acquired, active, released, broken, destroyed (with commas)')
    .option('--owner <name...>', 'only of these owners')
    .option('--project <name...>', 'only of these projects')
    .option('--blueprint <name...>', 'only of these blueprints')
    .option('--machine <name...>', 'only on these machines')
    .option('--plan <name...>', 'only of builds of these plans')
    .option('--sort <order>', 'created, modified or priority; with - before it the greatest first')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async ({ status, owner, project, blueprint, machine, plan, sort, limit, cursor }: LeaseQuery) => {
      const page = await context.berth.leases.list({ status, owner, project, blueprint, machine, plan, sort, limit, cursor });
      context.result(page, () => (page.items.length === 0 ? 'No leases.' : listed(page.items, context.colour) + more(page.cursor)));
    });
  leaf(lease, 'show <id>', 'one lease').action(async (id: string) => {
    const view = await context.berth.leases.get(id);
    context.result(view, () => leaseText(view));
  });
  leaf(lease, 'renew <id>', 'let a lease last longer')
    .option('--for <duration>', 'from now on, such as 30m or 2h', time)
    .option('--until <time>', 'until when, such as 2030-01-31T12:00:00Z', instant)
    .action(async (id: string, options: { for?: number; until?: string }, command: Command) => {
      const until = untilOf(options);
      if (until === undefined) command.error("error: give '--for <duration>' or '--until <time>'", { code: 'berth.usage' });
      await context.berth.leases.renew(id, until!);
      context.result({ id, until }, () => `Lease ${id} lasts until ${until}.`);
    });
  leaf(lease, 'release <id>', 'give a lease back; what is on its resource is cleaned up')
    .option('--reason <text>', 'why, for the history')
    .action(async (id: string, { reason }: { reason?: string }) => {
      const answer = await context.berth.leases.release(id, reason);
      context.result(answer, () => `Lease ${id} is released.`);
    });
  lifeCommands(lease, context);
  workCommands(lease, context);
  fileCommands(lease, context);
  sessionCommands(lease, context);
  serviceOfLeaseCommands(lease, context);
}

const more = (cursor: string | null): string => (cursor === null ? '' : `\nMore: --cursor ${cursor}`);

const listed = (leases: LeaseView[], colour: boolean): string =>
  table(
    leases,
    [
      ['LEASE', (l) => l.id],
      ['TYPE', (l) => l.type],
      ['STATUS', (l) => l.status],
      ['OWNER', (l) => l.owner],
      ['BLUEPRINT', (l) => l.blueprint],
      ['UNTIL', (l) => (l.status === 'destroyed' ? null : relative(l.until))],
      ['CREATED', (l) => relative(l.created)],
      ['REASON', (l) => l.error ?? l.reason],
    ],
    { colour },
  );
