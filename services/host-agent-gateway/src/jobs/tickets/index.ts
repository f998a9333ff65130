import { unreachable } from '@berth/contracts';
import type { JobsConfig, TicketsSetting } from '@berth/runtime';
import type { SecretStore } from '../told-secret.js';
import { bugzillaTracker } from './bugzilla.js';
import { Tickets } from './tickets.js';
import type { Tracker } from './tracker.js';
import { webhookTracker } from './webhook.js';

export { Tickets } from './tickets.js';
export type { Trouble } from './tracker.js';

/** One kind, one file, one line. */
function trackerOf(setting: TicketsSetting, secrets: SecretStore): Tracker {
  switch (setting.kind) {
    case 'bugzilla':
      return bugzillaTracker(setting, secrets);
    case 'webhook':
      return webhookTracker(setting, secrets);
    default:
      return unreachable(setting);
  }
}

/** Where tickets go, by BERTH_TICKETS; undefined when that is not set: then nothing can be filed, which is to be said before. */
export const createTickets = ({ tickets }: Pick<JobsConfig, 'tickets'>, secrets: SecretStore): Tickets | undefined => tickets && new Tickets(trackerOf(tickets, secrets));
