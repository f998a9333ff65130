import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, DeleteObjectCommand, HeadBucketCommand, HeadObjectCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import type { AccountSpec, KeptFile } from '@berth/contracts';
import { credentialsOf, quietSdk, troubleOf } from '@berth/ec2';
import { checked } from '../content.js';
import { Trouble } from '../trouble.js';
import type { Ec2ProviderSpec } from './site.js';

const MiB = 1024 ** 2;
/** Of a multipart upload, of which two are under way at a time; S3 takes at most so many of them. */
const PART_BYTES = 8 * MiB;
const PARALLEL_PARTS = 2;
const MOST_PARTS = 10_000;

/** Keeps one client of S3 for each account that uploads. */
export class Buckets {
  private readonly kept = new Map<string, { identity: string; client: S3Client }>();

  /** @throws {Trouble} when the provider names no bucket, or the credentials are not there */
  async of(account: AccountSpec, provider: Ec2ProviderSpec): Promise<Bucket> {
    const { bucket } = provider;
    if (bucket === undefined) throw new Trouble(`the provider ${provider.name} takes disks and has no bucket that they could be uploaded to: save it with a bucket`, false);
    const { region, credentials } = account;
    const key = JSON.stringify([region, bucket.endpoint, credentials]);
    try {
      const { identity, config } = credentialsOf(credentials);
      let kept = this.kept.get(key);
      if (kept?.identity !== identity) {
        quietSdk();
        const made = new S3Client({
          ...(region !== undefined && { region }),
          // What is not Amazon's seldom has a name for each bucket.
          ...(bucket.endpoint !== undefined && { endpoint: bucket.endpoint, forcePathStyle: true }),
          ...(await config()),
          maxAttempts: 3,
          requestHandler: { connectionTimeout: 5000, requestTimeout: 120_000, throwOnRequestTimeout: true },
        });
        kept = { identity, client: made };
        this.kept.set(key, kept);
      }
      return new Bucket(kept.client, bucket.name, account);
    } catch (error) {
      throw troubled(bucket.name, account, error);
    }
  }

  close(): void {
    for (const { client } of this.kept.values()) client.destroy();
    this.kept.clear();
  }
}

/** A bucket as one account sees it. */
export class Bucket {
  constructor(
    private readonly client: S3Client,
    readonly name: string,
    private readonly account: AccountSpec,
  ) {}

  /**
   * Brings a file to its key. One that is there whole already stays; what is left of an upload from before a crash is taken away first.
   * @param open gives its bytes from the beginning
   */
  async upload(key: string, file: KeptFile, open: () => Promise<AsyncIterable<Uint8Array>>, signal: AbortSignal, moved: (bytes: number) => void): Promise<void> {
    if (await this.has(key, file, signal)) return;
    await this.clear(key, signal);
    const content = checked(file, await open(), moved);
    await this.told(async () => {
      const upload = new Upload({
        client: this.client,
        params: { Bucket: this.name, Key: key, Body: Readable.from(content, { highWaterMark: 1 }), Metadata: { sha256: file.sha256 } },
        partSize: Math.max(PART_BYTES, Math.ceil(file.bytes / MOST_PARTS)),
        queueSize: PARALLEL_PARTS,
      });
      const stop = (): void => void upload.abort();
      signal.addEventListener('abort', stop, { once: true });
      try {
        signal.throwIfAborted();
        await upload.done(); // what it can't finish it takes back itself
      } finally {
        signal.removeEventListener('abort', stop);
      }
    });
  }

  /** Also when there is none, or only a part of it. */
  async remove(key: string, signal: AbortSignal): Promise<void> {
    await this.told(() => this.client.send(new DeleteObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: signal }));
    await this.clear(key, signal);
  }

  /** @throws {Trouble} when it is not there, or not for this account */
  async check(signal: AbortSignal): Promise<void> {
    await this.told(() => this.client.send(new HeadBucketCommand({ Bucket: this.name }), { abortSignal: signal }));
  }

  private has(key: string, file: KeptFile, signal: AbortSignal): Promise<boolean> {
    return this.told(async () => {
      try {
        const { ContentLength, Metadata } = await this.client.send(new HeadObjectCommand({ Bucket: this.name, Key: key }), { abortSignal: signal });
        return ContentLength === file.bytes && Metadata?.['sha256'] === file.sha256;
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
        // The answer has no body to say what is not there: the bucket, or the key alone.
        await this.client.send(new HeadBucketCommand({ Bucket: this.name }), { abortSignal: signal });
        return false;
      }
    });
  }

  /** The key has the version in it, so every upload of it is ours. */
  private async clear(Key: string, signal: AbortSignal): Promise<void> {
    const about = { Bucket: this.name };
    const options = { abortSignal: signal };
    await this.told(async () => {
      let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
      do {
        const page = await this.client.send(new ListMultipartUploadsCommand({ ...about, Prefix: Key, ...marker }), options);
        for (const { Key: found, UploadId } of page.Uploads ?? []) {
          if (found === Key && UploadId !== undefined) await this.client.send(new AbortMultipartUploadCommand({ ...about, Key, UploadId }), options);
        }
        marker = page.IsTruncated === true ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker } : {};
      } while (marker.KeyMarker !== undefined);
    });
  }

  private async told<T>(what: () => Promise<T>): Promise<T> {
    try {
      return await what();
    } catch (error) {
      throw troubled(this.name, this.account, error);
    }
  }
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** An answer to HEAD has no body, so all that it tells is the status. */
function troubled(bucket: string, account: AccountSpec, error: unknown): unknown {
  // Of the content, not of the bucket.
  if (!(error instanceof Error) || error instanceof Trouble || (error.name !== 'CredentialsMissing' && !('$metadata' in error) && !('code' in error) && error.name !== 'AbortError' && error.name !== 'TimeoutError')) return error;
  const status = statusOf(error);
  const who = `account ${account.name}${account.region === undefined ? '' : ` in ${account.region}`}`;
  const told = (why: string, passing = false): Trouble => new Trouble(`the bucket ${bucket} can't be used by ${who}: ${why}`, passing, error.name);
  if (status === 404) return told('there is none of this name. Make it, or correct the bucket of the provider');
  if (status === 301 || error.name === 'PermanentRedirect' || error.name === 'AuthorizationHeaderMalformed') return told('it is in another region. Use one in the region of the account');
  const trouble = troubleOf(error, { region: account.region ?? '' });
  if (trouble.is === 'throttled' || trouble.is === 'outage') return told(`S3 did not answer: ${trouble.text} (${trouble.code})`, true);
  if (trouble.is === 'permission' || status === 403) return told(`${trouble.text} (${trouble.code}). Let its credentials (${account.credentials}) put, read and delete objects in it, and list and abort uploads`);
  return told(`${trouble.text} (${trouble.code}). See its credentials (${account.credentials})`);
}
