import { expression } from '@berth/contracts';
import { literals } from './wants.js';

/** What some request says of one attribute. */
export interface Predicate {
  readonly id: number;
  readonly key: string;
  readonly text: string;
  /** groups of requests that say it; with none it is kept for a while, because the next one often says it again */
  users: number;
}

/** What hosts have, and what requests say, of one attribute. */
interface Column<H> {
  byText: Map<string, Predicate>;
  /** predicates that are a list of values, by value */
  literal: Map<string, Set<Predicate>>;
  /** all others: tried one by one */
  tried: Set<Predicate>;
  values: Map<string, Set<H>>;
}

type Attributes = Readonly<Record<string, string>>;

/** Predicates that nobody uses any more are kept up to this number: to find one again costs nothing, to make one costs a look at the hosts. */
export const KEPT_UNUSED = 256;

/**
 * The predicates of all requests, and which of them a host satisfies. Hosts differ for requests only in that: an attribute
 * that each host has for itself, such as its name, divides them into no more parts than there are requests that ask for it.
 */
export class Predicates<H extends { offer: { attributes: Attributes } }> {
  private readonly columns = new Map<string, Column<H>>();
  private last = 0;
  private used = 0;
  private unused = 0;

  /** @param hosts all of them */
  constructor(private readonly hosts: ReadonlyMap<string, H>) {}

  get size(): number {
    let size = 0;
    for (const column of this.columns.values()) size += column.byText.size + column.values.size;
    return size;
  }

  /** Are there more unused ones than are worth keeping? */
  get crowded(): boolean {
    return this.unused > (this.hosts.size + this.used === 0 ? 0 : KEPT_UNUSED);
  }

  /** Takes what a group says into use. `made` hears of each that is new, with the hosts that satisfy it. O(those hosts), and O(1) when it is known. */
  use(wants: Attributes, made: (predicate: Predicate, satisfiedBy: ReadonlySet<H>) => void): Predicate[] {
    return Object.entries(wants).map(([key, text]) => {
      expression(text); // throws before anything is noted
      const column = this.column(key);
      let predicate = column.byText.get(text);
      if (predicate) {
        if (predicate.users++ === 0) this.count(1);
        return predicate;
      }
      predicate = { id: ++this.last, key, text, users: 1 };
      column.byText.set(text, predicate);
      this.used++;
      const values = literals(text);
      if (!values) column.tried.add(predicate);
      for (const value of values ?? []) group(column.literal, value).add(predicate);
      made(predicate, this.satisfying(column, key, text, values));
      return predicate;
    });
  }

  disuse(predicates: Iterable<Predicate>): void {
    for (const predicate of predicates) if (--predicate.users === 0) this.count(-1);
  }

  /** Forgets those that nobody uses. O(predicates). */
  sweep(): void {
    for (const [key, column] of this.columns) {
      for (const predicate of column.byText.values()) {
        if (predicate.users > 0) continue;
        column.byText.delete(predicate.text);
        column.tried.delete(predicate);
        for (const value of literals(predicate.text) ?? []) ungroup(column.literal, value, predicate);
      }
      if (column.byText.size === 0) this.columns.delete(key);
    }
    this.unused = 0;
  }

  /** What a host satisfies. O(attributes that are spoken of + predicates that are no plain values). */
  satisfied(attributes: Attributes): Set<Predicate> {
    const all = new Set<Predicate>();
    for (const [key, column] of this.columns) {
      const value = valueOf(attributes, key);
      if (value !== undefined) for (const predicate of column.literal.get(value) ?? []) all.add(predicate);
      for (const predicate of column.tried) if (expression(predicate.text).satisfiedBy(value)) all.add(predicate);
    }
    return all;
  }

  /** A host came. */
  add(host: H): void {
    for (const [key, { values }] of this.columns) {
      const value = valueOf(host.offer.attributes, key);
      if (value !== undefined) group(values, value).add(host);
    }
  }

  /** A host goes, or is about to change. */
  remove(host: H): void {
    for (const [key, { values }] of this.columns) {
      const value = valueOf(host.offer.attributes, key);
      if (value !== undefined) ungroup(values, value, host);
    }
  }

  private count(more: 1 | -1): void {
    this.used += more;
    this.unused -= more;
  }

  private column(key: string): Column<H> {
    const known = this.columns.get(key);
    if (known) return known;
    const column: Column<H> = { byText: new Map(), literal: new Map(), tried: new Set(), values: new Map() };
    this.columns.set(key, column);
    for (const host of this.hosts.values()) {
      const value = valueOf(host.offer.attributes, key);
      if (value !== undefined) group(column.values, value).add(host);
    }
    return column;
  }

  private satisfying(column: Column<H>, key: string, text: string, values: readonly string[] | undefined): Set<H> {
    const found = new Set<H>();
    const add = (hosts: Iterable<H> | undefined) => {
      for (const host of hosts ?? []) found.add(host);
    };
    if (values) {
      for (const value of values) add(column.values.get(value));
      return found;
    }
    const { satisfiedBy } = expression(text);
    for (const [value, hosts] of column.values) if (satisfiedBy(value)) add(hosts);
    if (satisfiedBy(undefined)) for (const host of this.hosts.values()) if (valueOf(host.offer.attributes, key) === undefined) found.add(host);
    return found;
  }
}

const valueOf = (attributes: Attributes, key: string) => (Object.hasOwn(attributes, key) ? attributes[key] : undefined);

function group<K, V>(map: Map<K, Set<V>>, key: K): Set<V> {
  let set = map.get(key);
  if (!set) map.set(key, (set = new Set()));
  return set;
}

function ungroup<K, V>(map: Map<K, Set<V>>, key: K, value: V): void {
  const set = map.get(key);
  set?.delete(value);
  if (set?.size === 0) map.delete(key);
}
