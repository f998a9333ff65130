/** How long a call is waited for, in ms. */
export interface CallTiming {
  /** of one try, until its whole answer is there */
  readonly request: number;
  /** of one try, until the connection stands */
  readonly connect: number;
  /** tries of a call that may be repeated at once */
  readonly tries: number;
}

/** Between two looks at something that is on its way, in ms: grows with its age, from the one to the other. */
export interface PollTiming {
  readonly pollFrom: number;
  readonly pollTo: number;
}

export const callTiming: CallTiming = { request: 10_000, connect: 3_000, tries: 3 };

/** Until the next look at something that has been on its way for `age` ms. */
export function pollAfter(age: number, { pollFrom, pollTo }: PollTiming): number {
  return Math.min(pollTo, Math.max(pollFrom, Math.round(age / 8)));
}

/** Until the next try of a call that has been failing for `age` ms: spread, so that many do not come back at once. */
export function retryAfter(age: number, { pollFrom, pollTo }: PollTiming): number {
  const most = Math.min(2 * pollTo, Math.max(2 * pollFrom, age / 4));
  return Math.round(most * (0.5 + Math.random() / 2));
}
