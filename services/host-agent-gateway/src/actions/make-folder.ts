import type { ActionSpec } from '@berth/contracts';
import { makeInside } from '../files/resolve.js';
import type { ActionHandler } from './action.js';
import { makeFolder } from './run-command.js';
import { overConnection } from './run-script.js';

/** Makes a folder in the lease's folder. */
export const makeFolderInside: ActionHandler<Extract<ActionSpec, { kind: 'make-folder' }>> = (context) =>
  overConnection(context, async (transport) => {
    context.started();
    const root = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
    return { kind: 'succeeded', result: { path: await makeInside(transport.files, root, context.spec.path) } };
  });
