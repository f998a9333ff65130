import type { ActionResult, ActionSpec, BlueprintName, HostAccess, ResourceType } from '@berth/contracts';
import type { Enrolled } from '../domain/machine.js';
import type { ResourceInfo } from '../domain/resource.js';

interface Common {
  name: BlueprintName;
  type: ResourceType;
}

/** Gives hosts that are there already. */
export interface HostBlueprint extends Common {
  type: 'host';
  /** lower is used first when several fit */
  rank: number;
  /** The host resource of a machine: `source` is the machine, or what was found of this host. */
  host(source: HostSource): ResourceInfo;
}
export type HostSource = { machine: Enrolled } | { local: { access: HostAccess; facts: Record<string, string>; slots: number } };

/** Makes something on a leased host, by actions of the gateway; each is idempotent by the resource's id. */
export interface DerivedBlueprint extends Common {
  type: 'working-copy';
  create(id: string, info: ResourceInfo): ActionSpec;
  destroy(id: string): ActionSpec;
  /** What the single writer is to store of the creation's result. */
  facts(result: ActionResult): { path?: string; commit?: string };
}

export type Blueprint = HostBlueprint | DerivedBlueprint;
