import type { HostClass } from './classes.js';
import type { Queue } from './queues.js';
import { unlimited, type Limits } from './wants.js';

/** Somebody who holds slots or waits for some. */
export class Owner {
  /** slots held now, also those that are only planned */
  held = 0;
  /** the same by blueprint */
  readonly leases = new Map<string, number>();
  readonly queues = new Set<Queue>();
  /** holds as many as allowed: none of the requests can be served */
  barred = false;

  constructor(readonly name: string) {}

  /** May one more slot of this blueprint be held, as far as its limit per owner goes? */
  below(blueprint: Blueprint): boolean {
    return blueprint.perOwner === undefined || (this.leases.get(blueprint.name) ?? 0) < blueprint.perOwner;
  }
}

/** What is held of a blueprint, and its limits. */
export class Blueprint {
  leases = 0;
  most: number | undefined;
  perOwner: number | undefined;
  readonly classes = new Set<HostClass>();

  constructor(readonly name: string) {}

  get full(): boolean {
    return this.most !== undefined && this.leases >= this.most;
  }
}

interface Holding {
  owner: Owner;
  blueprint: Blueprint;
}

/** Who holds how much, and how much that may be. Owners and blueprints of which nothing is left are forgotten. */
export class Ledger {
  readonly owners = new Map<string, Owner>();
  readonly blueprints = new Map<string, Blueprint>();
  /** lease -> what it holds */
  readonly holdings = new Map<string, Holding>();
  limits: Limits = unlimited;

  /** All that may be held is held. */
  get full(): boolean {
    return this.limits.hosts !== undefined && this.holdings.size >= this.limits.hosts;
  }

  owner(name: string): Owner {
    let owner = this.owners.get(name);
    if (!owner) {
      this.owners.set(name, (owner = new Owner(name)));
      owner.barred = this.bars(owner);
    }
    return owner;
  }

  blueprint(name: string): Blueprint {
    let blueprint = this.blueprints.get(name);
    if (!blueprint) this.blueprints.set(name, (blueprint = this.limited(new Blueprint(name))));
    return blueprint;
  }

  limit(limits: Limits): void {
    this.limits = limits;
    for (const blueprint of this.blueprints.values()) this.limited(blueprint);
    for (const owner of this.owners.values()) owner.barred = this.bars(owner);
  }

  add(lease: string, owner: Owner, blueprint: Blueprint): void {
    this.holdings.set(lease, { owner, blueprint });
    owner.held++;
    owner.leases.set(blueprint.name, (owner.leases.get(blueprint.name) ?? 0) + 1);
    owner.barred = this.bars(owner);
    blueprint.leases++;
  }

  remove(lease: string, { owner, blueprint }: Holding): void {
    this.holdings.delete(lease);
    owner.held--;
    const left = owner.leases.get(blueprint.name)! - 1;
    if (left === 0) owner.leases.delete(blueprint.name);
    else owner.leases.set(blueprint.name, left);
    owner.barred = this.bars(owner);
    blueprint.leases--;
  }

  trim(owner: Owner): void {
    if (owner.held === 0 && owner.queues.size === 0) this.owners.delete(owner.name);
  }

  trimBlueprint(blueprint: Blueprint): void {
    if (blueprint.leases === 0 && blueprint.classes.size === 0) this.blueprints.delete(blueprint.name);
  }

  private bars(owner: Owner): boolean {
    return owner.held >= (this.limits.owner(owner.name) ?? Number.POSITIVE_INFINITY);
  }

  private limited(blueprint: Blueprint): Blueprint {
    const { leases, leasesPerOwner } = this.limits.blueprint(blueprint.name);
    blueprint.most = leases;
    blueprint.perOwner = leasesPerOwner;
    return blueprint;
  }
}
