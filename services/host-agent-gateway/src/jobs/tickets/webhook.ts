import { z } from 'zod';
import type { Ticket } from '@berth/contracts';
import { isSigningKey, signedHeaders, type TicketsSetting } from '@berth/runtime';
import { oneLine, toldSecret, type SecretStore } from '../told-secret.js';
import { ask, trackerFault, type Patience } from './ask.js';
import type { Tracker, Trouble } from './tracker.js';

/** What it answers. The id may be a number there; it is a text here. */
const answer = z.object({
  id: z.union([z.string().min(1).max(128), z.number().int()]).transform(String),
  url: z.url({ protocol: /^https?$/ }).max(2048).optional(),
  how: z.enum(['filed', 'commented', 'reopened']).default('filed'),
});

/**
 * Any tracker that has an adapter: each trouble is a POST, signed as https://www.standardwebhooks.com says. `webhook-id` and
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) are the id of the job, so that the adapter knows one that it has
 * had; that is why it may be sent again when its answer did not come.
 */
export function webhookTracker({ url, secret }: Extract<TicketsSetting, { kind: 'webhook' }>, secrets: SecretStore, patience?: Patience): Tracker {
  const who = `the ticket webhook at ${new URL(url).host}`;
  return {
    async tell(trouble: Trouble, signal): Promise<Ticket> {
      const key = await toldSecret(secrets, secret);
      const signer = key.text.trim();
      if (!isSigningKey(signer)) throw trackerFault(`The secret ${secret} is no key that a webhook is signed with: it must be whsec_ and base64, such as from: echo whsec_$(openssl rand -base64 32)`);
      const { machine, tracker = machine, job, task, requester, summary, body } = trouble;
      const sent = JSON.stringify({ machine, tracker, job, task, requester, summary, body });
      const headers = () => ({ 'content-type': 'application/json; charset=utf-8', 'idempotency-key': job, ...signedHeaders([signer], job, Math.floor(Date.now() / 1000), sent) });
      const { status, json, shown } = await ask({ who, url, method: 'POST', headers, body: sent, repeatable: true, mask: key.mask }, signal, patience);
      if (status < 200 || status > 299) throw trackerFault(`${who} answered ${status}: ${shown || 'nothing'}`);
      const said = answer.safeParse(json);
      if (!said.success) throw trackerFault(`${who} answered ${status}, but without the ticket: it must answer JSON such as {"id": "OPS-1", "url": "https://tickets.example/OPS-1"}`);
      const { id, url: at, how } = said.data;
      return { tracker: 'webhook', id: oneLine(key.mask(id), 128), ...(at !== undefined && { url: key.mask(at) }), how };
    },
  };
}
