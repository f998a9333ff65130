import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EC2Client, type EC2ClientConfig } from '@aws-sdk/client-ec2';
import type { BlueprintOf } from '@berth/contracts';
import { Instances } from './instances.js';
import type { Timing } from './timing.js';
import { CredentialsMissing } from './trouble.js';

type Spec = Pick<BlueprintOf<'ec2'>, 'region' | 'endpoint' | 'credentials'>;

/** How calls reach one account in one region. */
export interface Connection {
  /** for calls that may be repeated at once: the SDK does it after throttling, server errors and lost connections */
  readonly ec2: EC2Client;
  /**
   * For launches. Missing capacity comes as a server error, so the SDK would ask for it again and again, while another
   * offer could be asked for.
   */
  readonly once: EC2Client;
  readonly instances: Instances;
}

/** Keeps one connection for each account and region that blueprints name. */
export class Connections {
  private readonly kept = new Map<string, { identity: string; connection: Promise<Connection> }>();

  constructor(private readonly timing: Timing) {}

  /** @throws CredentialsMissing when what the blueprint refers to is not there */
  async of(spec: Spec): Promise<Connection> {
    const { region, endpoint, credentials } = spec;
    const key = JSON.stringify([region, endpoint, credentials]);
    const { identity, config } = given(credentials);
    const kept = this.kept.get(key);
    if (kept?.identity === identity) return kept.connection;
    // Others may still wait for answers over the old one; its idle sockets close by themselves.
    const connection = config().then((found) => this.open(spec, found));
    this.kept.set(key, { identity, connection });
    try {
      return await connection;
    } catch (error) {
      if (this.kept.get(key)?.connection === connection) this.kept.delete(key);
      throw error;
    }
  }

  private open({ region, endpoint }: Spec, credentials: EC2ClientConfig): Connection {
    const { request, connect, tries } = this.timing;
    const common: EC2ClientConfig = {
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...credentials,
      retryMode: 'standard',
      // Without the last one the SDK only warns when the time is up.
      requestHandler: { requestTimeout: request, connectionTimeout: connect, throwOnRequestTimeout: true },
    };
    const ec2 = new EC2Client({ ...common, maxAttempts: tries });
    return { ec2, once: new EC2Client({ ...common, maxAttempts: 1 }), instances: new Instances(ec2, this.timing.gather) };
  }
}

/** What a reference leads to; `identity` changes when other credentials are there under the same reference. */
function given(reference: string): { identity: string; config(): Promise<EC2ClientConfig> } {
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
function fromVariables(prefix: string): ReturnType<typeof given> {
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
