/** How long things are waited for, in ms. Tests shorten some. */
export interface Timing {
  /** of one try of a call, until its whole answer is there */
  readonly request: number;
  /** of one try of a call, until the connection stands */
  readonly connect: number;
  /** tries of a call that only asks. Launches are tried once: the next step asks again with the same token. */
  readonly tries: number;
  /** questions about single instances within this time become one call */
  readonly gather: number;
  /** between two looks at something that is on its way: grows with its age, from the one to the other */
  readonly pollFrom: number;
  readonly pollTo: number;
  /**
   * So long after its launch an instance that is not described is taken for one that EC2 does not show yet
   * ("Eventual consistency in the Amazon EC2 API", Developer Guide), where a mistake costs a launch.
   */
  readonly unseen: number;
  /** The same, where a mistake costs a host in use: that page waits up to five minutes. */
  readonly forgotten: number;
  /** nothing but throttling for so long, and the launch fails */
  readonly throttled: number;
  /** no usable answer for so long, and the launch fails */
  readonly outage: number;
  /** so long after the last try of a launch whose outcome is unknown, what is not found was not launched */
  readonly quiet: number;
  /** EC2 may have forgotten tokens that are older: what was launched with one is looked up before it is used again */
  readonly token: number;
}

export const defaultTiming: Timing = {
  request: 10_000,
  connect: 3_000,
  tries: 3,
  gather: 5,
  pollFrom: 300,
  pollTo: 5_000,
  unseen: 60_000,
  forgotten: 5 * 60_000,
  throttled: 2 * 60_000,
  outage: 5 * 60_000,
  quiet: 30_000,
  token: 3_600_000,
};

/** Until the next look at something that has been on its way for `age` ms. */
export function pollAfter(age: number, { pollFrom, pollTo }: Timing): number {
  return Math.min(pollTo, Math.max(pollFrom, Math.round(age / 8)));
}

/** Until the next try of a call that has been failing for `age` ms: spread, so that many launches do not come back at once. */
export function retryAfter(age: number, { pollFrom, pollTo }: Timing): number {
  const most = Math.min(2 * pollTo, Math.max(2 * pollFrom, age / 4));
  return Math.round(most * (0.5 + Math.random() / 2));
}
