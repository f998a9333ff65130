import { z } from 'zod';
import { blueprintKind, blueprintSpec, instant, launchFault, quota, resourceType } from '@berth/contracts';

/** What the HTTP API says of blueprints, of what they have made, and of the limits over all of them. */

/** How a resource is, as one word; of several that apply the first one here. */
export const resourceState = z.enum(['destroyed', 'broken', 'booting', 'ending', 'unreachable', 'held', 'quarantined', 'draining', 'active']);
export type ResourceState = z.infer<typeof resourceState>;

/** No new leases until then. */
export const quarantine = z.object({
  until: instant,
  reason: z.string(),
  count: z.int().describe('times in a row'),
}).describe('No new leases until then.');
export type Quarantine = z.infer<typeof quarantine>;

/** Kept as it is until then. */
export const hold = z.object({
  until: instant,
  reason: z.string(),
}).describe('Kept as it is until then.');
export type Hold = z.infer<typeof hold>;

/** A resource that a blueprint has made, with its slots. */
export const resourceView = z.object({
  id: z.string(),
  name: z.string(),
  type: resourceType,
  blueprint: z.string(),
  version: z.int().nullable().describe('of the blueprint; null when it was made before there were versions'),
  status: z.enum(['pending', 'active', 'broken', 'released', 'destroyed']),
  state: resourceState,
  phase: z.string().nullable().describe('how far its making is, in the words of its blueprint'),
  owner: z.string().nullable().describe('who holds its first slot that is held'),
  attributes: z.record(z.string(), z.string()),
  capabilities: z.array(resourceType).describe('types of the leases that may stand on it'),
  machine: z.string().nullable(),
  address: z.string().nullable().describe('how to get in: user@address:port'),
  reachable: z.boolean(),
  error: z.string().nullable(),
  quarantined: quarantine.nullable(),
  held: hold.nullable(),
  draining: z.string().nullable().describe('why no new leases are granted on it; null when they are'),
  reserved: z.object({ lease: z.string(), owner: z.string() }).nullable().describe('the exclusive lease that is next, or has the whole of it: no other gets a slot'),
  health: z.object({ failures: z.int(), error: z.string().nullable() }).describe('checks of its health that failed in a row, and what the last one said'),
  slots: z.int(),
  free: z.int(),
  busy: z.int(),
  leases: z.array(z.object({ slot: z.int(), lease: z.string(), owner: z.string(), since: instant })).describe('who holds which slot'),
  uses: z.int().describe('leases it has had so far'),
  parent: z.object({ lease: z.string(), resource: z.string().nullable(), own: z.boolean() }).nullable().describe('the lease that it stands on'),
  members: z.record(z.string(), z.string()).nullable().describe('the leases of a composite, by member'),
  path: z.string().nullable(),
  commit: z.string().nullable(),
  port: z.int().nullable(),
  uri: z.string().nullable(),
  facts: z.record(z.string(), z.unknown()).describe("its blueprint's bookkeeping, as it is"),
  until: instant.nullable().describe('when the hold or quarantine that it is in ends'),
  created: instant,
  modified: instant,
  activated: instant.nullable(),
  destroyed: instant.nullable(),
  position: z.int().describe('position in BERTH_EVENTS that this shows'),
}).describe('A resource that a blueprint has made, with its slots.');
export type ResourceView = z.infer<typeof resourceView>;

export const machineTest = z
  .object({
    hostKey: z.string().describe('the public key that it shows'),
    fingerprint: z.string().describe('of that key, as `ssh-keygen -l` shows it'),
    facts: z.record(z.string(), z.string()).describe('os, arch, cpus…'),
  })
  .describe('What was found when a machine was looked at before it is enrolled.');
export type MachineTest = z.infer<typeof machineTest>;

/** Slots by what can be done with them; each is counted once. */
export const slotCounts = z.object({
  total: z.int(),
  free: z.int().describe('could be had now'),
  busy: z.int().describe('leased, however the resource is'),
  booting: z.int(),
  held: z.int(),
  quarantined: z.int(),
  draining: z.int().describe('drained, or of a resource that is ending'),
  unreachable: z.int(),
  broken: z.int(),
}).describe('Slots by what can be done with them; each is counted once.');
export type SlotCounts = z.infer<typeof slotCounts>;

/** A kind of resource that can be leased, and how it does. */
export const blueprintView = z.object({
  name: z.string(),
  kind: blueprintKind,
  type: resourceType,
  answersTo: z.string(),
  description: z.string(),
  version: z.int().describe('0: built in, and never saved'),
  saved: instant.nullable(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable().describe('why it is not enabled'),
  breaker: z.object({ until: instant, reason: z.string(), failures: z.int() }).nullable().describe('its launches keep failing: none until then'),
  refusedOffers: z.array(z.object({ offer: z.string(), fault: launchFault, error: z.string(), until: instant })).describe('offers that are not asked for again until then'),
  lastFailure: z.object({ resource: z.string(), fault: launchFault, error: z.string(), offer: z.string().nullable(), at: instant }).nullable().describe('since the last launch that succeeded'),
  attributes: z.record(z.string(), z.string()).describe('attributes that each of its resources has'),
  spec: blueprintSpec,
  free: z.int(),
  busy: z.int(),
  slots: slotCounts,
  resources: z.array(resourceView),
}).describe('A kind of resource that can be leased, and how it does.');
export type BlueprintView = z.infer<typeof blueprintView>;

/** Slots of hosts: all else is made on them when it is asked for. */
export const capacityView = z.object({
  total: slotCounts,
  blueprints: z.array(slotCounts.extend({ blueprint: z.string(), enabled: z.boolean() })),
  by: z.string().nullable().describe('the attribute that `values` is by; null when none was asked for'),
  values: z.array(slotCounts.extend({ value: z.string().nullable() })).describe('null as value: hosts without that attribute'),
}).describe('Slots of hosts: all else is made on them when it is asked for.');
export type CapacityView = z.infer<typeof capacityView>;

/** The limits across blueprints, and how much of them is used. */
export const quotaView = z.object({
  quota,
  use: z.object({
    hosts: z.int(),
    resources: z.int(),
    owners: z.array(z.object({ owner: z.string(), hosts: z.int(), limit: z.int().nullable() })).describe('most first; `limit` is null when there is none'),
  }),
}).describe('The limits across blueprints, and how much of them is used.');
export type QuotaView = z.infer<typeof quotaView>;

/** A secret: who set it, and when. What it is, nobody is told. */
export const secretView = z.object({ name: z.string(), set: instant, by: z.string() }).describe('A secret: who set it, and when. What it is, nobody is told.');
export type SecretView = z.infer<typeof secretView>;

/** Something of ours that no live resource owned. */
export const orphanView = z.object({
  what: z.enum(['instance', 'folder']),
  id: z.string(),
  where: z.string(),
  found: instant.nullable(),
  grace: instant.nullable().describe('destroyed then, if still nobody owned it'),
  destroyed: instant.nullable(),
}).describe('Something of ours that no live resource owned.');
export type OrphanView = z.infer<typeof orphanView>;
