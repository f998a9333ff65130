import { z } from 'zod';
import { attributes, instant, uuid } from './scalars.js';
import { blueprintName, resourceType, workingCopySpec } from './resource.js';

/** What a lease asks for. */
export const leaseRequest = z.object({
  type: resourceType.describe('what is wanted'),
  owner: z.string().min(1).max(128).default('anonymous').describe('who the lease is for'),
  attributes: attributes.default({}).describe('all of these must be equal on the resource'),
  blueprints: z.array(blueprintName).max(16).default([]).describe('only these blueprints; empty = any'),
  priority: z.number().int().min(0).max(1000).default(100).describe('higher is served first'),
  until: instant.optional().describe('the lease ends by itself then; renewable'),
  host: z.object({ lease: uuid }).optional().describe('pins a working copy to the host of this lease'),
  workingCopy: workingCopySpec.optional().describe('what a working copy is made from; an empty folder when absent'),
});
export type LeaseRequest = z.infer<typeof leaseRequest>;

export const leaseCommands = {
  RequestLease: leaseRequest.describe('Asks for a lease. The id of the command is the id of the lease.'),
  RenewLease: z
    .object({ lease: uuid, until: instant.describe('the new end; it may be earlier than the old one') })
    .describe('Moves the end of a lease that is pending, acquired or active.'),
  ReleaseLease: z
    .object({ lease: uuid, reason: z.string().max(256).default('released').describe('for the history') })
    .describe('Gives a lease back. Releasing twice is releasing once.'),
  ExplainLease: z.object({ lease: uuid, reason: z.string() }).describe('From the allocator: why a request waits.'),
} as const;

export const leaseEvents = {
  LeaseRequested: leaseRequest.describe('Asked for; no resource has been found yet.'),
  LeaseWaiting: z.object({ reason: z.string() }).describe('Why it waits, in one sentence.'),
  LeaseAcquired: z
    .object({
      resource: uuid.describe('the resource it has a slot of'),
      blueprint: blueprintName,
      slot: z.number().int().nonnegative(),
      token: z.number().int().positive().describe('fencing token: the revision of the claim'),
    })
    .describe('It has a slot; the resource may still be in the making.'),
  LeaseActivated: z.object({}).describe('It can be used.'),
  LeaseRenewed: z.object({ until: instant }).describe('Its end was moved.'),
  LeaseReleased: z
    .object({ reason: z.string(), expired: z.boolean().default(false).describe('its time was up') })
    .describe('It is over; what stands on its resource is being removed.'),
  LeaseBroken: z.object({ error: z.string() }).describe('It is over because its resource failed.'),
  LeaseDestroyed: z.object({}).describe('Its slot was given back; nothing is left of it.'),
} as const;
