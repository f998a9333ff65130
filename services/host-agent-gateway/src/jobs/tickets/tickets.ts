import type { Ticket } from '@berth/contracts';
import type { DriverFault } from '../drivers/driver.js';
import { trackerFault } from './ask.js';
import type { Tracker, Trouble } from './tracker.js';

/** How long it may take to tell a tracker, all its questions together. */
const LIMIT_MS = 120_000;

/** The one way in which jobs tell a person that a machine needs one. */
export class Tickets {
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly tracker: Tracker,
    private readonly limitMs = LIMIT_MS,
  ) {}

  /**
   * Finds or makes the ticket of the machine, reopens it when it is closed, and sees to one open ticket that says that it is not
   * reachable: comments on the one there is, or files one. The same job again finds what it said before.
   *
   * @throws DriverFault `tracker` or `no-secret` with one sentence; the reason of the signal when that is a fault
   */
  async tell(trouble: Trouble, signal: AbortSignal): Promise<Ticket> {
    const of = trouble.tracker ?? trouble.machine;
    // One after the other: two jobs that both look for an open ticket would both find none.
    const mine = (this.turns.get(of) ?? Promise.resolve()).then(() => this.tellNow(trouble, signal));
    const settled = mine.catch(() => undefined); // told to whoever asked
    this.turns.set(of, settled);
    try {
      return await mine;
    } finally {
      if (this.turns.get(of) === settled) this.turns.delete(of);
    }
  }

  private async tellNow(trouble: Trouble, signal: AbortSignal): Promise<Ticket> {
    // Not AbortSignal.any with AbortSignal.timeout, which is collected as garbage now and then (Node 20).
    const limit = new AbortController();
    const end = () => limit.abort(signal.reason as DriverFault);
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    const timer = setTimeout(() => limit.abort(trackerFault(`the tracker was not told within ${this.limitMs / 1000} s`)), this.limitMs);
    try {
      return await this.tracker.tell(trouble, limit.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }
}
