import { before, Heap, Node } from './heap.js';
import type { Blueprint, Ledger, Owner } from './ledger.js';
import type { Group, Waiting } from './queues.js';
import { POINT, score } from './score.js';
import type { Wanted } from './wants.js';

/** Requests that wait for hosts of a sort. */
export interface Demand {
  /** of these the one that is first in order now */
  wanted: Wanted;
  /** how many could be claimed at once */
  count: number;
}

/** Requests that come before one and would take a host that fits it. O(wants^2 + the answer) at worst. */
export function ahead({ of: { queue, wanted }, score: own }: Node<Waiting>): number {
  const { group, owner } = queue;
  const mine = score(own, owner.held);
  const rivals = new Map<Group, Set<Blueprint>>([[group, new Set()]]);
  for (const { home } of group.fits) {
    for (const fit of home.fits) {
      const shared = rivals.get(fit.group);
      if (shared) shared.add(home.blueprint);
      else rivals.set(fit.group, new Set([home.blueprint]));
    }
  }
  let count = 0;
  for (const [rival, shared] of rivals) {
    for (const { owner: other, heap } of rival.queues.values()) {
      if (other !== owner && (other.barred || (shared.size > 0 && ![...shared].some((blueprint) => other.below(blueprint))))) continue;
      count += heap.countBefore({ score: mine - POINT * other.held, order: wanted.order });
    }
  }
  return count;
}

/** Where hosts for a group could come from: blueprints with limits, or somewhere without any. */
type Source = readonly string[] | 'anywhere';

/** What could be claimed at once. O(owners in all groups) unless a limit is near, else O(log) for each request that is counted or passed over. */
export function demand(groups: Iterable<Group>, ledger: Ledger, sources: ((wanted: Wanted) => readonly string[]) | undefined): Demand[] {
  if (ledger.full) return [];
  const from = new Map<Group, Source>();
  let waiting = 0;
  for (const group of groups) {
    const source = sourceOf(group, ledger, sources);
    if (source.length === 0) continue;
    from.set(group, source);
    waiting += group.size;
  }
  const plenty = (ledger.limits.hosts ?? Number.POSITIVE_INFINITY) - ledger.holdings.size >= waiting;
  return plenty && [...from.values()].every((source) => source === 'anywhere') ? byOwner(from.keys(), ledger) : inOrder(from, ledger);
}

function sourceOf(group: Group, ledger: Ledger, sources: ((wanted: Wanted) => readonly string[]) | undefined): Source {
  const names = sources ? sources(anyOf(group)) : group.wants.blueprints;
  if (!sources && names.length === 0) return 'anywhere';
  const limited = names.map((name) => ({ name, ...ledger.limits.blueprint(name) }));
  if (limited.some(({ leases, leasesPerOwner }) => leases === undefined && leasesPerOwner === undefined)) return 'anywhere';
  return limited.filter(({ name, leases }) => leases === undefined || leases > (ledger.blueprints.get(name)?.leases ?? 0)).map(({ name }) => name);
}

function anyOf(group: Group): Wanted {
  const [queue] = group.queues.values();
  return queue!.heap.top!.of.wanted;
}

/** The groups that count, for each owner. */
function owners(groups: Iterable<Group>): Map<Owner, Heap<Waiting>[]> {
  const all = new Map<Owner, Heap<Waiting>[]>();
  for (const group of groups) {
    for (const { owner, heap } of group.queues.values()) {
      if (owner.barred) continue;
      const heaps = all.get(owner);
      if (heaps) heaps.push(heap);
      else all.set(owner, [heap]);
    }
  }
  return all;
}

/** Counts by group. */
class Tally {
  private readonly counted = new Map<Group, Demand & { score: number; order: number }>();

  add({ of: { wanted, queue }, score: own, order }: Node<Waiting>, count: number): void {
    const at = { score: score(own, queue.owner.held), order };
    const known = this.counted.get(queue.group);
    if (!known) {
      this.counted.set(queue.group, { wanted, count, ...at });
      return;
    }
    if (before(at, known)) Object.assign(known, at, { wanted });
    known.count += count;
  }

  result(): Demand[] {
    return [...this.counted.values()].sort((a, b) => (before(a, b) ? -1 : 1)).map(({ wanted, count }) => ({ wanted, count }));
  }
}

/** Nothing but what each owner may hold keeps anything out. */
function byOwner(groups: Iterable<Group>, ledger: Ledger): Demand[] {
  const tally = new Tally();
  for (const [owner, heaps] of owners(groups)) {
    let room = (ledger.limits.owner(owner.name) ?? Number.POSITIVE_INFINITY) - owner.held;
    if (room >= heaps.reduce((sum, heap) => sum + heap.size, 0)) for (const heap of heaps) tally.add(heap.top!, heap.size);
    else {
      for (const node of Heap.merged(heaps)) {
        if (room-- <= 0) break;
        tally.add(node, 1);
      }
    }
  }
  return tally.result();
}

/** Goes through what waits in the order in which it would be served. */
function inOrder(from: ReadonlyMap<Group, Source>, ledger: Ledger): Demand[] {
  const tally = new Tally();
  const taken = new Map<string, number>();
  /** Room for one more of an owner in one of the blueprints, which is then taken. */
  const take = (owner: Owner, source: Source): boolean => {
    if (source === 'anywhere') return true;
    for (const name of source) {
      const { leases, leasesPerOwner } = ledger.limits.blueprint(name);
      const all = (ledger.blueprints.get(name)?.leases ?? 0) + (taken.get(name) ?? 0);
      const key = JSON.stringify([name, owner.name]);
      const own = (owner.leases.get(name) ?? 0) + (taken.get(key) ?? 0);
      if (all >= (leases ?? Number.POSITIVE_INFINITY) || own >= (leasesPerOwner ?? Number.POSITIVE_INFINITY)) continue;
      taken.set(name, (taken.get(name) ?? 0) + 1);
      taken.set(key, (taken.get(key) ?? 0) + 1);
      return true;
    }
    return false;
  };
  interface Turn {
    owner: Owner;
    rest: Generator<Node<Waiting>>;
    held: number;
    next: Node<Waiting>;
  }
  const turns = new Heap<Turn>();
  const enter = (owner: Owner, rest: Generator<Node<Waiting>>, held: number) => {
    if (held >= (ledger.limits.owner(owner.name) ?? Number.POSITIVE_INFINITY)) return;
    const { value, done } = rest.next();
    if (!done) turns.push(new Node({ owner, rest, held, next: value }, score(value.score, held), value.order));
  };
  for (const [owner, heaps] of owners(from.keys())) enter(owner, Heap.merged(heaps), owner.held);
  let room = (ledger.limits.hosts ?? Number.POSITIVE_INFINITY) - ledger.holdings.size;
  for (let turn = turns.top; turn && room > 0; turn = turns.top) {
    const { owner, rest, held, next } = turn.of;
    turns.remove(turn);
    const served = take(owner, from.get(next.of.queue.group)!);
    if (served) {
      room--;
      tally.add(next, 1);
    }
    enter(owner, rest, served ? held + 1 : held);
  }
  return tally.result();
}
