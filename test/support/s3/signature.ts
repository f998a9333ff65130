import { createHash } from 'node:crypto';
import { headerText, instantOf, isSigned, readAuthorization, unsignedHeaders, type Identity } from '../sigv4.js';
import { S3Refusal } from './refusal.js';
import type { S3Request } from './request.js';

/** "RequestTimeTooSkewed" of the error list. */
const SKEW_MS = 15 * 60_000;
/** Instead of a hash of the body: it is not part of what is signed. */
export const UNSIGNED = 'UNSIGNED-PAYLOAD';
/** The same for a body in chunks with a checksum behind them. */
export const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/**
 * Checks the signature in the headers of a request ("Authenticating Requests: Using the Authorization Header", API Reference).
 * @throws S3Refusal when it is missing, of somebody else, wrong or too old, or when the body is not the one that was signed
 */
export function verify(request: S3Request, body: Buffer, identity: Identity, now: Date): void {
  const { headers } = request;
  if (headers.authorization === undefined) throw new S3Refusal('AccessDenied', 'Access Denied');
  const authorization = readAuthorization(headers.authorization);
  if (authorization === undefined) throw new S3Refusal('AuthorizationHeaderMalformed', 'The authorization header that you provided is not valid.');
  const { keyId, day, region, service } = authorization;
  if (keyId !== identity.accessKeyId) throw new S3Refusal('InvalidAccessKeyId', 'The AWS access key ID that you provided does not exist in our records.');
  if (region !== identity.region) throw new S3Refusal('AuthorizationHeaderMalformed', `The authorization header is malformed; the region '${region}' is wrong; expecting '${identity.region}'`);
  if (service !== 's3') throw new S3Refusal('AuthorizationHeaderMalformed', `The authorization header is malformed; incorrect service "${service}". This endpoint belongs to "s3".`);
  const stamp = headerText(headers['x-amz-date']);
  const at = instantOf(stamp);
  if (Number.isNaN(at)) throw new S3Refusal('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (!stamp.startsWith(day)) throw new S3Refusal('AuthorizationHeaderMalformed', 'The authorization header is malformed; Invalid credential date.');
  if (Math.abs(now.getTime() - at) > SKEW_MS) throw new S3Refusal('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.');
  const unsigned = unsignedHeaders(headers, authorization);
  if (unsigned.length > 0) throw new S3Refusal('AccessDenied', `There were headers present in the request which were not signed: ${unsigned.join(', ')}`);

  const payload = headerText(headers['x-amz-content-sha256']);
  if (payload === '') throw new S3Refusal('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
  if (payload !== UNSIGNED && payload !== UNSIGNED_TRAILER) {
    if (payload.startsWith('STREAMING-')) throw new S3Refusal('UnsupportedByStandIn', `the stand-in does not read ${payload}`);
    if (!/^[0-9a-f]{64}$/.test(payload)) throw new S3Refusal('InvalidArgument', 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, or a valid sha256 value.');
    if (createHash('sha256').update(body).digest('hex') !== payload) throw new S3Refusal('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.");
  }
  const signable = { method: request.method, path: canonicalPath(request.path), query: canonicalQuery(request.query), headers, payload };
  if (!isSigned(signable, authorization, identity.secretAccessKey)) {
    throw new S3Refusal('SignatureDoesNotMatch', 'The request signature that we calculated does not match the signature that you provided. Check your AWS secret access key and signing method.');
  }
}

/** Encoded once, and by the strict rule whatever was sent. */
function canonicalPath(path: string): string {
  return path.split('/').map((segment) => encoded(decodeURIComponent(segment))).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => [encoded(name), encoded(value)] as const);
  return pairs.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1)).map((pair) => pair.join('=')).join('&');
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);
}
