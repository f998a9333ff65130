import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { headerText, instantOf, isSigned, readAuthorization, unsignedHeaders, type Identity } from '../sigv4.js';
import { Ec2Refusal } from './refusal.js';

export type { Identity };

// The two documents differ: IAM's says that a request must arrive within five minutes, EC2's error list says fifteen.
const SKEW_MS = 5 * 60_000;

/**
 * Checks the signature of a `POST /` ("Create a signed AWS API request", IAM User Guide).
 * @throws Ec2Refusal when it is missing, of somebody else, wrong or too old
 */
export function verify(headers: IncomingHttpHeaders, body: Buffer, identity: Identity, now: Date): void {
  if (headers.authorization === undefined) throw new Ec2Refusal('MissingAuthenticationToken', 'Request is missing Authentication Token');
  const authorization = readAuthorization(headers.authorization);
  if (authorization === undefined) throw new Ec2Refusal('IncompleteSignature', 'The request signature does not conform to AWS standards.');
  const { keyId, day, region, service } = authorization;
  if (keyId !== identity.accessKeyId) throw new Ec2Refusal('AuthFailure', 'AWS was not able to validate the provided access credentials');

  if (region !== identity.region) throw mismatch(`Credential should be scoped to a valid region, not '${region}'.`);
  if (service !== 'ec2') throw mismatch(`Credential should be scoped to correct service: 'ec2', not '${service}'.`);
  const stamp = headerText(headers['x-amz-date']);
  const at = instantOf(stamp);
  if (Number.isNaN(at)) throw new Ec2Refusal('IncompleteSignature', 'Authorization header requires existence of a valid X-Amz-Date header.');
  if (!stamp.startsWith(day)) throw mismatch(`Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${stamp}'.`);
  if (Math.abs(now.getTime() - at) > SKEW_MS) throw new Ec2Refusal('RequestExpired', `Request has expired: it is of ${stamp}, and now it is ${now.toISOString()}.`);

  const unsigned = unsignedHeaders(headers, authorization);
  if (unsigned.length > 0) throw mismatch(`There are headers present in the request which were not signed: ${unsigned.join(', ')}`);
  const payload = createHash('sha256').update(body).digest('hex');
  if ((headers['x-amz-content-sha256'] ?? payload) !== payload) throw mismatch('The value of x-amz-content-sha256 is not the hash of the body.');
  if (!isSigned({ method: 'POST', path: '/', query: '', headers, payload }, authorization, identity.secretAccessKey)) {
    throw mismatch('The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.');
  }
}

function mismatch(message: string): Ec2Refusal {
  return new Ec2Refusal('SignatureDoesNotMatch', message);
}
