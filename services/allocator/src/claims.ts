import { derivedId, type LeaseRequest, type ResourceEvent } from '@berth/contracts';
import type { Aggregates, Follower, Runtime } from '@berth/runtime';
import { blueprints } from './blueprints/index.js';
import { Placement } from './domain/placement.js';
import { reasonToWait, type Host } from './domain/reason.js';
import type { Resource, ResourceCommand } from './domain/resource.js';
import type { Views } from './views.js';

export type Resources = Aggregates<Resource, ResourceCommand, ResourceEvent>;

/** How long a request may wait before its reason is written down: most are served long before. */
const EXPLAIN_AFTER_MS = 500;
/** Told in one go; the rest comes next time. A long queue must not cost the service its time. */
const EXPLAIN_AT_ONCE = 50;

/** Claims and frees on one host that wait for its next commit. */
interface Turn {
  claim: Map<string, string>;
  free: Set<string>;
  busy: boolean;
}

/**
 * Brings host requests and free slots together. Plans over the views; a plan counts once its claim is committed on the
 * resource, and whatever was left out by then is planned again. All that is due on a host goes in one commit, so a busy
 * host costs no more writes than an idle one.
 */
export class Claims {
  private readonly placement = new Placement();
  private readonly turns = new Map<string, Turn>();
  private readonly hosts = new Set<string>();
  /** leases whose claim is on its way */
  private readonly planned = new Set<string>();
  /** leases that were waiting when reasons were last written down */
  private readonly waited = new Set<string>();
  /** leases whose reason is on its way */
  private readonly telling = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private planning = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.explain(), EXPLAIN_AFTER_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A lease changed: it joins the queue, or leaves it. */
  noteLease(id: string): void {
    const lease = this.views.leases.get(id);
    if (lease?.status !== 'pending' || lease.request.type !== 'host') {
      this.placement.withdraw(id);
      return;
    }
    if (this.planned.has(id)) return;
    const { owner, attributes, blueprints, priority } = lease.request;
    this.placement.request({ lease: id, owner, attributes, blueprints, priority, order: lease.order });
  }

  /** A resource changed: its free slots are offered, unless it can't be used. */
  noteResource(id: string): void {
    const resource = this.resources.get(id)?.state;
    if (!resource || resource.status === 'none' || resource.status === 'destroyed') {
      this.hosts.delete(id);
      this.placement.remove(id);
      return;
    }
    if (resource.info.type !== 'host') return;
    this.hosts.add(id);
    const usable = resource.status === 'active' && resource.unreachable === undefined;
    // What a turn under way frees is free only once it is committed; what it claims is taken already.
    const planned = [...(this.turns.get(id)?.claim.keys() ?? [])].filter((lease) => !holds(resource, lease)).length;
    const blueprint = blueprints[resource.info.blueprint];
    this.placement.offer({
      resource: id,
      blueprint: resource.info.blueprint,
      attributes: resource.info.attributes,
      free: usable ? Math.max(0, resource.info.slots - resource.claims.size - planned) : 0,
      rank: blueprint.type === 'host' ? blueprint.rank : 0,
    });
  }

  /** Gives back what a lease holds on a host. */
  free(resource: string, lease: string): void {
    this.turnOf(resource).free.add(lease);
    this.take(resource);
  }

  /** Plans all that can be placed now; once per burst of events. */
  plan(): void {
    if (this.planning) return;
    this.planning = true;
    queueMicrotask(() => {
      this.planning = false;
      for (let pair = this.placement.next(); pair; pair = this.placement.next()) {
        this.turnOf(pair.resource).claim.set(pair.wanted.lease, pair.wanted.owner);
        this.planned.add(pair.wanted.lease);
        this.take(pair.resource);
      }
    });
  }

  private turnOf(resource: string): Turn {
    let turn = this.turns.get(resource);
    if (!turn) this.turns.set(resource, (turn = { claim: new Map(), free: new Set(), busy: false }));
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
      const claim = [...turn.claim].filter(([lease]) => this.views.leases.get(lease)?.status === 'pending').map(([lease, owner]) => ({ lease, owner }));
      const inTurn = [...turn.claim.keys()];
      const free = [...turn.free];
      const cause = derivedId(resource, `slots ${this.resources.get(resource)?.revision ?? 0} ${[...free, ...claim.map((c) => c.lease)].join()}`);
      try {
        const answer = await this.resources.handle(resource, { type: 'Slots', claim, free }, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
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
      for (const lease of inTurn) {
        turn.claim.delete(lease);
        this.planned.delete(lease);
        if (!state || !holds(state, lease)) this.noteLease(lease);
      }
      this.noteResource(resource);
      this.plan();
    }
    turn.busy = false;
    this.turns.delete(resource);
  }

  /** Writes down why requests wait, where that has changed. */
  private explain(): void {
    let told = 0;
    const hosts = [...this.hosts].flatMap((id): Host[] => {
      const state = this.resources.get(id)?.state;
      return state && state.status !== 'none' && state.status !== 'destroyed' ? [state] : [];
    });
    // Many requests want the same: what keeps one of them waiting is looked for once.
    const reasons = new Map<string, string>();
    const reasonOf = (request: LeaseRequest): string => {
      const wants = JSON.stringify([request.attributes, request.blueprints]);
      const reason = reasons.get(wants) ?? reasonToWait(request, hosts);
      reasons.set(wants, reason);
      return reason;
    };
    for (const id of this.placement.waiting()) {
      if (told >= EXPLAIN_AT_ONCE) break;
      const lease = this.views.leases.get(id);
      if (!lease) continue;
      if (!this.waited.has(id)) {
        this.waited.add(id);
        continue;
      }
      const reason = reasonOf(lease.request);
      if (reason === lease.explained || this.telling.has(id)) continue;
      told++;
      this.telling.add(id);
      this.runtime.bus
        .command('lease', 'ExplainLease', { lease: id, reason }, { id: derivedId(id, `explain ${this.follower().position} ${reason}`), actor: 'allocator', patienceMs: 10_000 })
        .catch((error: unknown) => this.runtime.log.warn({ error, lease: id }, 'reason not delivered'))
        .finally(() => this.telling.delete(id));
    }
    for (const id of this.waited) if (this.views.leases.get(id)?.status !== 'pending') this.waited.delete(id);
  }
}

const holds = (resource: Resource, lease: string): boolean => 'claims' in resource && [...resource.claims.values()].includes(lease);
