import type { Runtime } from '@berth/runtime';
import type { Job } from '../domain/job.js';
import { DriverFault } from './drivers/driver.js';
import type { ManagedMachine } from './machine.js';
import { createNotify, type Notice, type Notify } from './notify/index.js';
import { createTickets, type Tickets, type Trouble } from './tickets/index.js';
import type { SecretStore } from './told-secret.js';

/** A job as people are told of it. */
export interface Told {
  machine: ManagedMachine;
  job: string;
  requester: string;
  state: Exclude<Job, { status: 'none' | 'QUEUED' }>;
  /** when it began, RFC 3339 */
  began: string;
}

/** An address of mail, as far as it is one. */
const MAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Tells people of jobs: by tickets and by notices, whichever are configured. */
export class People {
  private readonly tickets: Tickets | undefined;
  private readonly notices: Notify;

  constructor({ config, log, metrics }: Pick<Runtime, 'config' | 'log' | 'metrics'>, secrets: SecretStore) {
    this.tickets = createTickets(config, secrets);
    this.notices = createNotify(config, secrets, log, metrics);
  }

  /** @throws DriverFault `tracker` or `no-secret`, or the reason of the signal */
  async fileTicket(trouble: Trouble, signal: AbortSignal): ReturnType<Tickets['tell']> {
    if (!this.tickets) throw new DriverFault('tracker', 'no tracker is configured, so no ticket could be filed: set BERTH_TICKETS');
    return this.tickets.tell(trouble, signal);
  }

  /** Begins to tell; fails nothing, and is not waited for. */
  notify({ machine, job, requester, state, began }: Told): void {
    const to = [...new Set([...(MAIL.test(requester) ? [requester] : []), ...machine.groups.flatMap(({ mail }) => mail)])];
    const about = { job, task: state.info.task, machine: machine.name, began, requester, to };
    this.notices.tell(noticeOf(about, state));
  }

  stop(): Promise<void> {
    return this.notices.stop();
  }
}

function noticeOf(about: Omit<Extract<Notice, { stage: 'begins' }>, 'stage'>, state: Told['state']): Notice {
  if (state.status === 'RUNNING') return { ...about, stage: 'begins' };
  const error = state.status === 'FAILED' ? state.error : state.status === 'CANCELLED' ? state.reason : undefined;
  return { ...about, stage: 'ended', status: state.status, outcome: state.status === 'CANCELLED' ? 'unknown' : state.machine, ...(error !== undefined && { error }), ...(state.ticket && { ticket: state.ticket }) };
}
