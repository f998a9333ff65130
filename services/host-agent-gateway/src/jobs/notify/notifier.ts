import type { JobTask, MachineOutcome, Ticket } from '@berth/contracts';

interface About {
  job: string;
  task: JobTask;
  machine: string;
  /** when the job began, RFC 3339 */
  began: string;
  /** who asked for it */
  requester: string;
  /** addresses of mail: of who asked, where it is one, and of the groups of the machine */
  to: readonly string[];
}

/** What people are told of a job. Nothing in it is a secret. */
export type Notice =
  | (About & { stage: 'begins' })
  | (About & { stage: 'ended'; status: 'COMPLETE' | 'FAILED' | 'CANCELLED'; outcome: MachineOutcome; /** one sentence */ error?: string; ticket?: Ticket });

/** A notice in words. */
export interface Words {
  /** one line */
  subject: string;
  /** one line, with the link */
  line: string;
  /** several lines */
  text: string;
  to: readonly string[];
}

/** One way to tell people. */
export interface Notifier {
  readonly name: NotifierName;
  /** Whether there is anybody to tell in this way. */
  wants(words: Words): boolean;
  /**
   * Tells it once.
   *
   * @param key the same for the same notice, also when it is told again
   * @throws Error with one sentence, without secrets
   */
  tell(words: Words, key: string, signal: AbortSignal): Promise<void>;
}
export type NotifierName = 'mail' | 'chat' | 'irc';

/** Trying again is of no use: what was said will be said again. */
export class Refused extends Error {
  override readonly name = 'Refused';
}
