import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { S3Refusal } from './refusal.js';

/** What is asked, taken apart. */
export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  /** empty: of the bucket itself */
  readonly key: string;
  /** As it came, for the signature. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** Path style only: the one that works without names for addresses. */
export function readRequest(request: IncomingMessage): S3Request {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stand-in');
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  try {
    return { method: request.method ?? '', bucket: decodeURIComponent(bucket), key: decodeURIComponent(key), path: (request.url ?? '/').split('?')[0]!, query: searchParams, headers: request.headers };
  } catch (error) {
    throw new S3Refusal('InvalidArgument', `the path can't be decoded: ${(error as Error).message}`);
  }
}

/** All operations that the stand-in has. */
export type S3Action =
  | 'PutObject' | 'GetObject' | 'HeadObject' | 'DeleteObject' | 'CopyObject' | 'HeadBucket' | 'ListObjectsV2'
  | 'CreateMultipartUpload' | 'UploadPart' | 'UploadPartCopy' | 'CompleteMultipartUpload' | 'AbortMultipartUpload' | 'ListMultipartUploads';

/** Names what is asked; parameters that mean something else are refused rather than passed over. */
export function actionOf({ method, key, query, headers }: S3Request): S3Action {
  const known = new Set(['x-id', 'uploads', 'uploadId', 'partNumber', 'list-type', 'prefix', 'max-keys', 'continuation-token', 'encoding-type']);
  for (const name of query.keys()) if (!known.has(name)) throw new S3Refusal('UnsupportedByStandIn', `the stand-in knows no parameter ${name}`);
  const copies = headers['x-amz-copy-source'] !== undefined;
  const part = query.has('uploadId') && query.has('partNumber');
  if (key === '') {
    if (method === 'HEAD') return 'HeadBucket';
    if (method === 'GET' && query.get('list-type') === '2') return 'ListObjectsV2';
    if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
  } else {
    if (method === 'GET') return 'GetObject';
    if (method === 'HEAD') return 'HeadObject';
    if (method === 'PUT' && part) return copies ? 'UploadPartCopy' : 'UploadPart';
    if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject';
    if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
    if (method === 'POST' && query.has('uploadId')) return 'CompleteMultipartUpload';
    if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  }
  throw new S3Refusal('MethodNotAllowed', 'The specified method is not allowed against this resource.');
}
