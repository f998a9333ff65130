import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Ec2Refusal } from './refusal.js';

/** Whose requests are taken, and where. */
export interface Identity {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

// The two documents differ: IAM's says that a request must arrive within five minutes, EC2's error list says fifteen.
const SKEW_MS = 5 * 60_000;

/**
 * Checks the signature of a `POST /` ("Create a signed AWS API request", IAM User Guide).
 * @throws Ec2Refusal when it is missing, of somebody else, wrong or too old
 */
export function verify(headers: IncomingHttpHeaders, body: Buffer, identity: Identity, now: Date): void {
  const authorization = headers.authorization;
  if (authorization === undefined) throw new Ec2Refusal('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const parts = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/([^/,]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(authorization);
  if (parts === null) throw new Ec2Refusal('IncompleteSignature', 'The request signature does not conform to AWS standards.');
  const [, keyId = '', day = '', region = '', service = '', names = '', signature = ''] = parts;
  if (keyId !== identity.accessKeyId) throw new Ec2Refusal('AuthFailure', 'AWS was not able to validate the provided access credentials');

  const scope = `${day}/${region}/${service}/aws4_request`;
  if (region !== identity.region) throw mismatch(`Credential should be scoped to a valid region, not '${region}'.`);
  if (service !== 'ec2') throw mismatch(`Credential should be scoped to correct service: 'ec2', not '${service}'.`);
  const stamp = text(headers['x-amz-date']);
  const at = instant(stamp);
  if (!stamp.startsWith(day)) throw mismatch(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${stamp}'.`);
  if (Math.abs(now.getTime() - at) > SKEW_MS) throw new Ec2Refusal('RequestExpired', `Request has expired: it is of ${stamp}, and now it is ${now.toISOString()}.`);

  const signed = names.split(';');
  const must = Object.keys(headers).filter((name) => name === 'host' || name === 'content-type' || name.startsWith('x-amz-'));
  const unsigned = must.filter((name) => !signed.includes(name));
  if (unsigned.length > 0) throw mismatch(`There are headers present in the request which were not signed: ${unsigned.join(', ')}`);

  const bodyHash = createHash('sha256').update(body).digest('hex');
  if ((headers['x-amz-content-sha256'] ?? bodyHash) !== bodyHash) throw mismatch('The value of x-amz-content-sha256 is not the hash of the body.');
  const lines = signed.map((name) => `${name}:${text(headers[name]).trim().replace(/ +/g, ' ')}\n`).join('');
  const canonical = ['POST', '/', '', lines, names, bodyHash].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${identity.secretAccessKey}`);
  if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, 'hex'))) {
    throw mismatch('The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.');
  }
}

function mismatch(message: string): Ec2Refusal {
  return new Ec2Refusal('SignatureDoesNotMatch', message);
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function instant(stamp: string): number {
  const at = Date.parse(stamp.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(at)) throw new Ec2Refusal('IncompleteSignature', 'Authorization header requires existence of a valid X-Amz-Date header.');
  return at;
}

function text(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : (header ?? '');
}
