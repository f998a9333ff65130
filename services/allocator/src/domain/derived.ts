import { unreachable, type BlueprintOf, type LeaseRequest, type WorkingCopySpec } from '@berth/contracts';
import type { LiveBlueprint } from './blueprint.js';
import type { Ground } from './explain.js';
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

/** What a member of a composite is asked for with; `on`: the lease that it stands on. */
export function memberRequest(member: BlueprintOf<'composite'>['members'][string], { owner, project, priority, wait, waitAtMost }: LeaseRequest, on: string | undefined): LeaseRequest {
  const { type, attributes, blueprints, workingCopy } = member;
  return {
    type, owner, priority, attributes, blueprints, prefer: [], wait,
    ...(waitAtMost !== undefined && { waitAtMost }),
    ...(project !== undefined && { project }),
    ...(on !== undefined && { host: { lease: on } }),
    ...(workingCopy && { workingCopy }),
  };
}

/** Stands for the lease of another member, which is not there before it is asked for. */
const TO_COME = '00000000-0000-0000-0000-000000000000';

/** What a resource of a blueprint would lease itself, for a request that names nothing that it is to stand on. */
export function groundsOf(spec: LiveBlueprint['spec'], request: LeaseRequest): Ground[] {
  switch (spec.kind) {
    case 'preallocated':
    case 'local':
    case 'ec2':
      return [];
    case 'working-copy':
    case 'service':
      return [{ request: parentRequest(spec, request, undefined) }];
    case 'composite':
      return Object.entries(spec.members).map(([name, member]) => ({ name, request: memberRequest(member, request, member.on === undefined ? undefined : TO_COME) }));
    default:
      return unreachable(spec);
  }
}
