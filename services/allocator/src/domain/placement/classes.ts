import { Heap, Node } from './heap.js';
import type { Blueprint, Ledger } from './ledger.js';
import { Predicates, type Predicate } from './predicates.js';
import { join, unlink, type Fit } from './queues.js';
import type { Offer } from './wants.js';

export class Host {
  home!: HostClass;
  free: number;
  /** in the line of its class; the score says since when it has had a free slot, in steps */
  readonly spot = new Node<Host>(this, 0, 0);
  /** the same in the line of each key that it is warm for */
  warm: { key: string; spot: Node<Host> }[] = [];

  constructor(public offer: Offer) {
    this.free = offer.free;
  }
}

/** Hosts that are the same to every request that waits. */
export class HostClass {
  readonly hosts = new Set<Host>();
  /** those with a free slot, the longest free first */
  readonly line = new Heap<Host>();
  /** affinity key -> those of the line that are warm for it */
  readonly warm = new Map<string, Heap<Host>>();
  readonly fits: Fit[] = [];
  /** No request for its hosts has a better score than this, as far as nothing got better since `asOf`. */
  readonly bound = { score: 0, order: 0 };
  asOf = -1;

  constructor(
    readonly blueprint: Blueprint,
    readonly restricted: boolean,
    readonly door: string | undefined,
    readonly rank: number,
    readonly satisfied: Set<Predicate>,
  ) {}

  get key(): string {
    return JSON.stringify([this.blueprint.name, this.restricted, this.door ?? null, this.rank, ...[...this.satisfied].map(({ id }) => id).sort((a, b) => a - b)]);
  }

  list(host: Host): void {
    this.line.push(host.spot);
    for (const key of new Set(host.offer.warm)) {
      let line = this.warm.get(key);
      if (!line) this.warm.set(key, (line = new Heap()));
      const spot = new Node(host, host.spot.score, 0);
      host.warm.push({ key, spot });
      line.push(spot);
    }
  }

  unlist(host: Host): void {
    this.line.remove(host.spot);
    for (const { key, spot } of host.warm) {
      const line = this.warm.get(key)!;
      line.remove(spot);
      if (line.size === 0) this.warm.delete(key);
    }
    host.warm = [];
  }
}

/** All hosts, in classes. A class is there as long as it has a host, whether free or not. */
export class Classes {
  readonly hosts = new Map<string, Host>();
  readonly all = new Map<string, HostClass>();
  readonly predicates = new Predicates<Host>(this.hosts);
  private steps = 0;

  /** @param on hears of each new class, of each that has a free slot where none was, and of each that is gone */
  constructor(
    private readonly ledger: Ledger,
    private readonly on: { made(home: HostClass): void; free(home: HostClass): void; gone(home: HostClass): void },
  ) {}

  /** A host came or changed. O(1) when neither its attributes nor its free slots did, O(log hosts) when only these did. */
  put(offer: Offer): void {
    const host = this.hosts.get(offer.resource);
    if (host && sameClass(host.offer, offer)) {
      const listed = host.free > 0;
      const relist = listed && (offer.free <= 0 || !sameKeys(host.offer.warm, offer.warm));
      if (relist) host.home.unlist(host);
      host.offer = offer;
      host.free = offer.free;
      if (offer.free > 0 && (!listed || relist)) this.list(host, !listed);
      return;
    }
    if (host) {
      const listed = host.free > 0;
      this.leave(host);
      host.offer = offer;
      host.free = offer.free;
      this.enter(host, !listed);
    } else {
      const came = new Host(offer);
      this.hosts.set(offer.resource, came);
      this.enter(came, true);
    }
  }

  remove(resource: string): void {
    const host = this.hosts.get(resource);
    if (!host) return;
    this.leave(host);
    this.hosts.delete(resource);
    this.tidy();
  }

  /** One of its slots is taken. */
  take(host: Host): void {
    if (--host.free === 0) host.home.unlist(host);
  }

  /** Takes what a group says into use: classes are divided by what they did not differ in before. */
  use(wants: Readonly<Record<string, string>>): Predicate[] {
    return this.predicates.use(wants, (predicate, satisfiedBy) => this.divide(predicate, satisfiedBy));
  }

  disuse(predicates: Iterable<Predicate>): void {
    this.predicates.disuse(predicates);
    this.tidy();
  }

  private tidy(): void {
    if (this.predicates.crowded) this.sweep();
  }

  private list(host: Host, now: boolean): void {
    if (now) host.spot.score = ++this.steps;
    host.home.list(host);
    if (host.home.line.size === 1) this.on.free(host.home);
  }

  private enter(host: Host, now: boolean): void {
    this.predicates.add(host);
    const { blueprint, restricted, door, rank, attributes } = host.offer;
    const made = new HostClass(this.ledger.blueprint(blueprint), restricted, door, rank, this.predicates.satisfied(attributes));
    const home = this.all.get(made.key) ?? made;
    if (home === made) this.keep(home);
    host.home = home;
    home.hosts.add(host);
    if (home === made) this.on.made(home);
    if (host.free > 0) this.list(host, now);
  }

  private leave(host: Host): void {
    this.predicates.remove(host);
    if (host.free > 0) host.home.unlist(host);
    host.home.hosts.delete(host);
    if (host.home.hosts.size === 0) this.drop(host.home);
  }

  private keep(home: HostClass): void {
    this.all.set(home.key, home);
    home.blueprint.classes.add(home);
  }

  private drop(home: HostClass): void {
    if (this.all.get(home.key) === home) this.all.delete(home.key);
    unlink(home.fits, 'home');
    home.fits.length = 0;
    home.blueprint.classes.delete(home);
    this.on.gone(home);
    this.ledger.trimBlueprint(home.blueprint);
  }

  private move(host: Host, to: HostClass): void {
    if (host.free > 0) host.home.unlist(host);
    host.home.hosts.delete(host);
    host.home = to;
    to.hosts.add(host);
    if (host.free > 0) this.list(host, false);
  }

  /** O(hosts that satisfy it), and O(log hosts) for each that has to move: of a class the smaller part does. */
  private divide(predicate: Predicate, satisfiedBy: ReadonlySet<Host>): void {
    const parts = new Map<HostClass, Host[]>();
    for (const host of satisfiedBy) {
      const part = parts.get(host.home);
      if (part) part.push(host);
      else parts.set(host.home, [host]);
    }
    for (const [home, part] of parts) {
      if (part.length === home.hosts.size) {
        this.all.delete(home.key);
        home.satisfied.add(predicate);
        this.all.set(home.key, home);
        continue;
      }
      const other = new HostClass(home.blueprint, home.restricted, home.door, home.rank, new Set(home.satisfied));
      const smaller = part.length * 2 <= home.hosts.size;
      const moving = smaller ? part : [...home.hosts].filter((host) => !satisfiedBy.has(host));
      this.all.delete(home.key);
      (smaller ? other : home).satisfied.add(predicate);
      this.keep(home);
      this.keep(other);
      // Nobody has asked with the new predicate yet: both parts fit what the whole did.
      for (const fit of home.fits) join(other, fit.group, fit.prefer);
      for (const host of moving) this.move(host, other);
    }
  }

  /** Forgets predicates that nobody uses; classes that differed in nothing else become one. O(hosts log hosts) at worst. */
  private sweep(): void {
    this.predicates.sweep();
    const classes = [...this.all.values()];
    this.all.clear();
    for (const home of classes) {
      for (const predicate of home.satisfied) if (predicate.users === 0) home.satisfied.delete(predicate);
      const same = this.all.get(home.key);
      if (!same) {
        this.all.set(home.key, home);
        continue;
      }
      for (const host of [...home.hosts]) this.move(host, same);
      this.drop(home);
    }
  }
}

const sameClass = (a: Offer, b: Offer) => a.blueprint === b.blueprint && a.restricted === b.restricted && a.door === b.door && a.rank === b.rank && sameAttributes(a.attributes, b.attributes);

function sameAttributes(a: Offer['attributes'], b: Offer['attributes']): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

const sameKeys = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((key, i) => key === b[i]);
