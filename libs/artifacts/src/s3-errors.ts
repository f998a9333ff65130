import { FullError, UnavailableError } from './errors.js';
import type { ArtifactsSetting } from './setting.js';

interface ServiceError extends Error {
  $metadata?: { httpStatusCode?: number };
  code?: string;
}

/** Codes of stores that have limits; Amazon's has none. */
const FULL = new Set(['QuotaExceeded', 'XMinioStorageFull', 'XMinioAdminBucketQuotaExceeded', 'InsufficientStorage', 'InsufficientCapacity']);

/** What a person puts right: where the store is named, and how it is told its credentials. */
export interface Named {
  setting: string;
  accessKeyId: string;
  secretAccessKey: string;
  credentials: string;
}
export const artifactsNamed: Named = { setting: 'BERTH_ARTIFACTS', accessKeyId: 'AWS_ACCESS_KEY_ID', secretAccessKey: 'AWS_SECRET_ACCESS_KEY', credentials: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use another source that the AWS SDK knows' };

const hints = ({ setting, accessKeyId, secretAccessKey, credentials }: Named): Readonly<Record<string, string>> => ({
  NoSuchBucket: `there is no such bucket: make it, or correct ${setting}`,
  AccessDenied: 'give these credentials the rights that docs/how-to/store-artifacts.md lists',
  Forbidden: 'give these credentials the rights that docs/how-to/store-artifacts.md lists',
  InvalidAccessKeyId: `the access key is not known there: correct ${accessKeyId}`,
  SignatureDoesNotMatch: `the secret key is wrong: correct ${secretAccessKey}`,
  CredentialsProviderError: `there are no credentials: ${credentials}`,
  PermanentRedirect: `the bucket is in another region: correct region in ${setting}`,
  AuthorizationHeaderMalformed: `the bucket is in another region: correct region in ${setting}`,
  RequestTimeTooSkewed: 'the clock of this machine is wrong: set it',
  NotFound: `there is no such bucket: make it, or correct ${setting}`,
});

export const statusOf = (error: unknown): number | undefined => (error as ServiceError).$metadata?.httpStatusCode;

/** What an error of the SDK means: it has no room, or it can't be asked. */
export function storeError(object: string, setting: Extract<ArtifactsSetting, { kind: 's3' }>, error: unknown, named = artifactsNamed): Error {
  const { name, message, code } = error as ServiceError;
  if (FULL.has(name) || statusOf(error) === 507) return new FullError(object, `bucket ${setting.bucket}: ${name}`, { cause: error });
  const where = setting.endpoint === undefined ? `the bucket ${setting.bucket}` : `the bucket ${setting.bucket} at ${setting.endpoint}`;
  // The answer to HEAD has no body, so its name may be no more than its status.
  const known = hints(named);
  const key = statusOf(error) === 403 && known[name] === undefined ? 'Forbidden' : name;
  return new UnavailableError(`${where} (${code ?? name}: ${known[key] ?? message})`, { cause: error });
}
