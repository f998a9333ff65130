import { ConflictError, type EventStore } from '@berth/event-store';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';

/** An event store that counts what is appended to it, and tells the log of each commit at level debug. */
export function measuredStore(store: EventStore, service: string, metrics: Metrics, log: Logger): EventStore {
  return {
    async append(kind, id, expected, commit) {
      const done = metrics.appendDuration.startTimer({ service, kind });
      try {
        const position = await store.append(kind, id, expected, commit);
        if (log.isLevelEnabled('debug')) log.debug({ kind, id, position, commandId: commit.cause, actor: commit.actor, events: commit.events.map(({ type }) => type) }, 'stored');
        return position;
      } catch (error) {
        if (error instanceof ConflictError) metrics.appendConflicts.inc({ service, kind });
        throw error;
      } finally {
        done();
      }
    },
    load: (kind, id) => store.load(kind, id),
    feed: (after, onCommit, onError, kinds) => store.feed(after, onCommit, onError, kinds),
  };
}
