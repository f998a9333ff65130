import type { ActionResult, ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionHandler } from './action.js';
import { exitText } from './exit-text.js';
import { readOutputs, type Outputs } from './outputs.js';
import { overConnection, reach, runScript, type Script } from './run-script.js';
import { endUnmasked, secretsOf } from './secrets.js';

type RunCommand = Extract<ActionSpec, { kind: 'run-command' }>;

/** What every process of a lease carries, so that what a command leaves running is found when the lease ends. */
export const markOf = (lease: string) => ({ BERTH_LEASE: lease });

/** Runs a command in the lease's folder. */
export const runCommand: ActionHandler<RunCommand> = async (context) => {
  const { command, shell, env, timeoutMs, outputLimit } = context.spec;
  const given = await secretsOf(context);
  if ('kind' in given) return endUnmasked(context, given);
  if (!context.folder.startsWith('/') && !context.mayHaveStarted) {
    const transport = await reach(context);
    if (!transport) return undefined;
    await makeFolder(transport, context.folder);
  }
  const script: Script = {
    text: command,
    cwd: context.folder,
    env: { ...env, ...given.env, ...markOf(context.lease) },
    files: given.files,
    secrets: given.values,
    ...(shell !== undefined && { shell }),
    ...(outputLimit !== undefined && { outputLimit }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  return runScript(context, script, 'published', async (exitCode, result, said) => {
    const told = said.outputs ? await overConnection(context, async (transport) => outputsEnd(await readOutputs(transport, context.id), result)) : ({ kind: 'succeeded', result } as const);
    if (exitCode === 0 || told === undefined) return told;
    // That it failed says more than that its outputs can't be read.
    return { kind: 'failed', result: told.kind === 'succeeded' ? told.result : result, code: 'exit', error: exitText(exitCode, { tail: said.tail, full: said.full, host: context.host }) };
  });
};

const outputsEnd = (read: Outputs, result: ActionResult): End =>
  read.ok ? { kind: 'succeeded', result: Object.keys(read.outputs).length > 0 ? { ...result, outputs: read.outputs } : result } : { kind: 'failed', result, code: 'outputs', error: read.error };

/** Folders of host leases that are known to be there, by connection: a new connection looks again. */
const made = new WeakMap<Transport, Set<string>>();

/** Makes the folder of a host lease, below the host's base folder, when it isn't there. */
export async function makeFolder(transport: Transport, relative: string): Promise<string> {
  const path = `${transport.folder}/${relative}`;
  const known = made.get(transport) ?? new Set<string>();
  made.set(transport, known);
  if (known.has(path)) return path;
  const parts = path.split('/').slice(1);
  const upTo = (depth: number) => `/${parts.slice(0, depth).join('/')}`;
  // From the deepest upwards until one can be made or is there, one question in the usual case; then down again.
  let depth = parts.length;
  while (depth > 0 && !(await makeOne(transport, upTo(depth)))) depth--;
  for (depth++; depth <= parts.length; depth++) await makeOne(transport, upTo(depth));
  known.add(path);
  return path;
}

/** False when the folder above is missing. Others may make the same folder meanwhile. */
async function makeOne(transport: Transport, path: string): Promise<boolean> {
  try {
    await transport.files.mkdir(path, 0o700);
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'already-exists') return true;
    if (error.code === 'not-found') return false;
    throw error;
  }
}
