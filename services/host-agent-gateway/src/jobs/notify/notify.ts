import { setTimeout as pause } from 'node:timers/promises';
import type { Counter, Metrics } from '@berth/runtime';
import { DriverFault } from '../drivers/driver.js';
import { Refused, type Notice, type Notifier, type NotifierName, type Words } from './notifier.js';
import { wordsOf } from './words.js';

/** How long is waited, for specs. */
export interface Times {
  /** one try may take so long */
  limitMs: number;
  /** pause after the first try; each is twice as long as the one before */
  firstPauseMs: number;
  /** nothing that is older is told: it would only be in the way of what is true now */
  staleMs: number;
}
const TIMES: Times = { limitMs: 60_000, firstPauseMs: 2000, staleMs: 600_000 };
/** Of each notifier so many wait at most. */
const MOST_WAITING = 1000;

/** What a log is for this. */
export interface NoticeLog {
  warn(line: object, message: string): void;
}

/**
 * Tells people of jobs, in all ways that there are. Nothing here is ever waited for, and nothing that goes wrong here is a fault of a
 * job: it is counted and logged. In each way one notice is told after the other, so that the end of a job is not told before its beginning.
 */
export class Notify {
  private readonly told: Counter<'notifier' | 'outcome'>;
  private readonly waiting = new Map<NotifierName, { count: number; turn: Promise<void> }>();
  private readonly stopping = new AbortController();

  /** @param url where people reach the console, if that is known */
  constructor(
    private readonly notifiers: readonly Notifier[],
    private readonly url: string | undefined,
    private readonly log: NoticeLog,
    metrics: Metrics,
    private readonly times = TIMES,
  ) {
    this.told = metrics.counter('berth_notices_total', 'Notices of hardware jobs, by way and how that ended: told, failed (given up after some tries), dropped (too many waited).', ['notifier', 'outcome']);
  }

  /** Returns at once. Never throws. */
  tell(notice: Notice): void {
    const words = wordsOf(notice, this.url);
    const key = `${notice.job}.${notice.stage}`;
    for (const notifier of this.notifiers) {
      if (this.stopping.signal.aborted || !notifier.wants(words)) continue;
      const queue = this.waiting.get(notifier.name) ?? { count: 0, turn: Promise.resolve() };
      this.waiting.set(notifier.name, queue);
      if (queue.count >= MOST_WAITING) {
        this.told.inc({ notifier: notifier.name, outcome: 'dropped' });
        this.log.warn({ notifier: notifier.name, job: notice.job }, 'a notice was dropped: too many wait');
        continue;
      }
      const stale = Date.now() + this.times.staleMs;
      queue.count++;
      queue.turn = queue.turn.then(() => this.tellBy(notifier, words, key, notice.job, stale)).finally(() => queue.count--);
    }
  }

  /** Once all that was told by now is told or given up. */
  async settled(): Promise<void> {
    await Promise.all([...this.waiting.values()].map(({ turn }) => turn));
  }

  /** Ends what is under way; what waits is not told. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.settled();
  }

  /** Never rejects. */
  private async tellBy(notifier: Notifier, words: Words, key: string, job: string, stale: number): Promise<void> {
    const { name } = notifier;
    let wait = this.times.firstPauseMs;
    for (let attempt = 1; !this.stopping.signal.aborted; attempt++) {
      try {
        if (Date.now() > stale) throw new Refused('it waited too long');
        await this.once(notifier, words, key);
        this.told.inc({ notifier: name, outcome: 'told' });
        return;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        const over = error instanceof Refused || error instanceof DriverFault || Date.now() + wait > stale;
        // Not the error itself: libraries hang on theirs what they sent.
        this.log.warn({ notifier: name, job, attempt, reason: (error as Error).message }, over ? 'a notice was given up' : 'a notice is told again');
        if (over) {
          this.told.inc({ notifier: name, outcome: 'failed' });
          return;
        }
      }
      await pause(wait, undefined, { signal: this.stopping.signal, ref: false }).catch(() => undefined); // it stops: looked at next
      wait *= 2;
    }
  }

  private async once(notifier: Notifier, words: Words, key: string): Promise<void> {
    const limit = new AbortController();
    const end = () => limit.abort();
    const timer = setTimeout(end, this.times.limitMs);
    this.stopping.signal.addEventListener('abort', end, { once: true });
    try {
      await notifier.tell(words, key, limit.signal);
    } finally {
      clearTimeout(timer);
      this.stopping.signal.removeEventListener('abort', end);
    }
  }
}
