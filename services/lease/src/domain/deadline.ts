import type { Lease } from './lease.js';

/** What a lease comes to by itself when nothing is heard of it, and when (milliseconds since 1970). */
export interface Deadline {
  at: number;
  what: 'until' | 'ttl' | 'wait';
}

/** What a lease does not know of itself; RFC 3339. */
export interface Times {
  /** when it was asked for */
  asked: string;
  /** since when this process hears of everything */
  live: string;
}

/** The latest instant that a date can hold: a span of any length may be asked for. */
const LATEST = 8_640_000_000_000_000;

/** An instant that many milliseconds after another. */
export const later = (instant: string, ms: number): string => new Date(Math.min(Date.parse(instant) + ms, LATEST)).toISOString();

/** The first thing that is going to end a lease by itself; undefined when only somebody can. */
export function deadline(lease: Lease, { asked, live }: Times): Deadline | undefined {
  if (lease.status !== 'pending' && lease.status !== 'acquired' && lease.status !== 'active') return undefined;
  const { until, ttl, waitAtMost } = lease.request;
  if (until === undefined && ttl === undefined && waitAtMost === undefined) return undefined; // most leases: every event asks
  const all: Deadline[] = [];
  if (until !== undefined) all.push({ at: Date.parse(until), what: 'until' });
  // While no process of this service ran, nobody could be heard: holders that did all they should get one ttl to say so again.
  if (ttl !== undefined && lease.alive !== undefined) all.push({ at: Math.max(Date.parse(lease.alive), Date.parse(live) + ttl), what: 'ttl' });
  if (waitAtMost !== undefined && lease.status === 'pending') all.push({ at: Date.parse(asked) + waitAtMost, what: 'wait' });
  return all.reduce<Deadline | undefined>((first, one) => (first && first.at <= one.at ? first : one), undefined);
}

/** A span as people write it: `90s` comes out as `1m30s`. */
export function spanText(ms: number): string {
  const units = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]] as const;
  let left = ms;
  let text = '';
  for (const [unit, length] of units) {
    if (left >= length) text += `${Math.floor(left / length)}${unit}`;
    left %= length;
  }
  return text;
}
