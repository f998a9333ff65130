import { callTiming, type CallTiming, type PollTiming } from '@berth/ec2';

/** How long things are waited for, in ms. Tests shorten some. */
export interface Timing extends CallTiming, PollTiming {
  /** questions about single instances within this time become one call */
  readonly gather: number;
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
  ...callTiming,
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
