import type { EC2Client } from '@aws-sdk/client-ec2';
import type { AccountSpec, ProviderSpec } from '@berth/contracts';
import { troubleOf, type CallTrouble, type Clients, type Connections } from '@berth/ec2';
import { Trouble } from '../trouble.js';

export type Ec2ProviderSpec = Extract<ProviderSpec, { kind: 'ec2' }>;

/** Limits on what is under way: less of it later ("Error codes for the Amazon EC2 API", Developer Guide). */
const PASSING = /^(ConcurrentSnapshotLimitExceeded|ConcurrentCreateImageNoRebootLimitExceeded|PendingSnapshotLimitExceeded|SnapshotCreationPerVolumeRateExceeded|ResourceLimitExceeded)$/;

/** What may be done about a refusal whose message does not say it. */
const HINTS: readonly (readonly [said: RegExp, hint: string])[] = [
  [/service role/i, 'make the role vmimport in that account and let it read the bucket (VM Import/Export User Guide, "Required permissions")'],
  [/access to the S3 object/i, 'let the role vmimport read the bucket'],
  [/not local to the region/i, 'use a bucket of the same region'],
  [/permission to access the storage/i, 'give the account its accountId, so that the image is shared with it'],
];

/** An account in its region, as it is asked. */
export class Site {
  private constructor(
    readonly account: AccountSpec,
    readonly region: string,
    private readonly provider: Ec2ProviderSpec,
    private readonly clients: Clients,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws {Trouble} when the account has no region, or its credentials are not there */
  static async open(connections: Connections<Clients>, account: AccountSpec, provider: ProviderSpec, signal: AbortSignal): Promise<Site> {
    const spec = ec2Of(provider);
    const { region, credentials } = account;
    if (region === undefined) throw new Trouble(`account ${account.name} has no region: save it with one, such as eu-central-1`, false);
    try {
      return new Site(account, region, spec, await connections.of({ region, endpoint: spec.endpoint, credentials }), signal);
    } catch (error) {
      throw troubled('', account, { region, endpoint: spec.endpoint }, error);
    }
  }

  /**
   * Asks EC2; `action` is what is asked, as permissions call it.
   * @throws {Trouble} with the code of EC2
   */
  async ask<T>(action: string, call: (ec2: EC2Client, options: { abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    try {
      return await call(this.clients.ec2, { abortSignal: this.signal });
    } catch (error) {
      throw troubled(action, this.account, { region: this.region, endpoint: this.provider.endpoint }, error);
    }
  }
}

/** @throws when it is another kind: a mistake in this program */
export function ec2Of(provider: ProviderSpec): Ec2ProviderSpec {
  if (provider.kind !== 'ec2') throw new Error(`the provider ${provider.name} is of the kind ${provider.kind}`);
  return provider;
}

function troubled(action: string, account: AccountSpec, place: { region: string; endpoint: string | undefined }, error: unknown): Trouble {
  const trouble = troubleOf(error, place, (code) => PASSING.test(code));
  const passing = trouble.is === 'throttled' || trouble.is === 'outage' || (trouble.is === 'refused' && trouble.known);
  return new Trouble(sentenceOf(action, account, place.region, trouble), passing, trouble.code);
}

/** Names the account and the way out; never a credential. */
function sentenceOf(action: string, account: AccountSpec, region: string, trouble: CallTrouble): string {
  const who = `account ${account.name} in ${region}`;
  const said = `${trouble.text} (${trouble.code})`;
  switch (trouble.is) {
    case 'permission':
      return `${who} may not do this: ${said}. Allow its credentials (${account.credentials}) ec2:${action}`;
    case 'credentials':
      return `the credentials of ${who} (${account.credentials}) do not work: ${said}. ${wayOut(account, trouble)}`;
    case 'throttled':
      return `EC2 asks to be asked less often for ${who}: ${said}`;
    case 'outage':
      return `EC2 did not answer ${who}: ${said}; ${trouble.advice}`;
    case 'refused': {
      const hint = HINTS.find(([message]) => message.test(trouble.text))?.[1];
      return `EC2 refuses ${action} for ${who}: ${said}${hint === undefined ? '' : `. To go on, ${hint}`}`;
    }
  }
}

function wayOut({ credentials }: AccountSpec, { code, advice }: Extract<CallTrouble, { is: 'credentials' }>): string {
  if (!/AuthFailure|Signature|Token|InvalidAccessKeyId|InvalidSecurity|Credentials/.test(code)) return `To go on, ${advice}`;
  if (credentials.startsWith('env:')) {
    const prefix = credentials.slice('env:'.length);
    return `Set ${prefix}_ACCESS_KEY_ID and ${prefix}_SECRET_ACCESS_KEY where the image factory runs`;
  }
  if (credentials.startsWith('profile:')) return `Correct the profile ${credentials.slice('profile:'.length)} where the image factory runs`;
  return 'Give the image factory credentials that the AWS SDK finds, or name others in the account';
}
