import { Connections as Kept, type Clients } from '@berth/ec2';
import { Instances } from './instances.js';
import type { Timing } from './timing.js';

/** How calls reach one account in one region. */
export interface Connection extends Clients {
  readonly instances: Instances;
}

/** One connection for each account and region that blueprints name. */
export type Connections = Kept<Connection>;

export function connectionsWith(timing: Timing): Connections {
  return new Kept(timing, (clients) => ({ ...clients, instances: new Instances(clients.ec2, timing.gather) }));
}
