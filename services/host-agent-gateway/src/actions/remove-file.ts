import type { ActionSpec } from '@berth/contracts';
import type { End } from '../domain/action.js';
import { resolveEntry } from '../files/resolve.js';
import { shQuote } from '../runner/quote.js';
import { HostError } from '../transports/errors.js';
import type { Transport } from '../transports/transport.js';
import type { ActionContext, ActionHandler } from './action.js';
import { overConnection, runScript } from './run-script.js';

type Remove = Extract<ActionSpec, { kind: 'remove-file' }>;

/** Removes a file, a link or a folder from the lease's folder. A link goes, and not what it leads to. */
export const removeFile: ActionHandler<Remove> = async (context) => {
  let tree: { path: string; cwd: string } | undefined;
  const end = await overConnection(context, async (transport): Promise<End> => {
    context.started();
    tree = await removeOne(context, transport);
    return { kind: 'succeeded', result: {} };
  });
  if (end?.kind !== 'succeeded' || !tree) return end;
  const { path, cwd } = tree;
  return runScript(context, { text: `rm -rf -- ${shQuote(path)}`, cwd }, 'captured', (exitCode, _result, said) =>
    exitCode === 0 ? { kind: 'succeeded', result: {} } : { kind: 'failed', result: {}, code: 'file-failed', error: said.stderr.trim() || `exit code ${exitCode}` },
  );
};

/** @returns the folder that has to be removed with all that is in it */
async function removeOne({ spec: { path, recursive }, folder, mayHaveStarted }: ActionContext<Remove>, { files, folder: base }: Transport): Promise<{ path: string; cwd: string } | undefined> {
  const root = folder.startsWith('/') ? folder : `${base}/${folder}`;
  try {
    const entry = await resolveEntry(files, root, path);
    const at = `${entry.folder}/${entry.name}`;
    const { kind } = await files.lstat(at);
    if (kind !== 'folder') await files.unlink(at);
    else if (recursive) return { path: at, cwd: entry.folder };
    else if ((await files.list(at, 1)).length > 0) throw new HostError('file-failed', `'${path}' is a folder with something in it: say that it is to be removed with that (recursive)`);
    else await files.rmdir(at);
    return undefined;
  } catch (error) {
    if (!(error instanceof HostError) || error.code !== 'not-found') throw error;
    // A process before this one may have removed it.
    if (mayHaveStarted) return undefined;
    throw new HostError('not-found', `there is nothing at ${path} in the folder of the lease`);
  }
}
