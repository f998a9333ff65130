import { randomUUID } from 'node:crypto';
import { addAbortSignal, Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadBucketCommand, HeadObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCopyCommand, type HeadObjectCommandOutput, type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { ChangedError } from './errors.js';
import type { Listed, ObjectFacts, Objects, OpenObject, PutOptions } from './objects.js';
import { artifactsNamed, statusOf, storeError, type Named } from './s3-errors.js';
import type { ArtifactsSetting } from './setting.js';
import { checkName, cut, Intake, span, verified } from './stream.js';

const MiB = 1024 ** 2;
/** Of a multipart upload. Two parts are under way at a time, so a put holds some 40 MiB. */
const PART_BYTES = 8 * MiB;
const PARALLEL_PARTS = 2;
/** S3 takes no more of them; the parts of what may be longer than they allow are larger. */
const MOST_PARTS = 10_000;
/** The longest object that S3 takes. */
const MOST_BYTES = 5 * 1024 * 1024 * MiB;
/** Longer objects are copied in parts: S3 copies at most 5 GiB at once, and others answer only when it is done. */
const COPY_BYTES = 512 * MiB;
/** Where uploads are until they are whole. No name of an object begins with a dot. */
const INCOMING = '.incoming';
const METADATA = 'sha256';
const HASH = /^[0-9a-f]{64}$/;

type S3Setting = Extract<ArtifactsSetting, { kind: 's3' }>;

export interface S3Options {
  partBytes?: number;
  copyBytes?: number;
  maxAttempts?: number;
  /** as the SDK takes them; those that it finds by itself when absent */
  access?: Pick<S3ClientConfig, 'profile' | 'credentials'>;
  /** how errors name what is to be put right */
  named?: Named;
}

/** Objects in a bucket of S3, or of what speaks its API. */
export function s3Objects(setting: S3Setting, { partBytes = PART_BYTES, copyBytes = COPY_BYTES, maxAttempts = 5, access = {}, named = artifactsNamed }: S3Options = {}): Objects {
  const client = new S3Client({
    ...access,
    ...(setting.region !== undefined && { region: setting.region }),
    ...(setting.endpoint !== undefined && { endpoint: setting.endpoint }),
    forcePathStyle: setting.pathStyle,
    maxAttempts,
    // What is read is checked against our own hash, over all parts.
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Each download holds a connection for as long as its reader takes; the SDK's 50 would make the next put wait for one.
    requestHandler: { connectionTimeout: 5000, requestTimeout: 120_000, throwOnRequestTimeout: true, httpAgent: { maxSockets: 500 }, httpsAgent: { maxSockets: 500 } },
  });
  return new S3Objects(client, setting, partBytes, copyBytes, named);
}

class S3Objects implements Objects {
  private readonly Bucket: string;

  constructor(
    private readonly client: S3Client,
    private readonly setting: S3Setting,
    private readonly partBytes: number,
    private readonly copyBytes: number,
    private readonly named: Named,
  ) {
    this.Bucket = setting.bucket;
  }

  async put(name: string, content: AsyncIterable<Uint8Array>, options: PutOptions = {}) {
    checkName(name);
    // Without a limit the one that follows from the number of parts: an error of the store would be taken for an outage.
    const maxBytes = Math.min(options.maxBytes ?? this.partBytes * MOST_PARTS, MOST_BYTES);
    const intake = new Intake(name, content, { ...options, maxBytes });
    return this.told(name, async () => {
      const pieces = intake.pieces();
      const head = await headOf(pieces, this.partBytes);
      if (head.whole) await this.putSmall(name, Buffer.concat(head.pieces), intake);
      else await this.putLarge(name, joined(head.pieces, pieces), intake, maxBytes);
      return { bytes: intake.bytes, sha256: intake.digest() };
    }, intake);
  }

  async open(name: string): Promise<OpenObject | undefined> {
    checkName(name);
    const found = await this.head(name);
    if (!found) return undefined;
    const sha256 = found.Metadata?.[METADATA];
    const facts: ObjectFacts = { bytes: found.ContentLength ?? 0, ...(sha256 !== undefined && HASH.test(sha256) && { sha256 }) };
    const version = found.ETag;
    return {
      ...facts,
      read: (range, signal) => {
        if (!range) return verified(name, facts, this.bytes(name, version, undefined, signal));
        const { start, end } = span(range, facts.bytes);
        // HTTP has no range of no bytes.
        return start === end ? Readable.from([]) : cut(name, this.bytes(name, version, `bytes=${start}-${end - 1}`, signal), 0, end - start);
      },
    };
  }

  async remove(name: string): Promise<void> {
    checkName(name);
    await this.told(name, () => this.client.send(new DeleteObjectCommand({ Bucket: this.Bucket, Key: this.keyOf(name) })));
  }

  async *list(prefix = ''): AsyncGenerator<Listed, void, undefined> {
    const skipped = this.keyOf('').length;
    let token: string | undefined;
    do {
      const page = await this.told('the list', () => this.client.send(new ListObjectsV2Command({ Bucket: this.Bucket, Prefix: this.keyOf(prefix), ...(token !== undefined && { ContinuationToken: token }) })));
      for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
        const name = Key.slice(skipped);
        if (!name.startsWith('.')) yield { name, bytes: Size, time: LastModified ?? new Date(0) };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  // --- writing ---

  private async putSmall(name: string, body: Buffer, intake: Intake): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.Bucket, Key: this.keyOf(name), Body: body, Metadata: { [METADATA]: intake.digest() } }));
  }

  /**
   * Metadata is given when an upload begins, and the hash is known when it ends: so the bytes go to a key of their own
   * first, and from there S3 itself copies them to their name, with the hash and in one moment.
   */
  private async putLarge(name: string, content: AsyncIterable<Uint8Array>, intake: Intake, maxBytes: number): Promise<void> {
    const Key = this.keyOf(`${INCOMING}/${randomUUID()}`);
    const partSize = Math.max(this.partBytes, Math.ceil(maxBytes / MOST_PARTS));
    const upload = new Upload({ client: this.client, params: { Bucket: this.Bucket, Key, Body: Readable.from(content, { highWaterMark: 1 }) }, partSize, queueSize: PARALLEL_PARTS });
    await upload.done(); // what it can't finish it takes back itself
    try {
      await this.copy(Key, this.keyOf(name), intake.bytes, intake.digest());
    } finally {
      // What stays here is nobody's: the bucket's rule for old uploads removes it (how-to/store-artifacts.md).
      await this.client.send(new DeleteObjectCommand({ Bucket: this.Bucket, Key })).catch(() => undefined);
    }
  }

  private async copy(from: string, to: string, bytes: number, sha256: string): Promise<void> {
    const target = { Bucket: this.Bucket, Key: to };
    const CopySource = `${this.Bucket}/${from.split('/').map(encodeURIComponent).join('/')}`;
    const Metadata = { [METADATA]: sha256 };
    if (bytes <= this.copyBytes) {
      await this.client.send(new CopyObjectCommand({ ...target, CopySource, Metadata, MetadataDirective: 'REPLACE' }));
      return;
    }
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand({ ...target, Metadata }));
    try {
      const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
      for (let start = 0; start < bytes; start += this.copyBytes) {
        const PartNumber = Parts.length + 1;
        const end = Math.min(bytes, start + this.copyBytes) - 1;
        const { CopyPartResult } = await this.client.send(new UploadPartCopyCommand({ ...target, UploadId, PartNumber, CopySource, CopySourceRange: `bytes=${start}-${end}` }));
        Parts.push({ PartNumber, ETag: CopyPartResult?.ETag });
      }
      await this.client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload: { Parts } }));
    } catch (error) {
      // Its parts are removed by the bucket's rule when they can't be now; why it failed is what is told.
      await this.client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
      throw error;
    }
  }

  // --- reading ---

  private head(name: string): Promise<HeadObjectCommandOutput | undefined> {
    return this.told(name, async () => {
      try {
        return await this.client.send(new HeadObjectCommand({ Bucket: this.Bucket, Key: this.keyOf(name) }));
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        // The answer has no body to say what is not there: if it is the bucket, nothing is known of the object.
        await this.client.send(new HeadBucketCommand({ Bucket: this.Bucket }));
        return undefined;
      }
    });
  }

  private async *bytes(name: string, version: string | undefined, range: string | undefined, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void, undefined> {
    signal?.throwIfAborted();
    const body = await this.told(name, async () => {
      try {
        const request = new GetObjectCommand({ Bucket: this.Bucket, Key: this.keyOf(name), ...(version !== undefined && { IfMatch: version }), ...(range !== undefined && { Range: range }) });
        return (await this.client.send(request, signal && { abortSignal: signal })).Body as Readable;
      } catch (error) {
        signal?.throwIfAborted();
        if (statusOf(error) === 412 || statusOf(error) === 404) throw new ChangedError(name);
        throw error;
      }
    });
    if (signal) addAbortSignal(signal, body);
    try {
      for await (const piece of body) yield piece as Uint8Array;
    } catch (error) {
      signal?.throwIfAborted();
      throw storeError(name, this.setting, error, this.named);
    }
  }

  private keyOf(name: string): string {
    return this.setting.prefix === '' ? name : `${this.setting.prefix}/${name}`;
  }

  private async told<T>(name: string, what: () => Promise<T>, intake?: Intake): Promise<T> {
    try {
      return await what();
    } catch (error) {
      if (error instanceof ChangedError || (intake?.fault !== undefined && error === intake.fault)) throw error;
      throw storeError(name, this.setting, error, this.named);
    }
  }
}

/** The first pieces, until there are as many bytes or no more. */
async function headOf(source: AsyncGenerator<Uint8Array, void, undefined>, bytes: number): Promise<{ pieces: Uint8Array[]; whole: boolean }> {
  const pieces: Uint8Array[] = [];
  for (let length = 0; length < bytes; ) {
    const { done, value } = await source.next();
    if (done) return { pieces, whole: true };
    pieces.push(value);
    length += value.byteLength;
  }
  return { pieces, whole: false };
}

/** Gives the first pieces away as they are taken: they need not be held until the end. */
async function* joined(first: Uint8Array[], rest: AsyncGenerator<Uint8Array, void, undefined>): AsyncGenerator<Uint8Array, void, undefined> {
  for (let piece; (piece = first.shift()); ) yield piece;
  yield* rest;
}
