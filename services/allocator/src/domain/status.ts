import type { StatusEvent } from '@berth/contracts';
import type { Machine } from './machine.js';
import type { Resource } from './resource.js';

type Told = { name: string; data: StatusEvent['data'] };

/** What frontends are told of a resource. */
export function resourceStatus(id: string, resource: Exclude<Resource, { status: 'none' }>): Told {
  const { type, blueprint, name, slots, parent } = resource.info;
  const leases = resource.status === 'destroyed' ? [] : [...resource.claims.values()];
  const error = resource.status === 'broken' ? resource.error : resource.status === 'active' ? (resource.unreachable ?? null) : null;
  return {
    name: `dev.berth.resource.${resource.status}`,
    data: { id, status: resource.status, percent: resource.status === 'pending' ? 0 : 100, activity: activity(resource, leases.length), error, type, blueprint, name, slots, leases, host: parent?.resource ?? null },
  };
}

function activity(resource: Exclude<Resource, { status: 'none' }>, held: number): string {
  if (resource.status === 'pending') return 'being created';
  if (resource.status === 'released') return `draining: ${resource.reason}`;
  if (resource.status === 'active') return resource.unreachable === undefined ? `${held} of ${resource.info.slots} slots held` : 'unreachable';
  return resource.status;
}

/** What frontends are told of a machine. */
export function machineStatus(id: string, state: Exclude<Machine, { status: 'none' }>): Told {
  const { address, port, platform, slots } = state.machine;
  return { name: `dev.berth.machine.${state.status}`, data: { id, status: state.status, percent: null, activity: null, error: null, address, port, platform, slots } };
}
