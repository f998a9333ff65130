import { ChangedError, CorruptError, FullError, InvalidNameError, TooLargeError } from '@berth/artifacts';
import type { ActionResult, KeptFile } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { FileFault } from '../files/fault.js';
import { steadyFiles } from '../files/steady.js';
import { platformOf } from '../platforms/platform.js';
import { codeOf, HostError, messageOf } from '../transports/errors.js';
import type { HostFiles, Transport } from '../transports/transport.js';
import type { ActionContext } from './action.js';
import { makeFolder } from './run-command.js';
import { reach } from './run-script.js';

/** What files are moved with. */
export interface Moving {
  /** Go on over the next connection when one is lost. */
  files: HostFiles;
  /** Absolute folder of the lease. */
  root: string;
  /** A path or a pattern of the host's kind, with `/` alone between its names. */
  inside(path: string): string;
  /** A line for the output of the action. */
  say(line: string): Promise<void>;
  /** What was kept so far; told also when it then goes wrong. */
  kept: KeptFile[];
  /** Fires when it is cancelled, a process after this one will do it again, or `each` has failed. */
  signal: AbortSignal;
  /** Does it for each, several at a time, results in order. After a failure none is begun, and what is under way is ended. */
  each<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]>;
}

/**
 * Moves files between a host and the stores. All of it can be done again, as it is after a restart; lost connections are none
 * of its affair. Cancelled, it ends once nothing of it is under way any more.
 */
export async function moving(context: ActionContext, work: (moving: Moving) => Promise<ActionResult>): Promise<End | undefined> {
  const { cancel, detach } = context.signals;
  const over = AbortSignal.any([cancel, detach]);
  const failed = new AbortController();
  const connect = async (): Promise<Transport> => {
    // What was cancelled still takes away what is half done, but waits for no host.
    const transport = cancel.aborted ? await context.pool.connect(context.host) : await reach({ ...context, signals: { ...context.signals, detach: over } });
    if (!transport) throw new HostError('connection-lost', `The connection to host ${context.host.id} is not waited for any more.`);
    return transport;
  };
  const kept: KeptFile[] = [];
  const said = () => ({ stdoutBytes: context.output.reached.stdout, stderrBytes: context.output.reached.stderr, ...(kept.length > 0 && { artifacts: kept }) });
  try {
    if (cancel.aborted) return { kind: 'cancelled', result: said(), reason: 'it was cancelled' };
    const transport = await connect();
    context.started();
    const root = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
    const files = steadyFiles(connect, (error) => context.link(error.message));
    const result = await work({
      files,
      root,
      kept,
      inside: (path) => platformOf(context.host).inside(path),
      say: (line) => say(context, line),
      signal: AbortSignal.any([over, failed.signal]),
      each: (items, one) => several(items, one, () => failed.abort()),
    });
    await context.output.settled();
    return { kind: 'succeeded', result: { ...said(), ...result } };
  } catch (error) {
    if (detach.aborted) return undefined;
    await context.output.settled();
    if (cancel.aborted) return { kind: 'cancelled', result: said(), reason: 'it was cancelled' };
    const code = codeFor(error);
    if (code === undefined) throw error;
    return { kind: 'failed', result: said(), code, error: messageOf(error) };
  }
}

/** Of what would be the same however often it is tried. A store that does not answer is none of that: it is waited for. */
function codeFor(error: unknown): string | undefined {
  if (error instanceof FileFault) return error.code;
  if (error instanceof HostError) return codeOf(error);
  if (error instanceof FullError) return 'store-full';
  if (error instanceof TooLargeError) return 'too-large';
  if (error instanceof InvalidNameError) return 'bad-name';
  if (error instanceof CorruptError || error instanceof ChangedError) return 'checksum';
  return undefined;
}

/** Adds a line to the output of the action. Resolves when there is room for more. */
export const say = (context: ActionContext, line: string): Promise<void> => context.output.chunk('stdout', context.output.reached.stdout, Buffer.from(`${line}\n`));

/** Files on their way at a time: enough to hide a round trip for small ones, few enough to bound memory. */
const AT_A_TIME = 4;

/** Does it for each, results in order. It rejects with the first failure, once none is under way any more. */
export async function several<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>, onFailure: () => void): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failure: { error: unknown } | undefined;
  const one = async (): Promise<void> => {
    while (next < items.length && !failure) {
      const index = next++;
      try {
        results[index] = await work(items[index] as T, index);
      } catch (error) {
        if (!failure) onFailure();
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, items.length) }, one));
  if (failure) throw failure.error;
  return results;
}
