import type { AnyRecorded, JobEvent } from '@berth/contracts';
import type { AttemptView, JobView } from '@berth/client';
import { foldRow, required, type Changes, type Row, type Where } from './row.js';

/** A row of the projection `job`. */
export type JobRow = JobView & Row;

/** The attempts with one of them changed, or added where it is the first word of it. */
function withAttempt(row: JobRow, attempt: number, { at }: Where, change: Partial<AttemptView>): JobRow {
  const fresh: AttemptView = { attempt, method: '', outcome: 'running', steps: [], fault: null, error: null, output: null, startedAt: at, endedAt: null, durationMs: null };
  const known = row.attempts.find((one) => one.attempt === attempt) ?? fresh;
  const attempts = [...row.attempts.filter((one) => one.attempt !== attempt), { ...known, ...change }].sort((a, b) => a.attempt - b.attempt);
  return { ...row, attempts };
}

const over = (row: JobRow, status: JobRow['status'], { at }: Where, how: Partial<JobRow>): JobRow => ({ ...row, status, activity: null, finished: at, ...how });

const changes: Changes<JobRow, JobEvent> = {
  JobRequested: (_row, data, { id, sequence, at, actor }) => ({
    id,
    task: data.task,
    machine: data.machine,
    worker: data.worker ?? null,
    status: 'QUEUED',
    activity: null,
    error: null,
    machineOutcome: null,
    result: null,
    ticket: null,
    requester: actor,
    reason: data.reason ?? null,
    to: data.to ?? null,
    force: data.force,
    cancelling: null,
    lease: data.lease ?? null,
    softLimit: data.softLimit,
    hardLimit: data.hardLimit,
    escalation: data.escalation ?? null,
    attempts: [],
    started: null,
    finished: null,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  JobStarted: (row, _data, where) => {
    const job = required(row, where);
    return { ...job, status: 'RUNNING', started: job.started ?? where.at };
  },
  JobNoted: (row, { activity }, where) => ({ ...required(row, where), activity }),
  AttemptStarted: (row, { attempt, method }, where) => withAttempt(required(row, where), attempt, where, { method }),
  AttemptStep: (row, { attempt, step }, where) => {
    const job = required(row, where);
    const steps = job.attempts.find((one) => one.attempt === attempt)?.steps ?? [];
    return withAttempt(job, attempt, where, { steps: [...steps, { step, at: where.at }] });
  },
  AttemptSkipped: (row, { attempt, method, reason }, where) => withAttempt(required(row, where), attempt, where, { method, outcome: 'skipped', error: reason, endedAt: where.at, durationMs: 0 }),
  AttemptEnded: (row, { attempt, outcome, fault, error, output, durationMs }, where) =>
    withAttempt(required(row, where), attempt, where, { outcome, fault: fault ?? null, error: error ?? null, output: output ?? null, endedAt: where.at, durationMs }),
  TicketTold: (row, ticket, where) => ({ ...required(row, where), ticket }),
  CancelRequested: (row, { reason }, where) => ({ ...required(row, where), cancelling: reason }),
  InstallationReported: (row, _data, where) => ({ ...required(row, where), activity: 'the installation has finished' }),
  JobCompleted: (row, { machine, result }, where) => over(required(row, where), 'COMPLETE', where, { machineOutcome: machine, result }),
  JobFailed: (row, { machine, code, error }, where) => over(required(row, where), 'FAILED', where, { machineOutcome: machine, error: { code, message: error } }),
  JobCancelled: (row, { reason }, where) => over(required(row, where), 'CANCELLED', where, { error: { code: 'cancelled', message: reason } }),
};

/** Pure: a commit of a job into its row. */
export const foldJob = (row: JobRow | undefined, recorded: AnyRecorded): JobRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of a row. */
export function jobView({ opened: _opened, ...view }: JobRow): JobView {
  return view;
}
