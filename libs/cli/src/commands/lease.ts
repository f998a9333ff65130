import type { Command } from 'commander';
import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import type { LeaseView } from '@berth/client';
import type { BlueprintName, ResourceType } from '@berth/contracts';
import { leaf, type Context } from '../context.js';
import { Exit, Failure, FAILED } from '../failure.js';
import { changes } from '../follow.js';
import { count, instant, keyValue, several, time, untilOf } from '../options.js';
import { reachableRepository } from '../plan-file.js';
import { facts, pairs, relative, table } from '../text.js';
import { workCommands } from './lease-work.js';

interface RequestOptions {
  type: ResourceType;
  attribute?: Record<string, string>;
  blueprint?: BlueprintName[];
  owner?: string;
  for?: number;
  until?: string;
  hostLease?: string;
  repository?: string;
  ref?: string;
  priority?: number;
  wait: boolean;
}
interface ListOptions {
  status?: string;
  limit?: number;
  cursor?: string;
}

/** `berth lease …` */
export function leaseCommands(program: Command, context: Context): void {
  const lease = program.command('lease').description('leases of hosts and working copies');
  leaf(lease, 'request', 'ask for a lease, and wait until it can be used')
    .requiredOption('--type <type>', 'host or working-copy')
    .option('--attribute <key=value...>', 'attributes that the resource must have', keyValue)
    .option('--blueprint <name...>', 'only from these blueprints', several)
    .option('--owner <name>', 'who it is for (default: you)')
    .option('--for <duration>', 'how long, such as 30m or 2h', time)
    .option('--until <time>', 'until when, such as 2030-01-31T12:00:00Z', instant)
    .option('--host-lease <id>', 'a working copy: on the host of this lease')
    .option('--repository <place>', 'a working copy: of this Git repository')
    .option('--ref <ref>', 'a working copy: at this branch, tag or commit')
    .option('--priority <number>', 'higher is served first', count)
    .option('--no-wait', 'do not wait: print the id at once')
    .action((options: RequestOptions) => request(context, options));
  leaf(lease, 'list', 'leases, newest first')
    .option('--status <status>', 'only these: pending, acquired, active, released, broken, destroyed (with commas)')
    .option('--limit <count>', 'at most so many', count)
    .option('--cursor <cursor>', 'from this place of an earlier list on')
    .action(async (options: ListOptions) => {
      const page = await context.berth.leases.list(options);
      context.result(page, () => (page.items.length === 0 ? 'No leases.' : listed(page.items, context.colour) + more(page.cursor)));
    });
  leaf(lease, 'show <id>', 'one lease').action(async (id: string) => {
    const view = await context.berth.leases.get(id);
    context.result(view, () => shown(view));
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
  workCommands(lease, context);
}

async function request(context: Context, options: RequestOptions): Promise<void> {
  const { berth } = context;
  const { repository, ref, hostLease, type, priority } = options;
  const until = untilOf(options);
  const reachable = repository === undefined ? undefined : await reachableRepository(repository, context.io.cwd, context.home, (text) => context.note(text));
  const copy = { ...(reachable !== undefined && { repository: reachable }), ...(ref !== undefined && { ref }) };
  const id = randomUUID();
  const given = new AbortController();
  const interrupt = () => given.abort();
  // From before the request is sent: a lease that was asked for is never left to itself.
  if (options.wait) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const lease = {
    type,
    owner: options.owner ?? whoIsAsking(),
    ...(options.attribute && { attributes: options.attribute }),
    ...(options.blueprint && { blueprints: options.blueprint }),
    ...(until !== undefined && { until }),
    ...(hostLease !== undefined && { host: { lease: hostLease } }),
    ...(Object.keys(copy).length > 0 && { workingCopy: copy }),
    ...(priority !== undefined && { priority }),
  };
  try {
    await berth.leases.request(lease, { id });
    if (!options.wait) return context.result({ id }, () => id);
    const view = await active(context, id, given.signal);
    context.result(view, () => shown(view));
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

/** Waits until a lease can be used. Whoever stops waiting gives it back: nobody else would. */
async function active(context: Context, id: string, given: AbortSignal): Promise<LeaseView> {
  const { berth } = context;
  let told: string | undefined;
  try {
    for await (const lease of changes(berth, id, () => berth.leases.get(id), given)) {
      if (given.aborted) break;
      if (lease.status === 'active') return lease;
      if (lease.status !== 'pending' && lease.status !== 'acquired') {
        throw new Failure('lease-ended', `The lease is ${lease.status}: ${lease.error ?? lease.reason ?? 'no reason is given'}.`, [], FAILED);
      }
      const now = lease.status === 'acquired' ? 'preparing the resource' : `waiting: ${lease.reason ?? 'looking for a resource'}`;
      if (now !== told) context.note(now);
      told = now;
    }
  } catch (error) {
    if (!given.aborted) throw error;
  }
  await berth.leases.release(id, 'nobody waits for it any more');
  context.note(`Lease ${id} is released.`);
  throw new Exit(130);
}

function whoIsAsking(): string {
  try {
    return userInfo().username;
  } catch {
    return 'anonymous'; // a user id without an entry in the system's list
  }
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

const shown = (lease: LeaseView): string =>
  facts([
    ['lease', lease.id],
    ['status', lease.status],
    ['reason', lease.reason],
    ['error', lease.error],
    ['type', lease.type],
    ['owner', lease.owner],
    ['attributes', pairs(lease.attributes)],
    ['blueprint', lease.blueprint],
    ['resource', lease.resource && `${lease.resource} slot ${lease.slot}`],
    ['host lease', lease.hostLease],
    ['until', lease.until && `${lease.until} (${relative(lease.until)})`],
    ['created', relative(lease.created)],
    ['modified', relative(lease.modified)],
  ]);
