import type { AnyRecorded } from '@berth/contracts';
import type { Counter, Histogram, Metrics } from '@berth/runtime';
import { secondsSince } from './leases.js';

type Commit = Extract<AnyRecorded, { kind: 'job' }>;

interface Known {
  task: string;
  status: 'QUEUED' | 'RUNNING';
  /** ms since the epoch */
  asked: number;
  /** methods by the number of their attempt */
  methods: Map<number, string>;
}

/** Seconds that machines take. */
const BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1200, 3600, 14_400, 86_400];

/** What is counted of hardware jobs, folded from all their events. */
export class JobFigures {
  private readonly known = new Map<string, Known>();
  private readonly duration: Histogram<'task' | 'status'>;
  private readonly attempts: Counter<'method' | 'outcome'>;

  constructor(metrics: Metrics) {
    this.duration = metrics.histogram('berth_job_duration_seconds', 'From the request of a hardware job to its end, its wait for the machine too.', ['task', 'status'], BUCKETS);
    this.attempts = metrics.counter('berth_job_attempts_total', 'Methods that hardware jobs have tried, by how that ended: succeeded, skipped, or the class of the fault.', ['method', 'outcome']);
    metrics.gauge('berth_jobs', 'Hardware jobs that are not over, by status: QUEUED (waiting for the machine), RUNNING.', ['status'], (gauge) => {
      for (const status of ['QUEUED', 'RUNNING'] as const) gauge.set({ status }, [...this.known.values()].filter((job) => job.status === status).length);
    });
  }

  apply({ id, commit }: Commit): void {
    for (const event of commit.events) {
      if (event.type === 'JobRequested') {
        this.known.set(id, { task: event.data.task, status: 'QUEUED', asked: Date.parse(commit.at), methods: new Map() });
        continue;
      }
      const job = this.known.get(id);
      if (!job) continue; // over already
      switch (event.type) {
        case 'JobStarted':
          job.status = 'RUNNING';
          break;
        case 'AttemptStarted':
          job.methods.set(event.data.attempt, event.data.method);
          break;
        case 'AttemptSkipped':
          this.attempts.inc({ method: event.data.method, outcome: 'skipped' });
          break;
        case 'AttemptEnded':
          this.attempts.inc({ method: job.methods.get(event.data.attempt) ?? 'unknown', outcome: event.data.fault ?? event.data.outcome });
          break;
        case 'JobCompleted':
          this.end(id, job, 'COMPLETE', commit.at);
          break;
        case 'JobFailed':
          this.end(id, job, 'FAILED', commit.at);
          break;
        case 'JobCancelled':
          this.end(id, job, 'CANCELLED', commit.at);
          break;
        case 'JobNoted':
        case 'AttemptStep':
        case 'TicketTold':
        case 'CancelRequested':
        case 'InstallationReported':
          break;
      }
    }
  }

  private end(id: string, { task, asked }: Known, status: 'COMPLETE' | 'FAILED' | 'CANCELLED', at: string): void {
    this.duration.observe({ task, status }, secondsSince(asked, at));
    this.known.delete(id);
  }
}
