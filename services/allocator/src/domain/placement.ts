import type { BlueprintName } from '@berth/contracts';

/** A host lease that waits. */
export interface Wanted {
  lease: string;
  owner: string;
  attributes: Readonly<Record<string, string>>;
  /** empty = any */
  blueprints: readonly BlueprintName[];
  /** higher first */
  priority: number;
  /** position of the request: lower first within a priority */
  order: number;
}

/** A host that can be claimed. */
export interface Offer {
  resource: string;
  blueprint: BlueprintName;
  attributes: Readonly<Record<string, string>>;
  /** slots that nobody holds and no plan has taken */
  free: number;
  /** lower is taken first */
  rank: number;
}

/** Does a host fit a request? */
export const fits = (wanted: Pick<Wanted, 'attributes' | 'blueprints'>, offer: Pick<Offer, 'attributes' | 'blueprint'>): boolean =>
  (wanted.blueprints.length === 0 || wanted.blueprints.includes(offer.blueprint)) && Object.entries(wanted.attributes).every(([key, value]) => offer.attributes[key] === value);

/** Requests that want the same: they share one queue and one set of hosts, so that a decision never scans either. */
interface Group {
  wants: Pick<Wanted, 'attributes' | 'blueprints'>;
  queue: Wanted[];
  /** `queue` before this index is done with */
  head: number;
  /** hosts that fit and have a free slot, by rank, the longest idle first */
  free: Map<number, Set<string>>;
}

/**
 * The order in which waiting requests meet free slots. Not an aggregate: it is rebuilt from the feed, and a plan made here
 * counts only once its claim is committed.
 *
 * Requests are grouped by what they want, so a decision costs the number of different wants, not of requests or hosts.
 */
export class Placement {
  private readonly groups = new Map<string, Group>();
  private readonly wanted = new Map<string, Group>();
  private readonly offers = new Map<string, Offer>();

  /** Leases that wait, in no order. */
  waiting(): IterableIterator<string> {
    return this.wanted.keys();
  }

  request(wanted: Wanted): void {
    if (this.wanted.has(wanted.lease)) return;
    const group = this.groupOf(wanted);
    let low = group.head;
    let high = group.queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (before(wanted, group.queue[middle]!)) high = middle;
      else low = middle + 1;
    }
    group.queue.splice(low, 0, wanted);
    this.wanted.set(wanted.lease, group);
  }

  /** The request is over, or placed: it leaves its queue when its turn comes. */
  withdraw(lease: string): void {
    const group = this.wanted.get(lease);
    if (!group) return;
    this.wanted.delete(lease);
    this.trim(group);
    if (group.head === group.queue.length) this.groups.delete(keyOf(group.wants));
  }

  /** A host came, changed, or has another number of free slots. */
  offer(offer: Offer): void {
    const old = this.offers.get(offer.resource);
    this.offers.set(offer.resource, offer);
    const changed = !old || old.attributes !== offer.attributes || old.rank !== offer.rank;
    if (!changed && old.free > 0 === offer.free > 0) return;
    for (const group of this.groups.values()) this.list(group, offer);
  }

  remove(resource: string): void {
    const offer = this.offers.get(resource);
    if (!offer) return;
    this.offers.delete(resource);
    for (const group of this.groups.values()) group.free.get(offer.rank)?.delete(resource);
  }

  /** Takes the next pair out of queue and offer: the request that comes first among those that a free host fits. */
  next(): { wanted: Wanted; resource: string } | undefined {
    let best: Group | undefined;
    for (const group of this.groups.values()) {
      if (!this.freeHost(group)) continue;
      if (!best || before(group.queue[group.head]!, best.queue[best.head]!)) best = group;
    }
    if (!best) return undefined;
    const resource = this.freeHost(best)!;
    const wanted = best.queue[best.head]!;
    this.withdraw(wanted.lease);
    const offer = this.offers.get(resource)!;
    this.offer({ ...offer, free: offer.free - 1 });
    return { wanted, resource };
  }

  /** Hosts that fit a waiting request apart from having a free slot. */
  candidates(lease: string): Offer[] {
    const group = this.wanted.get(lease);
    return group ? [...this.offers.values()].filter((offer) => fits(group.wants, offer)) : [];
  }

  private groupOf(wants: Pick<Wanted, 'attributes' | 'blueprints'>): Group {
    const key = keyOf(wants);
    const known = this.groups.get(key);
    if (known) return known;
    const group: Group = { wants: { attributes: wants.attributes, blueprints: wants.blueprints }, queue: [], head: 0, free: new Map() };
    this.groups.set(key, group);
    for (const offer of this.offers.values()) this.list(group, offer);
    return group;
  }

  private list(group: Group, offer: Offer): void {
    for (const [rank, set] of group.free) if (rank !== offer.rank) set.delete(offer.resource);
    const ranked = group.free.get(offer.rank);
    if (offer.free > 0 && fits(group.wants, offer)) {
      if (ranked) ranked.add(offer.resource);
      else group.free.set(offer.rank, new Set([offer.resource]));
    } else ranked?.delete(offer.resource);
  }

  private freeHost(group: Group): string | undefined {
    let best: { rank: number; resource: string } | undefined;
    for (const [rank, set] of group.free) {
      if (set.size > 0 && (!best || rank < best.rank)) best = { rank, resource: set.values().next().value! };
    }
    return best?.resource;
  }

  private trim(group: Group): void {
    const { queue } = group;
    while (group.head < queue.length && !this.wanted.has(queue[group.head]!.lease)) group.head++;
    if (group.head > 1024 && group.head * 2 > queue.length) {
      queue.splice(0, group.head);
      group.head = 0;
    }
  }
}

const before = (a: Wanted, b: Wanted) => a.priority > b.priority || (a.priority === b.priority && a.order < b.order);
const keyOf = (wants: Pick<Wanted, 'attributes' | 'blueprints'>) => JSON.stringify([Object.entries(wants.attributes).sort(), [...wants.blueprints].sort()]);
