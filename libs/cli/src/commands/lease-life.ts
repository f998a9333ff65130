import { InvalidArgumentError, type Command } from 'commander';
import { ProblemError, type LeaseView } from '@berth/client';
import { leaf, type Context } from '../context.js';
import { Exit, Failure } from '../failure.js';
import { changes } from '../follow.js';
import { count, time } from '../options.js';
import { facts, pairs, relative, span, wishes } from '../text.js';
import { heldByMe } from './service.js';
import { becameOf } from './why.js';

/** The life of a lease that is there: `berth lease beat|keep|priority|hold` */
export function lifeCommands(lease: Command, context: Context): void {
  leaf(lease, 'beat <id>', 'say once that the holder of a lease with a ttl lives').action(async (id: string) => {
    const answer = await context.berth.leases.beat(id);
    context.result(answer, () => `Lease ${id} goes on.`);
  });
  leaf(lease, 'keep <id>', 'say so again and again, until the lease is over or Ctrl-C').action((id: string) => keep(context, id));
  leaf(lease, 'priority <id> <number>', 'move a request that waits up or down')
    .action(async (id: string, text: string) => {
      const answer = await context.berth.leases.prioritize(id, priority(text));
      context.result(answer, () => `Lease ${id} has priority ${text}.`);
    });
  leaf(lease, 'hold <id>', 'keep the host of a lease as it is, for debugging: no new leases, and nothing on it is removed')
    .requiredOption('--for <duration>', 'how long at most, such as 1h', time)
    .option('--reason <text>', 'why, for whoever asks (default: that you hold it)')
    .action(async (id: string, options: { for: number; reason?: string }) => {
      const answer = await context.berth.leases.hold(id, { for: options.for, reason: options.reason ?? heldByMe() });
      context.result(answer, () => `Resource ${answer.id} is held for ${span(options.for)}: end it with \`berth resource unhold ${answer.id}\`.`);
    });
}

function priority(text: string): number {
  const value = count(text);
  if (value > 1000) throw new InvalidArgumentError('Use a number from 0 to 1000.');
  return value;
}

/** How often within a ttl the holder is heard of: two beats may get lost. */
const BEATS = 3;

/** Says again and again that the holder of a lease lives; what it gives ends that. A beat that fails is told once, and the next one is tried. */
export function beating(context: Context, id: string, ttl: number): () => void {
  let troubled = false;
  const timer = setInterval(() => {
    context.berth.leases.beat(id).then(
      () => (troubled = false),
      (error: unknown) => {
        // That it is over is told by whoever watches it.
        if (error instanceof ProblemError && (error.code === 'lease-ended' || error.code === 'unknown-lease')) return clearInterval(timer);
        if (!troubled) context.note(`a beat was not taken (${(error as Error).message}); going on`);
        troubled = true;
      },
    );
  }, Math.max(100, ttl / BEATS));
  return () => clearInterval(timer);
}

async function keep(context: Context, id: string): Promise<void> {
  const { berth } = context;
  let lease = await berth.leases.get(id);
  if (lease.ended !== null) throw new Failure('lease-ended', `The lease is ${becameOf(lease)}.`);
  if (lease.ttl === null) throw new Failure('invalid-data', 'The lease has no ttl: it goes on without being kept.');
  await berth.leases.beat(id);
  const given = new AbortController();
  const interrupt = () => given.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
  const stop = beating(context, id, lease.ttl);
  context.note(`keeping lease ${id}, heard of at least every ${span(lease.ttl)}`);
  try {
    for await (lease of changes(berth, id, () => berth.leases.get(id), given.signal)) {
      if (given.signal.aborted || lease.ended !== null) break;
    }
  } catch (error) {
    if (!given.signal.aborted) throw error;
  } finally {
    stop();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, interrupt);
  }
  if (lease.ended === null) {
    context.note(`Lease ${id} is no longer kept, and not released: it ends ${lease.alive === null ? 'by itself' : `by itself ${relative(lease.alive)}`} unless somebody beats.`);
    throw new Exit(130);
  }
  const over = lease;
  context.result(over, () => `Lease ${id} is ${becameOf(over)}.`);
}

/** A lease, a fact a line. */
export const leaseText = (lease: LeaseView): string =>
  facts([
    ['lease', lease.id],
    ['status', lease.status],
    ['ended', lease.ended],
    ['reason', lease.reason],
    ['error', lease.error],
    ['type', lease.type],
    ['owner', lease.owner],
    ['project', lease.project],
    ['attributes', wishes(lease.attributes)],
    ['prefers', lease.prefer.map(wishes).join(', else ')],
    ['only from', lease.blueprints.join(', ')],
    ['priority', lease.priority],
    ['affinity', lease.affinity],
    ['waits', lease.status === 'pending' ? waits(lease) : null],
    ['blueprint', lease.blueprint],
    ['resource', lease.resource && `${lease.resource} slot ${lease.slot}`],
    ['host lease', lease.hostLease],
    ['path', lease.path],
    ['uri', lease.uri],
    ['port', lease.port],
    ['members', lease.members && pairs(lease.members)],
    ['until', lease.until && `${lease.until} (${relative(lease.until)})`],
    ['ttl', lease.ttl === null ? null : `${span(lease.ttl)}${lease.ended === null && lease.alive !== null ? `, ends ${relative(lease.alive)} unless its holder is heard of` : ''}`],
    ['created', relative(lease.created)],
    ['modified', relative(lease.modified)],
  ]);

function waits({ wait, waitAtMost, created }: LeaseView): string {
  const how = { no: 'not at all', served: 'while something there could serve it', always: 'until something can serve it' }[wait];
  return waitAtMost === null ? how : `${how}, given up ${relative(new Date(Date.parse(created) + waitAtMost).toISOString())}`;
}
