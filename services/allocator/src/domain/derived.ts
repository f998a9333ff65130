import type { LeaseRequest, WorkingCopySpec } from '@berth/contracts';
import type { LiveBlueprint } from './blueprint.js';
import type { Fleet, SlotRoom } from './fleet.js';

/**
 * Is there room under the limits of a blueprint, as far as is known here? What is asked for in vain is given back, and
 * whatever is given back makes those ask who wait: without looking first, they would keep each other busy.
 */
export function roomFor(fleet: Fleet, limits: LiveBlueprint['spec']['limits'], { lease, owner, blueprint }: Omit<SlotRoom, 'host'>, resource: string): boolean {
  let [leases, own, resources] = [0, 0, 0];
  for (const [other, slot] of fleet.slots) {
    if (slot.blueprint !== blueprint || other === lease) continue;
    leases++;
    if (slot.owner === owner) own++;
  }
  for (const [other, launch] of fleet.launches) if (launch.blueprint === blueprint && other !== resource) resources++;
  const under = (count: number, limit: number | undefined) => limit === undefined || count < limit;
  return under(leases, limits.leases) && under(own, limits.leasesPerOwner) && under(resources, limits.resources);
}

/** What a resource leases for itself to stand on. It is held until nothing stands on it, so it has no end of its own. */
export function parentRequest(spec: LiveBlueprint['spec'], { owner, project, priority, attributes, prefer, affinity, wait, waitAtMost }: LeaseRequest, cache: string | undefined): LeaseRequest {
  const on = spec.kind === 'service' ? spec.on : spec.kind === 'working-copy' ? spec.host : { attributes: {}, blueprints: [] };
  const workingCopy: WorkingCopySpec | undefined = spec.kind === 'service' ? spec.on.workingCopy : undefined;
  // Its clone is kept on the host that had it last.
  const warm = affinity ?? cache;
  return {
    type: workingCopy ? 'working-copy' : 'host',
    owner,
    priority,
    attributes: { ...on.attributes, ...attributes },
    blueprints: on.blueprints,
    prefer,
    wait,
    ...(waitAtMost !== undefined && { waitAtMost }),
    ...(warm !== undefined && { affinity: warm }),
    ...(project !== undefined && { project }),
    ...(workingCopy && { workingCopy }),
  };
}
