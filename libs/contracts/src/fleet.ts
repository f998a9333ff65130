import { z } from 'zod';
import { instant, name, uuid } from './scalars.js';
import { leaseRequest } from './lease.js';
import { principal } from './who.js';

const most = z.number().int().min(0).max(1_000_000);

/** Limits across blueprints. What is absent is not limited. */
export const quota = z.strictObject({
  hosts: most.optional().describe('slots of hosts leased at a time, over all owners'),
  hostsPerOwner: most.optional().describe('slots of hosts that one owner may hold at a time'),
  owners: z.record(principal, most).default({}).describe('the same for one owner by name; goes before hostsPerOwner'),
  resources: most.optional().describe('resources launched at a time, over all blueprints that launch'),
});
export type Quota = z.output<typeof quota>;

export const fleetCommands = {
  SetQuota: quota.describe('Sets the limits across blueprints; replaces those before. What is leased stays leased.'),
  ConsiderLease: z
    .object({ request: leaseRequest.optional().describe('a request that has not been made'), lease: uuid.optional().describe('or one that waits'), projects: z.array(principal).optional().describe('whoever asks sees only these: other holders are not named; all are when absent') })
    .refine(({ request, lease }) => (request === undefined) !== (lease === undefined), { message: 'give either request or lease', path: ['request'] })
    .describe('Asks what would become of a request. Answered with `data` = an explanation; writes nothing.'),
} as const;

export const fleetEvents = {
  FleetFounded: z.object({ installation: uuid.describe('marks what is launched in clouds as ours') }).describe('The first start.'),
  QuotaSet: quota.describe('Limits across blueprints.'),
  Reserved: z
    .object({ slots: z.array(z.object({ lease: uuid, owner: z.string(), blueprint: name, host: z.boolean() })), launches: z.array(z.object({ resource: uuid, blueprint: name, launched: z.boolean() })) })
    .describe('Room under the limits, set aside before it is used: what is over a limit is never in here.'),
  Returned: z.object({ slots: z.array(uuid), launches: z.array(uuid) }).describe('Room given back.'),
  OrphanFound: z
    .object({ what: z.enum(['instance', 'folder']), id: z.string(), where: z.string(), grace: instant.describe('destroyed then, if still nobody owns it') })
    .describe('Something of ours that no live resource owns.'),
  OrphanDestroyed: z.object({ what: z.enum(['instance', 'folder']), id: z.string(), where: z.string() }).describe('It was destroyed.'),
} as const;
