import type { Considered, Explanation } from '@berth/contracts';
import { facts, relative, table } from './text.js';

/** What was looked at for a request, and what follows. */
export function considerations(explanation: Explanation, options: { colour: boolean }): string {
  const { considered, reason, next, by, ahead, more } = explanation;
  const rows = telling(considered);
  const looked = table(
    rows,
    [
      ['BLUEPRINT', (one) => one.blueprint],
      ['RESOURCE', (one) => one.name ?? one.resource],
      ['REASON', (one) => one.reason + holders(one)],
      ['UNTIL', (one) => (one.until === undefined ? null : relative(one.until))],
    ],
    options,
  );
  const rest = more > 0 ? `and ${more} more resources` : '';
  const whole = facts([
    ['reason', reason],
    ['next', next],
    ['by', by && `${by} (${relative(by)})`],
    ['ahead', ahead],
  ]);
  return [rows.length > 0 ? looked : '', rest, whole].filter(Boolean).join('\n\n');
}

/**
 * What says something to people: not a blueprint that only repeats what is said of one of its hosts, and of those that make
 * another type nothing, as long as there is anything else to say. Programs get all of it.
 */
function telling(considered: readonly Considered[]): readonly Considered[] {
  const own = considered.filter(({ code }) => code !== 'other-type');
  const repeats = (one: Considered) => one.resource === undefined && own.some((host) => host.resource !== undefined && host.blueprint === one.blueprint && host.code === one.code && one.reason.endsWith(host.reason));
  const rows = own.filter((one) => !repeats(one));
  return rows.length > 0 ? rows : considered;
}

function holders({ reason, holders: held = [] }: Considered): string {
  if (held.every(({ owner }) => reason.includes(owner))) return '';
  const names = held.map(({ owner, until }) => (until === undefined ? owner : `${owner}, ends ${relative(until)}`));
  return names.length === 0 ? '' : ` (held by ${names.join(', ')})`;
}
