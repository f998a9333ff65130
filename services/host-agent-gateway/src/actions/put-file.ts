import type { ActionSpec } from '@berth/contracts';
import { transferBucket } from '@berth/nats';
import { putFile as write } from '../files/transfer.js';
import type { ActionHandler } from './action.js';
import { platformOf } from '../platforms/platform.js';
import { makeFolder } from './run-command.js';
import { overConnection } from './run-script.js';

/** Writes a file into the lease's folder: a text that is given, or an object of the transfer bucket. */
export const putFile: ActionHandler<Extract<ActionSpec, { kind: 'put-file' }>> = (context) => {
  const { path, object, content: text, mode } = context.spec;
  if ((object === undefined) === (text === undefined)) {
    const why = object === undefined ? 'has neither object nor content' : 'has both object and content';
    return Promise.resolve({ kind: 'failed', result: {}, code: 'invalid-value', error: `put-file of ${path} ${why}: give one of them` });
  }
  return overConnection(context, async (transport) => {
    context.started();
    const content = object === undefined ? [Buffer.from(text ?? '')] : await context.objects.get(transferBucket, object);
    if (!content) return { kind: 'failed', result: {}, code: 'not-found', error: `the file ${object} to be put is not there (any more)` };
    const root = context.folder.startsWith('/') ? context.folder : await makeFolder(transport, context.folder);
    const { bytes, sha256 } = await write(transport, root, platformOf(context.host).inside(path), content, { mode });
    return { kind: 'succeeded', result: { bytes, sha256 } };
  });
};
