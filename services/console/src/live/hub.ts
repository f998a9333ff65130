import { Channel } from '@berth/client';
import type { AnyRecorded, Kind } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';

/** Commits kept for those who come a moment late. */
const RECENT = 1000;
type Listener = (recorded: AnyRecorded) => void;

/** Hands the commits of the feed to whoever watches, now and from then on. */
export class Hub {
  private recent: AnyRecorded[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly watchers = new Map<string, Set<Listener>>();
  position = 0;
  /** id of the first commit there is: no other stream begins with it */
  origin = '';

  constructor(private readonly store: EventStore) {}

  apply(recorded: AnyRecorded): void {
    this.position = recorded.sequence;
    this.origin ||= recorded.commit.id;
    this.recent.push(recorded);
    if (this.recent.length >= 2 * RECENT) this.recent = this.recent.slice(-RECENT);
    for (const listener of this.listeners) listener(recorded);
    for (const listener of this.watchers.get(`${recorded.kind} ${recorded.id}`) ?? []) listener(recorded);
  }

  /** What came after a position, as far as it is at hand; undefined when some of it is no longer. */
  since(after: number): AnyRecorded[] | undefined {
    return this.covers(after) ? this.recent.filter((recorded) => recorded.sequence > after) : undefined;
  }

  /** Whether everything after a position is at hand. */
  covers(after: number): boolean {
    const first = this.recent[0];
    return after >= this.position || (first !== undefined && first.sequence <= after + 1);
  }

  /** Position of the last commit of a thing, if that is among the recent ones; else 0. */
  latest(kind: Kind, id: string): number {
    return this.recent.findLast((recorded) => recorded.id === id && recorded.kind === kind)?.sequence ?? 0;
  }

  /** When the first commit after a position was made, of those at hand; undefined when there is none after it. */
  firstAfter(position: number): string | undefined {
    return this.recent.find((recorded) => recorded.sequence > position)?.commit.at;
  }

  /** Whatever comes from now on. Returns how to end it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * All commits of one thing: those stored, then those to come, each once; until `signal`.
   * @throws {UnavailableError} the store does not answer
   */
  async *watch(kind: Kind, id: string, signal: AbortSignal): AsyncGenerator<AnyRecorded, void, undefined> {
    const channel = new Channel<AnyRecorded>();
    const key = `${kind} ${id}`;
    const listener: Listener = (recorded) => channel.push(recorded);
    const listeners = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, listeners.add(listener));
    const end = () => channel.end();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      let position = 0;
      for (const recorded of await this.store.load(kind, id)) {
        if (signal.aborted) return;
        yield recorded as AnyRecorded;
        position = recorded.sequence;
      }
      for await (const recorded of channel) if (recorded.sequence > position) yield recorded;
    } finally {
      signal.removeEventListener('abort', end);
      listeners.delete(listener);
      if (listeners.size === 0) this.watchers.delete(key);
    }
  }
}
