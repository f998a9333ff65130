import { AsyncLocalStorage } from 'node:async_hooks';

/** Which trace the code that runs now belongs to, as W3C's `traceparent`. */
interface Ambient {
  trace: string;
  /** it is something that follows from a commit, not a command */
  follows: boolean;
}

/** Of so many things it is remembered to which trace they belong. */
const MOST_THINGS = 20_000;

const ambient = new AsyncLocalStorage<Ambient>();
const things = new Map<string, string>();
let on = false;

/** Traces are written by a service of this process. Until then all below does nothing: Node itself is slower with it. */
export function beginTracing(): void {
  on = true;
}

export const tracing = (): boolean => on;

/** The trace of what runs now. */
export const currentTrace = (): string | undefined => (on ? ambient.getStore()?.trace : undefined);

/**
 * Runs something, and all that it begins, in a trace; without one, just runs it.
 *
 * @param follows whether it follows from a commit; as it is around it when absent
 */
export function within<T>(trace: string | undefined, run: () => T, follows?: boolean): T {
  if (!on || trace === undefined) return run();
  return ambient.run({ trace, follows: follows ?? ambient.getStore()?.follows ?? false }, run);
}

/** Remembers the trace that a thing began in: what happens to it later by itself belongs there too. */
export function noteTrace(id: string, trace: string): void {
  if (things.has(id)) return;
  things.set(id, trace);
  if (things.size > MOST_THINGS) things.delete(things.keys().next().value!);
}

export const traceOf = (id: string): string | undefined => (on ? things.get(id) : undefined);

/**
 * The trace of a commit that is about to be stored. A command's own; what follows from an event belongs to the thing that it
 * is about: an event may be about several (one claim commit grants many leases), and each goes on in its own trace.
 */
export function traceOfCommit(id: string): string | undefined {
  const store = on ? ambient.getStore() : undefined;
  return store && !store.follows ? store.trace : (traceOf(id) ?? store?.trace);
}

/** Id of a trace in its `traceparent`, for the log. */
export const traceId = (trace: string | undefined): string | undefined => trace?.split('-')[1];
