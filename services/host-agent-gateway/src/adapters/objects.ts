import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { JetStreamClient, NatsConnection, ObjectStore } from 'nats';
import type { artifactBucket, transferBucket } from '@berth/nats';
import { FileFault, size } from '../files/fault.js';

export type Bucket = typeof artifactBucket | typeof transferBucket;

export interface PutLimits {
  /** Nothing is kept of what turns out longer. */
  maxBytes?: number;
  /** Nothing is kept when it fires meanwhile. */
  signal?: AbortSignal;
}

/** Files on the bus. */
export interface Objects {
  put(bucket: Bucket, name: string, content: AsyncIterable<Uint8Array>, limits?: PutLimits): Promise<{ bytes: number; sha256: string }>;
  /** undefined when there is no such object */
  get(bucket: Bucket, name: string): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export function natsObjects(connection: NatsConnection): Objects {
  const buckets = new Map<Bucket, Promise<ObjectStore>>();
  const bucketOf = (name: Bucket) => {
    const open = buckets.get(name) ?? watched(connection.jetstream()).views.os(name);
    buckets.set(name, open);
    open.catch(() => buckets.delete(name));
    return open;
  };
  return {
    async put(bucket, name, content, { maxBytes = Infinity, signal } = {}) {
      const store = await bucketOf(bucket);
      const hash = createHash('sha256');
      let bytes = 0;
      async function* counted() {
        for await (const part of content) {
          signal?.throwIfAborted();
          hash.update(part);
          bytes += part.length;
          if (bytes > maxBytes) throw new FileFault('too-large', `${name} is larger than ${size(maxBytes)}.`);
          yield part;
        }
      }
      await store.put({ name }, Readable.toWeb(Readable.from(counted())) as ReadableStream<Uint8Array>);
      return { bytes, sha256: hash.digest('hex') };
    },
    async get(bucket, name) {
      const store = await bucketOf(bucket);
      const found = await store.get(name);
      return found ? (found.data as unknown as AsyncIterable<Uint8Array>) : undefined;
    },
  };
}

/**
 * The object store looks at the answers to its chunks only once it has read all of the file: until then a refused one
 * would be a rejection that nobody handles, which ends the process.
 */
function watched(stream: JetStreamClient): JetStreamClient {
  const publish = stream.publish.bind(stream);
  stream.publish = (...args) => {
    const sent = publish(...args);
    sent.catch(() => undefined); // the store itself is told, later
    return sent;
  };
  return stream;
}
