import type { AttemptFault } from '@berth/contracts';
import type { AttemptEnd, Attempt, JobCommand } from '../domain/job.js';
import { DriverFault, type Call } from './drivers/driver.js';

/** What attempts are recorded by. `tell` resolves once it is stored. */
export interface Record {
  attempts(): readonly Attempt[];
  tell(command: JobCommand): Promise<void>;
  /** when the running attempt began, ms since the epoch; undefined: now */
  beganAt(): number | undefined;
  /** what drivers are given, apart from their signal */
  secret: Call['secret'];
  /** takes secrets out of what is kept */
  mask(text: string): string;
  readonly signal: AbortSignal;
}

/** Characters of what a method said that are kept: the last ones. */
const KEPT_OUTPUT = 4096;

/** An attempt while it goes on. */
export interface Going {
  /** Has it come so far, in this process or in one before? */
  has(step: string): boolean;
  /** Stores that something is about to be sent, or was seen. Before an effect, never after it. */
  step(name: string): Promise<void>;
  /** For a driver, ended with the job, or after so many ms. */
  call(timeoutMs: number): Call;
  /** The same, not ended with the job: for what must not be left half-done. */
  finish(timeoutMs: number): Call;
  readonly signal: AbortSignal;
}

/**
 * The attempts of one job, replayed. A task is ordinary code that asks for one attempt after the other; after a restart it runs
 * again from its beginning, and those that have ended give the end that is on record without anything being done. The one that
 * was under way goes on, and knows how far it had come.
 */
export class Attempts {
  private next = 0;

  constructor(private readonly record: Record) {}

  /** The next one was begun, or skipped, by a process before this one. */
  get known(): boolean {
    return this.record.attempts()[this.next] !== undefined;
  }

  /** Tries a method. What it throws as a `DriverFault` is how it failed. @throws what is not a fault of the method, and when the job is to end */
  async try(method: string, timeoutMs: number, run: (going: Going) => Promise<string | undefined>): Promise<AttemptEnd> {
    const at = this.next++;
    const known = this.record.attempts()[at];
    if (known && known.method !== method) throw new Error(`attempt ${at + 1} was ${known.method} and is ${method} now`);
    if (known?.status === 'succeeded') return { outcome: 'succeeded' };
    if (known?.status === 'failed') return { outcome: 'failed', fault: known.fault, error: known.error };
    if (known?.status === 'skipped') return { outcome: 'failed', fault: 'refused', error: known.reason };
    // One of which something was sent goes on even when the job is to end: what it has begun is its to put right.
    if (stepsOf(known).length === 0) this.record.signal.throwIfAborted();
    if (!known) await this.record.tell({ type: 'BeginAttempt', attempt: at + 1, method, timeout: timeoutMs });
    const heard: string[] = [];
    const end = await this.carryOut(at, heard, run);
    const begun = this.record.beganAt() ?? Date.now();
    const output = this.record.mask(heard.join('\n')).slice(-KEPT_OUTPUT);
    const whole: AttemptEnd = { ...(end.outcome === 'failed' ? { ...end, error: this.record.mask(end.error) } : end), ...(output !== '' && { output }) };
    await this.record.tell({ type: 'EndAttempt', attempt: at + 1, end: whole, durationMs: Math.max(0, Date.now() - begun) });
    return whole;
  }

  /** Records that a method is not tried. */
  async skip(method: string, reason: string): Promise<void> {
    const at = this.next++;
    if (!this.record.attempts()[at]) await this.record.tell({ type: 'Skip', attempt: at + 1, method, reason });
  }

  private async carryOut(at: number, heard: string[], run: (going: Going) => Promise<string | undefined>): Promise<AttemptEnd> {
    const { record } = this;
    const steps = new Set(stepsOf(record.attempts()[at]));
    const call = (signal: AbortSignal): Call => ({ signal, secret: record.secret, heard: (text) => void heard.push(text) });
    const going: Going = {
      has: (step) => steps.has(step),
      step: async (step) => {
        if (steps.has(step)) return;
        await record.tell({ type: 'Step', attempt: at + 1, step });
        steps.add(step);
      },
      call: (ms) => call(AbortSignal.any([record.signal, timeLimit(ms)])),
      finish: (ms) => call(timeLimit(ms)),
      signal: record.signal,
    };
    try {
      const said = await run(going);
      if (said !== undefined) heard.push(said);
      return { outcome: 'succeeded' };
    } catch (error) {
      // The job ends, or this process does: what the attempt has come to is said by whoever ends it.
      if (record.signal.aborted) throw error;
      if (!(error instanceof DriverFault)) throw error;
      if (error.output !== '') heard.push(error.output);
      return { outcome: 'failed', fault: error.fault, error: error.message };
    }
  }
}

const stepsOf = (attempt: Attempt | undefined): readonly string[] => (attempt && 'steps' in attempt ? attempt.steps : []);

/** Fires after so many milliseconds, with a reason that drivers throw. */
export function timeLimit(ms: number): AbortSignal {
  const over = new AbortController();
  setTimeout(() => over.abort(new DriverFault('timeout', `it took longer than ${ms / 1000} s`)), ms).unref();
  return over.signal;
}

/** The end of an attempt as the reason of a job's. */
export const faultOf = (end: AttemptEnd): { code: AttemptFault; error: string } | undefined => (end.outcome === 'failed' ? { code: end.fault, error: end.error } : undefined);
