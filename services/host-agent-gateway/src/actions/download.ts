import type { ActionSpec } from '@berth/contracts';
import { artifactBucket } from '@berth/nats';
import { FileFault, plain, size } from '../files/fault.js';
import { putFile, type PutResult } from '../files/transfer.js';
import type { ActionHandler } from './action.js';
import { moving } from './moving.js';

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
    await over.each(items, async (item, index) => {
      const content = await context.objects.get(artifactBucket, item.object);
      if (!content) throw new FileFault('not-found', `The artifact ${plain(item.object)} is not kept any more: make it again, or keep it longer.`);
      const wrong = (what: string) => new FileFault('checksum', `The artifact ${plain(item.object)} is damaged: ${what}; it was not put at ${plain(item.path)}.`);
      const check = ({ bytes, sha256 }: PutResult) => {
        if (bytes < item.bytes) throw wrong(`it has ${bytes} of the ${item.bytes} bytes that were kept`);
        if (sha256 !== item.sha256.toLowerCase()) throw wrong(`its SHA-256 is ${sha256} and was ${item.sha256}`);
      };
      const source = upTo(item.bytes, content, over.signal, () => wrong(`it has more than the ${item.bytes} bytes that were kept`));
      // Named after the action, so that what a process before this one left half done is replaced.
      await putFile(over, over.root, item.path, source, { temporary: `${context.id}-${index}`, check });
      await over.say(`put ${plain(item.object)} at ${plain(item.path)} (${size(item.bytes)})`);
    });
    return {};
  });

async function* upTo(most: number, content: AsyncIterable<Uint8Array>, signal: AbortSignal, tooMuch: () => FileFault): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const part of content) {
    signal.throwIfAborted();
    bytes += part.length;
    if (bytes > most) throw tooMuch();
    yield part;
  }
}
