import { unreachable, type ActionResult, type CommandShell } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { beginAt, contextOf, handOn, type Taker } from '../masking/handing-on.js';
import { maskText } from '../masking/masker.js';
import { patternsOf, type Patterns } from '../masking/patterns.js';
import type { Outcome } from '../runner/outcome.js';
import { pause } from '../runner/pause.js';
import { HostError, isPassing } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import { partOf, type ActionContext, type Part } from './action.js';

export interface Script {
  text: string;
  cwd: string;
  /** What it is written for; sh when absent, and PowerShell on Windows. */
  shell?: CommandShell;
  env?: Record<string, string>;
  /** Variables that hold the path of a file with this in it. */
  files?: Record<string, Buffer>;
  /** What is masked in all that is told of it. */
  secrets?: readonly Buffer[];
  /** Bytes of each stream that are kept of what is published. */
  outputLimit?: number;
  timeoutMs?: number;
  /** It is not the action itself but this part of it. */
  part?: Part;
  /** Give up when the host goes away meanwhile: for what can as well be done on another. */
  elsewhere?: boolean;
}

/** What a captured script printed, and what is known of any besides its exit code. */
export interface Said {
  stdout: string;
  stderr: string;
  /** The last lines of a published one. */
  readonly tail: string;
  /** It has told outputs. */
  outputs: boolean;
  /** The host could not keep all that it printed. */
  full: boolean;
}

/** What an exit code means for a kind of action. `undefined`: we were told to stop watching. */
export type Verdict = (exitCode: number, result: ActionResult, said: Said) => End | Promise<End | undefined>;

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
  const published = output === 'published';
  const patterns = script.secrets === undefined ? NOTHING : patternsOf(script.secrets);
  const said: Said = { stdout: '', stderr: '', outputs: false, full: false, get tail() { return published ? handing.tail() : ''; } };
  const taker = published ? context.output : capture(said);
  const handing = handOn(patterns, taker);
  const outcome = await context.runner.run(
    context.host,
    {
      id: partOf(context.id, script.part),
      script: script.text,
      cwd: script.cwd,
      env: script.env ?? {},
      offsets: { stdout: beginAt(patterns, taker.reached.stdout), stderr: beginAt(patterns, taker.reached.stderr) },
      mayHaveStarted: context.mayHaveStarted,
      connectLimitMs: CONNECT_LIMIT_MS,
      ...(published && { outputLimit: script.outputLimit ?? context.outputLimit, context: contextOf(patterns) }),
      ...(script.shell !== undefined && { shell: script.shell }),
      ...(script.files && { files: script.files }),
      ...(script.timeoutMs !== undefined && { timeoutMs: script.timeoutMs }),
      ...(script.elsewhere && { awayLimitMs: CONNECT_LIMIT_MS }),
      ...(context.startedAt !== undefined && script.part === undefined && { startedAt: context.startedAt }),
    },
    {
      onChunk: (stream, offset, bytes) => handing.chunk(stream, offset, bytes),
      onCut: (stream, to, next) => handing.cut(stream, to, next),
      onStarted: () => context.started(),
      onLink: (link) => context.link(link.up ? undefined : link.error.message),
    },
    context.signals,
  );
  if (outcome.kind === 'detached') return undefined;
  await handing.end();
  await context.output.settled();
  const result: ActionResult = published ? { stdoutBytes: taker.reached.stdout, stderrBytes: taker.reached.stderr } : {};
  const end = await endOf(outcome, script, result, said, verdict, late);
  return end && withTail(masked(end, patterns), said.tail);
}

const NOTHING = patternsOf([]);

/** Keeps the end of what is printed, from the beginning on also after a restart. */
function capture(said: Said): Taker {
  return {
    reached: { stdout: 0, stderr: 0 },
    chunk(stream, _, bytes) {
      said[stream] = (said[stream] + bytes.toString('utf8')).slice(-CAPTURED);
      return Promise.resolve();
    },
    cut: () => Promise.resolve(),
  };
}

async function endOf(outcome: Exclude<Outcome, { kind: 'detached' }>, script: Script, result: ActionResult, said: Said, verdict: Verdict, late?: (...about: [ActionResult, Said]) => End): Promise<End | undefined> {
  switch (outcome.kind) {
    case 'exited':
      said.outputs = outcome.outputs ?? false;
      said.full = outcome.full ?? false;
      return verdict(outcome.code, { ...result, exitCode: outcome.code }, said);
    case 'timeout':
      return late?.(result, said) ?? { kind: 'failed', result, code: 'timeout', error: `it ran longer than ${(script.timeoutMs ?? 0) / 1000} s and was ended` };
    case 'cancelled':
      return { kind: 'cancelled', result, reason: 'it was cancelled' };
    case 'lost':
      return { kind: 'lost', result, error: 'the host cannot tell how it ended (it restarted, or the command was killed from outside): look at what it did and restart the build' };
    case 'not-started':
      return { kind: 'failed', result, code: outcome.error.code === 'shell' ? 'shell' : 'unreachable', error: outcome.error.message };
    case 'away':
      return { kind: 'failed', result, code: 'unreachable', error: outcome.error.message };
    default:
      return unreachable(outcome);
  }
}

/** In what is printed secrets are masked already; here, in what is said about it. */
function masked(end: End, patterns: Patterns): End {
  const { outputs } = end.result;
  const result = outputs ? { ...end.result, outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [maskText(patterns, name), maskText(patterns, value)])) } : end.result;
  return end.kind === 'failed' || end.kind === 'lost' ? { ...end, result, error: maskText(patterns, end.error) } : { ...end, result };
}

const withTail = (end: End, tail: string): End => ((end.kind === 'failed' || end.kind === 'lost') && tail !== '' ? { ...end, result: { ...end.result, tail } } : end);

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
