import type { Command } from 'commander';
import { ProblemError, type LeaseExplanation, type LeaseView } from '@berth/client';
import { considerations } from '../considered.js';
import { leaf, type Context } from '../context.js';
import { facts, relative, wishes } from '../text.js';

/** `berth why` */
export function whyCommand(program: Command, context: Context): void {
  leaf(program, 'why <id>', 'why a lease or a build waits, or waited: what was looked at, and what happens next')
    .option('--at <time>', 'as of then: a time such as 2030-01-31T12:00:00Z, or a position as in `berth history`')
    .action(async (id: string, options: { at?: string }) => {
      const told = await explanationOf(context, id, options);
      context.result(told, () => shown(told, context.colour));
    });
}

/** Ids say nothing of their kind: most that wait are leases. */
async function explanationOf({ berth }: Context, id: string, options: { at?: string }): Promise<LeaseExplanation> {
  try {
    return await berth.leases.explanation(id, options);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'unknown-lease') throw error;
  }
  return berth.builds.explanation(id, options);
}

function shown({ lease, waitsFor, live, at, position, reason, explanation }: LeaseExplanation, colour: boolean): string {
  const head = facts([
    ['lease', lease.id],
    ['wants', [lease.type, wishes(lease.attributes)].filter(Boolean).join(' ')],
    ['owner', lease.owner],
    ['now', becameOf(lease)],
    ['waits for', waitsFor && `${waitsFor.member === null ? `its own ${waitsFor.type}` : `a ${waitsFor.type} of its member ${waitsFor.member}`}: lease ${waitsFor.lease}`],
    ['as of', at && (live ? 'now' : `${at} (${relative(at)}, position ${position})`)],
  ]);
  const why = explanation ? considerations(explanation, { colour }) : reason === null ? 'It did not wait then, as far as is known.' : facts([['reason', reason]]);
  return `${head}\n\n${why}`;
}

/** What became of a lease, in a few words. */
export function becameOf(lease: LeaseView): string {
  switch (lease.ended) {
    case null:
      break;
    case 'broken':
      return `broken: ${lease.error ?? 'no reason is given'}`;
    case 'released':
    case 'expired':
    case 'refused':
      return `${lease.ended}: ${lease.reason ?? 'no reason is given'}`;
  }
  return lease.resource === null ? lease.status : `${lease.status}, served by ${lease.blueprint}: resource ${lease.resource} slot ${lease.slot}`;
}
