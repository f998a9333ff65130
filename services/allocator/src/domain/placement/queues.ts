import type { HostClass } from './classes.js';
import { Heap, Node } from './heap.js';
import type { Blueprint, Owner } from './ledger.js';
import type { Predicate } from './predicates.js';
import { score } from './score.js';
import type { Wanted } from './wants.js';

/** A request in its queue. */
export interface Waiting {
  wanted: Wanted;
  queue: Queue;
}

/** What one owner waits for in one group, by what each request has by itself. */
export class Queue {
  readonly heap = new Heap<Waiting>();
  /** Of the first request: kept here, because whenever its owner gives back a slot each of his queues is looked at, and the way there is what costs. */
  own = 0;
  order = 0;
  /** its place in each lane of the group */
  readonly entries: Node<Entry>[] = [];

  constructor(
    readonly owner: Owner,
    readonly group: Group,
  ) {}

  /** Another request is the first. */
  head(): void {
    const { top } = this.heap;
    if (!top) return;
    this.own = top.score;
    this.order = top.order;
  }
}

interface Entry {
  queue: Queue;
  lane: Lane;
}

/**
 * The queues of a group in the order of their first requests, without those of owners who have all that they may have: for
 * hosts of a blueprint that limits its leases per owner (each such has a lane of its own), or for all other hosts.
 *
 * The scores in it may be better than the true ones, never worse. That an owner got a slot makes his requests come later in
 * every group where he waits, which is written down only where it matters: at the front, when somebody looks.
 */
export class Lane {
  readonly heap = new Heap<Entry>();

  constructor(readonly limiter: Blueprint | undefined) {}

  allows(owner: Owner): boolean {
    return !owner.barred && (this.limiter === undefined || owner.below(this.limiter));
  }

  /** The queue that is first, by true scores. */
  first(): Node<Entry> | undefined {
    for (let entry = this.heap.top; entry; entry = this.heap.top) {
      const { own, order, owner } = entry.of.queue;
      const actual = score(own, owner.held);
      if (actual === entry.score && order === entry.order) return entry;
      this.heap.move(entry, actual, order);
    }
    return undefined;
  }
}

/** That the hosts of a class fit the requests of a group. */
export interface Fit {
  readonly home: HostClass;
  readonly group: Group;
  /** the first of the group's preferences that they satisfy; their number when none */
  readonly prefer: number;
  lane: Lane;
  /** index in `home.fits`, and in `group.fits` */
  inHome: number;
  inGroup: number;
}

/** Requests that want the same: the same hosts fit all of them equally well. */
export class Group {
  readonly queues = new Map<Owner, Queue>();
  readonly lanes: Lane[] = [new Lane(undefined)];
  readonly fits: Fit[] = [];
  size = 0;

  constructor(
    readonly key: string,
    readonly wants: Pick<Wanted, 'blueprints' | 'may'>,
    readonly must: readonly Predicate[],
    readonly prefer: readonly (readonly Predicate[])[],
  ) {}

  queue(owner: Owner): Queue {
    let queue = this.queues.get(owner);
    if (!queue) {
      this.queues.set(owner, (queue = new Queue(owner, this)));
      owner.queues.add(queue);
      for (const lane of this.lanes) queue.entries.push(new Node({ queue, lane }, 0, 0));
    }
    return queue;
  }

  /** The lane for hosts of a blueprint. O(owners that wait) the first time. */
  lane(blueprint: Blueprint): Lane {
    const limiter = blueprint.perOwner === undefined ? undefined : blueprint;
    // By name: a blueprint whose last host went is another object when the next one comes.
    const known = this.lanes.find((lane) => lane.limiter?.name === limiter?.name);
    if (known) return known;
    const lane = new Lane(limiter);
    this.lanes.push(lane);
    for (const queue of this.queues.values()) {
      const entry = new Node({ queue, lane }, 0, 0);
      queue.entries.push(entry);
      place(entry);
    }
    return lane;
  }

  /** Builds the lanes anew after limits have changed. */
  relane(): void {
    this.lanes.splice(0, this.lanes.length, new Lane(undefined));
    for (const queue of this.queues.values()) {
      const entry = new Node({ queue, lane: this.lanes[0]! }, 0, 0);
      queue.entries.splice(0, queue.entries.length, entry);
      place(entry);
    }
    for (const fit of this.fits) fit.lane = this.lane(fit.home.blueprint);
  }
}

/** Brings an entry to where it belongs. @returns whether somebody in the lane comes earlier than before. O(log owners) */
export function place(entry: Node<Entry>): boolean {
  const { queue, lane } = entry.of;
  const { own, order } = queue;
  if (queue.heap.size === 0 || !lane.allows(queue.owner)) {
    if (entry.at >= 0) lane.heap.remove(entry);
    return false;
  }
  const actual = score(own, queue.owner.held);
  if (entry.at < 0) {
    entry.score = actual;
    entry.order = order;
    lane.heap.push(entry);
    return true;
  }
  if (actual > entry.score || (actual === entry.score && order >= entry.order)) return false;
  lane.heap.move(entry, actual, order);
  return true;
}

/** Notes that a class fits a group, unless it does not. */
export function link(home: HostClass, group: Group): void {
  const { wants, must, prefer } = group;
  const { blueprint, satisfied } = home;
  if (wants.blueprints.length > 0 && !wants.blueprints.includes(blueprint.name)) return;
  if (home.restricted && !wants.may.includes(blueprint.name)) return;
  if (home.door !== undefined && !wants.may.includes(home.door)) return;
  if (!must.every((predicate) => satisfied.has(predicate))) return;
  const first = prefer.findIndex((all) => all.every((predicate) => satisfied.has(predicate)));
  join(home, group, first < 0 ? prefer.length : first);
}

export function join(home: HostClass, group: Group, prefer: number): void {
  const fit: Fit = { home, group, prefer, lane: group.lane(home.blueprint), inHome: home.fits.length, inGroup: group.fits.length };
  home.fits.push(fit);
  group.fits.push(fit);
}

/** The class, or the group, is gone. */
export function unlink(fits: readonly Fit[], from: 'home' | 'group'): void {
  for (const fit of fits) {
    if (from === 'home') {
      const last = fit.group.fits.pop()!;
      if (last !== fit) fit.group.fits[(last.inGroup = fit.inGroup)] = last;
    } else {
      const last = fit.home.fits.pop()!;
      if (last !== fit) fit.home.fits[(last.inHome = fit.inHome)] = last;
    }
  }
}
