import { z } from 'zod';
import { attributes, instant, name, span, uuid, wants } from './scalars.js';
import { hostAccess } from './machine.js';
import { launchFault, resourceType } from './blueprint.js';
import { workingCopySpec } from './working-copy.js';

const reason = z.string().min(1).max(1024);
const target = {
  resource: uuid.optional().describe('the resource'),
  machine: name.optional().describe('or the machine whose host it is'),
};
const oneTarget = (given: { resource?: string | undefined; machine?: string | undefined }) => (given.resource === undefined) !== (given.machine === undefined);
/** A new one each time: zod writes into what it is given. */
const whichOne = (message = 'give either resource or machine') => ({ message, path: ['resource'] });

/** A version of an image, as a provider has it. */
const booted = z.object({
  image: name,
  version: uuid.describe('id of the version'),
  number: z.number().int().positive(),
  id: z.string().describe('what the provider calls it, such as an AMI'),
  test: z.boolean().optional().describe('for a test of that version: it is not kept after it'),
});

export const resourceCommands = {
  ReportHost: z
    .object({ resource: uuid.describe('the host'), reachable: z.boolean(), error: z.string().optional().describe('why it is out of reach') })
    .describe('From the gateway: a host went out of reach, or came back.'),
  QuarantineResource: z
    .object({ ...target, for: span.optional().describe('10 s, doubling with each time in a row up to 1 h, when absent'), reason })
    .refine(oneTarget, whichOne())
    .describe('No new leases on a host for a while; what is leased goes on.'),
  EndQuarantine: z.object({ ...target, reason: reason.default('ended by hand') }).refine(oneTarget, whichOne()).describe('Lets a quarantined host be leased again.'),
  HoldResource: z
    .object({ ...target, lease: uuid.optional().describe('or the lease whose host it is'), for: span.describe('until then at most'), reason })
    .refine(({ resource, machine, lease }) => [resource, machine, lease].filter((given) => given !== undefined).length === 1, whichOne('give one of resource, machine or lease'))
    .describe('Keeps a host as it is, for debugging: no new leases, and what stands on it is not removed until the hold ends.'),
  EndHold: z.object(target).refine(oneTarget, whichOne()).describe('Ends a hold: what was kept is cleaned up.'),
  DrainResource: z.object({ ...target, reason: reason.default('draining') }).refine(oneTarget, whichOne()).describe('No new leases on it until DrainEnd; what is leased goes on.'),
  EndDrain: z.object(target).refine(oneTarget, whichOne()).describe('Lets a drained resource be leased again.'),
  ReleaseResource: z
    .object({ ...target, reason: reason.default('released') })
    .refine(oneTarget, whichOne())
    .describe('Ends a resource for good once its last lease is over. The host of a machine is made anew: remove the machine instead.'),
  RestartService: z
    .object({
      lease: uuid.describe('of a service'),
      token: z.number().int().positive().describe("the fencing token of the lease's grant"),
      start: z.boolean().default(true).describe('false: it is stopped and stays so'),
    })
    .describe('Stops a leased service and starts it again with the commands of its blueprint. The id of the command is the id of the action; the lease and its port stay as they are.'),
} as const;

export const resourceEvents = {
  ResourceCreated: z
    .object({
      type: resourceType,
      blueprint: name,
      name: z.string(),
      attributes,
      slots: z.number().int().positive().describe('how many leases it can hold at once'),
      machine: z.string().optional().describe('the machine it stands for (preallocated)'),
      host: hostAccess.optional().describe('how to get in (hosts that are there already)'),
      parent: z
        .object({
          lease: uuid,
          resource: uuid.optional().describe('behind that lease, when it was known'),
          own: z.boolean().optional().describe('the lease was asked for by this resource and ends with it'),
        })
        .optional()
        .describe('the lease that it stands on'),
      workingCopy: workingCopySpec.optional(),
      cache: z.string().optional().describe('key of the kept clone that a working copy may begin with'),
      wanted: wants.optional().describe('what the request that it is launched for wants: a launch keeps to it'),
      booted: booted.optional().describe('the version of an image that it is booted from: fixed before it is launched'),
      members: z.record(z.string(), uuid).optional().describe('the leases of a composite, by member'),
      version: z.number().int().nonnegative().optional().describe('of the blueprint'),
    })
    .describe('It exists on paper: pending until it is activated.'),
  FactsKept: z
    .object({ facts: z.record(z.string(), z.unknown()) })
    .describe("Its blueprint's bookkeeping: the keys given here replace those before, null removes one."),
  ResourceActivated: z
    .object({
      attributes: attributes.optional().describe('what was found on it; what its blueprint says goes before'),
      path: z.string().optional().describe('folder of the working copy on the host'),
      commit: z.string().optional().describe('the commit that it holds'),
      host: hostAccess.optional().describe('how to get in, for hosts that were launched'),
      port: z.number().int().optional().describe('of a service'),
      uri: z.string().optional().describe('where a service is'),
    })
    .describe('It can be used.'),
  ResourceBroken: z.object({ error: z.string(), fault: launchFault.optional().describe('of a launch') }).describe('It could not be made, or failed.'),
  ResourceUnreachable: z.object({ error: z.string() }).describe('A host does not answer: no new claims until it does.'),
  ResourceReachable: z.object({}).describe('A host answers again.'),
  HealthFailed: z.object({ error: z.string(), failures: z.number().int().positive().describe('in a row') }).describe('A check of its health failed.'),
  HealthPassed: z.object({}).describe('A check of its health passed after one that failed.'),
  ResourceQuarantined: z
    .object({ until: instant, reason: z.string(), count: z.number().int().positive().describe('times in a row: each lasts twice as long') })
    .describe('No new claims until then.'),
  QuarantineEnded: z.object({ reason: z.string() }).describe('It can be claimed again.'),
  ResourceHeld: z.object({ until: instant, reason: z.string() }).describe('Kept as it is: no new claims, nothing on it is removed.'),
  HoldEnded: z.object({}).describe('What was kept is cleaned up.'),
  DrainBegan: z.object({ reason: z.string() }).describe('No new claims.'),
  DrainEnded: z.object({}).describe('It can be claimed again.'),
  ResourceReserved: z.object({ lease: uuid, owner: z.string() }).describe('An exclusive lease is next: no other gets a slot until it has ended.'),
  ReservationEnded: z.object({ lease: uuid }).describe('Others can have its slots again.'),
  SlotClaimed: z
    .object({ slot: z.number().int().nonnegative(), lease: uuid, owner: z.string(), affinity: z.string().optional().describe('what it will be warm for') })
    .describe('A lease has the slot. The revision of this commit is the fencing token of the grant.'),
  SlotFreed: z.object({ slot: z.number().int().nonnegative(), lease: uuid }).describe('The slot can be claimed again.'),
  ResourceReleased: z.object({ reason: z.string() }).describe('Ending: no new claims, destroyed after the last one.'),
  ResourceDestroyed: z.object({}).describe('Nothing is left of it.'),
} as const;
