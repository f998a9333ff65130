import { UnavailableError } from '@berth/event-store';
import type { EventOf } from '@berth/contracts';
import type { Aggregates, Cause } from './aggregate.js';
import type { Runtime } from './service.js';

/** Between two tries while the store is away. */
const PAUSE_MS = 1000;

/**
 * Stores what follows from events or from the time. Nobody waits for an answer, so nobody would ask again: an outage that
 * outlasts the store's own patience is waited out. What comes too late by then, its decider leaves out.
 */
export function tellUntilStored<S, C extends { type: string }, E extends EventOf<string, unknown>>(
  runtime: Pick<Runtime, 'log' | 'connection'>,
  aggregates: Aggregates<S, C, E>,
  id: string,
  command: C,
  cause: Cause,
): void {
  aggregates.handle(id, command, cause).catch((error: unknown) => {
    const about = { error, kind: aggregates.kind, id, type: command.type, commandId: cause.id };
    if (!(error instanceof UnavailableError)) runtime.log.error(about, 'could not be stored');
    else if (!runtime.connection.isClosed()) {
      runtime.log.warn(about, 'could not be stored, will be tried again');
      setTimeout(() => tellUntilStored(runtime, aggregates, id, command, cause), PAUSE_MS).unref();
    }
  });
}
