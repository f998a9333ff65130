import { createHash, randomBytes } from 'node:crypto';
import { S3Refusal } from './refusal.js';

const MiB = 1024 ** 2;
/** "Multipart upload limits" (User Guide). */
export const LEAST_PART = 5 * MiB;
export const MOST_PARTS = 10_000;
const MOST_KEY = 1024;
const MOST_METADATA = 2048;

export interface S3Object {
  body: Buffer;
  readonly etag: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: Date;
}

export interface S3Part {
  readonly body: Buffer;
  readonly etag: string;
  readonly checksum: string | undefined;
}

export interface S3Upload {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly checksums: boolean;
  readonly parts: Map<number, S3Part>;
}

export const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();

/** One bucket with all that is in it. */
export class Bucket {
  readonly objects = new Map<string, S3Object>();
  readonly uploads = new Map<string, S3Upload>();

  constructor(readonly name: string) {}

  put(key: string, body: Buffer, metadata: Readonly<Record<string, string>>, etag = md5(body).toString('hex')): S3Object {
    checkKey(key);
    checkMetadata(metadata);
    const object = { body, etag, metadata, modified: new Date() };
    this.objects.set(key, object);
    return object;
  }

  begin(key: string, metadata: Readonly<Record<string, string>>, checksums: boolean): string {
    checkKey(key);
    checkMetadata(metadata);
    const id = randomBytes(24).toString('base64url');
    this.uploads.set(id, { key, metadata, checksums, parts: new Map() });
    return id;
  }

  /** @throws S3Refusal when there is no such upload of that key (any more) */
  upload(id: string, key: string): S3Upload {
    const found = this.uploads.get(id);
    if (found?.key !== key) throw new S3Refusal('NoSuchUpload', 'The specified multipart upload does not exist. The upload ID might be invalid, or the multipart upload might have been aborted or completed.');
    return found;
  }

  /** "CompleteMultipartUpload" (API Reference). */
  complete(id: string, key: string, named: readonly { number: number; etag: string; checksum: string | undefined }[]): S3Object {
    const { parts, metadata, checksums } = this.upload(id, key);
    const chosen = named.map(({ number, etag, checksum }, index) => {
      if (index > 0 && number <= named[index - 1]!.number) throw new S3Refusal('InvalidPartOrder', 'The list of parts was not in ascending order. The parts list must be specified in order by part number.');
      const part = parts.get(number);
      if (!part || part.etag !== etag) throw new S3Refusal('InvalidPart', 'One or more of the specified parts could not be found. The part might not have been uploaded, or the specified entity tag might not have matched the part\'s entity tag.');
      if (checksums && checksum === undefined) throw new S3Refusal('InvalidRequest', `The upload was created using a crc32 checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`);
      if (checksum !== undefined && checksum !== part.checksum) throw new S3Refusal('InvalidPart', 'One or more of the specified parts had another checksum.');
      return part;
    });
    if (chosen.slice(0, -1).some(({ body }) => body.length < LEAST_PART)) throw new S3Refusal('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed object size.');
    this.uploads.delete(id);
    const etag = `${md5(Buffer.concat(chosen.map((part) => Buffer.from(part.etag, 'hex')))).toString('hex')}-${chosen.length}`;
    return this.put(key, Buffer.concat(chosen.map(({ body }) => body)), metadata, etag);
  }

  /** In the order of the bytes of their keys, as lists are. */
  sorted(prefix: string): [string, S3Object][] {
    return [...this.objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MOST_KEY) throw new S3Refusal('KeyTooLongError', 'Your key is too long.');
}

function checkMetadata(metadata: Readonly<Record<string, string>>): void {
  const bytes = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (bytes > MOST_METADATA) throw new S3Refusal('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size.');
}
