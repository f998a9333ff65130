import type { Clients, Connections } from '@berth/ec2';
import type { Patience } from '../patience.js';
import type { Call } from '../provider.js';
import type { Transfers } from '../transfers.js';
import type { Buckets } from './bucket.js';
import { Site } from './site.js';
import type { ImageTiming } from './timing.js';

/** What steps share; nothing of it is needed to take one after a crash. */
export interface Work extends Patience {
  readonly timing: ImageTiming;
  readonly connections: Connections<Clients>;
  readonly buckets: Buckets;
  readonly transfers: Transfers;
}

export function siteOf({ connections }: Work, { account, provider, signal }: Pick<Call, 'account' | 'provider' | 'signal'>): Promise<Site> {
  return Site.open(connections, account, provider, signal);
}

/** RFC 3339 */
export function time({ now }: Work): string {
  return new Date(now()).toISOString();
}
