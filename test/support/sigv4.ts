import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Whose requests a stand-in takes, and where. */
export interface Identity {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** What the header `Authorization` says. */
export interface Authorization {
  readonly keyId: string;
  /** `YYYYMMDD` */
  readonly day: string;
  readonly region: string;
  readonly service: string;
  /** headers, in lower case */
  readonly signed: readonly string[];
  readonly signature: string;
}

/** What is signed of a request, in the forms that "Create a signed AWS API request" (IAM User Guide) calls canonical. */
export interface Signable {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** SHA-256 of the body in hexadecimal, or what stands for it */
  readonly payload: string;
}

/** undefined: it is none of AWS Signature Version 4 */
export function readAuthorization(header: string): Authorization | undefined {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(header);
  if (parts === null) return undefined;
  const [, keyId = '', day = '', region = '', service = '', names = '', signature = ''] = parts;
  return { keyId, day, region, service, signed: names.split(';'), signature };
}

/** Whether the signature is that of the request under the secret key. */
export function isSigned(request: Signable, { day, region, service, signed, signature }: Authorization, secretAccessKey: string): boolean {
  const lines = signed.map((name) => `${name}:${headerText(request.headers[name]).trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = [request.method, request.path, request.query, lines, signed.join(';'), request.payload].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', headerText(request.headers['x-amz-date']), scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'));
}

/** Headers that have to be signed and are not. */
export function unsignedHeaders(headers: IncomingHttpHeaders, { signed }: Authorization): string[] {
  return Object.keys(headers).filter((name) => (name === 'host' || name === 'content-type' || name.startsWith('x-amz-')) && !signed.includes(name));
}

/** Milliseconds of a time such as 20300131T120000Z; NaN when it is none. */
export function instantOf(stamp: string): number {
  return Date.parse(stamp.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

export function headerText(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
