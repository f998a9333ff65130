import { isAbsolute, normalize } from 'node:path';

/** Where artifacts are kept. */
export type ArtifactsSetting =
  | { kind: 'jetstream' }
  | { kind: 'folder'; path: string }
  | {
      kind: 's3';
      bucket: string;
      /** of every key: empty, or without slashes at its ends */
      prefix: string;
      /** absent: that of the AWS SDK's own settings */
      region?: string;
      /** absent: Amazon's */
      endpoint?: string;
      pathStyle: boolean;
    };

/** A setting that can't be used; the message ends a sentence that begins with its name. */
export class SettingError extends Error {}

const FORMS = 'jetstream, folder:/absolute/path or s3://bucket/prefix?region=REGION';
const CREDENTIALS =
  'must not hold credentials, because settings are seen in lists of processes and in logs: remove what is before the "@" and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use any other source that the AWS SDK knows';

/**
 * Reads BERTH_ARTIFACTS.
 * @throws {SettingError} with the way out
 */
export function readSetting(text: string | undefined): ArtifactsSetting {
  if (text === undefined || text === '' || text === 'jetstream') return { kind: 'jetstream' };
  if (text.startsWith('folder:')) return folder(text.slice('folder:'.length));
  if (text.startsWith('s3://')) return s3(text);
  throw new SettingError(`must be ${FORMS}`);
}

function folder(path: string): ArtifactsSetting {
  if (!isAbsolute(path) || path.includes('\0')) throw new SettingError('must name its folder by an absolute path, such as folder:/var/lib/berth/artifacts');
  const normal = normalize(path).replace(/(.)\/+$/, '$1');
  if (normal === '/') throw new SettingError('must not name the root of the file system: give it a folder of its own, such as folder:/var/lib/berth/artifacts');
  return { kind: 'folder', path: normal };
}

function s3(text: string): ArtifactsSetting {
  const authority = /^s3:\/\/([^/?#]*)/.exec(text)![1]!;
  // Also where the rest is no URL: a secret key may hold a slash.
  if (text.split('?')[0]!.includes('@')) throw new SettingError(CREDENTIALS);
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(authority)) throw new SettingError('must name its bucket as S3 does, with 3 to 63 lower-case letters, digits, "-" or ".": s3://my-bucket/prefix?region=eu-central-1');
  const url = parsed(text);
  if (!url || url.hash) throw new SettingError('must be a URL such as s3://my-bucket/prefix?region=eu-central-1');
  const known = new Set(['region', 'endpoint', 'pathStyle']);
  for (const key of url.searchParams.keys()) {
    if (!known.has(key)) throw new SettingError(`has an unknown parameter ${JSON.stringify(key)}: there are region, endpoint and pathStyle; credentials are set in the environment`);
  }
  const region = url.searchParams.get('region') ?? undefined;
  if (region !== undefined && !/^[a-z0-9-]{1,32}$/.test(region)) throw new SettingError('has a region that is none: use one such as eu-central-1');
  const endpoint = url.searchParams.get('endpoint') ?? undefined;
  const pathStyle = url.searchParams.get('pathStyle') ?? 'false';
  if (pathStyle !== 'true' && pathStyle !== 'false') throw new SettingError('has a pathStyle that is neither true nor false');
  const prefix = decoded(url.pathname)?.replace(/^\/+|\/+$/g, '');
  if (prefix === undefined || Buffer.byteLength(prefix) > 128 || /[\p{Cc}\\]|\/\/|(^|\/)\.{1,2}(\/|$)/u.test(prefix)) throw new SettingError('has a prefix that can\'t be used: at most 128 bytes, without "//", "." or ".."');
  return { kind: 's3', bucket: authority, prefix, pathStyle: pathStyle === 'true', ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint: checkedEndpoint(endpoint) }) };
}

function checkedEndpoint(text: string): string {
  const url = parsed(text);
  if (text.includes('@')) throw new SettingError(CREDENTIALS);
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.search || url.hash) throw new SettingError('has an endpoint that is no URL: use one such as endpoint=https://minio.example.org:9000');
  return url.href.replace(/\/$/, '');
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
