import { z } from 'zod';
import { instant, name, span, uuid, wants } from './scalars.js';
import { resourceType } from './blueprint.js';
import { principal } from './who.js';
import { explanation } from './explanation.js';
import { workingCopySpec } from './working-copy.js';

/** How long a request may wait. */
export const waiting = z
  .enum(['no', 'served', 'always'])
  .describe('no: served at once or refused; served: refused when nothing there could ever serve it; always: waits until something can');

const priority = z.number().int().min(0).max(1000);

/** What a lease asks for. */
export const leaseRequest = z.object({
  type: resourceType.describe('what is wanted'),
  owner: principal.default('anonymous').describe('who the lease is for: shares and quotas go by it'),
  project: principal.optional().describe('whom it acts for: blueprints may be open to some projects only'),
  attributes: wants.default({}).describe('what the resource must have'),
  prefer: z.array(wants).max(8).default([]).describe('what it should have besides: the first that is to be had, in this order, else none of them'),
  blueprints: z.array(name).max(16).default([]).describe('only these blueprints; empty = any'),
  priority: priority.default(100).describe('higher is served first; a point is worth a minute of waiting'),
  affinity: z.string().min(1).max(256).optional().describe('a key, such as a repository: a host that served the same key last is taken first'),
  until: instant.optional().describe('the lease ends by itself then; renewable'),
  ttl: span.optional().describe('its holder must say that it lives (BeatLease) at least so often, or it ends by itself'),
  wait: waiting.default('served'),
  waitAtMost: span.optional().describe('refused when it still waits after so long'),
  host: z.object({ lease: uuid }).optional().describe('pins a working copy or a service to the host of this lease'),
  exclusive: z
    .object({ machine: name, force: z.boolean().default(false).describe('end the leases on it instead of waiting for them') })
    .optional()
    .describe('the whole of a machine, whatever its state: nothing else is on it meanwhile. For hardware jobs'),
  workingCopy: workingCopySpec.optional().describe('what a working copy is made from; an empty folder when absent'),
});
export type LeaseRequest = z.infer<typeof leaseRequest>;

export const leaseCommands = {
  RequestLease: leaseRequest.describe('Asks for a lease. The id of the command is the id of the lease.'),
  RenewLease: z
    .object({ lease: uuid, until: instant.describe('the new end; it may be earlier than the old one') })
    .describe('Moves the end of a lease that is pending, acquired or active.'),
  BeatLease: z.object({ lease: uuid }).describe('The holder of a lease with a ttl lives.'),
  ChangePriority: z.object({ lease: uuid, priority }).describe('Moves a request that waits up or down.'),
  ReleaseLease: z
    .object({ lease: uuid, reason: z.string().max(256).default('released').describe('for the history') })
    .describe('Gives a lease back. Releasing twice is releasing once.'),
  EvictLease: z.object({ lease: uuid, reason: z.string().max(1024) }).describe('From the allocator: somebody took the machine by force. What runs under the lease is ended.'),
  ExplainLease: z.object({ lease: uuid, explanation }).describe('From the allocator: why a request waits.'),
  RefuseLease: z.object({ lease: uuid, explanation }).describe('From the allocator: a request that is not to wait can not be served.'),
} as const;

export const leaseEvents = {
  LeaseRequested: leaseRequest.describe('Asked for; no resource has been found yet.'),
  LeaseWaiting: z
    .object({ reason: z.string(), explanation: explanation.optional().describe('absent in commits of older versions') })
    .describe('Why it waits.'),
  PriorityChanged: z.object({ priority }).describe('It was moved up or down.'),
  LeaseAcquired: z
    .object({
      resource: uuid.describe('the resource it has a slot of'),
      blueprint: name,
      slot: z.number().int().nonnegative(),
      token: z.number().int().positive().describe('fencing token: the revision of the claim'),
    })
    .describe('It has a slot; the resource may still be in the making.'),
  LeaseActivated: z.object({}).describe('It can be used.'),
  LeaseRenewed: z.object({ until: instant }).describe('Its end was moved.'),
  LeaseBeat: z.object({ alive: instant.describe('it ends then unless its holder is heard of before') }).describe('Its holder lives.'),
  LeaseRefused: z
    .object({ reason: z.string(), explanation: explanation.optional() })
    .describe('It is over before it began: it could not be served, or not in time.'),
  LeaseReleased: z
    .object({ reason: z.string(), expired: z.boolean().default(false).describe('its time was up') })
    .describe('It is over; what stands on its resource is being removed.'),
  LeaseBroken: z.object({ error: z.string(), evicted: z.boolean().optional().describe('its machine was taken by force; nothing is wrong with that') }).describe('It is over because its resource failed.'),
  LeaseDestroyed: z.object({}).describe('Its slot was given back; nothing is left of it.'),
} as const;
