import type { AnyRecorded, Explanation } from '@berth/contracts';
import { instantOf } from './row.js';

/** As of when: a position in BERTH_EVENTS, or an instant in milliseconds. */
export type AsOf = { position: number } | { time: number };

/** What the events say of why a lease waited. */
export interface Kept {
  /** RFC 3339 */
  at: string;
  position: number;
  reason: string;
  /** null: written by a version that kept the reason alone */
  explanation: Explanation | null;
}

/** Had this been written by then? */
export const writtenBy = ({ sequence, commit }: AnyRecorded, asOf: AsOf | undefined): boolean =>
  asOf === undefined || ('position' in asOf ? sequence <= asOf.position : Date.parse(commit.at) <= asOf.time);

/** Pure: the last explanation that had been written by then; undefined when there was none yet. */
export function keptExplanation(lease: readonly AnyRecorded[], asOf: AsOf | undefined): Kept | undefined {
  let kept: Kept | undefined;
  for (const recorded of lease) {
    if (!writtenBy(recorded, asOf)) break;
    for (const event of recorded.commit.events) {
      if (event.type !== 'LeaseWaiting' && event.type !== 'LeaseRefused') continue;
      const { reason, explanation } = event.data;
      kept = { at: instantOf(recorded.commit.at), position: recorded.sequence, reason, explanation: explanation ?? null };
    }
  }
  return kept;
}
