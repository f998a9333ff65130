import { FullError, InvalidNameError, TooLargeError } from '@berth/artifacts';
import type { ActionSpec } from '@berth/contracts';
import { artifactBucket, transferBucket } from '@berth/nats';
import type { End } from '../domain/action.js';
import { getFile as read } from '../files/transfer.js';
import { platformOf } from '../platforms/platform.js';
import { HostError } from '../transports/errors.js';
import type { ActionHandler } from './action.js';
import { makeFolder } from './run-command.js';
import { overConnection } from './run-script.js';

/** Keeps a file of the lease's folder in an object: with a "/" in its name it is an artifact's, any other is on its way to somebody. */
export const getFile: ActionHandler<Extract<ActionSpec, { kind: 'get-file' }>> = (context) => {
  const { path, object } = context.spec;
  return overConnection(context, async (transport) => {
    context.started();
    const root = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
    const { content } = await read(transport, root, platformOf(context.host).inside(path)).catch((error: unknown) => {
      // Told by the name that its author knows, not by where the host keeps it.
      if (error instanceof HostError && error.code === 'not-found') throw new HostError('not-found', `there is no file ${path} in the folder of the lease`);
      throw error;
    });
    const { cancel, detach } = context.signals;
    try {
      const kept = await context.objects.put(object.includes('/') ? artifactBucket : transferBucket, object, content, { signal: AbortSignal.any([cancel, detach]) });
      return { kind: 'succeeded', result: kept };
    } catch (error) {
      if (cancel.aborted && error === cancel.reason) return { kind: 'cancelled', result: {}, reason: 'it was cancelled' };
      return refused(error);
    }
  });
};

/** What would be the same however often it is tried. @throws what is not: an outage is waited for, a lost host is no fault of the store */
function refused(error: unknown): End {
  const code = error instanceof FullError ? 'store-full' : error instanceof TooLargeError ? 'too-large' : error instanceof InvalidNameError ? 'invalid-value' : undefined;
  if (code === undefined) throw error;
  return { kind: 'failed', result: {}, code, error: (error as Error).message };
}
