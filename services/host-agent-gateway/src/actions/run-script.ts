import { unreachable, type ActionResult } from '@berth/contracts';
import type { End } from '../domain/action.js';
import type { ShellName } from '../platforms/platform.js';
import { pause } from '../runner/pause.js';
import { HostError, isPassing } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import { partOf, type ActionContext, type Part } from './action.js';

export interface Script {
  text: string;
  cwd: string;
  env?: Record<string, string>;
  shell?: ShellName;
  timeoutMs?: number;
  /** It is not the action itself but this part of it. */
  part?: Part;
  /** Give up when the host goes away meanwhile: for what can as well be done on another. */
  elsewhere?: boolean;
}

/** What a captured script printed. */
export interface Said {
  stdout: string;
  stderr: string;
}

/** What an exit code means for a kind of action. */
export type Verdict = (exitCode: number, result: ActionResult, said: Said) => End;

/** Of a captured script only so much is kept, in characters: it is ours and prints little. */
const CAPTURED = 64 * 1024;
const CONNECT_LIMIT_MS = 10_000;
/** How many connections may be lost under one file before its action fails. */
const CONNECTIONS = 10;

/**
 * Runs shell text on the host and tells its end. `published`: its output goes to the bus; `captured`: the verdict reads it,
 * from the beginning also after a restart. `late` tells the end of one whose time was over, where that is not a failure alone.
 */
export async function runScript(context: ActionContext, script: Script, output: 'published' | 'captured', verdict: Verdict, late?: (...about: [ActionResult, Said]) => End): Promise<End | undefined> {
  const { runner, signals } = context;
  const sink = context.output;
  const said = { stdout: '', stderr: '' };
  const outcome = await runner.run(
    context.host,
    {
      id: partOf(context.id, script.part),
      script: script.text,
      cwd: script.cwd,
      env: script.env ?? {},
      ...(script.shell && { shell: script.shell }),
      offsets: output === 'published' ? { ...sink.reached } : { stdout: 0, stderr: 0 },
      mayHaveStarted: context.mayHaveStarted,
      connectLimitMs: CONNECT_LIMIT_MS,
      ...(script.timeoutMs !== undefined && { timeoutMs: script.timeoutMs }),
      ...(script.elsewhere && { awayLimitMs: CONNECT_LIMIT_MS }),
      ...(context.startedAt !== undefined && script.part === undefined && { startedAt: context.startedAt }),
    },
    {
      onChunk(stream, offset, bytes) {
        if (output === 'published') return sink.chunk(stream, offset, bytes);
        said[stream] = (said[stream] + bytes.toString('utf8')).slice(-CAPTURED);
        return Promise.resolve();
      },
      onStarted: () => context.started(),
      onLink: (link) => context.link(link.up ? undefined : link.error.message),
    },
    signals,
  );
  if (outcome.kind === 'detached') return undefined;
  await sink.settled();
  const result: ActionResult = output === 'published' ? { stdoutBytes: sink.reached.stdout, stderrBytes: sink.reached.stderr } : {};
  switch (outcome.kind) {
    case 'exited':
      return verdict(outcome.code, { ...result, exitCode: outcome.code }, said);
    case 'timeout':
      return late?.(result, said) ?? { kind: 'failed', result, code: 'timeout', error: `it ran longer than ${(script.timeoutMs ?? 0) / 1000} s and was ended` };
    case 'cancelled':
      return { kind: 'cancelled', result, reason: 'it was cancelled' };
    case 'lost':
      return { kind: 'lost', result, error: 'the host cannot tell how it ended (it restarted, or the command was killed from outside)' };
    case 'not-started':
    case 'away':
      return { kind: 'failed', result, code: 'unreachable', error: outcome.error.message };
    default:
      return unreachable(outcome);
  }
}

/**
 * Does over a connection what can be done again over the next one when that is lost: moving a file, say.
 *
 * @throws HostError as `reach`, and what `work` throws
 */
export async function overConnection(context: ActionContext, work: (transport: Transport) => Promise<End>): Promise<End | undefined> {
  for (let tries = 1; ; tries++) {
    const transport = await reach(context);
    if (!transport) return undefined;
    if (context.signals.cancel.aborted) return { kind: 'cancelled', result: {}, reason: 'it was cancelled' };
    try {
      return await work(transport);
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== 'connection-lost' || tries >= CONNECTIONS) throw error;
      context.link(error.message);
    }
  }
}

/**
 * The open connection to the action's host. Something that is owed is waited for as long as it takes; anything else for ten
 * seconds. `undefined` when we were told to stop.
 *
 * @throws HostError when the host can't be reached in that time, or won't let us in
 */
export async function reach(context: ActionContext): Promise<Transport | undefined> {
  const end = Date.now() + CONNECT_LIMIT_MS;
  for (let wait = 100; ; wait = Math.min(wait * 2, 2000)) {
    if (context.signals.detach.aborted) return undefined;
    try {
      return await context.pool.connect(context.host);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (!context.owed && (!isPassing(error) || Date.now() + wait > end)) throw error;
      context.link(error.message);
    }
    await pause(wait, context.signals.detach);
  }
}
