import { z } from 'zod';
import { attributes, uuid } from './scalars.js';
import { hostAccess } from './machine.js';

/** Types of resources that a lease may ask for. */
export const resourceType = z.enum(['host', 'working-copy']);
export type ResourceType = z.infer<typeof resourceType>;

/** Names of the blueprints there are. */
export const blueprintName = z.enum(['preallocated', 'local', 'working-copy']);
export type BlueprintName = z.infer<typeof blueprintName>;

/** The blueprints there are: what each gives, what it answers to, and the attributes that all it gives has. */
export const builtInBlueprints = {
  preallocated: { type: 'host', answersTo: 'hosts among the enrolled machines', attributes: { preallocated: 'yes', remote: 'yes' } },
  local: { type: 'host', answersTo: 'the host that Berth itself runs on', attributes: { preallocated: 'no', remote: 'no' } },
  'working-copy': { type: 'working-copy', answersTo: 'working copies on a leased host (host.lease)', attributes: {} },
} as const satisfies Record<BlueprintName, { type: ResourceType; answersTo: string; attributes: Record<string, string> }>;

/** What a working copy is made from. Without a repository it is an empty folder. */
export const workingCopySpec = z.object({
  repository: z
    .string()
    .min(1)
    .max(2048)
    .regex(/^[^-\0\n][^\0\n]*$/, 'use a URL or an absolute path that does not start with "-"')
    .optional()
    .describe('Git URL, `user@host:path`, or an absolute path on the host'),
  ref: z
    .string()
    .max(256)
    .regex(/^[A-Za-z0-9_][A-Za-z0-9._/@+-]*$/, 'use a branch, a tag or a commit')
    .optional()
    .describe('branch, tag or commit; the default branch when absent'),
});
export type WorkingCopySpec = z.infer<typeof workingCopySpec>;

export const resourceCommands = {
  ReportHost: z
    .object({ resource: uuid.describe('the host'), reachable: z.boolean(), error: z.string().optional().describe('why it is out of reach') })
    .describe('From the gateway: a host went out of reach, or came back.'),
} as const;

export const resourceEvents = {
  ResourceCreated: z
    .object({
      type: resourceType,
      blueprint: blueprintName,
      name: z.string(),
      attributes,
      slots: z.number().int().positive().describe('how many leases it can hold at once'),
      machine: z.string().optional().describe('the machine it stands for (preallocated)'),
      host: hostAccess.optional().describe('how to get in (hosts)'),
      parent: z.object({ lease: uuid, resource: uuid }).optional().describe('the lease that it stands on (working copies), and the host resource behind that lease'),
      workingCopy: workingCopySpec.optional(),
    })
    .describe('It exists on paper: pending until it is activated.'),
  ResourceActivated: z
    .object({
      attributes: attributes.optional(),
      path: z.string().optional().describe('folder of the working copy on the host'),
      commit: z.string().optional().describe('the commit that it holds'),
    })
    .describe('It can be used.'),
  ResourceBroken: z.object({ error: z.string() }).describe('It could not be made, or failed.'),
  ResourceUnreachable: z.object({ error: z.string() }).describe('A host does not answer: no new claims until it does.'),
  ResourceReachable: z.object({}).describe('A host answers again.'),
  SlotClaimed: z
    .object({ slot: z.number().int().nonnegative(), lease: uuid, owner: z.string() })
    .describe('A lease has the slot. The revision of this commit is the fencing token of the grant.'),
  SlotFreed: z.object({ slot: z.number().int().nonnegative(), lease: uuid }).describe('The slot can be claimed again.'),
  ResourceReleased: z.object({ reason: z.string() }).describe('Draining: no new claims.'),
  ResourceDestroyed: z.object({}).describe('Nothing is left of it.'),
} as const;
