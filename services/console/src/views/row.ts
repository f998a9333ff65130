import type { AnyRecorded, EventOf } from '@berth/contracts';

/** What a fold needs to know of the commit that an event stands in. */
export interface Where {
  id: string;
  /** position in BERTH_EVENTS */
  sequence: number;
  /** RFC 3339 */
  at: string;
  /** who asked */
  actor: string;
}

/** One line per event type: what it makes of a row. The first event of a stream finds none. */
export type Changes<R, E extends EventOf<string, unknown>> = { [T in E['type']]: (row: R | undefined, data: Extract<E, { type: T }>['data'], where: Where) => R };

/** Every row knows which position it shows and where its thing began. */
export interface Row {
  id: string;
  created: string;
  modified: string;
  /** position of the last commit in it */
  position: number;
  /** position of its first commit: the order of lists, unique and never changed */
  opened: number;
}

/** Folds one commit into a row. A commit that the row shows already changes nothing. */
export function foldRow<R extends Row, E extends EventOf<string, unknown>>(changes: Changes<R, E>, row: R | undefined, recorded: AnyRecorded): R | undefined {
  if (row && recorded.sequence <= row.position) return row;
  const where: Where = { id: recorded.id, sequence: recorded.sequence, at: instantOf(recorded.commit.at), actor: recorded.commit.actor };
  let next = row;
  for (const event of recorded.commit.events) {
    const change = changes[event.type as E['type']] as (row: R | undefined, data: unknown, where: Where) => R;
    next = change(next, event.data, where);
  }
  return next && { ...next, modified: where.at, position: where.sequence };
}

/** The same instant always as the same text, whichever offset or precision its writer chose. */
export const instantOf = (text: string): string => new Date(text).toISOString();

/** @throws always: an event without the first one of its stream, which only a foreign writer can cause */
export function required<R>(row: R | undefined, where: Where): R {
  if (row === undefined) throw new Error(`event at position ${where.sequence} belongs to ${where.id}, which never began`);
  return row;
}
