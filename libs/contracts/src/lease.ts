import { z } from 'zod';
import { attributes, instant, uuid } from './scalars.js';
import { blueprintName, resourceType, workingCopySpec } from './resource.js';

/** What a lease asks for. */
export const leaseRequest = z.object({
  type: resourceType,
  owner: z.string().min(1).max(128).default('anonymous').describe('who the lease is for'),
  attributes: attributes.default({}).describe('all of these must be equal on the resource'),
  blueprints: z.array(blueprintName).max(16).default([]).describe('only these blueprints; empty = any'),
  priority: z.number().int().min(0).max(1000).default(100).describe('higher is served first'),
  until: instant.optional().describe('the lease ends by itself then; renewable'),
  host: z.object({ lease: uuid }).optional().describe('pins a working copy to the host of this lease'),
  workingCopy: workingCopySpec.optional(),
});
export type LeaseRequest = z.infer<typeof leaseRequest>;

export const leaseCommands = {
  RequestLease: leaseRequest,
  RenewLease: z.object({ lease: uuid, until: instant }),
  ReleaseLease: z.object({ lease: uuid, reason: z.string().max(256).default('released') }),
  /** From the allocator: why a request waits. */
  ExplainLease: z.object({ lease: uuid, reason: z.string() }),
} as const;

export const leaseEvents = {
  LeaseRequested: leaseRequest,
  LeaseWaiting: z.object({ reason: z.string() }),
  LeaseAcquired: z.object({
    resource: uuid,
    blueprint: blueprintName,
    slot: z.number().int().nonnegative(),
    /** fencing token: the revision of the claim */
    token: z.number().int().positive(),
  }),
  LeaseActivated: z.object({}),
  LeaseRenewed: z.object({ until: instant }),
  LeaseReleased: z.object({ reason: z.string(), expired: z.boolean().default(false) }),
  LeaseBroken: z.object({ error: z.string() }),
  LeaseDestroyed: z.object({}),
} as const;
