import type { ActionSpec } from '@berth/contracts';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionHandler } from './action.js';
import { reach, runScript } from './run-script.js';

/** What every process of a lease carries, so that what a command leaves running is found when the lease ends. */
export const markOf = (lease: string) => ({ BERTH_LEASE: lease });

/** Runs a command in the lease's folder. */
export const runCommand: ActionHandler<Extract<ActionSpec, { kind: 'run-command' }>> = async (context) => {
  const { command, env, timeoutMs } = context.spec;
  if (!context.folder.startsWith('/') && !context.mayHaveStarted) {
    const transport = await reach(context);
    if (!transport) return undefined;
    await makeFolder(transport, context.folder);
  }
  return runScript(context, { text: command, cwd: context.folder, env: { ...env, ...markOf(context.lease) }, ...(timeoutMs !== undefined && { timeoutMs }) }, 'published', (exitCode, result) =>
    exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: `exit code ${exitCode}` },
  );
};

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
