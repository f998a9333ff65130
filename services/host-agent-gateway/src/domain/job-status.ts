import type { StatusEvent } from '@berth/contracts';
import type { Hardware } from './hardware.js';
import { isLiveJob, type Job } from './job.js';

/** What frontends are told of a job. */
export function jobStatusOf(id: string, job: Exclude<Job, { status: 'none' }>): { name: string; data: StatusEvent['data'] } {
  const attempts = 'attempts' in job ? job.attempts : [];
  const last = attempts.at(-1);
  const activity = isLiveJob(job) ? (job.cancel !== undefined ? `ending: ${job.cancel}` : last?.status === 'running' ? last.method : (job.activity ?? (job.status === 'QUEUED' ? 'waits for the machine' : job.info.task))) : job.status === 'CANCELLED' ? job.reason : null;
  return {
    name: `dev.berth.job.${job.status.toLowerCase()}`,
    data: {
      id, status: job.status, percent: isLiveJob(job) ? null : 100, activity, error: job.status === 'FAILED' ? job.error : null,
      task: job.info.task, machine: job.info.machine, attempts: attempts.map(({ method, status }) => ({ method, status })),
      ...('ticket' in job && job.ticket && { ticket: job.ticket }),
    },
  };
}

/** What frontends are told of a machine as hardware. */
export function hardwareStatusOf(id: string, hardware: Exclude<Hardware, { status: 'none' }>): { name: string; data: StatusEvent['data'] } {
  const loan = hardware.status === 'managed' ? hardware.loan : undefined;
  const status = hardware.status === 'removed' ? 'removed' : loan === undefined ? 'managed' : loan.active ? 'on-loan' : 'loan-pending';
  const next = loan?.steps.find(({ done }) => !done);
  return {
    name: `dev.berth.hardware.${status}`,
    data: { id, status, percent: null, activity: next ? `waits for a person: ${next.text}` : loan ? `on loan to ${loan.to}` : null, error: null, ...(hardware.status === 'managed' && { groups: hardware.spec.groups, workers: hardware.spec.workers.map((worker) => worker.id) }) },
  };
}
