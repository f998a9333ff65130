import type { JobEvent } from '@berth/contracts';
import { decide, evolve, jobDecider, type Job, type JobCommand, type JobInfo } from '../domain/job.js';
import { Attempts, type Record } from './attempts.js';

/** A process that has died: nothing that it would have done comes after it. */
export class Died extends Error {}

/** The record of one job, in memory; a process that carries it out can die at any word of it. */
export class TestRecord {
  readonly events: JobEvent[] = [];
  private state: Job = jobDecider.initial;
  /** words until it dies, before or after the word is stored */
  private left = Number.POSITIVE_INFINITY;
  private before = false;

  constructor(info: Partial<JobInfo> = {}) {
    this.say({ type: 'Request', info: { task: 'reboot', machine: 'box', force: false, softLimit: 600_000, hardLimit: 1_200_000, ...info } });
    this.say({ type: 'Start' });
  }

  private say(command: JobCommand): void {
    const decision = decide(command, this.state);
    if ('accepted' in decision) throw new Error(decision.message);
    this.events.push(...decision);
    this.state = decision.reduce(evolve, this.state);
  }

  /** The next process dies at its word number `at`, counted from 0. */
  dieAt(at: number, before: boolean): void {
    this.left = at;
    this.before = before;
  }

  get steps(): string[] {
    return this.events.flatMap((event) => (event.type === 'AttemptStep' ? [event.data.step] : []));
  }

  get ends(): string[] {
    return this.events.flatMap((event) => (event.type === 'AttemptEnded' ? [event.data.fault ?? event.data.outcome] : event.type === 'AttemptSkipped' ? ['skipped'] : []));
  }

  /** A process that carries the job out. */
  process(signal: AbortSignal = new AbortController().signal): { attempts: Attempts; record: Record } {
    const record: Record = {
      attempts: () => ('attempts' in this.state ? this.state.attempts : []),
      tell: (command) => {
        if (this.left < 0) return Promise.reject(new Died());
        if (this.left-- === 0) {
          if (!this.before) this.say(command);
          return Promise.reject(new Died());
        }
        this.say(command);
        return Promise.resolve();
      },
      beganAt: () => undefined,
      secret: () => Promise.resolve('hunter2'),
      mask: (text) => text.replaceAll('hunter2', '*******'),
      signal,
    };
    return { attempts: new Attempts(record), record };
  }
}
