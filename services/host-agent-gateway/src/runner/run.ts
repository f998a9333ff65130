import { platformOf } from '../platforms/platform.js';
import { HostError, isPassing } from '../transports/errors.js';
import { keyOf, type HostPool } from '../transports/pool.js';
import type { HostSpec } from '../transports/transport.js';
import { follow, type Watch } from './follow.js';
import { hostShellOf, type ActionState, type EndReason, type HostShell } from './host-shell.js';
import type { Outcome, RunCallbacks, RunSignals, RunSpec } from './outcome.js';
import { pause } from './pause.js';
import { checkedId } from './quote.js';
import { createTail } from './tail.js';
import { createTurns, type Turns } from './turns.js';

/** Commands on hosts, by id. Calls other than `run` reject with the HostErrors of `connect` when the host is away. */
export interface Runner {
  /**
   * Starts the command, or attaches to it when it was started before; hands on its output and answers how it ended.
   * Lost connections are made again (100 ms doubling to 2 s) for as long as the caller wants.
   * @throws HostError `invalid-value` before anything is sent, `still-running` when a tree does not end on KILL, and what onChunk throws
   */
  run(host: HostSpec, spec: RunSpec, callbacks: RunCallbacks, signals?: RunSignals): Promise<Outcome>;
  lookup(host: HostSpec, id: string): Promise<ActionState>;
  /** Ends whatever is left of an action, and shuts the door when it has not started yet. Answers when nothing is left. */
  kill(host: HostSpec, id: string, options?: { reason?: EndReason; graceMs?: number }): Promise<ActionState>;
  /** Removes the folders of ended actions; ids without a folder are fine. */
  forget(host: HostSpec, ids: readonly string[]): Promise<void>;
  /** Ids of all actions with a folder on the host. */
  list(host: HostSpec): Promise<string[]>;
}

const GRACE_MS = 5_000;

/** A runner over the connections of a pool. */
export function createRunner(pool: Pick<HostPool, 'connect'>): Runner {
  const turns = createTurns();
  const shell = async (host: HostSpec): Promise<HostShell> => hostShellOf(await pool.connect(host));
  return {
    run: (host, spec, callbacks, signals = {}) => run(pool, turns, host, spec, callbacks, signals),
    lookup: async (host, id) => (await shell(host)).look(id),
    kill: async (host, id, options = {}) =>
      (await shell(host)).kill(id, options.reason ?? 'cancelled', options.graceMs ?? GRACE_MS),
    forget: async (host, ids) => (await shell(host)).forget(ids),
    list: async (host) => (await shell(host)).list(),
  };
}

async function run(pool: Pick<HostPool, 'connect'>, turns: Turns, host: HostSpec, spec: RunSpec, callbacks: RunCallbacks, signals: RunSignals): Promise<Outcome> {
  const refused = refusedShell(host, spec);
  if (refused) return { kind: 'not-started', error: refused };
  return attend(pool, turns, host, watchOf(spec, callbacks, signals));
}

function watchOf(spec: RunSpec, callbacks: RunCallbacks, signals: RunSignals): Watch {
  const tail = (stream: 'stdout' | 'stderr') =>
    createTail(
      { from: spec.offsets?.[stream] ?? 0, ...(spec.outputLimit !== undefined && { limit: spec.outputLimit }), ...(spec.context !== undefined && { context: spec.context }) },
      {
        chunk: (offset, bytes) => callbacks.onChunk(stream, offset, bytes),
        cut: (to, next) => callbacks.onCut?.(stream, to, next) ?? Promise.resolve(),
      },
    );
  return {
    spec: { ...spec, graceMs: spec.graceMs ?? GRACE_MS },
    callbacks,
    signals,
    requested: spec.mayHaveStarted ?? false,
    stdout: tail('stdout'),
    stderr: tail('stderr'),
    ...(spec.startedAt === undefined ? {} : { startedAt: spec.startedAt }),
  };
}

/** From connection to connection, until it has ended. */
async function attend(pool: Pick<HostPool, 'connect'>, turns: Turns, host: HostSpec, watch: Watch): Promise<Outcome> {
  const { spec, signals, callbacks } = watch;
  const giveUpAt = Date.now() + (spec.connectLimitMs ?? 10_000);
  let waitMs = 100;
  let up = true;
  let awaySince: number | undefined;

  for (;;) {
    if (signals.detach?.aborted) return { kind: 'detached' };
    if (signals.cancel?.aborted && !watch.requested) return { kind: 'cancelled' };
    try {
      const transport = await pool.connect(host);
      const shell = await hostShellOf(transport);
      if (!up) callbacks.onLink?.({ up: true });
      up = true;
      waitMs = 100;
      awaySince = undefined;
      const reader = turns.enter(keyOf(host));
      try {
        return await follow(transport, shell, watch, reader);
      } finally {
        reader.leave();
      }
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (!watch.requested && (!isPassing(error) || Date.now() + waitMs > giveUpAt)) return { kind: 'not-started', error };
      // Once it may have started, whatever keeps us out (even a changed key) may be put right; only the caller gives up.
      if (watch.requested && !isPassing(error) && !KEEPS_US_OUT.has(error.code)) throw error;
      awaySince ??= Date.now();
      if (watch.requested && Date.now() + waitMs > awaySince + (spec.awayLimitMs ?? Infinity)) return { kind: 'away', error };
      if (up) callbacks.onLink?.({ up: false, error });
      up = false;
    }
    await pause(waitMs, signals.detach, watch.requested ? undefined : signals.cancel);
    waitMs = Math.min(waitMs * 2, 2_000);
  }
}

const KEEPS_US_OUT = new Set(['auth-failed', 'host-key-changed', 'credential-invalid']);

/** Why no host of this platform can run it for want of a shell. @throws HostError `invalid-value` */
function refusedShell(host: HostSpec, { id, script, cwd, env = {}, shell, files }: RunSpec): HostError | undefined {
  try {
    platformOf(host).start({ id: checkedId(id), script, cwd, env, ...(shell !== undefined && { shell }), ...(files && { files }) }, host.id);
    return undefined;
  } catch (error) {
    if (error instanceof HostError && error.code === 'shell') return error;
    throw error;
  }
}
