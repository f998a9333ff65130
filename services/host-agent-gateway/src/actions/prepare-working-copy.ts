import type { ActionSpec } from '@berth/contracts';
import { copyPath, workingCopyResult } from '../git/working-copy.js';
import { platformOf } from '../platforms/platform.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionHandler } from './action.js';
import { makeFolder } from './run-command.js';
import { reach, runScript } from './run-script.js';

/**
 * Makes a folder with repositories, each at a ref; without one, an empty folder. Nothing depends on it yet, so a host that
 * goes away is not waited for: the asker tries another, and the removal ends what still runs here.
 */
export const prepareWorkingCopy: ActionHandler<Extract<ActionSpec, { kind: 'prepare-working-copy' }>> = async (context) => {
  const { copy, repository, ref, also, cache } = context.spec;
  const transport = await reach(context);
  if (!transport) return undefined;
  if (repository === undefined && Object.keys(also ?? {}).length === 0 && !context.mayHaveStarted && (await makeEmpty(transport, copy))) {
    return { kind: 'succeeded', result: { path: copyPath(transport.folder, copy) } };
  }
  const text = platformOf(context.host).prepare(transport.folder, { copyId: copy, ...(repository !== undefined && { repository }), ...(ref !== undefined && { ref }), ...(also && { also }), ...(cache !== undefined && { cache }) });
  return runScript(context, { text, cwd: transport.folder, elsewhere: true }, 'captured', (exitCode, result, said) => {
    const made = workingCopyResult(transport.folder, copy, exitCode, said.stdout, said.stderr);
    if (!made.ok) return { kind: 'failed', result, code: made.code, error: made.message };
    return { kind: 'succeeded', result: { path: copyPath(transport.folder, copy), ...(made.commit !== undefined && { commit: made.commit }) } };
  });
};

/** An empty folder needs no process on the host. False when something is there already: the script clears it away. */
async function makeEmpty(transport: Transport, copy: string): Promise<boolean> {
  await makeFolder(transport, 'copies');
  try {
    await transport.files.mkdir(copyPath(transport.folder, copy), 0o700);
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === 'already-exists') return false;
    throw error;
  }
}
