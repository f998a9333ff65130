import type { ActionSpec } from '@berth/contracts';
import { copyPath, prepareScript, workingCopyResult } from '../git/working-copy.js';
import type { ActionHandler } from './action.js';
import { reach, runScript } from './run-script.js';

/** Makes a folder with a repository at a ref; without a repository, an empty one. */
export const prepareWorkingCopy: ActionHandler<Extract<ActionSpec, { kind: 'prepare-working-copy' }>> = async (context) => {
  const { copy, repository, ref } = context.spec;
  const transport = await reach(context);
  if (!transport) return undefined;
  const text = prepareScript(transport.folder, { copyId: copy, ...(repository !== undefined && { repository }), ...(ref !== undefined && { ref }) });
  return runScript(context, { text, cwd: transport.folder }, 'captured', (exitCode, result, said) => {
    const made = workingCopyResult(transport.folder, copy, exitCode, said.stdout, said.stderr);
    if (!made.ok) return { kind: 'failed', result, code: made.code, error: made.message };
    return { kind: 'succeeded', result: { path: copyPath(transport.folder, copy), ...(made.commit !== undefined && { commit: made.commit }) } };
  });
};
