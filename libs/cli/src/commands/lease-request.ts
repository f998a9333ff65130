import { InvalidArgumentError, Option, type Command } from 'commander';
import { randomUUID } from 'node:crypto';
import type { LeaseInput, LeaseView } from '@berth/client';
import { resourceType, type ResourceType } from '@berth/contracts';
import { considerations } from '../considered.js';
import { leaf, type Context } from '../context.js';
import { Exit, Failure, FAILED } from '../failure.js';
import { changes } from '../follow.js';
import { count, instant, several, time, untilOf, wanted, wish } from '../options.js';
import { reachableRepository } from '../plan-file.js';
import { span } from '../text.js';
import { beating, leaseText } from './lease-life.js';

interface RequestOptions {
  type: ResourceType;
  attribute?: Record<string, string>;
  prefer?: Record<string, string>[];
  blueprint?: string[];
  owner?: string;
  project?: string;
  for?: number;
  until?: string;
  ttl?: number;
  hostLease?: string;
  repository?: string;
  ref?: string;
  affinity?: string;
  priority?: number;
  wait?: boolean;
  try?: boolean;
  waitAtMost?: number;
  noWait?: boolean;
  dryRun?: boolean;
}

const NOTES = `
Attributes: os=linux, os=linux|mac (one of these), os!=windows, 'cpus>=8', 'cpus>=8' 'cpus<16', 'memory>=16GiB',
gpu=* (has one). Quote what your shell would read as something else.

Unless --wait or --try is given, a request is refused when nothing there could ever serve it, and waits otherwise.`;

/** `berth lease request` */
export function requestCommand(lease: Command, context: Context): void {
  // Commander reads --no-wait as the opposite of --wait; here each says something of its own, and both may be given.
  const noWait = new Option('--no-wait', 'do not wait here: print the id at once');
  noWait.negate = false;
  leaf(lease, 'request', 'ask for a lease, and wait until it can be used')
    .requiredOption('--type <type>', resourceType.options.join(', '), typeOf)
    .option('--attribute <wanted...>', 'what the resource must have, such as os=linux or \'cpus>=8\'', wanted)
    .option('--prefer <wanted,...>', 'what it should have besides; again for what to take instead, the dearest first', wish)
    .option('--blueprint <name...>', 'only from these blueprints', several)
    .option('--owner <name>', 'who it is for (default: you)')
    .option('--project <name>', 'whom it acts for: blueprints may be open to some projects only')
    .option('--for <duration>', 'how long, such as 30m or 2h', time)
    .option('--until <time>', 'until when, such as 2030-01-31T12:00:00Z', instant)
    .option('--ttl <duration>', 'it ends by itself when its holder was not heard of for so long (see `berth lease keep`)', time)
    .option('--host-lease <id>', 'a working copy or a service: on the host of this lease')
    .option('--repository <place>', 'a working copy: of this Git repository')
    .option('--ref <ref>', 'a working copy: at this branch, tag or commit')
    .option('--affinity <key>', 'a key, such as a repository: a host that served the same key last is taken first')
    .option('--priority <number>', 'higher is served first; a point is worth a minute of waiting', count)
    .addOption(new Option('--wait', 'wait even if nothing there could serve it yet').conflicts('try'))
    .option('--try', 'do not wait at all: served at once, or refused')
    .option('--wait-at-most <duration>', 'refused when it still waits after so long', time)
    .addOption(noWait)
    .option('--dry-run', 'only say what would become of it; ends with 1 when it would be refused')
    .addHelpText('after', NOTES)
    .action((options: RequestOptions) => request(context, options));
}

function typeOf(text: string): ResourceType {
  const parsed = resourceType.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError(`Use ${resourceType.options.join(', ')}.`);
  return parsed.data;
}

async function request(context: Context, options: RequestOptions): Promise<void> {
  const { berth } = context;
  const lease = await leaseInput(context, options);
  if (options.dryRun) return dryRun(context, lease);
  const foreground = options.noWait !== true;
  const id = randomUUID();
  const given = new AbortController();
  const interrupt = () => given.abort();
  // From before the request is sent: a lease that was asked for is never left to itself.
  if (foreground) for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  let stop: () => void = () => undefined;
  try {
    await berth.leases.request(lease, { id });
    const howToLive = () => options.ttl !== undefined && context.note(`It ends when you are not heard of for ${span(options.ttl)}: run \`berth lease keep ${id}\`, or \`berth lease beat ${id}\` more often than that.`);
    if (!foreground) {
      howToLive();
      return context.result({ id }, () => id);
    }
    if (options.ttl !== undefined) stop = beating(context, id, options.ttl);
    const view = await active(context, id, given.signal);
    howToLive();
    context.result(view, () => leaseText(view));
  } finally {
    stop();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
}

async function leaseInput(context: Context, options: RequestOptions): Promise<LeaseInput> {
  const { attribute, prefer, blueprint, project, ttl, hostLease, repository, ref, affinity, priority, waitAtMost } = options;
  const until = untilOf(options);
  const reachable = repository === undefined ? undefined : await reachableRepository(repository, context.io.cwd, context.home, (text) => context.note(text));
  const owner = options.owner ?? context.asker('anonymous');
  const copy = { ...(reachable !== undefined && { repository: reachable }), ...(ref !== undefined && { ref }) };
  return {
    type: options.type,
    ...(owner !== undefined && { owner }),
    ...(project !== undefined && { project }),
    ...(attribute && { attributes: attribute }),
    ...(prefer && { prefer }),
    ...(blueprint && { blueprints: blueprint }),
    ...(until !== undefined && { until }),
    ...(ttl !== undefined && { ttl }),
    ...(hostLease !== undefined && { host: { lease: hostLease } }),
    ...(Object.keys(copy).length > 0 && { workingCopy: copy }),
    ...(affinity !== undefined && { affinity }),
    ...(priority !== undefined && { priority }),
    ...(options.wait && { wait: 'always' as const }),
    ...(options.try && { wait: 'no' as const }),
    ...(waitAtMost !== undefined && { waitAtMost }),
  };
}

async function dryRun(context: Context, lease: LeaseInput): Promise<void> {
  const explanation = await context.berth.leases.consider(lease);
  const { verdict } = explanation;
  const refused = (verdict === 'never' && lease.wait !== 'always') || (verdict === 'wait' && lease.wait === 'no');
  const word = refused ? 'It would be refused.' : verdict === 'now' ? 'It would be served at once.' : 'It would wait.';
  context.result(explanation, () => `${word}\n\n${considerations(explanation, { colour: context.colour })}`);
  if (refused) throw new Exit(FAILED);
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
        const how = lease.ended ?? lease.status;
        const explanation = how === 'refused' ? (await berth.leases.explanation(id)).explanation : null;
        throw new Failure(how === 'refused' ? 'unservable' : 'lease-ended', `The lease is ${how}: ${lease.error ?? lease.reason ?? 'no reason is given'}.`, [], FAILED, explanation ?? undefined);
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
