import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CredentialsMissing } from './trouble.js';

/** Credentials as every client of the SDK takes them; empty: those that it finds by itself. */
export interface CredentialsConfig {
  profile?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
}

/** What a reference leads to. */
export interface Credentials {
  /** changes when other credentials are there under the same reference; tells nothing of them */
  readonly identity: string;
  /** @throws {CredentialsMissing} when it leads nowhere */
  config(): Promise<CredentialsConfig>;
}

/**
 * @param reference `default`, `profile:NAME` or `env:PREFIX`
 * @throws {CredentialsMissing} when a variable is not set
 */
export function credentialsOf(reference: string): Credentials {
  if (reference.startsWith('env:')) return fromVariables(reference.slice('env:'.length));
  if (!reference.startsWith('profile:')) return { identity: '', config: async () => ({}) };
  const profile = reference.slice('profile:'.length);
  return {
    identity: '',
    config: async () => {
      await mustExist(profile);
      return { profile };
    },
  };
}

/** Read at every call, so that new ones hold without a restart of what reads them from a file. */
function fromVariables(prefix: string): Credentials {
  const variable = (suffix: string): string => {
    const value = process.env[`${prefix}_${suffix}`];
    if (value === undefined || value === '') throw new CredentialsMissing(`the environment variable ${prefix}_${suffix} is not set where Berth runs`);
    return value;
  };
  const sessionToken = process.env[`${prefix}_SESSION_TOKEN`];
  const credentials = { accessKeyId: variable('ACCESS_KEY_ID'), secretAccessKey: variable('SECRET_ACCESS_KEY'), ...(sessionToken !== undefined && sessionToken !== '' && { sessionToken }) };
  return { identity: createHash('sha256').update(JSON.stringify(credentials)).digest('hex'), config: async () => ({ credentials }) };
}

/**
 * The SDK goes on to the role of the machine that it runs on when there is no such profile, and would launch in another
 * account than the one that was meant ("Configuration and credential file settings", AWS CLI User Guide).
 */
async function mustExist(profile: string): Promise<void> {
  const files = [process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(homedir(), '.aws', 'credentials'), process.env['AWS_CONFIG_FILE'] ?? join(homedir(), '.aws', 'config')];
  for (const file of files) {
    const headings = (await textOf(file)).matchAll(/^\s*\[\s*(?:profile\s+)?["']?([^\]"']+?)["']?\s*\]/gm);
    if ([...headings].some(([, name]) => name === profile)) return;
  }
  throw new CredentialsMissing(`there is no profile ${profile} in the AWS credentials and configuration files of the user that Berth runs as`);
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw new CredentialsMissing(`an AWS credentials or configuration file can not be read (${code ?? 'no code'})`);
  }
}
