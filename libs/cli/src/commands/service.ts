import type { Command } from 'commander';
import type { Accepted, ServiceInput, ServiceVerb } from '@berth/client';
import { whoIsAsking } from '../asker.js';
import { leaf, type Context } from '../context.js';
import { time } from '../options.js';

interface ServiceOptions {
  for?: number;
  reason?: string;
}
type Send = (which: string, verb: ServiceVerb, input: ServiceInput) => Promise<Accepted>;

/** Ways out of service and back, the same for resources and for machines. */
export function serviceCommands(parent: Command, argument: '<id>' | '<name>', context: Context, send: Send): void {
  const run = async (which: string, verb: ServiceVerb, { for: ms, reason }: ServiceOptions, done: string) => {
    const answer = await send(which, verb, { ...(ms !== undefined && { for: ms }), ...(reason !== undefined && { reason }) });
    context.result(answer, () => `${which} ${done}`);
  };
  leaf(parent, `quarantine ${argument}`, 'grant no new leases on it for a while; what is leased goes on')
    .option('--for <duration>', 'how long; 10 s, doubling with each time in a row up to 1 h, when absent', time)
    .requiredOption('--reason <text>', 'why, for whoever asks')
    .action((which: string, options: ServiceOptions) => run(which, 'quarantine', options, 'is quarantined.'));
  leaf(parent, `unquarantine ${argument}`, 'let it be leased again')
    .option('--reason <text>', 'why, for the history')
    .action((which: string, options: ServiceOptions) => run(which, 'end-quarantine', options, 'is no longer quarantined.'));
  leaf(parent, `hold ${argument}`, 'keep it as it is, for debugging: no new leases, and nothing on it is removed')
    .requiredOption('--for <duration>', 'how long at most, such as 1h', time)
    .option('--reason <text>', 'why, for whoever asks (default: that you hold it)')
    .action((which: string, options: ServiceOptions) => run(which, 'hold', { ...options, reason: options.reason ?? heldByMe() }, 'is held.'));
  leaf(parent, `unhold ${argument}`, 'end a hold: what was kept is cleaned up').action((which: string) => run(which, 'end-hold', {}, 'is no longer held.'));
  leaf(parent, `drain ${argument}`, 'grant no new leases on it until it is undrained; what is leased goes on')
    .option('--reason <text>', 'why, for whoever asks')
    .action((which: string, options: ServiceOptions) => run(which, 'drain', options, 'is draining.'));
  leaf(parent, `undrain ${argument}`, 'let it be leased again').action((which: string) => run(which, 'end-drain', {}, 'is no longer draining.'));
  leaf(parent, `release ${argument}`, 'end it for good once its last lease is over; the host of a machine is made anew')
    .option('--reason <text>', 'why, for the history')
    .action((which: string, options: ServiceOptions) => run(which, 'release', options, 'ends once its last lease is over.'));
}

/** What a hold says of itself when nobody said why. */
export const heldByMe = (): string => `held by ${whoIsAsking('somebody')}`;
