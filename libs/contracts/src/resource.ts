import { z } from 'zod';
import { attributes, uuid } from './scalars.js';
import { hostAccess } from './machine.js';

/** Types of resources that a lease may ask for. */
export const resourceType = z.enum(['host', 'working-copy']);
export type ResourceType = z.infer<typeof resourceType>;

/** Names of the blueprints there are. */
export const blueprintName = z.enum(['preallocated', 'local', 'working-copy']);
export type BlueprintName = z.infer<typeof blueprintName>;

/** What a working copy is made from. Without a repository it is an empty folder. */
export const workingCopySpec = z.object({
  repository: z
    .string()
    .min(1)
    .max(2048)
    .regex(/^[^-\0\n][^\0\n]*$/, 'use a URL or an absolute path that does not start with "-"')
    .optional(),
  ref: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._/@+-]*$/, 'use a branch, a tag or a commit')
    .optional()
    .describe('branch, tag or commit; the default branch when absent'),
});
export type WorkingCopySpec = z.infer<typeof workingCopySpec>;

export const resourceCommands = {
  ReportHost: z.object({ resource: uuid, reachable: z.boolean(), error: z.string().optional() }),
} as const;

export const resourceEvents = {
  /** The resource exists on paper: `pending` until it is activated. */
  ResourceCreated: z.object({
    type: resourceType,
    blueprint: blueprintName,
    name: z.string(),
    attributes,
    slots: z.number().int().positive(),
    /** the machine it stands for (preallocated) */
    machine: z.string().optional(),
    /** how to get in (hosts) */
    host: hostAccess.optional(),
    /** the lease that it stands on (working copies), and the host resource behind that lease */
    parent: z.object({ lease: uuid, resource: uuid }).optional(),
    workingCopy: workingCopySpec.optional(),
  }),
  ResourceActivated: z.object({
    attributes: attributes.optional(),
    /** folder of the working copy on the host */
    path: z.string().optional(),
    commit: z.string().optional(),
  }),
  ResourceBroken: z.object({ error: z.string() }),
  ResourceUnreachable: z.object({ error: z.string() }),
  ResourceReachable: z.object({}),
  /** A lease has the slot. The revision of this commit is the fencing token of the grant. */
  SlotClaimed: z.object({ slot: z.number().int().nonnegative(), lease: uuid, owner: z.string() }),
  SlotFreed: z.object({ slot: z.number().int().nonnegative(), lease: uuid }),
  /** Draining: no new claims. */
  ResourceReleased: z.object({ reason: z.string() }),
  ResourceDestroyed: z.object({}),
} as const;
