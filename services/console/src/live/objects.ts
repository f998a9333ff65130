import type { NatsConnection, ObjectStore } from 'nats';
import { StreamReader } from './reader.js';

/** An object whose bytes can be read. */
export interface StoredObject {
  bytes: number;
  /** lower-case hexadecimal */
  sha256: string;
  read(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined>;
}

/** The body is longer than what is allowed. */
export class TooLargeError extends Error {}

/** Sent, but perhaps not yet written by the server: bounds what is held in memory at both ends. */
const WINDOW = 4 * 1024 * 1024;
/** A full portion of 128 KiB chunks is 2 MiB. */
const PORTION = 16;

/** Objects of the JetStream object store, read and written at the speed of the slower side. */
export class Objects {
  private readonly buckets = new Map<string, Promise<ObjectStore>>();

  constructor(private readonly connection: NatsConnection) {}

  private bucket(name: string): Promise<ObjectStore> {
    const known = this.buckets.get(name);
    if (known) return known;
    const opened = this.connection.jetstream().views.os(name);
    this.buckets.set(name, opened);
    opened.catch(() => this.buckets.delete(name)); // told to whoever asked; the next one tries again
    return opened;
  }

  /** Undefined when there is no such object. */
  async open(bucketName: string, name: string): Promise<StoredObject | undefined> {
    const bucket = await this.bucket(bucketName);
    const info = await bucket.info(name);
    if (!info || info.deleted) return undefined;
    const { connection } = this;
    return {
      bytes: info.size,
      sha256: Buffer.from(info.digest.replace(/^SHA-256=/i, ''), 'base64url').toString('hex'),
      // Ours and not the client's reading, which takes in the whole object however slow the other side is.
      async *read(signal) {
        const reader = new StreamReader(connection, `OBJ_${bucketName}`, { subject: `$O.${bucketName}.C.${info.nuid}`, portion: PORTION });
        try {
          for (let left = info.chunks; left > 0 && !signal.aborted; ) {
            for (const chunk of await reader.take(PORTION, { signal })) {
              left--;
              yield chunk.data;
            }
          }
        } finally {
          reader.close();
        }
      },
    };
  }

  /**
   * Stores a body of unknown length.
   * @throws {TooLargeError} longer than `limit`; nothing is kept then
   */
  async put(bucketName: string, name: string, source: AsyncIterable<Uint8Array>, limit: number): Promise<number> {
    const bucket = await this.bucket(bucketName);
    const iterator = source[Symbol.asyncIterator]();
    const { connection } = this;
    let total = 0;
    let unconfirmed = 0;
    const stream = new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          const { done, value } = await iterator.next();
          if (done) return controller.close();
          total += value.byteLength;
          if (total > limit) return controller.error(new TooLargeError(`a file is at most ${limit} bytes`));
          unconfirmed += value.byteLength;
          if (unconfirmed > WINDOW) {
            await connection.flush();
            unconfirmed = 0;
          }
          controller.enqueue(value);
        },
        async cancel() {
          await iterator.return?.();
        },
      },
      { highWaterMark: 0 },
    );
    await bucket.put({ name }, stream, { timeout: 60_000 });
    return total;
  }

  async delete(bucketName: string, name: string): Promise<void> {
    const bucket = await this.bucket(bucketName);
    if (await bucket.info(name)) await bucket.delete(name);
  }
}
