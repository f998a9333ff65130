import { workingCopyResult } from '../git/working-copy.js';
import type { End } from '../domain/action.js';
import { platformOf } from '../platforms/platform.js';
import { hostShellOf } from '../runner/host-shell.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionContext, Part } from './action.js';
import { runScript } from './run-script.js';

/** Between asking a process to end and making it. */
const GRACE_MS = 2000;

/** Ends whatever was begun under the lease and is still there: a process must outlive neither the folder nor the lease. */
export async function endAll(context: ActionContext, transport: Transport): Promise<void> {
  for (const id of context.abandoned) await context.runner.kill(context.host, id);
  await context.runner.forget(context.host, context.abandoned);
  await (await hostShellOf(transport)).reap(`BERTH_LEASE=${context.lease}`, GRACE_MS);
}

/** Removes the folder `copies/<id>`, as a part of the action or as the action itself. */
export async function removeFolder(context: ActionContext, transport: Transport, path: string, id: string, part?: Part): Promise<End | undefined> {
  if (await removeEmpty(transport, path)) return { kind: 'succeeded', result: {} };
  return runScript(context, { text: platformOf(context.host).remove(transport.folder, id), cwd: transport.folder, ...(part && { part }) }, 'captured', (exitCode, result, said) => {
    const removed = workingCopyResult(transport.folder, id, exitCode, said.stdout, said.stderr);
    return removed.ok ? { kind: 'succeeded', result: {} } : { kind: 'failed', result, code: removed.code, error: removed.message };
  });
}

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
