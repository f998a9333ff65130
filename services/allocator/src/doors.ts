import type { Allow, LeaseRequest } from '@berth/contracts';
import type { Catalogue } from './catalogue.js';
import type { Machines } from './hosts.js';
import { wantsVersion } from './domain/demand.js';
import { doorOf, permits } from './domain/allow.js';

/** In front of hosts that are not of the version that is usual: for who wants a version. No name of a blueprint, and no list of people. */
export const VERSION_DOOR = ' a version';

/** Which machines are for some only, and what somebody may use. Machines that are for the same are behind one door. */
export class Doors {
  private readonly doors = new Map<string, { allow: Allow; machines: Set<string> }>();
  private readonly byMachine = new Map<string, string>();

  constructor(
    private readonly machines: Machines,
    private readonly catalogue: Catalogue,
  ) {}

  /** A machine changed. @returns whether somebody may use what was not to be used before, or the other way round */
  note(name: string): boolean {
    const state = this.machines.get(name)?.state;
    const allow = state?.status === 'added' ? state.machine.allow : undefined;
    const door = doorOf(allow);
    const before = this.byMachine.get(name);
    if (door === before) return false;
    if (before !== undefined) {
      const others = this.doors.get(before)!.machines;
      others.delete(name);
      if (others.size === 0) this.doors.delete(before);
      this.byMachine.delete(name);
    }
    if (door === undefined) return true;
    const known = this.doors.get(door);
    if (known) known.machines.add(name);
    else this.doors.set(door, { allow: allow!, machines: new Set([name]) });
    this.byMachine.set(name, door);
    return true;
  }

  /** Whom a machine is for; undefined when it is for everybody. */
  of(machine: string | undefined): { door: string; allow: Allow } | undefined {
    const door = machine === undefined ? undefined : this.byMachine.get(machine);
    return door === undefined ? undefined : { door, allow: this.doors.get(door)!.allow };
  }

  /** The restricted blueprints, and the doors of machines, that a requester may use. O(blueprints + doors). */
  may(request: Pick<LeaseRequest, 'owner' | 'project' | 'attributes'>): string[] {
    return [...this.catalogue.may(request), ...(wantsVersion(request.attributes) ? [VERSION_DOOR] : []), ...[...this.doors].filter(([, { allow }]) => permits(allow, request)).map(([door]) => door)].sort();
  }
}
