import { bootedFrom, derivedId } from '@berth/contracts';
import { tellUntilStored, type Follower, type Runtime } from '@berth/runtime';
import { launchers } from './blueprints/index.js';
import type { Launcher } from './blueprints/blueprint.js';
import { poolNow, type Catalogue } from './catalogue.js';
import type { Claims, Resources } from './claims.js';
import type { Wanted } from './domain/placement/placement.js';
import { mayLaunch, plan, roomOf, type Demand, type Keeping, type Plan, type Stock, type Supply } from './domain/demand.js';
import { refusedOf, type LiveBlueprint } from './domain/blueprint.js';
import type { Bootable } from './domain/images.js';
import { isLaunched, claimable, type LiveResource } from './domain/resource.js';
import type { Images } from './images.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { Views } from './views.js';

/** Ages and schedules are looked at so often. */
const TICK_MS = 1000;
/** What is wanted is looked at once per burst of events. */
const SETTLE_MS = 10;

/** Keeps as many launched hosts as are wanted: what requests wait for, and what pools keep idle; and ends the rest. */
export class Pools {
  private timer: NodeJS.Timeout | undefined;
  private soon: NodeJS.Timeout | undefined;
  private busy = false;
  private stopped = false;
  /** by blueprint and instance type: attributes found on the host launched last */
  private readonly learnt = new Map<string, Record<string, string>>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly claims: Claims,
    private readonly images: Images,
    private readonly peers: Peers,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(), TICK_MS);
    this.timer.unref();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
    clearTimeout(this.soon);
  }

  /** Something changed that may change what is wanted. */
  look(): void {
    if (this.soon || this.stopped || !this.elastic().next().value) return;
    this.soon = setTimeout(() => {
      this.soon = undefined;
      if (this.busy) return;
      this.busy = true;
      this.act()
        .catch((error: unknown) => {
          if (!this.stopped && !this.runtime.connection.isClosed()) this.runtime.log.warn({ error }, 'launches not begun, tried again');
        })
        .finally(() => {
          this.busy = false;
        });
    }, SETTLE_MS);
    this.soon.unref();
  }

  /** Remembers what a launched host turned out to be: the next one of its type will be the same. */
  learn(id: string): void {
    const state = this.resources.get(id)?.state;
    if (state?.status !== 'active' || !isLaunched(state) || state.info.booted?.test) return;
    // What it was booted from is known of the next one before it is launched.
    const { [bootedFrom.image]: _, [bootedFrom.version]: __, ...attributes } = state.info.attributes;
    this.learnt.set(`${state.info.blueprint} ${attributes['instanceType'] ?? ''}`, attributes);
  }

  *elastic(): IterableIterator<LiveBlueprint & { spec: { kind: 'ec2' } }> {
    for (const blueprint of this.catalogue.all()) if (blueprint.spec.kind === 'ec2') yield blueprint as LiveBlueprint & { spec: { kind: 'ec2' } };
  }

  /** Attributes of what a blueprint could launch, best first; `now`: without what is refused at the moment. */
  offers(blueprint: LiveBlueprint, now?: number): Record<string, string>[] {
    const { spec } = blueprint;
    const image = this.images.of(spec)?.channel;
    if (typeof image !== 'string') return this.offersOf(blueprint, image, now);
    // It fails, and says why: what is known of it is what the image is called.
    const named = spec.kind === 'ec2' && 'name' in spec.image ? { [bootedFrom.image]: spec.image.name } : {};
    return this.offersOf(blueprint, undefined, now).map(({ [bootedFrom.version]: _, ...attributes }) => ({ ...attributes, ...named }));
  }

  /** The same of versions under test; each with when it is launched again, and why not before, where it has failed. */
  tests(blueprint: LiveBlueprint, now?: number): { attributes: Record<string, string>; failed?: { until: string; reason: string } }[] {
    const { tests = [] } = this.images.of(blueprint.spec) ?? {};
    return tests.flatMap((image) => {
      const apart = blueprint.apart.get(image.version);
      const failed = apart && { until: apart.again, reason: apart.error };
      return this.offersOf(blueprint, image, now).map((attributes) => ({ attributes, ...(failed && { failed }) }));
    });
  }

  private offersOf(blueprint: LiveBlueprint, image: Bootable | undefined, now: number | undefined): Record<string, string>[] {
    const { spec } = blueprint;
    const launcher = launchers[spec.kind] as Launcher | undefined;
    if (!launcher || spec.kind !== 'ec2') return [];
    const refused = refusedOf(blueprint, image?.version);
    return launcher
      .offers(spec)
      .filter(({ name }) => now === undefined || Date.parse(refused.get(name)?.until ?? '1970-01-01') <= now)
      .map(({ attributes }) => ({ ...this.learnt.get(`${spec.name} ${attributes['instanceType'] ?? ''}`), ...attributes, ...attributesOf(image) }));
  }

  private async act(): Promise<void> {
    await this.followImages();
    const now = Date.now();
    const stock: Stock[] = [];
    for (const [id, { state }] of this.resources.entries()) {
      if (state.status === 'none' || state.status === 'destroyed' || !isLaunched(state)) continue;
      const known = this.stockOf(id, state);
      if (known) stock.push(known);
    }
    const elastic = [...this.elastic()].sort((a, b) => a.spec.rank - b.spec.rank || (a.spec.name < b.spec.name ? -1 : 1));
    const supplies = elastic.map((blueprint) => this.supplyOf(blueprint, stock, now));
    const keeping = new Map(elastic.map(({ spec }) => [spec.name, spec.pool as Keeping]));
    const sources = (wanted: Wanted): string[] => supplies.filter((supply) => mayLaunch(wanted, supply)).map((supply) => supply.blueprint);
    const demands = [...this.claims.placement.demand(sources)].map(({ wanted, count }): Demand => ({ attributes: wanted.attributes, blueprints: wanted.blueprints, may: wanted.may, owner: wanted.owner, count }));
    const { quota } = this.room;
    // What is being ended makes room soon, and what another process is about to make has its room: nothing ends for either.
    // The ledger itself can't say that: it hears of an end a moment after the resource is gone.
    const total = quota.resources === undefined ? Number.POSITIVE_INFINITY : Math.max(0, quota.resources - stock.length);
    const due = plan(demands, supplies, stock, keeping, total, now);
    for (const { resource, reason, idle, sake } of due.end) if (this.peers.mine(`launches of ${sake}`)) this.end(resource, reason, idle);
    await this.launch(due.launch.filter(({ blueprint }) => this.peers.mine(`launches of ${blueprint}`)));
  }

  /** A breaker that was opened for what is not launched any more is closed; a version at fault is taken out of its channel. */
  private async followImages(): Promise<void> {
    for (const blueprint of this.elastic()) {
      if (!blueprint.breaker || !this.peers.mine(`launches of ${blueprint.spec.name}`)) continue;
      if (this.images.isMoved(blueprint)) await this.catalogue.noteMoved(blueprint);
      else this.images.takeBack(blueprint);
    }
  }

  private stockOf(id: string, state: LiveResource): Stock | undefined {
    if (state.status !== 'pending' && state.status !== 'active') return undefined;
    const clock = this.views.clocks.get(id)!;
    const standing = this.images.standing(state, this.catalogue.get(state.info.blueprint)?.spec) ?? { is: 'kept' };
    const onTheWay = this.claims.onTheWay(id).length;
    return {
      resource: id,
      blueprint: state.info.blueprint,
      attributes: state.info.attributes,
      ...(state.info.wanted && { wanted: state.info.wanted }),
      booting: state.status === 'pending',
      busy: state.claims.size + onTheWay,
      slots: state.info.slots,
      idleSince: clock.idleSince,
      activatedAt: clock.activated ?? clock.created,
      uses: state.uses,
      sound: state.status === 'pending' || claimable(state),
      ...(standing.is !== 'kept' && { apart: true }),
      // Whoever waited for just this version gets it first.
      ...(standing.is === 'over' && onTheWay === 0 && { over: standing.reason }),
    };
  }

  private supplyOf(blueprint: LiveBlueprint & { spec: { kind: 'ec2' } }, stock: readonly Stock[], now: number): Supply {
    const { spec, disabled } = blueprint;
    const { minIdle, max } = poolNow(spec.pool, new Date(now));
    const there = [...this.resources.entries()].filter(([, { state }]) => state.status !== 'none' && state.status !== 'destroyed' && state.info.blueprint === spec.name).length;
    const booting = stock.filter((s) => s.blueprint === spec.name && s.booting && !s.apart).length;
    const most = Math.min(max ?? Number.POSITIVE_INFINITY, spec.limits.resources ?? Number.POSITIVE_INFINITY);
    const tests = this.tests(blueprint, now).flatMap(({ attributes, failed }) => (failed && Date.parse(failed.until) > now ? [] : [attributes]));
    return {
      blueprint: spec.name,
      restricted: this.catalogue.restricted(blueprint),
      slots: spec.slots,
      offers: this.offers(blueprint, now),
      room: roomOf(blueprint, most, there, booting, now),
      ...(tests.length > 0 && { tests: { offers: tests, room: roomOf({ disabled }, most, there, booting, now) } }),
      minIdle: disabled === undefined ? minIdle : 0,
    };
  }

  /** Room first, then the resource; its launch follows from that. */
  private async launch(due: Plan['launch']): Promise<void> {
    if (due.length === 0) return;
    const { position } = this.follower();
    const named = due.map((one, i) => ({ ...one, id: derivedId(`${this.peers.own} ${position}`, `launch ${i} ${one.blueprint}`) }));
    const room = await this.room.take([], named.map(({ id, blueprint }) => ({ resource: id, blueprint, launched: true })));
    const answers = await Promise.all(
      named
        .filter(({ id }) => room.launches.has(id))
        .map(async ({ id, blueprint, wants, owner, version: wanted }) => {
          const there = this.catalogue.get(blueprint);
          const booted = there && this.images.bootable(there.spec, wanted);
          // It was removed, or its channel has moved, since that was planned: what is wanted is planned anew.
          if (there?.spec.kind !== 'ec2' || booted === 'none') {
            this.room.give([], [id]);
            return undefined;
          }
          const { spec, version } = there;
          const info = {
            type: 'host', blueprint, name: `${blueprint}-${id.slice(0, 8)}`, slots: spec.slots, version, wanted: { ...wants },
            attributes: { ...spec.attributes, os: spec.platform, remote: 'yes', preallocated: 'no', elastic: 'yes', region: spec.region, ...attributesOf(booted) },
            ...(booted && { booted }),
          } as const;
          const cause = derivedId(id, 'create');
          await this.resources.handle(id, { type: 'Create', activate: false, info }, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
          return this.resources.handle(id, { type: 'Keep', facts: { for: owner } }, { id: derivedId(id, 'for'), actor: 'allocator', cause, at: new Date().toISOString() });
        }),
    );
    for (const answer of answers) if (answer?.accepted && answer.position) await this.follower().reached(answer.position);
  }

  private end(id: string, reason: string, idle: boolean): void {
    const cause = derivedId(id, `end ${this.resources.get(id)?.revision ?? 0}`);
    tellUntilStored(this.runtime, this.resources, id, { type: 'Release', reason, idle }, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}

/** What a host is known to be before it is launched, by what it is booted from. */
const attributesOf = (image: Bootable | undefined): Record<string, string> => (image ? { [bootedFrom.image]: image.image, [bootedFrom.version]: String(image.number) } : {});
