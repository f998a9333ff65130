import { unreachable, type AnyRecorded, type FleetEvent, type Quota } from '@berth/contracts';
import type { OrphanView, QuotaView } from '@berth/client';
import type { Blueprints } from './blueprints.js';
import type { ResourceRow } from './resources.js';

/** Orphans that are remembered. */
const ORPHANS = 100;

/** The limits across blueprints, what is set aside under them, and what was found that nobody owned. */
export class Limits {
  private quota: Quota = { owners: {} };
  /** host slots set aside: owner by lease */
  private readonly slots = new Map<string, string>();
  /** resources to be launched that room was set aside for */
  private readonly launches = new Set<string>();
  private orphans: OrphanView[] = [];

  apply({ commit }: Extract<AnyRecorded, { kind: 'fleet' }>): void {
    for (const event of commit.events) this.applyOne(commit.at, event);
  }

  private applyOne(at: string, event: FleetEvent): void {
    switch (event.type) {
      case 'FleetFounded':
        return;
      case 'QuotaSet':
        this.quota = event.data;
        return;
      case 'Reserved':
        for (const { lease, owner, host } of event.data.slots) if (host) this.slots.set(lease, owner);
        for (const { resource, launched } of event.data.launches) if (launched) this.launches.add(resource);
        return;
      case 'Returned':
        for (const lease of event.data.slots) this.slots.delete(lease);
        for (const resource of event.data.launches) this.launches.delete(resource);
        return;
      case 'OrphanFound': {
        const { what, id, where, grace } = event.data;
        this.remember({ what, id, where, found: at, grace, destroyed: null });
        return;
      }
      case 'OrphanDestroyed': {
        const { what, id, where } = event.data;
        const known = this.orphans.find((one) => one.what === what && one.id === id && one.where === where && one.destroyed === null);
        if (known) known.destroyed = at;
        else this.remember({ what, id, where, found: null, grace: null, destroyed: at });
        return;
      }
      default:
        unreachable(event);
    }
  }

  private remember(orphan: OrphanView): void {
    this.orphans = [orphan, ...this.orphans].slice(0, ORPHANS);
  }

  orphanList(): OrphanView[] {
    return this.orphans.map((orphan) => ({ ...orphan }));
  }

  /**
   * What is used: what is leased, and what is set aside for what will be. A lease is both from its claim on, and is counted
   * once.
   */
  view(resources: Iterable<ResourceRow>, blueprints: Blueprints): QuotaView {
    const slots = new Map(this.slots);
    const launched = new Set(this.launches);
    for (const { id, type, blueprint, leases } of resources) {
      if (type === 'host') for (const { lease, owner } of leases) slots.set(lease, owner);
      if (blueprints.kind(blueprint) === 'ec2') launched.add(id);
    }
    const counts = new Map<string, number>();
    for (const owner of slots.values()) counts.set(owner, (counts.get(owner) ?? 0) + 1);
    const { owners, hostsPerOwner } = this.quota;
    for (const owner of Object.keys(owners)) if (!counts.has(owner)) counts.set(owner, 0);
    const used = [...counts].map(([owner, hosts]) => ({ owner, hosts, limit: (Object.hasOwn(owners, owner) ? owners[owner] : hostsPerOwner) ?? null }));
    return {
      quota: this.quota,
      use: { hosts: slots.size, resources: launched.size, owners: used.sort((a, b) => b.hosts - a.hosts || (a.owner < b.owner ? -1 : 1)) },
    };
  }
}
