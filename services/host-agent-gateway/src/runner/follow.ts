import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionState, EndReason, Exit, HostShell } from './host-shell.js';
import type { Outcome, RunCallbacks, RunSignals, RunSpec } from './outcome.js';
import { pause } from './pause.js';
import type { Tail } from './tail.js';

/** What one `run` carries from connection to connection. */
export interface Watch {
  readonly spec: RunSpec & { graceMs: number };
  readonly callbacks: RunCallbacks;
  readonly signals: RunSignals;
  readonly stdout: Tail;
  readonly stderr: Tail;
  /** The start was asked for, by us or by somebody before us: from here on the host may know the action. */
  requested: boolean;
  announced?: boolean;
  startedAt?: number;
}

/** After data, and the longest when there is none. */
const QUICK_MS = 25;
const SLOW_MS = 250;
/** The exit is pushed; this look is only for a supervisor that was killed. */
const PUSHED_MS = 1_000;
const STARTING_MS = 3_000;

/**
 * One connection's part of a run: start or attach, hand on output, see it end.
 * Nothing of it is under way any more when it returns or throws, so the next connection can take over at the tails' offsets.
 * @throws HostError `connection-lost` and the like; `still-running`; whatever the output sink throws
 */
export async function follow(transport: Transport, shell: HostShell, watch: Watch): Promise<Outcome> {
  const { spec, signals, callbacks } = watch;
  const folder = `${transport.folder}/actions/${spec.id}`;
  const failed = new AbortController();
  const over = signals.detach ? AbortSignal.any([failed.signal, signals.detach]) : failed.signal;
  const known = new AbortController();
  let state: ActionState | undefined;
  let exit: Exit | undefined;
  let pushed = false;

  const settle = (next: ActionState): void => {
    if (next.state === 'running' || next.state === 'starting') return;
    state = next;
    known.abort();
  };
  const ignoreExit = shell.onExit(spec.id, (told) => {
    if (state) return;
    exit = told;
    settle(told.state);
  });

  const start = async (): Promise<void> => {
    // A run that is to be cancelled is not started any more; the kill below shuts its door.
    if (signals.cancel?.aborted) return;
    watch.requested = true;
    const cwd = spec.cwd.startsWith('/') ? spec.cwd : `${transport.folder}/${spec.cwd}`;
    const first = await shell.start({ id: spec.id, script: spec.script, cwd, env: spec.env ?? {}, ...(spec.shell && { shell: spec.shell }) });
    watch.startedAt ??= Date.now();
    if (!watch.announced) callbacks.onStarted?.();
    watch.announced = true;
    pushed = first.state === 'new';
    if (first.state !== 'new') settle(first);
  };

  const look = async (): Promise<void> => {
    const since = Date.now();
    for (let waitMs = QUICK_MS; ; waitMs = Math.min(waitMs * 2, SLOW_MS)) {
      await pause(pushed ? PUSHED_MS : waitMs, known.signal, over);
      if (state || over.aborted) return;
      const seen = await shell.look(spec.id);
      const stuck = seen.state === 'starting' && Date.now() - since > STARTING_MS;
      settle(stuck ? await shell.giveUpStart(spec.id) : seen);
    }
  };

  const end = async (): Promise<void> => {
    const reason = await endAsked(watch, known.signal, over);
    if (!reason || state || over.aborted) return;
    // Its answer counts more than an exit seen meanwhile: only now is nothing left.
    const killed = shell.kill(spec.id, reason, spec.graceMs);
    const gone = await Promise.race([killed, pause(2 ** 31 - 1, over)]);
    // Detached meanwhile: the host goes on ending it, and whoever attaches next hears of it.
    killed.catch(() => undefined);
    if (gone) settle(gone);
  };

  const tail = async (name: 'stdout' | 'stderr', path: string): Promise<void> => {
    const file = watch[name];
    for (let waitMs = QUICK_MS; ; ) {
      await pause(waitMs, known.signal, over);
      if (over.aborted) return file.settle();
      const last = state !== undefined;
      // The host says that nothing was ever written: saves opening two files for each silent command.
      const silent = last && exit !== undefined && !exit[name];
      const bytes = silent ? 0 : await file.pump(transport.files, path, over);
      if (last) return file.settle();
      waitMs = bytes > 0 ? QUICK_MS : Math.min(waitMs * 2, SLOW_MS);
    }
  };

  const parts = async (): Promise<void> => {
    await start();
    const all = [look(), end(), tail('stdout', `${folder}/out`), tail('stderr', `${folder}/err`)];
    const stopAll = (error: unknown): never => {
      failed.abort();
      throw error;
    };
    const results = await Promise.allSettled(all.map((part) => part.catch(stopAll)));
    const wrong = results.find((result) => result.status === 'rejected');
    if (wrong) throw wrong.reason;
  };

  try {
    await parts();
  } catch (error) {
    // Said in answer to the start: there is no folder of the action, so it did not start.
    if (error instanceof HostError && error.code === 'host-fault' && !watch.announced) return { kind: 'not-started', error };
    throw error;
  } finally {
    ignoreExit();
    watch.stdout.release();
    watch.stderr.release();
  }
  // Detached after the end and before all output was handed on is not an outcome yet.
  return state && !over.aborted ? outcomeOf(state, spec.id, transport.host.id) : { kind: 'detached' };
}

/** Resolves with the reason when the command is to be ended, with none when that is not asked before one of the signals. */
async function endAsked(watch: Watch, ...others: AbortSignal[]): Promise<EndReason | undefined> {
  const { cancel } = watch.signals;
  const { timeoutMs } = watch.spec;
  const endAt = timeoutMs === undefined ? Infinity : (watch.startedAt ?? Date.now()) + timeoutMs;
  while (!others.some((signal) => signal.aborted)) {
    if (cancel?.aborted) return 'cancelled';
    const leftMs = endAt - Date.now();
    if (leftMs <= 0) return 'timeout';
    // A timer holds 31 bits; a longer limit is waited for in parts.
    await pause(Math.min(leftMs, 2 ** 31 - 1), cancel, ...others);
  }
  return undefined;
}

function outcomeOf(state: ActionState, id: string, host: string): Outcome {
  switch (state.state) {
    case 'exited':
      return state.ended ? { kind: state.ended } : { kind: 'exited', code: state.code };
    case 'lost':
      return { kind: state.ended ?? 'lost' };
    case 'never':
      if (state.ended) return { kind: state.ended };
      return {
        kind: 'not-started',
        error: new HostError('host-fault', `Host ${host} took action ${id} and its supervisor never reported; check the host's load and disk.`),
      };
    case 'unknown':
    case 'starting':
    case 'running':
      // Its folder was removed while we watched: nobody can tell any more.
      return { kind: 'lost' };
  }
}
