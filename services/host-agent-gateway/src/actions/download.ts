import { createHash } from 'node:crypto';
import type { ActionSpec } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { FileFault, plain, size } from '../files/fault.js';
import { putFile } from '../files/transfer.js';
import type { ActionHandler } from './action.js';
import { moving, several } from './moving.js';

type Download = Extract<ActionSpec, { kind: 'download' }>;
type Item = Download['items'][number];

/** Puts artifacts into the lease's folder, each under its name only when all of it is there and is what it should be. */
export const download: ActionHandler<Download> = (context) =>
  moving(context, async (over) => {
    const items = context.spec.items.map((item) => ({ ...item, path: over.inside(item.path) }));
    const targets = new Map<string, Item>();
    for (const item of items) {
      const path = item.path.split('/').filter((part) => part !== '' && part !== '.').join('/');
      const other = targets.get(path);
      if (other) throw new FileFault('same-name', `${plain(other.object)} and ${plain(item.object)} would both be put at ${plain(path)}: give them two paths.`);
      targets.set(path, item);
    }
    await several(items, async (item, index) => {
      const content = await context.objects.get(artifactBucket, item.object);
      if (!content) throw new FileFault('not-found', `The artifact ${plain(item.object)} is not kept any more: make it again, or keep it longer.`);
      // Named after the action, so that what a process before this one left half done is replaced.
      await putFile(over, over.root, item.path, checked(item, content, over.signal), { temporary: `${context.id}-${index}` });
      await over.say(`put ${plain(item.object)} at ${plain(item.path)} (${size(item.bytes)})`);
    });
    return {};
  });

/** The content, which fails at its end, or where it becomes too long, when it is not what was kept. */
async function* checked(item: Item, content: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const wrong = (what: string) => new FileFault('checksum', `The artifact ${plain(item.object)} is damaged: ${what}; it was not put at ${plain(item.path)}.`);
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of content) {
    signal.throwIfAborted();
    hash.update(part);
    bytes += part.length;
    if (bytes > item.bytes) throw wrong(`it has more than the ${item.bytes} bytes that were kept`);
    yield part;
  }
  if (bytes < item.bytes) throw wrong(`it has ${bytes} of the ${item.bytes} bytes that were kept`);
  const sha256 = hash.digest('hex');
  if (sha256 !== item.sha256.toLowerCase()) throw wrong(`its SHA-256 is ${sha256} and was ${item.sha256}`);
}
