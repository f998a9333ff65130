import { headers, JsHeaders, nuid, type NatsConnection } from 'nats';
import { CorruptError, ChangedError, UnavailableError } from './errors.js';
import { asker, Refused, WRONG_SEQUENCE, type Asker } from './jetstream-asker.js';
import type { Listed, ObjectFacts, Objects, OpenObject, PutOptions, Range } from './objects.js';
import { checkName, cut, inPieces, Intake, span, verified } from './stream.js';

/** As the specification of the NATS object store has it, so that its own tools read and write the same buckets. */
interface Meta {
  name: string;
  bucket: string;
  nuid: string;
  size: number;
  chunks: number;
  digest: string;
  mtime: string;
  deleted?: boolean;
  options?: { max_chunk_size?: number };
}

const CHUNK = 128 * 1024;
/** Chunks sent and not yet stored, 4 MiB: what a put holds in memory. */
const WINDOW = 32;
/** How long who reads waits for a server that is away. */
const PATIENCE_MS = 10_000;
const PAGE = 256;
const DIGEST = /^SHA-256=/i;

/**
 * Objects of a bucket of the JetStream object store.
 *
 * Read and written here rather than by the client's own object store, which takes in a whole object however slow the other
 * side is, and looks at the answers to its chunks only at the end, so that a refused one is a rejection that nobody handles.
 */
export function jetStreamObjects(connection: NatsConnection, bucket: string, { page = PAGE, patienceMs = PATIENCE_MS }: { page?: number; patienceMs?: number } = {}): Objects {
  return new JetStreamObjects(asker(connection, bucket, patienceMs), bucket, page);
}

class JetStreamObjects implements Objects {
  /** Chunks that could not be removed because the server was away, with the name they were for. */
  private readonly owed = new Map<string, string>();

  constructor(
    private readonly ask: Asker,
    private readonly bucket: string,
    private readonly pageSize: number,
  ) {}

  async put(name: string, content: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    checkName(name);
    await this.payOwed();
    const id = nuid.next();
    const intake = new Intake(name, content, options);
    try {
      const chunks = await this.sendChunks(name, id, intake);
      const sha256 = intake.digest();
      const meta: Meta = {
        name,
        bucket: this.bucket,
        nuid: id,
        size: intake.bytes,
        chunks,
        digest: `SHA-256=${padded(Buffer.from(sha256, 'hex').toString('base64url'))}`,
        mtime: new Date().toISOString(),
        deleted: false,
        options: { max_chunk_size: CHUNK },
      };
      const before = await this.replace(name, meta);
      if (before) await this.removeChunks(before.nuid, name);
      return { bytes: intake.bytes, sha256 };
    } catch (error) {
      await this.removeChunks(id, name);
      throw error;
    }
  }

  async open(name: string): Promise<OpenObject | undefined> {
    checkName(name);
    const found = await this.meta(name);
    if (!found || found.meta.deleted) return undefined;
    const { meta } = found;
    const sha256 = DIGEST.test(meta.digest) ? Buffer.from(meta.digest.replace(DIGEST, ''), 'base64url').toString('hex') : undefined;
    const facts: ObjectFacts = { bytes: meta.size, ...(sha256 !== undefined && { sha256 }) };
    return {
      ...facts,
      read: (range, signal) => (range ? this.part(meta, range, signal) : verified(name, facts, this.chunks(meta, 0, 1, signal))),
    };
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    const found = await this.meta(name);
    if (!found) return;
    // Taken away rather than marked as deleted: a bucket that is full takes no mark. Up to that one: a newer one stays.
    await this.ask.purge(this.metaSubject(name), found.sequence + 1);
    await this.removeChunks(found.meta.nuid, name);
  }

  async *list(prefix = ''): AsyncGenerator<Listed, void, undefined> {
    for await (const data of this.ask.lasts(`$O.${this.bucket}.M.>`, this.pageSize)) {
      const meta = JSON.parse(Buffer.from(data).toString()) as Meta;
      if (!meta.deleted && meta.name.startsWith(prefix)) yield { name: meta.name, bytes: meta.size, time: new Date(meta.mtime) };
    }
  }

  // --- writing ---

  private async sendChunks(name: string, id: string, intake: Intake): Promise<number> {
    const sent: Promise<unknown>[] = [];
    let chunks = 0;
    try {
      for await (const chunk of inPieces(intake.pieces(), CHUNK)) {
        const stored = this.ask.store(name, this.chunkSubject(id), chunk);
        stored.catch(() => undefined); // told when it is waited for, below
        sent.push(stored);
        chunks++;
        if (sent.length >= WINDOW) await sent.shift();
      }
      await Promise.all(sent);
      return chunks;
    } finally {
      // One that is still being tried could be stored after what is there was removed, and nobody would know of it.
      await Promise.allSettled(sent);
    }
  }

  /** Gives the name to other bytes, in one message; resolves with what it was before. */
  private async replace(name: string, meta: Meta): Promise<Meta | undefined> {
    for (;;) {
      const before = await this.meta(name);
      const told = headers();
      told.set(JsHeaders.RollupHdr, JsHeaders.RollupValueSubject);
      // Of two that replace the same object, each removes the chunks of the one before it.
      told.set('Nats-Expected-Last-Subject-Sequence', String(before?.sequence ?? 0));
      try {
        await this.ask.store(name, this.metaSubject(name), Buffer.from(JSON.stringify(meta)), told);
        return before && !before.meta.deleted ? before.meta : undefined;
      } catch (error) {
        if (!(error instanceof Refused && error.code === WRONG_SEQUENCE)) throw error;
      }
    }
  }

  /** Never rejects: what can't be removed now is removed before the next put. */
  private async removeChunks(id: string, name: string): Promise<void> {
    try {
      // After a lost answer the name may have been given to these very chunks.
      const now = await this.meta(name);
      if (now && !now.meta.deleted && now.meta.nuid === id) return;
      await this.ask.purge(this.chunkSubject(id));
      this.owed.delete(id);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      this.owed.set(id, name);
    }
  }

  private async payOwed(): Promise<void> {
    for (const [id, name] of [...this.owed]) await this.removeChunks(id, name);
  }

  // --- reading ---

  private async *part(meta: Meta, range: Range, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const { start, end } = span(range, meta.size);
    if (start === end) return;
    const size = meta.options?.max_chunk_size ?? CHUNK;
    // What others wrote may have been cut otherwise: then it is read from its beginning.
    const skipped = Math.ceil(meta.size / size) === meta.chunks ? Math.floor(start / size) : 0;
    const sequence = skipped > 0 ? await this.sequenceOf(meta, skipped) : 1;
    yield* cut(meta.name, this.chunks(meta, skipped, sequence, signal), start - skipped * size, end - start);
  }

  /** From that chunk on, which stands at that sequence or behind it. One chunk is asked for ahead of the reader. */
  private async *chunks(meta: Meta, from: number, sequence: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    const subject = this.chunkSubject(meta.nuid);
    const ahead = (at: number) => {
      const asked = this.ask.next(subject, at);
      asked.catch(() => undefined); // told when it is waited for
      return asked;
    };
    if (from >= meta.chunks) return;
    let coming = ahead(sequence);
    for (let left = meta.chunks - from; left > 0; left--) {
      signal?.throwIfAborted();
      const chunk = (await coming) ?? (await this.missing(meta));
      if (left > 1) coming = ahead(chunk.sequence + 1);
      yield chunk.data;
    }
    if (await this.ask.next(subject, (await coming)!.sequence + 1)) throw new CorruptError(meta.name, `there are more chunks than the ${meta.chunks} that were put`);
  }

  /** @throws {ChangedError} chunks go when their name gets others; {@link CorruptError} when it has not */
  private async missing(meta: Meta): Promise<never> {
    const now = await this.meta(meta.name);
    if (now && !now.meta.deleted && now.meta.nuid === meta.nuid) throw new CorruptError(meta.name, 'a chunk of them is missing');
    throw new ChangedError(meta.name);
  }

  /**
   * Where the chunk of that number is. Nothing says so, but a consumer from a sequence on says how many of them still come:
   * others' messages stand between, so the first try is never too far, and each next one is as much nearer as was missing.
   */
  private async sequenceOf(meta: Meta, chunk: number): Promise<number> {
    const subject = this.chunkSubject(meta.nuid);
    const first = (await this.ask.next(subject, 1)) ?? (await this.missing(meta));
    for (let sequence = first.sequence + chunk; ; ) {
      const number = meta.chunks - (await this.ask.countFrom(subject, sequence));
      if (number >= chunk) return sequence;
      sequence += chunk - number;
    }
  }

  private async meta(name: string): Promise<{ meta: Meta; sequence: number } | undefined> {
    const last = await this.ask.last(this.metaSubject(name));
    return last && { meta: JSON.parse(Buffer.from(last.data).toString()) as Meta, sequence: last.sequence };
  }

  private chunkSubject(id: string): string {
    return `$O.${this.bucket}.C.${id}`;
  }

  private metaSubject(name: string): string {
    return `$O.${this.bucket}.M.${padded(Buffer.from(name).toString('base64url'))}`;
  }
}

const padded = (text: string): string => text.padEnd(Math.ceil(text.length / 4) * 4, '=');
