/** Not a name of an object. */
export class InvalidNameError extends Error {
  override readonly name = 'InvalidNameError';
}

/** Longer than what is allowed. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
  constructor(
    readonly object: string,
    readonly maxBytes: number,
  ) {
    super(`${object} is longer than the ${maxBytes} bytes that are allowed`);
  }
}

/** The store has no room for it. */
export class FullError extends Error {
  override readonly name = 'FullError';
  constructor(object: string, why: string, options?: ErrorOptions) {
    super(`${object} could not be stored, for the store of artifacts is full (${why}): remove what is no longer needed, or give it more room`, options);
  }
}

/** What is stored is not what was put there. */
export class CorruptError extends Error {
  override readonly name = 'CorruptError';
  constructor(
    readonly object: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`the stored bytes of ${object} are damaged: ${why}`, options);
  }
}

/** The name was given to other bytes, or removed, while it was being read. */
export class ChangedError extends Error {
  override readonly name = 'ChangedError';
  constructor(readonly object: string) {
    super(`${object} was replaced or removed while it was being read: open it again`);
  }
}

/** The store can't be asked, or does not do what it is asked. Whether the object is there is not known. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
  /** @param why without the name of the store: one that is not that of the artifacts is named by whoever uses it */
  constructor(
    readonly why: string,
    options?: ErrorOptions,
  ) {
    super(`the store of artifacts is not available: ${why}`, options);
  }
}
