import { derivedId, type Answer, type ResourceEvent } from '@berth/contracts';
import { traceOf, within, type Aggregates, type Follower, type Runtime } from '@berth/runtime';
import type { Catalogue } from './catalogue.js';
import { VERSION_DOOR, type Doors } from './doors.js';
import { Placement } from './domain/placement/placement.js';
import { claimable, type LiveResource, type Resource, type ResourceCommand, type SlotClaim } from './domain/resource.js';
import { FLEET, ownerLimit, type SlotRoom } from './domain/fleet.js';
import type { Images } from './images.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { Views } from './views.js';

export type Resources = Aggregates<Resource, ResourceCommand, ResourceEvent>;

/** Keys that a host stays warm for. */
const WARM = 8;
/** A pair that falls to another allocator is given up when its claim is not seen after so long. */
const FOREIGN_MS = 1500;
/** Before claims that all came to nothing are planned again. */
const LOST_MS = 20;

/** Claims and frees on one host that wait for its next commit. */
interface Turn {
  claim: Map<string, SlotClaim>;
  /** leases for which this turn set room aside: another process may have set aside that of the rest, and be about to use it */
  reserved: Set<string>;
  free: Set<string>;
  busy: boolean;
}

/**
 * Brings host requests and free slots together. Plans over the views; a plan counts once its claim is committed on the
 * resource, and whatever was left out by then is planned again. All that is due on a host goes in one commit, so a busy
 * host costs no more writes than an idle one.
 *
 * Every allocator makes the whole plan, from the same events, so that order and shares hold over all requests; each
 * commits what falls on its own hosts, and waits for the others to commit theirs.
 */
export class Claims {
  readonly placement = new Placement();
  private readonly turns = new Map<string, Turn>();
  /** leases whose claim is on its way, by lease: on which host, and whether another process is to commit it */
  private readonly planned = new Map<string, { resource: string; foreign?: NodeJS.Timeout }>();
  private readonly plannedOn = new Map<string, Set<string>>();
  /** by host: the keys it served last, newest first */
  private readonly warm = new Map<string, string[]>();
  /** waiting leases whose room was given back unused: they join the queue again */
  private readonly returned = new Set<string>();
  /** leases with a claim that a limit applies to and no room: the limit was set while the claim was on its way */
  private readonly uncounted = new Map<string, SlotRoom>();
  private planning = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly doors: Doors,
    private readonly room: Room,
    private readonly images: Images,
    private readonly peers: Peers,
    /** all that could be placed has been */
    private readonly onPlanned: () => void,
  ) {}

  stop(): void {
    for (const { foreign } of this.planned.values()) clearTimeout(foreign);
  }

  /** Limits or permissions changed: everything that waits is looked at by the new ones. */
  noteLimits(): void {
    const { quota } = this.room;
    this.placement.limit({
      ...(quota.hosts !== undefined && { hosts: quota.hosts }),
      owner: (owner) => ownerLimit(quota, owner),
      blueprint: (name) => {
        const limits = this.catalogue.get(name)?.spec.limits;
        return { ...(limits?.leases !== undefined && { leases: limits.leases }), ...(limits?.leasesPerOwner !== undefined && { leasesPerOwner: limits.leasesPerOwner }) };
      },
    });
  }

  notePermissions(): void {
    for (const id of [...this.placement.waiting()]) {
      this.placement.withdraw(id);
      this.noteLease(id);
    }
    for (const [id] of this.resources.entries()) this.noteResource(id);
  }

  /** A lease changed: it joins the queue, or leaves it. */
  noteLease(id: string): void {
    const lease = this.views.leases.get(id);
    if (lease?.status !== 'pending' || lease.request.type !== 'host' || lease.request.exclusive || this.views.claims.has(id)) {
      this.placement.withdraw(id);
      return;
    }
    if (this.planned.has(id)) return;
    const { owner, attributes, prefer, blueprints, priority, affinity } = lease.request;
    if (this.placement.has(id)) this.placement.reprioritise(id, priority);
    else this.placement.request({ lease: id, owner, attributes, prefer, blueprints, may: this.doors.may(lease.request), priority, askedAt: lease.askedAt, order: lease.order, ...(affinity !== undefined && { affinity }) });
  }

  /** What a commit says of who holds what. */
  noteClaims(resource: string, events: readonly ResourceEvent[]): void {
    const state = this.resources.get(resource)?.state;
    if (!state || state.status === 'none' || state.info.type !== 'host') return;
    for (const event of events) {
      if (event.type === 'SlotClaimed') {
        const { lease, owner, affinity } = event.data;
        // Nobody's share: the machine is being repaired.
        if (this.views.leases.get(lease)?.request.exclusive) continue;
        this.settle(lease);
        this.placement.withdraw(lease);
        this.placement.claimed(lease, { owner, blueprint: state.info.blueprint });
        const room = { lease, owner, blueprint: state.info.blueprint, host: true };
        if (!this.room.fleet.slots.has(lease) && this.room.limitsSlots(room)) this.uncounted.set(lease, room);
        if (affinity !== undefined) this.warm.set(resource, [affinity, ...(this.warm.get(resource) ?? []).filter((key) => key !== affinity)].slice(0, WARM));
      } else if (event.type === 'SlotFreed' && !this.views.claims.has(event.data.lease) && !this.room.fleet.slots.has(event.data.lease)) this.placement.freed(event.data.lease);
      else if (event.type === 'ResourceDestroyed') this.warm.delete(resource);
    }
  }

  /** Room that was set aside counts as used, and room given back as free. */
  noteRoom(lease: string): void {
    const room = this.room.fleet.slots.get(lease);
    if (room?.host) this.placement.claimed(lease, room);
    else if (!room && !this.views.claims.has(lease) && !this.planned.has(lease)) {
      this.placement.freed(lease);
      if (this.views.leases.get(lease)?.status === 'pending') this.returned.add(lease);
    }
  }

  /** A resource changed: its free slots are offered, unless it can't be used. */
  noteResource(id: string): void {
    const resource = this.resources.get(id)?.state;
    const host = resource && 'claims' in resource && resource.info.type === 'host' ? resource : undefined;
    // Of several claims for one lease the first counts. Seen to here, and not only when one comes: its allocator may be gone.
    for (const lease of host?.claims.values() ?? []) if (this.views.claimOf(lease)?.resource !== id) this.free(id, lease);
    // What is ending or broken will never serve anybody: to wait for it would be to wait for nothing.
    if (!resource || (resource.status !== 'active' && resource.status !== 'pending')) {
      this.placement.remove(id);
      this.mindPlans(id, 0);
      return;
    }
    if (!host) return;
    const blueprint = this.catalogue.get(resource.info.blueprint);
    const standing = this.images.standing(host, blueprint?.spec);
    // Before it ends, only who waited for just this version while it was launched.
    const usable = claimable(resource) && blueprint !== undefined && blueprint.disabled === undefined && !(standing?.is === 'over' && host.uses > 0);
    // A host that is worn ends with its last lease; before that is stored, short leases could come between.
    const most = blueprint?.spec.kind === 'ec2' ? (blueprint.spec.pool.maxUses ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const left = usable ? Math.max(0, Math.min(resource.info.slots - resource.claims.size, most - resource.uses)) : 0;
    this.mindPlans(id, left);
    // What a turn under way frees is free only once it is committed; what it claims is taken already.
    const planned = this.onTheWay(id).length;
    const door = standing && standing.is !== 'kept' ? VERSION_DOOR : this.doors.of(resource.info.machine)?.door;
    this.placement.offer({
      resource: id,
      blueprint: resource.info.blueprint,
      attributes: resource.info.attributes,
      restricted: blueprint !== undefined && this.catalogue.restricted(blueprint),
      ...(door !== undefined && { door }),
      free: Math.max(0, left - planned),
      rank: blueprint?.spec.rank ?? 0,
      warm: this.warm.get(id) ?? [],
    });
  }

  /** Claims on a host that are planned and not there yet. */
  onTheWay(id: string): string[] {
    const resource = this.resources.get(id)?.state;
    return [...(this.plannedOn.get(id) ?? [])].filter((lease) => !resource || !holds(resource, lease));
  }

  /** Plans that others were to carry out: taken over when the host falls to us, given up when it has no slot for them any more. */
  private mindPlans(id: string, left: number): void {
    const open = this.onTheWay(id);
    const foreign = open.filter((lease) => this.planned.get(lease)?.foreign);
    if (foreign.length === 0) return;
    const kept = Math.max(0, foreign.length - Math.max(0, open.length - left));
    for (const lease of foreign.slice(kept)) this.drop(lease);
    if (!this.peers.mine(id)) return;
    for (const lease of foreign.slice(0, kept)) {
      const request = this.views.leases.get(lease)?.request;
      this.settle(lease);
      if (request) this.begin({ lease, owner: request.owner, ...(request.affinity !== undefined && { affinity: request.affinity }) }, id);
      else this.placement.freed(lease);
    }
  }

  /** Gives back what a lease holds on a host. */
  free(resource: string, lease: string): void {
    if (!this.peers.mine(resource)) return;
    this.turnOf(resource).free.add(lease);
    this.take(resource);
  }

  /**
   * Plans all that can be placed now. After every single event and not once per burst: bursts are cut differently in each
   * process, and with them the plans would differ (of 100 leases 9 had two claims for a moment, with three processes).
   */
  plan(): void {
    if (this.planning) return;
    this.planning = true;
    for (const lease of this.returned) this.noteLease(lease);
    this.returned.clear();
    this.countLate();
    for (let pair = this.placement.next(); pair; pair = this.placement.next()) this.begin(pair.wanted, pair.resource);
    this.planning = false;
    this.onPlanned();
  }

  /** What is in use counts, also when its claim was on its way as the limit was set. */
  private countLate(): void {
    if (this.uncounted.size === 0) return;
    const late = [...this.uncounted.values()].filter(({ lease }) => this.views.claims.has(lease));
    this.uncounted.clear();
    if (this.peers.mine(FLEET)) this.room.adopt(late, []);
  }

  private begin({ lease, owner, affinity }: { lease: string; owner: string; affinity?: string }, resource: string): void {
    const others = this.plannedOn.get(resource);
    if (others) others.add(lease);
    else this.plannedOn.set(resource, new Set([lease]));
    if (this.peers.mine(resource)) {
      this.planned.set(lease, { resource });
      this.turnOf(resource).claim.set(lease, { lease, owner, ...(affinity !== undefined && { affinity }) });
      this.take(resource);
      return;
    }
    const foreign = setTimeout(() => this.giveUp(lease), FOREIGN_MS);
    foreign.unref();
    this.planned.set(lease, { resource, foreign });
  }

  /** The claim of a planned lease is there, or will not come. */
  private settle(lease: string): void {
    const plan = this.planned.get(lease);
    if (!plan) return;
    clearTimeout(plan.foreign);
    this.planned.delete(lease);
    const others = this.plannedOn.get(plan.resource);
    others?.delete(lease);
    if (others?.size === 0) this.plannedOn.delete(plan.resource);
  }

  private giveUp(lease: string): void {
    const resource = this.planned.get(lease)?.resource;
    this.drop(lease);
    if (resource !== undefined) this.noteResource(resource);
    this.plan();
  }

  /** A plan came to nothing: its lease waits again. One with room that is set aside waits until that is used or given back: it counts until then. */
  private drop(lease: string): void {
    this.settle(lease);
    if (this.views.claims.has(lease)) return;
    const room = this.room.fleet.slots.get(lease);
    if (room) {
      this.placement.claimed(lease, room);
      return;
    }
    this.placement.freed(lease);
    this.noteLease(lease);
  }

  private turnOf(resource: string): Turn {
    let turn = this.turns.get(resource);
    if (!turn) this.turns.set(resource, (turn = { claim: new Map(), reserved: new Set(), free: new Set(), busy: false }));
    return turn;
  }

  private take(resource: string): void {
    const turn = this.turnOf(resource);
    if (turn.busy) return;
    turn.busy = true;
    // After the microtasks of this event, so that what one burst of events makes due shares a commit.
    queueMicrotask(() => {
      this.commit(resource, turn).catch((error: unknown) => this.runtime.log.error({ error, resource }, 'claims could not be committed'));
    });
  }

  private async commit(resource: string, turn: Turn): Promise<void> {
    while (turn.claim.size + turn.free.size > 0) {
      const inTurn = [...turn.claim.keys()];
      const free = [...turn.free];
      try {
        const claim = await this.admitted(resource, turn);
        const cause = derivedId(resource, `slots ${this.resources.get(resource)?.revision ?? 0} ${[...free, ...claim.map((c) => c.lease)].join()}`);
        const answer = await this.placed(resource, claim, free, () => this.resources.handle(resource, { type: 'Slots', claim, free }, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() }));
        if (answer.accepted && answer.position) await this.follower().reached(answer.position);
      } catch (error) {
        if (this.runtime.connection.isClosed()) return;
        // The store is away and may have taken the claims all the same: planned elsewhere, a lease could end up with two slots.
        this.runtime.log.warn({ error, resource }, 'claims not known to be committed, tried again');
        await new Promise((resolve) => setTimeout(resolve, 200));
        continue;
      }
      const state = this.resources.get(resource)?.state;
      for (const lease of free) if (!state || !holds(state, lease)) turn.free.delete(lease);
      const lost = inTurn.filter((lease) => !state || !holds(state, lease));
      // All for nothing, so perhaps nothing was written either: without a pause the same plan would be made again at once, for ever.
      if (lost.length > 0 && lost.length === inTurn.length) await new Promise((resolve) => setTimeout(resolve, LOST_MS));
      for (const lease of inTurn) {
        turn.claim.delete(lease);
        if (lost.includes(lease)) this.drop(lease);
      }
      // Room without a claim would keep its owner from the next one.
      this.room.give(lost.filter((lease) => turn.reserved.has(lease) && !this.views.claims.has(lease)));
      for (const lease of inTurn) turn.reserved.delete(lease);
      this.noteResource(resource);
      this.plan();
    }
    turn.busy = false;
    this.turns.delete(resource);
  }

  /** Each lease that gets a slot has the span of its placement in its own trace: from its request to the claim. The commit is in that of the first. */
  private async placed(resource: string, claim: readonly SlotClaim[], free: readonly string[], store: () => Promise<Answer>): Promise<Answer> {
    const { tracing } = this.runtime;
    if (!tracing) return store();
    const spans = claim.map(({ lease }) => {
      const view = this.views.leases.get(lease);
      return tracing.start({ name: 'placement', parent: traceOf(lease), attributes: { 'berth.lease': lease, 'berth.resource': resource }, ...(view && { began: view.askedAt }) });
    });
    let fault: string | undefined = 'not known to be stored';
    try {
      const answer = await within(spans[0]?.traceparent ?? (free[0] === undefined ? undefined : traceOf(free[0])), store, false);
      fault = answer.accepted ? undefined : answer.message;
      return answer;
    } finally {
      for (const span of spans) span.end(fault);
    }
  }

  /** Those that still want a slot and have room under the limits. */
  private async admitted(resource: string, { claim, reserved }: Turn): Promise<SlotClaim[]> {
    const state = this.resources.get(resource)?.state;
    const wanted = [...claim.values()].filter(({ lease }) => this.views.leases.get(lease)?.status === 'pending' && !this.views.claims.has(lease));
    if (wanted.length === 0 || !state || state.status === 'none') return [];
    const rooms = wanted.map(({ lease, owner }) => ({ lease, owner, blueprint: state.info.blueprint, host: true }));
    if (!rooms.some((room) => this.room.limitsSlots(room))) return wanted;
    for (const { lease } of rooms) if (!this.room.fleet.slots.has(lease)) reserved.add(lease);
    const { slots } = await this.room.take(rooms);
    return wanted.filter(({ lease }) => slots.has(lease) && this.views.leases.get(lease)?.status === 'pending');
  }
}

const holds = (resource: Resource, lease: string): boolean => 'claims' in resource && [...(resource as LiveResource).claims.values()].includes(lease);
