import { satisfies } from '@berth/contracts';
import type { Demand } from './outlook.js';
import { fits, unlimited, type Limits, type Offer, type Wanted } from './wants.js';

/** What Placement should do, written down in the plainest way: every decision looks at every pair. */
export class Model {
  readonly waits = new Map<string, Wanted>();
  readonly hosts = new Map<string, { offer: Offer; free: number; since: number }>();
  readonly holdings = new Map<string, { owner: string; blueprint: string }>();
  limits: Limits = unlimited;
  private steps = 0;

  request(wanted: Wanted): void {
    if (!this.holdings.has(wanted.lease)) this.waits.set(wanted.lease, wanted);
  }
  withdraw(lease: string): void {
    this.waits.delete(lease);
  }
  reprioritise(lease: string, priority: number): void {
    const wanted = this.waits.get(lease);
    if (wanted) this.waits.set(lease, { ...wanted, priority });
  }
  offer(offer: Offer): void {
    const old = this.hosts.get(offer.resource);
    this.hosts.set(offer.resource, { offer, free: offer.free, since: old && old.free > 0 ? old.since : offer.free > 0 ? ++this.steps : 0 });
  }
  remove(resource: string): void {
    this.hosts.delete(resource);
  }
  limit(limits: Limits): void {
    this.limits = limits;
  }
  claimed(lease: string, by: { owner: string; blueprint: string }): void {
    this.waits.delete(lease);
    this.holdings.set(lease, by);
  }
  freed(lease: string): void {
    this.holdings.delete(lease);
  }

  held(owner: string, blueprint?: string): number {
    return [...this.holdings.values()].filter((h) => h.owner === owner && (blueprint === undefined || h.blueprint === blueprint)).length;
  }
  /** Waiting requests, the best first, after so many more slots of each owner. */
  order(more: ReadonlyMap<string, number> = new Map()): Wanted[] {
    const score = (w: Wanted) => w.askedAt - 60_000 * w.priority + 60_000 * (this.held(w.owner) + (more.get(w.owner) ?? 0));
    return [...this.waits.values()].sort((a, b) => score(a) - score(b) || a.order - b.order);
  }
  allowed(owner: string, blueprint?: string): boolean {
    const most = (limit: number | undefined) => limit ?? Number.POSITIVE_INFINITY;
    if (this.holdings.size >= most(this.limits.hosts) || this.held(owner) >= most(this.limits.owner(owner))) return false;
    if (blueprint === undefined) return true;
    const { leases, leasesPerOwner } = this.limits.blueprint(blueprint);
    return [...this.holdings.values()].filter((h) => h.blueprint === blueprint).length < most(leases) && this.held(owner, blueprint) < most(leasesPerOwner);
  }

  next(): { wanted: Wanted; resource: string } | undefined {
    for (const wanted of this.order()) {
      const rank = ({ offer, since }: { offer: Offer; since: number }) => {
        const prefer = wanted.prefer.findIndex((wants) => satisfies(offer.attributes, wants));
        return [prefer < 0 ? wanted.prefer.length : prefer, wanted.affinity !== undefined && offer.warm.includes(wanted.affinity) ? 0 : 1, offer.rank, since];
      };
      const [best] = [...this.hosts.values()]
        .filter(({ offer, free }) => free > 0 && fits(wanted, offer) && this.allowed(wanted.owner, offer.blueprint))
        .map((host) => ({ host, by: rank(host) }))
        .sort((a, b) => a.by.reduce((order, value, i) => order || value - b.by[i]!, 0));
      if (!best) continue;
      best.host.free--;
      this.claimed(wanted.lease, { owner: wanted.owner, blueprint: best.host.offer.blueprint });
      return { wanted, resource: best.host.offer.resource };
    }
    return undefined;
  }

  /** For requests that name one blueprint at most: what would be served if hosts for all came, by what they want. */
  demand(key: (wanted: Wanted) => string): Demand[] {
    const future = new Model();
    future.limits = this.limits;
    for (const [lease, by] of this.holdings) future.claimed(lease, by);
    for (const wanted of this.waits.values()) future.request(wanted);
    const now = this.order();
    const counted = new Map<string, Demand>();
    for (;;) {
      const wanted = future.order().find((w) => future.allowed(w.owner, w.blueprints[0]));
      if (!wanted) return [...counted.values()];
      future.claimed(wanted.lease, { owner: wanted.owner, blueprint: wanted.blueprints[0] ?? 'another' });
      const known = counted.get(key(wanted));
      if (known) counted.set(key(wanted), { wanted: now.indexOf(wanted) < now.indexOf(known.wanted) ? wanted : known.wanted, count: known.count + 1 });
      else counted.set(key(wanted), { wanted, count: 1 });
    }
  }

  ahead(lease: string): number {
    const mine = this.waits.get(lease);
    if (!mine) return 0;
    const hosts = [...this.hosts.values()].map(({ offer }) => offer);
    const mayHold = (owner: string, blueprint: string) => this.held(owner, blueprint) < (this.limits.blueprint(blueprint).leasesPerOwner ?? Number.POSITIVE_INFINITY);
    const competes = (other: Wanted) => {
      if (other.owner !== mine.owner && this.held(other.owner) >= (this.limits.owner(other.owner) ?? Number.POSITIVE_INFINITY)) return false;
      const shared = hosts.filter((offer) => fits(mine, offer) && fits(other, offer));
      if (shared.length === 0) return sameWants(mine, other);
      return other.owner === mine.owner || shared.some(({ blueprint }) => mayHold(other.owner, blueprint));
    };
    const order = this.order();
    return order.slice(0, order.indexOf(mine)).filter(competes).length;
  }
}

const wants = ({ attributes, prefer, blueprints, may }: Wanted) => JSON.stringify([attributes, prefer, blueprints, may]);
const sameWants = (a: Wanted, b: Wanted) => wants(a) === wants(b);
