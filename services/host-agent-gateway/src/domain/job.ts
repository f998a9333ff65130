import { rejected, unreachable, type AttemptFault, type JobEvent, type MachineOutcome, type Refusal, type Ticket } from '@berth/contracts';

export type JobInfo = Extract<JobEvent, { type: 'JobRequested' }>['data'];

/** One method that was tried, or would have been. `steps`: how far it has come, the last one last. */
export type Attempt =
  | { status: 'skipped'; method: string; reason: string }
  | { status: 'running'; method: string; timeout?: number; steps: readonly string[] }
  | { status: 'succeeded'; method: string; steps: readonly string[] }
  | { status: 'failed'; method: string; steps: readonly string[]; fault: AttemptFault; error: string };

interface Asked {
  info: JobInfo;
  activity?: string;
  /** why it is to end */
  cancel?: string;
}
interface Begun extends Asked {
  /** in the order they were tried: the first is attempt 1 */
  attempts: readonly Attempt[];
  ticket?: Ticket;
  /** the installation that it waits for has reported back, with the key that the machine shows now */
  installed?: { hostKey?: string };
}

/** A hardware job, tagged by how far it is. */
export type Job =
  | { status: 'none' }
  | ({ status: 'QUEUED' } & Asked)
  | ({ status: 'RUNNING' } & Begun)
  | ({ status: 'COMPLETE'; machine: MachineOutcome; result: Record<string, unknown> } & Begun)
  | ({ status: 'FAILED'; machine: MachineOutcome; code: string; error: string } & Begun)
  | ({ status: 'CANCELLED'; reason: string } & Begun);

export type LiveJob = Extract<Job, { status: 'QUEUED' | 'RUNNING' }>;
export type RunningJob = Extract<Job, { status: 'RUNNING' }>;

/** How a method ended. */
export type AttemptEnd = { outcome: 'succeeded'; output?: string } | { outcome: 'failed'; fault: AttemptFault; error: string; output?: string };

export type JobCommand =
  | { type: 'Request'; info: JobInfo }
  | { type: 'Start' }
  | { type: 'Note'; activity: string }
  | { type: 'BeginAttempt'; attempt: number; method: string; timeout?: number }
  | { type: 'Step'; attempt: number; step: string }
  | { type: 'Skip'; attempt: number; method: string; reason: string }
  | { type: 'EndAttempt'; attempt: number; end: AttemptEnd; durationMs: number }
  | { type: 'TellTicket'; ticket: Ticket }
  | { type: 'Cancel'; reason: string }
  | { type: 'Installed'; hostKey?: string }
  | { type: 'Complete'; machine: MachineOutcome; result: Record<string, unknown> }
  | { type: 'Fail'; machine: MachineOutcome; code: string; error: string }
  | { type: 'EndCancelled'; reason: string };

const nothing: readonly JobEvent[] = [];
export const isLiveJob = (job: Job): job is LiveJob => job.status === 'QUEUED' || job.status === 'RUNNING';
const unknownJob = (): Refusal => rejected('unknown-job', 'There is no such job.', [{ field: 'data.job', message: 'is not the id of a job: see `berth job list`' }]);

/** Pure. A refusal is for people; what its own service is too late with is left out. */
export function decide(command: JobCommand, job: Job): readonly JobEvent[] | Refusal {
  switch (command.type) {
    case 'Request':
      return job.status === 'none' ? [{ type: 'JobRequested', data: command.info }] : nothing;
    case 'Cancel':
      if (job.status === 'none') return unknownJob();
      if (!isLiveJob(job)) return job.status === 'CANCELLED' ? nothing : rejected('job-ended', `The job is ${job.status}: there is nothing to cancel.`, [{ field: 'data.job', message: `is ${job.status}` }]);
      return job.cancel === undefined ? [{ type: 'CancelRequested', data: { reason: command.reason } }] : nothing;
    case 'Start':
      return job.status === 'QUEUED' && job.cancel === undefined ? [{ type: 'JobStarted', data: {} }] : nothing;
    case 'Note':
      return isLiveJob(job) && job.activity !== command.activity ? [{ type: 'JobNoted', data: { activity: command.activity } }] : nothing;
    case 'Complete':
      return job.status === 'RUNNING' ? [{ type: 'JobCompleted', data: { machine: command.machine, result: command.result } }] : nothing;
    case 'Fail':
      return isLiveJob(job) ? [{ type: 'JobFailed', data: { machine: command.machine, code: command.code, error: command.error } }] : nothing;
    case 'EndCancelled':
      return isLiveJob(job) ? [{ type: 'JobCancelled', data: { reason: command.reason } }] : nothing;
    case 'TellTicket':
      return job.status === 'RUNNING' && job.ticket === undefined ? [{ type: 'TicketTold', data: command.ticket }] : nothing;
    case 'Installed':
      return job.status === 'RUNNING' && job.installed === undefined ? [{ type: 'InstallationReported', data: { ...(command.hostKey !== undefined && { hostKey: command.hostKey }) } }] : nothing;
    case 'BeginAttempt':
    case 'Step':
    case 'Skip':
    case 'EndAttempt':
      return job.status === 'RUNNING' ? attempt(command, job) : nothing;
    default:
      return unreachable(command);
  }
}

type AttemptCommand = Extract<JobCommand, { type: 'BeginAttempt' | 'Step' | 'Skip' | 'EndAttempt' }>;

/** Attempts follow each other: the next begins only once the one before has ended, and only the last can go on. */
function attempt(command: AttemptCommand, { attempts }: RunningJob): readonly JobEvent[] {
  const last = attempts.at(-1);
  const isNext = command.attempt === attempts.length + 1 && last?.status !== 'running';
  const running = command.attempt === attempts.length && last?.status === 'running' ? last : undefined;
  switch (command.type) {
    case 'BeginAttempt':
      return isNext ? [{ type: 'AttemptStarted', data: { attempt: command.attempt, method: command.method, ...(command.timeout !== undefined && { timeout: command.timeout }) } }] : nothing;
    case 'Skip':
      return isNext ? [{ type: 'AttemptSkipped', data: { attempt: command.attempt, method: command.method, reason: command.reason } }] : nothing;
    case 'Step':
      return running && !running.steps.includes(command.step) ? [{ type: 'AttemptStep', data: { attempt: command.attempt, step: command.step } }] : nothing;
    case 'EndAttempt':
      return running ? [{ type: 'AttemptEnded', data: { attempt: command.attempt, ...command.end, durationMs: command.durationMs } }] : nothing;
    default:
      return unreachable(command);
  }
}

/** Pure. @throws when the event can't follow from the state */
export function evolve(job: Job, event: JobEvent): Job {
  if (event.type === 'JobRequested') {
    if (job.status !== 'none') throw new Error(`a job that is ${job.status} can't be requested`);
    return { status: 'QUEUED', info: event.data };
  }
  if (!isLiveJob(job)) throw new Error(`a job that is ${job.status} can't have ${event.type}`);
  const begun: Begun = job.status === 'RUNNING' ? job : { ...job, attempts: [] };
  switch (event.type) {
    case 'JobStarted':
      return { ...begun, status: 'RUNNING' };
    case 'JobNoted':
      return { ...job, activity: event.data.activity };
    case 'CancelRequested':
      return { ...job, cancel: event.data.reason };
    case 'TicketTold':
      return { ...running(job, event), ticket: event.data };
    case 'InstallationReported':
      return { ...running(job, event), installed: event.data.hostKey === undefined ? {} : { hostKey: event.data.hostKey } };
    case 'AttemptStarted': {
      const { method, timeout } = event.data;
      return withAttempt(running(job, event), event.data.attempt, { status: 'running', method, ...(timeout !== undefined && { timeout }), steps: [] });
    }
    case 'AttemptSkipped':
      return withAttempt(running(job, event), event.data.attempt, { status: 'skipped', method: event.data.method, reason: event.data.reason });
    case 'AttemptStep': {
      const at = running(job, event);
      const last = going(at, event.data.attempt);
      return withAttempt(at, event.data.attempt, { ...last, steps: [...last.steps, event.data.step] });
    }
    case 'AttemptEnded': {
      const at = running(job, event);
      const { method, steps } = going(at, event.data.attempt);
      const { attempt: n, outcome, fault, error } = event.data;
      return withAttempt(at, n, outcome === 'succeeded' ? { status: 'succeeded', method, steps } : { status: 'failed', method, steps, fault: fault ?? 'unknown-answer', error: error ?? 'no reason was given' });
    }
    case 'JobCompleted':
      return { ...begun, status: 'COMPLETE', machine: event.data.machine, result: event.data.result };
    case 'JobFailed':
      return { ...begun, status: 'FAILED', ...event.data };
    case 'JobCancelled':
      return { ...begun, status: 'CANCELLED', reason: event.data.reason };
    default:
      return unreachable(event);
  }
}

function running(job: LiveJob, event: JobEvent): RunningJob {
  if (job.status !== 'RUNNING') throw new Error(`a job that is ${job.status} can't have ${event.type}`);
  return job;
}

function going({ attempts }: RunningJob, n: number): Extract<Attempt, { status: 'running' }> {
  const attempt = attempts[n - 1];
  if (attempt?.status !== 'running') throw new Error(`attempt ${n} is not running`);
  return attempt;
}

function withAttempt(job: RunningJob, n: number, attempt: Attempt): RunningJob {
  if (n > job.attempts.length + 1) throw new Error(`attempt ${n} follows after attempt ${job.attempts.length}`);
  return { ...job, attempts: [...job.attempts.slice(0, n - 1), attempt] };
}

export const jobDecider = { initial: { status: 'none' } as Job, decide, evolve, ended: (job: Job) => job.status !== 'none' && !isLiveJob(job) };
