import type { ActionSpec } from '@berth/contracts';
import { removeScript, workingCopyResult } from '../git/working-copy.js';
import type { ActionHandler } from './action.js';
import { reach, runScript } from './run-script.js';

/** Removes a folder and makes sure that it is gone. Owed whatever happens: it waits for a host that is away. */
export const removeWorkingCopy: ActionHandler<Extract<ActionSpec, { kind: 'remove-working-copy' }>> = async (context) => {
  const { copy } = context.spec;
  const transport = await reach(context);
  if (!transport) return undefined;
  return runScript(context, { text: removeScript(transport.folder, copy), cwd: transport.folder }, 'captured', (exitCode, result, said) => {
    const removed = workingCopyResult(transport.folder, copy, exitCode, said.stdout, said.stderr);
    return removed.ok ? { kind: 'succeeded', result: {} } : { kind: 'failed', result, code: removed.code, error: removed.message };
  });
};
