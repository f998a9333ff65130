/** A part of an object: from `start` up to and without `end`, or to the end of the object. */
export interface Range {
  start: number;
  end?: number;
}

export interface PutOptions {
  /** more than that is refused */
  maxBytes?: number;
  /** nobody wants it any more: `put` rejects with the signal's reason */
  signal?: AbortSignal;
}

/** What is known of an object without reading it. */
export interface ObjectFacts {
  bytes: number;
  /** lower-case hexadecimal; absent when somebody else put it there */
  sha256?: string;
}

/** An object whose bytes can be read, more than once. */
export interface OpenObject extends ObjectFacts {
  /**
   * The bytes, no faster than they are taken. Without a range every byte is checked against the hash, and the last piece is
   * handed over only once all of it is right; a range is not checked.
   *
   * @throws {CorruptError} what is stored is not what was put
   * @throws {ChangedError} the name was given to other bytes, or removed, since it was opened
   * @throws {UnavailableError} the store does not answer
   */
  read(range?: Range, signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface Listed {
  name: string;
  bytes: number;
  /** when it was put */
  time: Date;
}

/**
 * Bytes by name. Three stores, one contract (`objects.contract.ts`): memory is bounded however large an object is, and
 * nothing is read or taken faster than the other side goes.
 *
 * Every call rejects with {@link UnavailableError} when the store can't be asked: an outage is never told as absent.
 */
export interface Objects {
  /**
   * All or nothing. Once it resolves, whoever opens the name sees these bytes; until then, what was there before.
   *
   * @throws {InvalidNameError} the name breaks the rules of `objectName`
   * @throws {TooLargeError} longer than `maxBytes`; nothing of it is kept
   * @throws {FullError} the store has no room; nothing of it is kept
   */
  put(name: string, content: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<{ bytes: number; sha256: string }>;
  /** undefined: there is no such object */
  open(name: string): Promise<OpenObject | undefined>;
  /** Also when there is none. */
  remove(name: string): Promise<void>;
  /** Every object whose name begins so, page by page, in no order. One that comes or goes meanwhile may be told of or not. */
  list(prefix?: string): AsyncIterable<Listed>;
}
