import type { Ticket } from '@berth/contracts';

/** What a person is to look at. */
export interface Trouble {
  machine: string;
  /** alias or number of the machine's ticket; the name of the machine is its alias when absent */
  tracker?: string | undefined;
  /** id of the job that tells of it: telling it again has no further effect */
  job: string;
  task: string;
  /** who asked for the job */
  requester: string;
  /** one line */
  summary: string;
  /** what was tried, and what came of it; without secrets */
  body: string;
}

/** One kind of ticket tracker. */
export interface Tracker {
  /**
   * Sees to it that there is one open ticket about the machine, and that it tells of this job.
   *
   * @throws DriverFault `tracker` or `no-secret`, or the reason of the signal when that is one
   */
  tell(trouble: Trouble, signal: AbortSignal): Promise<Ticket>;
}
