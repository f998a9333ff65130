import type { ActionSpec } from '@berth/contracts';
import { copyPath, removeScript, workingCopyResult } from '../git/working-copy.js';
import { hostShellOf } from '../runner/host-shell.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionHandler } from './action.js';
import { reach, runScript } from './run-script.js';

/** Between asking a process to end and making it. */
const GRACE_MS = 2000;

/** Removes a folder and makes sure that it is gone. Owed whatever happens: it waits for a host that is away. */
export const removeWorkingCopy: ActionHandler<Extract<ActionSpec, { kind: 'remove-working-copy' }>> = async (context) => {
  const { copy } = context.spec;
  const transport = await reach(context);
  if (!transport) return undefined;
  for (const id of context.abandoned) await context.runner.kill(context.host, id);
  await context.runner.forget(context.host, context.abandoned);
  // First whatever its commands left running: a process must outlive neither the folder nor the lease.
  await (await hostShellOf(transport)).reap(`BERTH_LEASE=${context.lease}`, GRACE_MS);
  if (await removeEmpty(transport, copyPath(transport.folder, copy))) return { kind: 'succeeded', result: {} };
  return runScript(context, { text: removeScript(transport.folder, copy), cwd: transport.folder }, 'captured', (exitCode, result, said) => {
    const removed = workingCopyResult(transport.folder, copy, exitCode, said.stdout, said.stderr);
    return removed.ok ? { kind: 'succeeded', result: {} } : { kind: 'failed', result, code: removed.code, error: removed.message };
  });
};

/** What is empty, or not there, is gone without a process on the host; anything else is for the script, whatever kept it. */
async function removeEmpty(transport: Transport, path: string): Promise<boolean> {
  try {
    await transport.files.rmdir(path);
    return true;
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    return error.code === 'not-found';
  }
}
