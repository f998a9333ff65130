import type { Commit, EventOf, Kind, Recorded } from '@berth/contracts';
import { ConflictError, type EventStore, type Feed } from './store.js';
import { decodeCommit, encodeCommit } from './commit.js';
import { PositionWaiters } from './position.js';
import { subjects } from '@berth/contracts';

/** An event store that lives as long as its process: for specs and models. Commits are stored as text, so nothing is shared by reference. */
export function memoryStore(): EventStore {
  const log: { subject: string; data: Uint8Array }[] = [];
  const revisions = new Map<string, number>();
  const ids = new Map<string, number>();
  const feeds = new Set<() => void>();
  const read = (sequence: number) => decodeCommit(log[sequence - 1]!.subject, sequence, log[sequence - 1]!.data);

  return {
    append(kind: Kind, id: string, expected: number, commit: Commit) {
      const subject = subjects.event(kind, id);
      const stored = ids.get(commit.id);
      if (stored !== undefined) return Promise.resolve(stored);
      if ((revisions.get(subject) ?? 0) !== expected) return Promise.reject(new ConflictError(`${kind} ${id}`, expected));
      const sequence = log.push({ subject, data: encodeCommit(commit) });
      revisions.set(subject, sequence);
      ids.set(commit.id, sequence);
      for (const wake of feeds) queueMicrotask(wake);
      return Promise.resolve(sequence);
    },
    load<E extends EventOf<string, unknown>>(kind: Kind, id: string) {
      const subject = subjects.event(kind, id);
      return Promise.resolve(log.flatMap((entry, i) => (entry.subject === subject ? [read(i + 1) as Recorded<E>] : [])));
    },
    feed(after, onCommit, onError, kinds): Promise<Feed> {
      const waiters = new PositionWaiters();
      waiters.position = after;
      let stopped = false;
      const pump = () => {
        while (!stopped && waiters.position < log.length) {
          const next = waiters.position + 1;
          waiters.position = next; // whoever reacts to this one has seen it
          try {
            const recorded = read(next);
            if (!kinds || kinds.includes(recorded.kind)) onCommit(recorded);
          } catch (error) {
            stopped = true;
            feeds.delete(pump);
            waiters.end(error as Error);
            onError(error as Error);
            return;
          }
          waiters.advance(next);
        }
      };
      const live = waiters.reached(log.length);
      live.catch(() => undefined); // told to whoever waits for it, and by onError
      feeds.add(pump);
      queueMicrotask(pump);
      return Promise.resolve({
        get position() {
          return waiters.position;
        },
        live,
        reached: (sequence: number) => waiters.reached(sequence),
        stop() {
          stopped = true;
          feeds.delete(pump);
          waiters.end(new Error('the feed was stopped'));
          return Promise.resolve();
        },
      });
    },
  };
}
