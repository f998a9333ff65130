import type { BlueprintKind, BlueprintSpec, LaunchFault, Quota, ResourceType } from '@berth/contracts';

/** What the HTTP API says of blueprints, of what they have made, and of the limits over all of them. */

/** How a resource is, as one word; of several that apply the first one here. */
export type ResourceState = 'broken' | 'booting' | 'ending' | 'unreachable' | 'held' | 'quarantined' | 'draining' | 'active';

/** No new leases until then. */
export interface Quarantine {
  until: string;
  reason: string;
  /** times in a row */
  count: number;
}
/** Kept as it is until then. */
export interface Hold {
  until: string;
  reason: string;
}

/** A resource that a blueprint has made, with its slots. */
export interface ResourceView {
  id: string;
  name: string;
  type: ResourceType;
  blueprint: string;
  /** of the blueprint; null when it was made before there were versions */
  version: number | null;
  status: 'pending' | 'active' | 'broken' | 'released';
  state: ResourceState;
  /** how far its making is, in the words of its blueprint */
  phase: string | null;
  attributes: Record<string, string>;
  machine: string | null;
  /** how to get in: user@address:port */
  address: string | null;
  reachable: boolean;
  error: string | null;
  quarantined: Quarantine | null;
  held: Hold | null;
  /** why no new leases are granted on it; null when they are */
  draining: string | null;
  /** checks of its health that failed in a row, and what the last one said */
  health: { failures: number; error: string | null };
  slots: number;
  free: number;
  busy: number;
  /** who holds which slot */
  leases: { slot: number; lease: string; owner: string; since: string }[];
  /** leases it has had so far */
  uses: number;
  /** the lease that it stands on */
  parent: { lease: string; resource: string | null; own: boolean } | null;
  /** the leases of a composite, by member */
  members: Record<string, string> | null;
  path: string | null;
  commit: string | null;
  port: number | null;
  uri: string | null;
  /** its blueprint's bookkeeping, as it is */
  facts: Record<string, unknown>;
  created: string;
  activated: string | null;
}

/** Slots by what can be done with them; each is counted once. */
export interface SlotCounts {
  total: number;
  /** could be had now */
  free: number;
  /** leased, however the resource is */
  busy: number;
  booting: number;
  held: number;
  quarantined: number;
  /** drained, or of a resource that is ending */
  draining: number;
  unreachable: number;
  broken: number;
}

/** A kind of resource that can be leased, and how it does. */
export interface BlueprintView {
  name: string;
  kind: BlueprintKind;
  type: ResourceType;
  answersTo: string;
  description: string;
  /** 0: built in, and never saved */
  version: number;
  saved: string | null;
  enabled: boolean;
  /** why it is not enabled */
  disabledReason: string | null;
  /** its launches keep failing: none until then */
  breaker: { until: string; reason: string; failures: number } | null;
  /** offers that are not asked for again until then */
  refusedOffers: { offer: string; fault: LaunchFault; error: string; until: string }[];
  /** since the last launch that succeeded */
  lastFailure: { resource: string; fault: LaunchFault; error: string; offer: string | null; at: string } | null;
  /** attributes that each of its resources has */
  attributes: Record<string, string>;
  spec: BlueprintSpec;
  free: number;
  busy: number;
  slots: SlotCounts;
  resources: ResourceView[];
}

/** Slots of hosts: all else is made on them when it is asked for. */
export interface CapacityView {
  total: SlotCounts;
  blueprints: (SlotCounts & { blueprint: string; enabled: boolean })[];
  /** the attribute that `values` is by; null when none was asked for */
  by: string | null;
  /** null as value: hosts without that attribute */
  values: (SlotCounts & { value: string | null })[];
}

/** The limits across blueprints, and how much of them is used. */
export interface QuotaView {
  quota: Quota;
  use: {
    hosts: number;
    resources: number;
    /** most first; `limit` is null when there is none */
    owners: { owner: string; hosts: number; limit: number | null }[];
  };
}

/** Something of ours that no live resource owned. */
export interface OrphanView {
  what: 'instance' | 'folder';
  id: string;
  where: string;
  found: string | null;
  /** destroyed then, if still nobody owned it */
  grace: string | null;
  destroyed: string | null;
}
