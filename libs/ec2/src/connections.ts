import { EC2Client, type EC2ClientConfig } from '@aws-sdk/client-ec2';
import { credentialsOf, type CredentialsConfig } from './credentials.js';
import { quietSdk } from './quiet.js';
import type { CallTiming } from './timing.js';

/** One account in one region of EC2, or of what speaks its API. */
export interface Place {
  readonly region: string;
  /** absent: that of the region */
  readonly endpoint?: string | undefined;
  /** by reference: `default`, `profile:NAME` or `env:PREFIX` */
  readonly credentials: string;
}

/** How calls reach a place. */
export interface Clients {
  /** for calls that may be repeated at once: the SDK does it after throttling, server errors and lost connections */
  readonly ec2: EC2Client;
  /**
   * For launches. Missing capacity comes as a server error, so the SDK would ask for it again and again, while another
   * offer could be asked for.
   */
  readonly once: EC2Client;
}

/** Keeps one connection for each place that was asked for: clients, and what `around` makes of them. */
export class Connections<T> {
  private readonly kept = new Map<string, { identity: string; connection: Promise<T> }>();
  private readonly clients = new Set<EC2Client>();

  constructor(
    private readonly timing: CallTiming,
    private readonly around: (clients: Clients) => T,
  ) {}

  /** @throws {CredentialsMissing} when what the place refers to is not there */
  async of(place: Place): Promise<T> {
    const { region, endpoint, credentials } = place;
    const key = JSON.stringify([region, endpoint, credentials]);
    const { identity, config } = credentialsOf(credentials);
    const kept = this.kept.get(key);
    if (kept?.identity === identity) return kept.connection;
    // Others may still wait for answers over the old one; its idle sockets close by themselves.
    const connection = config().then((found) => this.open(place, found));
    this.kept.set(key, { identity, connection });
    try {
      return await connection;
    } catch (error) {
      if (this.kept.get(key)?.connection === connection) this.kept.delete(key);
      throw error;
    }
  }

  /** Closes all sockets. What is asked for after that opens new ones. */
  close(): void {
    for (const client of this.clients) client.destroy();
    this.clients.clear();
    this.kept.clear();
  }

  private open({ region, endpoint }: Place, credentials: CredentialsConfig): T {
    quietSdk();
    const { request, connect, tries } = this.timing;
    const common: EC2ClientConfig = {
      region,
      ...(endpoint !== undefined && { endpoint }),
      ...credentials,
      retryMode: 'standard',
      // Without the last one the SDK only warns when the time is up.
      requestHandler: { requestTimeout: request, connectionTimeout: connect, throwOnRequestTimeout: true },
    };
    const clients = { ec2: new EC2Client({ ...common, maxAttempts: tries }), once: new EC2Client({ ...common, maxAttempts: 1 }) };
    this.clients.add(clients.ec2).add(clients.once);
    return this.around(clients);
  }
}
