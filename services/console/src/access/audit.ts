import type { AccessEvent } from '@berth/contracts';
import type { ConsoleApp } from '../console.app.js';

type Refused = Extract<AccessEvent, { type: 'AccessRefused' }>['data'];
/** One refusal, as it was seen. */
export type Refusal = Omit<Refused, 'count'> & { actor: string };

/** Of the same asker, route and code one event in so long. */
const EVERY_MS = 60_000;
/** So many different ones are told apart within that time; more are told together. */
const MOST = 1000;
/** How long the end of the console waits for the bus. */
const CLOSING_MS = 2000;
export const NOBODY = 'anonymous';

/**
 * Stores who was refused what. The first of a kind at once, those that follow within a minute together at its end: whoever
 * knocks a thousand times a second writes two events a minute, not sixty thousand.
 */
export class Audit {
  private readonly open = new Map<string, { refusal: Refusal; count: number; timer: NodeJS.Timeout }>();

  constructor(
    private readonly app: Pick<ConsoleApp, 'tell' | 'told'>,
    private readonly everyMs: number = EVERY_MS,
  ) {}

  refused(refusal: Refusal): void {
    // Names cost nothing to invent, and neither do addresses where there is IPv6.
    const own = `${refusal.actor} ${refusal.actor === NOBODY ? refusal.address : ''} ${refusal.asked} ${refusal.code}`;
    const key = this.open.has(own) || this.open.size < MOST ? own : `more ${refusal.code}`;
    const known = this.open.get(key);
    if (known) {
      known.count++;
      known.refusal = key === own ? refusal : { ...refusal, actor: NOBODY, asked: 'several', address: 'several', reason: 'more askers and routes than are told apart' };
      return;
    }
    this.write(refusal, 1);
    this.open.set(key, { refusal, count: 0, timer: setTimeout(() => this.tellCounted(key), this.everyMs).unref() });
  }

  /** Stores those that were counted; called before the end. */
  async close(): Promise<void> {
    const counted = [...this.open.values()].filter(({ count }) => count > 0);
    for (const { timer } of this.open.values()) clearTimeout(timer);
    this.open.clear();
    const stored = counted.map(({ refusal: { actor, ...refused }, count }) => this.app.told(actor, { type: 'AccessRefused', data: { ...refused, count } }));
    // A bus that is away must not hold up the end: what it does not get is lost with the process.
    await Promise.race([Promise.allSettled(stored), new Promise((resolve) => setTimeout(resolve, CLOSING_MS).unref())]);
  }

  private tellCounted(key: string): void {
    const known = this.open.get(key)!;
    clearTimeout(known.timer);
    this.open.delete(key);
    if (known.count === 0) return;
    this.write(known.refusal, known.count);
    // It goes on: the next one is told in a minute at the earliest.
    this.open.set(key, { refusal: known.refusal, count: 0, timer: setTimeout(() => this.tellCounted(key), this.everyMs).unref() });
  }

  private write({ actor, ...refused }: Refusal, count: number): void {
    this.app.tell(actor, { type: 'AccessRefused', data: { ...refused, count } });
  }
}
