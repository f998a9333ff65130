import type { StatusEvent } from '@berth/contracts';
import type { Blueprint } from './blueprint.js';
import type { Fleet } from './fleet.js';
import type { Machine } from './machine.js';
import { stageOf, type Resource } from './resource.js';

type Told = { name: string; data: StatusEvent['data'] };

/** What frontends are told of a resource. */
export function resourceStatus(id: string, resource: Exclude<Resource, { status: 'none' }>): Told {
  const { type, blueprint, name, slots, parent } = resource.info;
  const leases = resource.status === 'destroyed' ? [] : [...resource.claims.values()];
  const flags = 'flags' in resource ? resource.flags : undefined;
  const error = resource.status === 'broken' ? resource.error : resource.status === 'active' ? (resource.unreachable ?? null) : null;
  return {
    name: `dev.berth.resource.${resource.status}`,
    data: { id, status: resource.status, percent: resource.status === 'pending' ? 0 : 100, activity: activity(resource, leases.length), error, type, blueprint, name, slots, leases, host: parent?.resource ?? null, quarantined: flags?.quarantined?.until ?? null, held: flags?.held?.until ?? null, draining: flags?.draining !== undefined },
  };
}

function activity(resource: Exclude<Resource, { status: 'none' }>, held: number): string {
  if (resource.status === 'pending') return stageOf(resource) ?? 'being created';
  if (resource.status === 'released') return `draining: ${resource.reason}`;
  if (resource.status !== 'active') return resource.status;
  const { quarantined, held: kept, draining } = resource.flags;
  if (kept) return `held until ${kept.until}: ${kept.reason}`;
  if (quarantined) return `quarantined until ${quarantined.until}: ${quarantined.reason}`;
  if (draining !== undefined) return `draining: ${draining}`;
  return resource.unreachable === undefined ? `${held} of ${resource.info.slots} slots held` : 'unreachable';
}

/** What frontends are told of a blueprint. */
export function blueprintStatus(id: string, state: Exclude<Blueprint, { status: 'none' }>): Told {
  if (state.status === 'removed') return { name: 'dev.berth.blueprint.removed', data: { id, status: 'removed', percent: null, activity: null, error: null, version: state.version } };
  const status = state.disabled === undefined ? 'enabled' : 'disabled';
  const error = state.breaker ? `no launches until ${state.breaker.until}: ${state.breaker.reason}` : null;
  return { name: `dev.berth.blueprint.${status}`, data: { id, status, percent: null, activity: state.disabled ?? null, error, kind: state.spec.kind, version: state.version } };
}

/** What frontends are told of a machine. */
export function machineStatus(id: string, state: Exclude<Machine, { status: 'none' }>): Told {
  const { address, port, platform, slots } = state.machine;
  return { name: `dev.berth.machine.${state.status}`, data: { id, status: state.status, percent: null, activity: null, error: null, address, port, platform, slots } };
}

/** What frontends are told of the fleet as a whole. */
export function fleetStatus(id: string, { quota, slots, launches }: Fleet): Told {
  return { name: 'dev.berth.fleet.changed', data: { id, status: 'changed', percent: null, activity: null, error: null, quota, reserved: slots.size, launched: [...launches.values()].filter((l) => l.launched).length } };
}
