import { crcOf } from './body.js';
import { LEAST_PART, MOST_PARTS, md5, type Bucket, type S3Object } from './bucket.js';
import { S3Refusal } from './refusal.js';
import type { S3Action, S3Request } from './request.js';
import { answerXml, readParts } from './xml.js';

/** What is carried out, and on what. */
export interface Call {
  readonly request: S3Request;
  readonly bucket: Bucket;
  readonly buckets: ReadonlyMap<string, Bucket>;
  /** Without its encoding, checked. */
  readonly content: Buffer;
  readonly pageSize: number;
  /** whether the one who asks may know what is not there */
  readonly mayList: boolean;
}

export interface S3Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

const GiB = 1024 ** 3;
const MOST_AT_ONCE = 5 * GiB;
const xml = (document: string): S3Answer => ({ status: 200, headers: { 'content-type': 'application/xml' }, body: document });
const quoted = (etag: string): string => `"${etag}"`;

/** All that the stand-in can do. @throws S3Refusal when the service would not */
export const actions: Readonly<Record<S3Action, (call: Call) => S3Answer>> = {
  PutObject({ request, bucket, content }) {
    if (content.length > MOST_AT_ONCE) throw new S3Refusal('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.');
    return { status: 200, headers: { etag: quoted(bucket.put(request.key, content, metadataOf(request)).etag) } };
  },
  GetObject: (call) => read(call, true),
  HeadObject: (call) => read(call, false),
  DeleteObject({ request, bucket }) {
    bucket.objects.delete(request.key);
    return { status: 204 };
  },
  HeadBucket: () => ({ status: 200 }),
  ListObjectsV2({ request: { query }, bucket, pageSize }) {
    const most = Math.min(pageSize, Number(query.get('max-keys') ?? 1000));
    if (query.has('encoding-type')) throw new S3Refusal('UnsupportedByStandIn', 'the stand-in writes keys as they are');
    const token = query.get('continuation-token');
    const after = token === null ? undefined : Buffer.from(token, 'base64url');
    const all = bucket.sorted(query.get('prefix') ?? '').filter(([key]) => after === undefined || Buffer.compare(Buffer.from(key), after) > 0);
    const page = all.slice(0, most);
    const more = all.length > page.length;
    return xml(
      answerXml('ListBucketResult', {
        Name: bucket.name,
        Prefix: query.get('prefix') ?? '',
        KeyCount: page.length,
        MaxKeys: most,
        IsTruncated: more,
        NextContinuationToken: more ? Buffer.from(page.at(-1)![0]).toString('base64url') : undefined,
        Contents: page.map(([Key, { body, etag, modified }]) => ({ Key, LastModified: modified, ETag: quoted(etag), Size: body.length, StorageClass: 'STANDARD' })),
      }),
    );
  },
  CopyObject(call) {
    const { request, bucket } = call;
    const source = sourceOf(call);
    if (source.body.length > MOST_AT_ONCE) throw new S3Refusal('InvalidRequest', 'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120');
    const replaces = request.headers['x-amz-metadata-directive'] === 'REPLACE';
    const made = bucket.put(request.key, source.body, replaces ? metadataOf(request) : source.metadata);
    return xml(answerXml('CopyObjectResult', { ETag: quoted(made.etag), LastModified: made.modified }));
  },
  CreateMultipartUpload({ request, bucket }) {
    const id = bucket.begin(request.key, metadataOf(request), request.headers['x-amz-checksum-algorithm'] === 'CRC32');
    return xml(answerXml('InitiateMultipartUploadResult', { Bucket: bucket.name, Key: request.key, UploadId: id }));
  },
  UploadPart({ request, bucket, content }) {
    const { parts } = bucket.upload(request.query.get('uploadId')!, request.key);
    const part = { body: content, etag: md5(content).toString('hex'), checksum: crcOf(content) };
    parts.set(partNumber(request), part);
    return { status: 200, headers: { etag: quoted(part.etag), 'x-amz-checksum-crc32': part.checksum } };
  },
  UploadPartCopy(call) {
    const { request, bucket } = call;
    const source = sourceOf(call);
    const { parts } = bucket.upload(request.query.get('uploadId')!, request.key);
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(String(request.headers['x-amz-copy-source-range'] ?? `bytes=0-${source.body.length - 1}`)) ?? [];
    if (from === undefined || Number(to) >= source.body.length || Number(from) > Number(to)) throw new S3Refusal('InvalidArgument', 'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy');
    if (source.body.length <= LEAST_PART) throw new S3Refusal('InvalidRequest', `The specified copy source must be larger than ${LEAST_PART} bytes for a range.`);
    const body = source.body.subarray(Number(from), Number(to) + 1);
    const part = { body, etag: md5(body).toString('hex'), checksum: crcOf(body) };
    parts.set(partNumber(request), part);
    return xml(answerXml('CopyPartResult', { ETag: quoted(part.etag), LastModified: new Date() }));
  },
  CompleteMultipartUpload({ request, bucket, content }) {
    const named = readParts(content.toString());
    if (!named) throw new S3Refusal('MalformedXML', 'The XML that you provided was not well formed or did not validate against our published schema.');
    const made = bucket.complete(request.query.get('uploadId')!, request.key, named);
    return xml(answerXml('CompleteMultipartUploadResult', { Bucket: bucket.name, Key: request.key, ETag: quoted(made.etag) }));
  },
  ListMultipartUploads({ request: { query }, bucket }) {
    const prefix = query.get('prefix') ?? '';
    const found = [...bucket.uploads].filter(([, { key }]) => key.startsWith(prefix));
    return xml(answerXml('ListMultipartUploadsResult', { Bucket: bucket.name, Prefix: prefix, IsTruncated: false, Upload: found.map(([UploadId, { key: Key }]) => ({ Key, UploadId })) }));
  },
  AbortMultipartUpload({ request, bucket }) {
    const id = request.query.get('uploadId')!;
    bucket.upload(id, request.key);
    bucket.uploads.delete(id);
    return { status: 204 };
  },
};

function read(call: Call, withBody: boolean): S3Answer {
  const { headers } = call.request;
  const { body, etag, metadata, modified } = objectOf(call.bucket, call.request.key, call.mayList);
  if (headers['if-match'] !== undefined && headers['if-match'] !== quoted(etag)) throw new S3Refusal('PreconditionFailed', 'At least one of the preconditions that you specified did not hold.');
  if (headers['if-none-match'] === quoted(etag)) throw new S3Refusal('NotModified', 'Not Modified');
  const facts = { etag: quoted(etag), 'last-modified': modified.toUTCString(), 'accept-ranges': 'bytes', ...Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])) };
  if (headers.range === undefined) return { status: 200, headers: { ...facts, 'content-length': String(body.length) }, ...(withBody && { body }) };
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(headers.range) ?? [];
  const start = from === '' ? Math.max(0, body.length - Number(to)) : Number(from);
  const end = from === '' || to === '' ? body.length : Math.min(body.length, Number(to) + 1);
  if ((from === '' && to === '') || start >= body.length || end <= start) throw new S3Refusal('InvalidRange', 'The requested range is not satisfiable');
  const part = { ...facts, 'content-length': String(end - start), 'content-range': `bytes ${start}-${end - 1}/${body.length}` };
  return { status: 206, headers: part, ...(withBody && { body: body.subarray(start, end) }) };
}

/** "If the object that you request doesn't exist, the error depends on whether you also have the s3:ListBucket permission" (API Reference). */
function objectOf(bucket: Bucket, key: string, mayList: boolean): S3Object {
  const found = bucket.objects.get(key);
  if (found) return found;
  throw mayList ? new S3Refusal('NoSuchKey', 'The specified key does not exist.') : new S3Refusal('AccessDenied', 'Access Denied');
}

function sourceOf({ request, buckets, mayList }: Call): S3Object {
  const [, name = '', key = ''] = /^\/?([^/]+)\/(.+)$/.exec(decodeURIComponent(String(request.headers['x-amz-copy-source']))) ?? [];
  const bucket = buckets.get(name);
  if (!bucket) throw new S3Refusal('NoSuchBucket', 'The specified bucket does not exist');
  if (key === request.key && request.headers['x-amz-metadata-directive'] !== 'REPLACE') throw new S3Refusal('InvalidRequest', 'This copy request is illegal because it is trying to copy an object to itself without changing the object\'s metadata, storage class, website redirect location or encryption attributes.');
  return objectOf(bucket, key, mayList);
}

function partNumber({ query }: S3Request): number {
  const number = Number(query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > MOST_PARTS) throw new S3Refusal('InvalidArgument', `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`);
  return number;
}

function metadataOf({ headers }: S3Request): Record<string, string> {
  const prefix = 'x-amz-meta-';
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), String(value)]] : [])));
}
