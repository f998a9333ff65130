import type { CallTiming, PollTiming } from '@berth/ec2';
import { callTiming } from '@berth/ec2/timing';

/** How long things are waited for, in ms. Tests shorten some. */
export interface ImageTiming extends CallTiming, PollTiming {
  /** until an image is available, or a disk is imported; what takes longer has failed */
  readonly available: number;
  /** so long after it was made EC2 may not show something yet ("Eventual consistency in the Amazon EC2 API", Developer Guide) */
  readonly unseen: number;
  /** so long after its image is gone EC2 may still take a snapshot for one in use */
  readonly inUse: number;
}

export const defaultTiming: ImageTiming = {
  ...callTiming,
  // An answer to CopyImage may take longer than one to a question.
  request: 30_000,
  pollFrom: 1_000,
  pollTo: 15_000,
  available: 2 * 3_600_000,
  unseen: 60_000,
  inUse: 60_000,
};
