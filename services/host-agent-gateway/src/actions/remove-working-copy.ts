import type { ActionSpec } from '@berth/contracts';
import { copyPath } from '../git/working-copy.js';
import { platformOf } from '../platforms/platform.js';
import type { Transport } from '../transports/transport.js';
import type { ActionContext, ActionHandler } from './action.js';
import { endAll, removeFolder } from './remove-folder.js';
import { reach, runScript } from './run-script.js';

type Remove = Extract<ActionSpec, { kind: 'remove-working-copy' }>;

/** It writes all files anew, and the slot is not free before: what takes longer than this is not worth being kept. */
const KEEP_MS = 10 * 60_000;

/** Removes a folder and makes sure that it is gone. Owed whatever happens: it waits for a host that is away. */
export const removeWorkingCopy: ActionHandler<Remove> = async (context) => {
  const { copy } = context.spec;
  const transport = await reach(context);
  if (!transport) return undefined;
  await endAll(context, transport);
  if (!(await keep(context, transport))) return undefined;
  return removeFolder(context, transport, copyPath(transport.folder, copy), copy);
};

/** Keeps a clone where that is wanted. It need not succeed: the removal comes after it in any case. False = told to stop. */
async function keep(context: ActionContext<Remove>, transport: Transport): Promise<boolean> {
  const { spec, prepared } = context;
  if (!spec.keep || prepared?.copy !== spec.copy) return true;
  const { repository, also } = prepared;
  if (repository === undefined && !also) return true;
  const platform = platformOf(context.host);
  if (!platform.keep) return true;
  const text = platform.keep(transport.folder, { copyId: spec.copy, ...spec.keep, ...(repository !== undefined && { repository }), ...(also && { also }) });
  const end = await runScript(context, { text, cwd: transport.folder, part: 'keep', timeoutMs: KEEP_MS }, 'captured', (exitCode, result, said) =>
    exitCode === 0 ? { kind: 'succeeded', result } : { kind: 'failed', result, code: 'exit', error: said.stderr.trim() || `exit code ${exitCode}` },
  );
  if (end && end.kind !== 'succeeded') context.note('clone not kept', end.kind === 'cancelled' ? end.reason : end.error);
  return end !== undefined;
}
