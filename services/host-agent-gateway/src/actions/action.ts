import type { ActionKind, ActionSpec } from '@berth/contracts';
import type { Objects } from '../adapters/objects.js';
import type { OutputSink } from '../adapters/output.js';
import type { End } from '../domain/action.js';
import type { Runner } from '../runner/run.js';
import type { HostPool } from '../transports/pool.js';
import type { HostSpec } from '../transports/transport.js';

/** What an action is carried out with. */
export interface ActionContext<S extends ActionSpec = ActionSpec> {
  id: string;
  lease: string;
  spec: S;
  host: HostSpec;
  /** Folder of the lease: absolute, or below the host's base folder. */
  folder: string;
  pool: HostPool;
  runner: Runner;
  output: OutputSink;
  objects: Objects;
  /** It may have been started by a process before this one. */
  mayHaveStarted: boolean;
  /** It has to be done however long its host is away. */
  owed: boolean;
  /** Actions of the same lease that ended without their host having said so: they may still run there. */
  abandoned: readonly string[];
  /** What the lease's working copy was made from. */
  prepared: Extract<ActionSpec, { kind: 'prepare-working-copy' }> | undefined;
  /** When it was recorded as started, epoch milliseconds. */
  startedAt: number | undefined;
  /** Bytes of each stream that are kept of what is printed, when the action says nothing else. */
  outputLimit: number;
  /** `cancelGraceMs`: asked when it is cancelled, the time to end by itself that was said then. */
  signals: { cancel: AbortSignal; detach: AbortSignal; cancelGraceMs(): number | undefined };
  /** The value of a secret. @throws SecretFault */
  secret(name: string): Promise<Buffer>;
  /** The host has begun. */
  started(): void;
  /** Something went otherwise than wanted, and it goes on all the same. */
  note(what: string, why: string): void;
  /** The link to the host went or came back. */
  link(problem: string | undefined): void;
}

/**
 * One kind of action. Idempotent by the action's id: carried out again after a crash it goes on or finds its outcome.
 * `undefined` = we were told to stop watching; it goes on and is picked up by the next process.
 */
export type ActionHandler<S extends ActionSpec> = (context: ActionContext<S>) => Promise<End | undefined>;

/** What some kinds do besides, as a command of its own on the host. */
export type Part = 'ready' | 'keep' | 'remove';

/** The name of a part on the host. */
export const partOf = (id: string, part: Part | undefined): string => (part === undefined ? id : `${id}-${part}`);

/** Every folder that an action may have on the host. */
export function foldersOf(id: string, kind: ActionKind): string[] {
  const parts: Partial<Record<ActionKind, readonly Part[]>> = { 'start-service': ['ready'], 'stop-service': ['remove'], 'remove-working-copy': ['keep'] };
  return [id, ...(parts[kind] ?? []).map((part) => partOf(id, part))];
}
