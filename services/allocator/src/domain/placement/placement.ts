import { Classes, type Host, type HostClass } from './classes.js';
import { before, Node } from './heap.js';
import { Ledger, type Blueprint, type Owner } from './ledger.js';
import { ahead, demand, type Demand } from './outlook.js';
import { Group, link, place, unlink, type Queue, type Waiting } from './queues.js';
import { standing } from './score.js';
import { wantsKey, type Limits, type Offer, type Wanted } from './wants.js';

export type { Limits, Offer, Wanted } from './wants.js';

/**
 * The order in which waiting requests meet free slots. Not an aggregate: it is rebuilt from the feed, and a plan made here
 * counts only once its claim is committed.
 *
 * Requests that want the same are a group, with a queue for each owner. Hosts that are the same to all groups are a class.
 * A decision looks at the groups that the classes with a free slot fit, at one number each, so it costs neither requests
 * nor hosts (beyond the logarithm of either), but it does cost different wants. What a full quota keeps out is taken out
 * of the way until the quota has room.
 */
export class Placement {
  private readonly ledger = new Ledger();
  private readonly groups = new Map<string, Group>();
  private readonly leases = new Map<string, Node<Waiting>>();
  /** classes that may have a slot for somebody: a free one, room under the limit of their blueprint, and a request in a lane that they serve */
  private readonly open = new Set<HostClass>();
  /** times that something may have got better for some class: what a class remembers of its best request holds until then */
  private better = 0;
  private readonly classes = new Classes(this.ledger, {
    made: (home) => {
      for (const group of this.groups.values()) link(home, group);
    },
    free: (home) => this.wake(home),
    gone: (home) => this.open.delete(home),
  });

  /** Leases that wait. */
  get size(): number {
    return this.leases.size;
  }

  has(lease: string): boolean {
    return this.leases.has(lease);
  }

  /** Leases that wait, in no order. */
  waiting(): IterableIterator<string> {
    return this.leases.keys();
  }

  /**
   * A lease waits; one that waits already may have changed. One that holds a slot does not wait: when a planned claim
   * failed, it has to be freed first. O(log of what its owner waits for), and O(classes) when nobody wanted the same so far.
   */
  request(wanted: Wanted): void {
    if (this.ledger.holdings.has(wanted.lease)) return;
    const key = wantsKey(wanted);
    const old = this.leases.get(wanted.lease)?.of;
    if (old) {
      if (same(old.wanted, wanted) && old.queue.group.key === key) return;
      this.withdraw(wanted.lease);
    }
    const queue = this.groupOf(key, wanted).queue(this.ledger.owner(wanted.owner));
    const node = new Node<Waiting>({ wanted, queue }, standing(wanted), wanted.order);
    this.leases.set(wanted.lease, node);
    queue.heap.push(node);
    queue.group.size++;
    if (queue.heap.top === node) this.head(queue);
  }

  /** A lease does not wait any more. O(log of what its owner waits for). */
  withdraw(lease: string): void {
    const node = this.leases.get(lease);
    if (!node) return;
    this.leases.delete(lease);
    const { queue } = node.of;
    const { group, owner } = queue;
    const first = queue.heap.top === node;
    queue.heap.remove(node);
    group.size--;
    if (first) this.head(queue);
    if (queue.heap.size > 0) return;
    group.queues.delete(owner);
    owner.queues.delete(queue);
    this.ledger.trim(owner);
    if (group.size > 0) return;
    this.groups.delete(group.key);
    unlink(group.fits, 'group');
    this.classes.disuse([...group.must, ...group.prefer.flat()]);
  }

  reprioritise(lease: string, priority: number): void {
    const wanted = this.leases.get(lease)?.of.wanted;
    if (wanted) this.request({ ...wanted, priority });
  }

  /** A host came, changed, or has another number of free slots. O(log hosts), and O(wants) when no other host is like it. */
  offer(offer: Offer): void {
    this.classes.put(offer);
  }

  remove(resource: string): void {
    this.classes.remove(resource);
  }

  /** The limits changed. O(owners in all groups). */
  limit(limits: Limits): void {
    this.ledger.limit(limits);
    this.better++;
    for (const group of this.groups.values()) group.relane();
    for (const home of this.classes.all.values()) this.wake(home);
  }

  /** A lease holds a host slot, and so does not wait. Said twice is said once. O(groups in which its owner waits) at worst. */
  claimed(lease: string, by: { owner: string; blueprint: string }): void {
    const known = this.ledger.holdings.get(lease);
    if (known?.owner.name === by.owner && known.blueprint.name === by.blueprint) return;
    this.freed(lease);
    this.withdraw(lease);
    this.hold(lease, this.ledger.owner(by.owner), this.ledger.blueprint(by.blueprint));
  }

  /** It holds none any more, or the claim that was planned failed. The slot itself is offered by its host. O(groups in which its owner waits). */
  freed(lease: string): void {
    const holding = this.ledger.holdings.get(lease);
    if (!holding) return;
    const { owner, blueprint } = holding;
    const full = blueprint.full;
    this.ledger.remove(lease, holding);
    for (const queue of owner.queues) this.place(queue);
    if (full && !blueprint.full) for (const home of blueprint.classes) this.wake(home);
    this.ledger.trim(owner);
    this.ledger.trimBlueprint(blueprint);
  }

  /**
   * Takes the next pair out of queue and offer, and counts it as claimed: of the requests that a free host fits and no quota
   * keeps out the one with the best score, and of these hosts the one that suits it best.
   */
  next(): { wanted: Wanted; resource: string } | undefined {
    const queue = this.ledger.full ? undefined : this.first();
    if (!queue) return undefined;
    const { wanted } = queue.heap.top!.of;
    const host = choose(queue, wanted.affinity);
    this.classes.take(host);
    // Held before it is withdrawn: its owner must not be forgotten in between.
    this.hold(wanted.lease, queue.owner, host.home.blueprint);
    this.withdraw(wanted.lease);
    return { wanted, resource: host.offer.resource };
  }

  /**
   * What waits and could be claimed at once if fitting hosts came, per group of equal wants, the first in order first. What
   * a quota forbids is not counted, and what several groups share of one is counted once.
   *
   * @param sources blueprints that a host for such a request could come from; none: it is left out, and what its owner may
   *   hold is left to his other requests. Absent: hosts could come for all, from the blueprints asked for if there are any
   */
  demand(sources?: (wanted: Wanted) => readonly string[]): readonly Demand[] {
    return demand(this.groups.values(), this.ledger, sources);
  }

  /** Requests that come before it and would take a host that fits it. O(wants^2 + the answer) at worst: on demand only. */
  ahead(lease: string): number {
    const node = this.leases.get(lease);
    return node ? ahead(node) : 0;
  }

  /** Is there a host of an open blueprint that fits a waiting request, free or not? O(1) unless many are closed. */
  fitsSome(lease: string, open: (blueprint: string) => boolean): boolean {
    return this.leases.get(lease)?.of.queue.group.fits.some(({ home }) => open(home.blueprint.name)) ?? false;
  }

  /** Names what a waiting request wants: the same for all that want the same. */
  wantsOf(lease: string): string | undefined {
    return this.leases.get(lease)?.of.queue.group.key;
  }

  /** Sizes of all that is kept: for figures, and to see that nothing stays behind. */
  kept(): Readonly<Record<string, number>> {
    const { ledger, classes } = this;
    return {
      leases: this.leases.size, groups: this.groups.size, open: this.open.size, owners: ledger.owners.size, blueprints: ledger.blueprints.size,
      holdings: ledger.holdings.size, hosts: classes.hosts.size, classes: classes.all.size, predicates: classes.predicates.size,
    };
  }

  private groupOf(key: string, wanted: Wanted): Group {
    const known = this.groups.get(key);
    if (known) return known;
    const must = this.classes.use(wanted.attributes);
    const prefer = wanted.prefer.map((wants) => this.classes.use(wants));
    const group = new Group(key, wanted, must, prefer);
    this.groups.set(key, group);
    for (const home of this.classes.all.values()) link(home, group);
    return group;
  }

  private hold(lease: string, owner: Owner, blueprint: Blueprint): void {
    this.ledger.add(lease, owner, blueprint);
    // That the owner's other requests come later now is seen when one of them is looked at; that they can't be served must be seen at once.
    if (owner.barred || !owner.below(blueprint)) for (const queue of owner.queues) this.place(queue);
  }

  private head(queue: Queue): void {
    queue.head();
    this.place(queue);
  }

  private place(queue: Queue): void {
    for (const entry of queue.entries) {
      const { lane } = entry.of;
      const empty = lane.heap.size === 0;
      if (!place(entry)) continue;
      this.better++;
      if (empty) for (const fit of queue.group.fits) if (fit.lane === lane) this.wake(fit.home);
    }
  }

  private wake(home: HostClass): void {
    home.asOf = -1;
    if (home.line.size > 0) this.open.add(home);
  }

  /** The queue whose first request is the best of those that can be served. */
  private first(): Queue | undefined {
    for (const home of this.open) {
      if (home.line.size === 0 || home.blueprint.full) this.open.delete(home);
      else if (home.asOf !== this.better) this.look(home);
    }
    // What was remembered may have got worse since. Once the class that was looked at last is still the first, it is.
    let queue: Queue | undefined;
    for (let looked: HostClass | undefined; ; ) {
      let first: HostClass | undefined;
      for (const home of this.open) if (!first || before(home.bound, first.bound)) first = home;
      if (!first || first === looked) return queue;
      looked = first;
      queue = this.look(first);
    }
  }

  /** The best queue for a class; remembers its score. O(wants that the class fits). */
  private look(home: HostClass): Queue | undefined {
    let best: { score: number; order: number; of: { queue: Queue } } | undefined;
    for (const { lane } of home.fits) {
      const top = lane.heap.top;
      if (!top || (best && !before(top, best))) continue;
      const first = lane.first()!;
      if (!best || before(first, best)) best = first;
    }
    if (!best) {
      this.open.delete(home);
      return undefined;
    }
    home.bound.score = best.score;
    home.bound.order = best.order;
    home.asOf = this.better;
    return best.of.queue;
  }
}

/** The free host that suits the requests of a queue best. O(classes that fit). */
function choose({ group, owner }: Queue, affinity: string | undefined): Host {
  let best: { host: Host; prefer: number; cold: number; rank: number; since: number } | undefined;
  for (const { home, prefer } of group.fits) {
    if (home.line.size === 0 || home.blueprint.full || !owner.below(home.blueprint)) continue;
    const warm = affinity === undefined ? undefined : home.warm.get(affinity)?.top;
    const { of: host, score: since } = warm ?? home.line.top!;
    const cold = warm ? 0 : 1;
    const { rank } = home;
    const order = best === undefined ? -1 : prefer - best.prefer || cold - best.cold || rank - best.rank || since - best.since;
    if (order < 0) best = { host, prefer, cold, rank, since };
  }
  return best!.host;
}

const same = (a: Wanted, b: Wanted) => a.owner === b.owner && a.priority === b.priority && a.askedAt === b.askedAt && a.order === b.order && a.affinity === b.affinity;
