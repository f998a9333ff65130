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

/** All rows that a stream has had so far. */
export const ALL = Symbol('all rows of the stream');
/** Which row of its stream an event is about; undefined: none of this projection. */
export type RowOf<E extends EventOf<string, unknown>> = (event: E, stream: string) => string | typeof ALL | undefined;

/** Where an event of a stream with several rows stands. */
export interface PartWhere extends Where {
  /** id of the stream */
  stream: string;
  /** tells apart what begins in one commit, and keeps its order: the position, and which event of it */
  opened: number;
}
/** One line per event type, but for those that change no row. */
export type PartChanges<R, E extends EventOf<string, unknown>, Others extends E['type'] = never> = {
  [T in Exclude<E['type'], Others>]: (row: R | undefined, data: Extract<E, { type: T }>['data'], where: PartWhere) => R | undefined;
};

/** A commit has fewer events than that: it is one message. 2^53 / 2^16 commits are more than there will ever be. */
const EVENTS_OF_A_COMMIT = 65_536;

/** Folds what one commit says of one of several rows of its stream. */
export function foldPart<R extends Row, E extends EventOf<string, unknown>>(changes: object, rowOf: RowOf<E>, row: R | undefined, recorded: AnyRecorded, id: string): R | undefined {
  if (row && recorded.sequence <= row.position) return row;
  const { id: stream, sequence, commit } = recorded;
  const at = instantOf(commit.at);
  let next = row;
  for (const [nth, event] of (commit.events as unknown as E[]).entries()) {
    const of = rowOf(event, stream);
    const change = (changes as Record<string, unknown>)[event.type] as ((row: R | undefined, data: unknown, where: PartWhere) => R | undefined) | undefined;
    if (!change || (of !== id && (of !== ALL || next === undefined))) continue;
    const changed = change(next, event.data, { id, stream, sequence, at, actor: commit.actor, opened: sequence * EVENTS_OF_A_COMMIT + nth });
    next = changed && { ...changed, modified: at, position: sequence };
  }
  return next;
}
