import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand, CompleteMultipartUploadCommand, CopyObjectCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand, S3Client,
  UploadPartCommand, type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startS3, type S3StandIn } from './s3.js';

const MiB = 1024 ** 2;
const Bucket = 'spec';
let s3: S3StandIn;
let client: S3Client;
const clients: S3Client[] = [];

function connect(more: Partial<S3ClientConfig> = {}): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = s3;
  const made = new S3Client({ endpoint, region, forcePathStyle: true, maxAttempts: 1, credentials: { accessKeyId, secretAccessKey }, ...more });
  clients.push(made);
  return made;
}

beforeAll(async () => {
  s3 = await startS3();
  s3.addBucket(Bucket);
  client = connect();
});
afterAll(() => {
  for (const one of clients) one.destroy();
});

const put = (Key: string, Body: string | Buffer | Readable, by = client, more = {}) => by.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));
const text = async (Key: string) => (await client.send(new GetObjectCommand({ Bucket, Key }))).Body!.transformToString();
/** What an error of the SDK carries. */
const refusal = (name: string, status: number) => expect.objectContaining({ name, $metadata: expect.objectContaining({ httpStatusCode: status }) as unknown }) as unknown;

describe('who asks', () => {
  test('an unknown key, a wrong secret, another region and a wrong clock are refused', async () => {
    const { accessKeyId, secretAccessKey } = s3;
    const ask = (more: Partial<S3ClientConfig>) => put('x', 'x', connect(more));
    await expect(ask({ credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey } })).rejects.toEqual(refusal('InvalidAccessKeyId', 403));
    await expect(ask({ credentials: { accessKeyId, secretAccessKey: 'wrong' } })).rejects.toEqual(refusal('SignatureDoesNotMatch', 403));
    await expect(ask({ region: 'us-east-1' })).rejects.toEqual(refusal('AuthorizationHeaderMalformed', 400));
    await expect(ask({ systemClockOffset: 16 * 60_000 })).rejects.toEqual(refusal('RequestTimeTooSkewed', 403));
    expect((await fetch(`${s3.endpoint}/${Bucket}/x`)).status).toBe(403);
  });

  test('keys with any letters are signed right', async () => {
    for (const key of ["a b/ü+(c)*!'~,;=@$&?#%2F", '数据/x', 'a//b']) {
      await put(key, key);
      expect(await text(key)).toBe(key);
    }
  });
});

describe('what a body may be', () => {
  test('a checksum in a header, or behind the chunks of a stream; each of them is looked at', async () => {
    await put('sum', 'buffered');
    await put('sum', Readable.from([Buffer.from('in '), Buffer.from('chunks')]), client, { ContentLength: 9 });
    expect(await text('sum')).toBe('in chunks');
    await put('sum', 'hashed', client, { ChecksumAlgorithm: 'SHA256' });
    await expect(put('sum', 'x', client, { ChecksumCRC32: 'AAAAAA==' })).rejects.toEqual(refusal('BadDigest', 400));
    await expect(put('sum', 'x', client, { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' })).rejects.toEqual(refusal('BadDigest', 400));
    expect(await text('sum')).toBe('hashed');
  });

  test('one that was changed on its way is refused, in chunks too', async () => {
    const changed = connect();
    changed.middlewareStack.add((next) => (args) => {
      const request = args.request as { body: unknown };
      request.body = typeof request.body === 'string' ? 'y' : Readable.from([Buffer.from('1\r\ny\r\n0\r\nx-amz-checksum-crc32:jNxvqg==\r\n\r\n')]);
      return next(args);
    }, { step: 'finalizeRequest', priority: 'low' });
    await expect(put('x', 'x', changed)).rejects.toEqual(refusal('XAmzContentSHA256Mismatch', 400));
    await expect(put('x', Readable.from([Buffer.from('x')]), changed, { ContentLength: 1 })).rejects.toEqual(refusal('BadDigest', 400));
  });
});

describe('an upload in parts', () => {
  const begin = async (Key: string) => (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32' }))).UploadId!;
  const part = async (Key: string, UploadId: string, PartNumber: number, Body: Buffer) => {
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    return { PartNumber, ETag, ChecksumCRC32 };
  };
  const complete = (Key: string, UploadId: string, Parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32?: string | undefined }[]) =>
    client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));

  test('that are under way are listed by the beginning of their keys, until they end', async () => {
    const [one, other] = [await begin('under/way'), await begin('under/way2')];
    const listed = async (Prefix: string) => (await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }))).Uploads?.map(({ Key, UploadId }) => [Key, UploadId]);
    expect(await listed('under/')).toEqual([['under/way', one], ['under/way2', other]]);
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'under/way', UploadId: one }));
    expect(await listed('under/way')).toEqual([['under/way2', other]]);
  });

  test('all parts but the last have 5 MiB, come in order, and are those that were sent', async () => {
    const id = await begin('parts');
    const [one, two, small] = [await part('parts', id, 1, Buffer.alloc(5 * MiB, 'a')), await part('parts', id, 2, Buffer.alloc(5 * MiB, 'b')), await part('parts', id, 3, Buffer.from('c'))];
    await expect(complete('parts', id, [two, one])).rejects.toEqual(refusal('InvalidPartOrder', 400));
    await expect(complete('parts', id, [one, small, { ...two, PartNumber: 4 }])).rejects.toEqual(refusal('InvalidPart', 400));
    await expect(complete('parts', id, [{ ...one, ETag: '"0"' }, two])).rejects.toEqual(refusal('InvalidPart', 400));
    await expect(complete('parts', id, [{ PartNumber: 1, ETag: one.ETag }, two])).rejects.toEqual(refusal('InvalidRequest', 400));
    await expect(part('parts', id, 10_001, Buffer.from('x'))).rejects.toEqual(refusal('InvalidArgument', 400));
    await expect(client.send(new HeadObjectCommand({ Bucket, Key: 'parts' }))).rejects.toEqual(refusal('NotFound', 404));
    await complete('parts', id, [one, two, small]);
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'parts' }))).ContentLength).toBe(10 * MiB + 1);
    await expect(complete('parts', id, [one])).rejects.toEqual(refusal('NoSuchUpload', 404));
    const short = await begin('short');
    const parts = [await part('short', short, 1, Buffer.alloc(5 * MiB - 1)), await part('short', short, 2, Buffer.alloc(1))];
    await expect(complete('short', short, parts)).rejects.toEqual(refusal('EntityTooSmall', 400));
  });
});

describe('reading', () => {
  test('ranges, versions, and what is not there', async () => {
    const { ETag } = await put('read', '0123456789', client, { Metadata: { who: 'ada' } });
    const get = async (more: object) => {
      const answer = await client.send(new GetObjectCommand({ Bucket, Key: 'read', ...more }));
      return [await answer.Body!.transformToString(), answer.ContentRange];
    };
    expect(await get({ Range: 'bytes=2-4' })).toEqual(['234', 'bytes 2-4/10']);
    expect(await get({ Range: 'bytes=-3' })).toEqual(['789', 'bytes 7-9/10']);
    expect(await get({ Range: 'bytes=8-99' })).toEqual(['89', 'bytes 8-9/10']);
    await expect(get({ Range: 'bytes=10-' })).rejects.toEqual(refusal('InvalidRange', 416));
    expect(await get({ IfMatch: ETag })).toEqual(['0123456789', undefined]);
    await expect(get({ IfMatch: '"other"' })).rejects.toEqual(refusal('PreconditionFailed', 412));
    await expect(get({ Key: 'nothing' })).rejects.toEqual(refusal('NoSuchKey', 404));
    await expect(get({ Bucket: 'nobody' })).rejects.toEqual(refusal('NoSuchBucket', 404));
    const allow = s3.forbidLists();
    await expect(get({ Key: 'nothing' })).rejects.toEqual(refusal('AccessDenied', 403));
    allow();
    await expect(client.send(new CopyObjectCommand({ Bucket, Key: 'read', CopySource: `${Bucket}/read` }))).rejects.toEqual(refusal('InvalidRequest', 400));
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/read`, Metadata: { who: 'bea' }, MetadataDirective: 'REPLACE' }));
    expect((await client.send(new HeadObjectCommand({ Bucket, Key: 'copy' }))).Metadata).toEqual({ who: 'bea' });
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'copy' }));
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'copy' }));
  });

  test('lists in the order of bytes, page by page', async () => {
    const keys = ['list/a', 'list/B', 'list/ü', 'list/\u{1F600}', 'list/\uFF5E'];
    for (const key of keys) await put(key, 'x');
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'list/', MaxKeys: 2, ContinuationToken: token }));
      expect(page.KeyCount).toBeLessThanOrEqual(2);
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key!));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    expect(seen).toEqual(['list/B', 'list/a', 'list/ü', 'list/\uFF5E', 'list/\u{1F600}']);
  });
});

test('what was arranged to go wrong does, so often', async () => {
  s3.fault({ refuse: 'SlowDown', action: 'PutObject', times: 1 });
  await expect(put('busy', 'x')).rejects.toEqual(refusal('SlowDown', 503));
  await put('busy', 'x');
  s3.fault({ refuse: 'SlowDown', action: 'PutObject', times: 1 });
  await put('busy', 'again', connect({ maxAttempts: 2 }));
  expect(await text('busy')).toBe('again');
  const release = s3.hang('GetObject');
  const waiting = text('busy');
  expect(await Promise.race([waiting, put('other', 'x').then(() => 'still waits')])).toBe('still waits');
  release();
  expect(await waiting).toBe('again');
});
