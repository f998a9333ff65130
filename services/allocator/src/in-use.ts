import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import { FLEET, type LaunchRoom, type SlotRoom } from './domain/fleet.js';
import { isLaunched } from './domain/resource.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { Views } from './views.js';

/** What is in use, against the limits: counted when a limit comes, and tidied up after processes that died. */
export class InUse {
  private suspects = new Set<string>();

  constructor(
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: () => Room,
    private readonly peers: Peers,
  ) {}

  /** Resources and leases of a blueprint. */
  of(name: string): { resources: number; leases: number } {
    let [resources, leases] = [0, 0];
    for (const [, { state }] of this.resources.entries()) {
      if (state.status === 'none' || state.status === 'destroyed' || state.info.blueprint !== name) continue;
      resources++;
      leases += state.claims.size;
    }
    return { resources, leases };
  }

  /** Slots of hosts that are claimed, and resources that were launched and are not gone. */
  inAll(): { hosts: number; resources: number } {
    let [hosts, resources] = [0, 0];
    for (const [, { state }] of this.resources.entries()) {
      if (state.status === 'none' || state.status === 'destroyed') continue;
      if (state.info.type === 'host') hosts += state.claims.size;
      if (isLaunched(state)) resources++;
    }
    return { hosts, resources };
  }

  /** What is in use counts, also when it is older than the limit that it counts against. */
  adopt(): void {
    if (!this.peers.mine(FLEET)) return;
    const slots: SlotRoom[] = [];
    const launches: LaunchRoom[] = [];
    for (const [id, { state }] of this.resources.entries()) {
      if (state.status === 'none' || state.status === 'destroyed') continue;
      const { blueprint, type } = state.info;
      for (const lease of state.claims.values()) slots.push({ lease, owner: this.views.claimOf(lease)?.owner ?? 'anonymous', blueprint, host: type === 'host' });
      const launched = isLaunched(state);
      if (launched || this.catalogue.get(blueprint)?.spec.limits.resources !== undefined) launches.push({ resource: id, blueprint, launched });
    }
    this.room().adopt(slots, launches);
  }

  /** Room that was seen unused twice in a row is given back: whoever set it aside did not live to use it. */
  tidy(): void {
    if (!this.peers.mine(FLEET)) return;
    const { slots, launches } = this.room().fleet;
    const unused = new Set([...[...slots.keys()].filter((lease) => !this.views.claims.has(lease)), ...[...launches.keys()].filter((id) => !this.isThere(id))]);
    const stale = [...unused].filter((id) => this.suspects.has(id));
    this.room().give(stale.filter((id) => slots.has(id)), stale.filter((id) => launches.has(id)));
    this.suspects = unused;
  }

  private isThere(id: string): boolean {
    const state = this.resources.get(id)?.state;
    return state !== undefined && state.status !== 'none' && state.status !== 'destroyed';
  }
}
