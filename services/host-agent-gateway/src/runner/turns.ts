import { pause } from './pause.js';

/** What somebody who reads much may read at a time while others want to read too. */
const TURN_BYTES = 256 * 1024;
/** What all who read much may read in a second, in all of this process, while others want something of it. */
const SHARED_BYTES = 32 * 1024 * 1024;
/** Who reads no more than this in a second never waits. */
const QUIET_BYTES = 256 * 1024;
/** So long after one of several has ended, the others are not alone yet: many short ones in a row leave gaps. */
const CALM_MS = 1_000;

/** Leave to read some bytes of a host. */
export interface Turn {
  readonly bytes: number;
  /** Somebody else has come who should not have to wait: stop soon. */
  crowded(): boolean;
  /** Gives it back. */
  end(read: number): void;
}

/** One command whose output is read. */
export interface Reader {
  turn(stop: AbortSignal): Promise<Turn>;
  leave(): void;
}

/**
 * Who may read output when. A command that floods shares its connection with the start and the end of all others on its host,
 * and this process with those on every host: alone it is read as fast as can be, beside others in turns and not without end.
 */
export interface Turns {
  enter(host: string): Reader;
}

export function createTurns(settings: { sharedBytes?: number; now?: () => number } = {}): Turns {
  const sharedBytes = settings.sharedBytes ?? SHARED_BYTES;
  const now = settings.now ?? (() => performance.now());
  const readers = new Set<Reader>();
  /** The last turn of each host's floods: the next one comes after it. */
  const queues = new Map<string, Promise<void>>();
  let busyUntil = -Infinity;
  /** When what was read beside others so far is paid for. */
  let paidAt = -Infinity;

  return {
    enter(host) {
      let recent = 0;
      let seenAt = now();
      const count = (bytes: number): number => {
        const at = now();
        recent = Math.max(0, recent - ((at - seenAt) / 1_000) * QUIET_BYTES) + bytes;
        seenAt = at;
        return recent;
      };
      const crowded = (): boolean => readers.size > 1 || now() < busyUntil;
      const reader: Reader = {
        async turn(stop) {
          if (!crowded()) return { bytes: Infinity, crowded, end: count };
          if (count(0) < QUIET_BYTES) return { bytes: TURN_BYTES, crowded: () => false, end: count };
          const before = queues.get(host);
          let leave = (): void => undefined;
          const mine = new Promise<void>((resolve) => (leave = resolve));
          queues.set(host, mine);
          await before;
          const dueMs = paidAt - now();
          if (dueMs > 0) await pause(dueMs, stop);
          return {
            bytes: TURN_BYTES,
            crowded: () => false,
            end(read) {
              count(read);
              paidAt = Math.max(paidAt, now()) + (read / sharedBytes) * 1_000;
              if (queues.get(host) === mine) queues.delete(host);
              leave();
            },
          };
        },
        leave() {
          readers.delete(reader);
          if (readers.size > 0) busyUntil = now() + CALM_MS;
        },
      };
      readers.add(reader);
      return reader;
    },
  };
}
