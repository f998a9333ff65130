import type { Commit, EventOf, Kind, Recorded } from '@berth/contracts';

/** The stream moved on since it was read: load it again and decide anew. */
export class ConflictError extends Error {
  constructor(
    readonly stream: string,
    readonly expected: number,
  ) {
    super(`${stream} is no longer at revision ${expected}`);
    this.name = 'ConflictError';
  }
}

/** The store did not answer: whether the commit was stored is unknown; the same commit may be appended again. */
export class UnavailableError extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(`the event store is not available: ${what}`, options);
    this.name = 'UnavailableError';
  }
}

/** Something stored that this version can't read. Stops whoever reads it, with the place. */
export class UnreadableError extends Error {
  constructor(
    readonly sequence: number,
    why: string,
  ) {
    super(`event at position ${sequence} can't be read: ${why}`);
    this.name = 'UnreadableError';
  }
}

/** A running subscription to all commits in their one order. */
export interface Feed {
  /** Position of the commit that was handed to the subscriber last, or is being handed over now. */
  readonly position: number;
  /** Resolves once everything that was stored when the feed began has been handed over. */
  readonly live: Promise<void>;
  /** Resolves when `position` has reached `sequence`; rejects when the feed stops first. */
  reached(sequence: number): Promise<void>;
  stop(): Promise<void>;
}

/** Where commits are kept. One contract suite holds for every implementation. */
export interface EventStore {
  /**
   * Appends one commit to `berth.evt.<kind>.<id>`.
   *
   * @param expected revision that the stream must be at: the sequence of its last commit, 0 for a stream that is new
   * @returns the position of the commit, which is the stream's new revision; that of the first copy when a commit with this id is there already
   * @throws {ConflictError} the stream is at another revision
   * @throws {UnavailableError} no answer: append the same commit again
   */
  append(kind: Kind, id: string, expected: number, commit: Commit): Promise<number>;
  /**
   * All commits of a stream, oldest first; empty for one that isn't there.
   * @throws {UnavailableError} no answer (never told as "not there")
   */
  load<E extends EventOf<string, unknown>>(kind: Kind, id: string): Promise<Recorded<E>[]>;
  /**
   * Hands every commit after position `after` to `onCommit`, each once and in order, for ever. `onCommit` must not throw:
   * when it does, the feed stops and `onError` is told.
   *
   * @param kinds only these are read and handed over (all when absent); the position counts every commit all the same
   */
  feed(after: number, onCommit: (recorded: Recorded) => void, onError: (error: Error) => void, kinds?: readonly Kind[]): Promise<Feed>;
}
