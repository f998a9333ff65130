import { isAbsolute, normalize } from 'node:path';
import { openCopies, UnavailableError, type Objects } from '@berth/artifacts';
import type { ReplicaStore } from '@berth/contracts';
import { CredentialsMissing, credentialsOf } from '@berth/ec2';

/** Why copies can't be put where a policy says: one sentence, and the field of `to` to look at. */
export class CopiesFault extends Error {
  override readonly name = 'CopiesFault';
  constructor(
    readonly field: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What stands where a copy was begun: the same cause is then the same sentence. */
const DRAFT = /\.incoming\/[0-9a-f-]{36}/g;

/** The stores that policies put copies into, each opened once. */
export class Copies {
  private readonly opened = new Map<string, { identity: string; objects: Promise<Objects> }>();

  /** @throws {CopiesFault} its folder or its credentials can't be used */
  async of(to: ReplicaStore): Promise<Objects> {
    const key = JSON.stringify(to);
    const { identity, open } = to.kind === 'folder' ? { identity: '', open: () => openCopies({ kind: 'folder', path: folderOf(to.folder) }) } : this.inS3(to);
    const known = this.opened.get(key);
    if (known?.identity === identity) return known.objects;
    const objects = open();
    this.opened.set(key, { identity, objects });
    try {
      return await objects;
    } catch (error) {
      if (this.opened.get(key)?.objects === objects) this.opened.delete(key);
      throw faultOf(error, to);
    }
  }

  private inS3(to: Extract<ReplicaStore, { kind: 's3' }>): { identity: string; open(): Promise<Objects> } {
    const { bucket, region, endpoint, prefix, credentials } = to;
    const prefixed = prefixOf(prefix);
    try {
      const { identity, config } = credentialsOf(credentials);
      const variables = credentials.startsWith('env:') ? credentials.slice('env:'.length) : undefined;
      const named = {
        setting: 'the policy',
        accessKeyId: variables === undefined ? `what credentials ${credentials} leads to` : `${variables}_ACCESS_KEY_ID`,
        secretAccessKey: variables === undefined ? `what credentials ${credentials} leads to` : `${variables}_SECRET_ACCESS_KEY`,
        credentials: 'give the factory some that the AWS SDK finds, or name a profile or variables in the policy',
      };
      // In the host name only Amazon's own have the bucket for certain.
      const where = { kind: 's3', bucket, region, prefix: prefixed, pathStyle: endpoint !== undefined, ...(endpoint !== undefined && { endpoint }) } as const;
      return { identity, open: async () => openCopies({ ...where, access: await config(), named }) };
    } catch (error) {
      throw faultOf(error, to);
    }
  }
}

/** @throws {CopiesFault} it is not absolute, or all there is */
function folderOf(folder: string): string {
  if (!isAbsolute(folder)) throw new CopiesFault('folder', `the folder ${folder} is not absolute: use a path such as /srv/copies`);
  const path = normalize(folder).replace(/(.)\/+$/, '$1');
  if (path === '/') throw new CopiesFault('folder', 'the root of the file system is no folder for copies: use one of its own, such as /srv/copies');
  return path;
}

function prefixOf(prefix: string): string {
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  if (/(^|\/)\.{0,2}(\/|$)/.test(trimmed) && trimmed !== '') throw new CopiesFault('prefix', `the prefix ${prefix} has a part that is empty, "." or "..": use one such as copies/images`);
  return trimmed;
}

/** What went wrong with a store of copies, in one sentence that has no credentials in it. */
export function faultOf(error: unknown, to: ReplicaStore): CopiesFault {
  if (error instanceof CopiesFault) return error;
  if (error instanceof CredentialsMissing) return new CopiesFault('credentials', error.message, { cause: error });
  const field = to.kind === 'folder' ? 'folder' : to.endpoint === undefined ? 'bucket' : 'endpoint';
  return new CopiesFault(field, sentenceOf(error), { cause: error });
}

/** The same for the same cause. */
export function sentenceOf(error: unknown): string {
  const message = error instanceof UnavailableError ? `the store can't be used: ${error.why}` : error instanceof Error ? error.message : String(error);
  return message.replace(DRAFT, '.incoming/…').slice(0, 8192);
}
