import type { ActionSpec } from '@berth/contracts';
import { copyPath } from '../git/working-copy.js';
import type { ActionHandler } from './action.js';
import { endAll, removeFolder } from './remove-folder.js';
import { markOf } from './run-command.js';
import { reach, runScript } from './run-script.js';

/**
 * Ends a service, in good order where it has a command for that, and whatever is left of it; then removes the folder of its
 * lease, which it has when it stands on no working copy. Owed whatever happens: it waits for a host that is away.
 */
export const stopService: ActionHandler<Extract<ActionSpec, { kind: 'stop-service' }>> = async (context) => {
  const { command, env, timeoutMs } = context.spec;
  if (command !== undefined) {
    const end = await runScript(context, { text: command, cwd: context.folder, env: { ...env, ...markOf(context.lease) }, timeoutMs }, 'published', (exitCode, result) =>
      exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: `exit code ${exitCode}` },
    );
    if (!end || end.kind === 'cancelled') return end;
    // There may have been nothing to end, and what is left is ended in any case.
    if (end.kind !== 'succeeded') context.note('stop command failed', end.error);
  }
  const transport = await reach(context);
  if (!transport) return undefined;
  await endAll(context, transport);
  return removeFolder(context, transport, copyPath(transport.folder, context.lease), context.lease, 'remove');
};
