import { derivedId, rejected, type Answer, type CommandData, type Explanation, type LeaseRequest } from '@berth/contracts';
import type { Command, Follower, Runtime } from '@berth/runtime';
import type { Catalogue } from './catalogue.js';
import type { Claims } from './claims.js';
import type { Derived } from './derived.js';
import type { Doors } from './doors.js';
import type { LiveBlueprint } from './domain/blueprint.js';
import { groundsOf } from './domain/derived.js';
import { explain, type FleetView } from './domain/explain.js';
import { ownerLimit } from './domain/fleet.js';
import type { FleetViews } from './fleet-views.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { Takeovers } from './takeovers.js';
import type { LeaseView, Views } from './views.js';

/** How long a request may wait before its reason is written down: most are served long before. */
const EXPLAIN_AFTER_MS = 500;
/** Written down in one go; the rest comes next time. A long queue must not cost the service its time. */
const EXPLAIN_AT_ONCE = 50;
/** Spent on working reasons out, each time. One takes some 5 ms with 10,000 hosts (`npm run bench -- placement`). */
const REFRESH_MS = 25;

/** Says why requests wait, what would become of one that was not made yet, and refuses those that are not to wait. */
export class Why {
  private timer: NodeJS.Timeout | undefined;
  /** leases that were waiting when reasons were last written down */
  private readonly waited = new Set<string>();
  /** by what is wanted: the reason, when it was worked out last, and a lease that wants it */
  private readonly known = new Map<string, { lease: string; at: number; said?: Explanation }>();
  /** leases whose reason is on its way */
  private readonly telling = new Set<string>();
  /** new requests: those that nothing could ever serve are refused */
  private readonly fresh = new Set<string>();
  /** leases that were seen waiting before this process was live, or may wait */
  private readonly admitted = new Set<string>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly catalogue: Catalogue,
    private readonly doors: Doors,
    private readonly room: Room,
    private readonly claims: Claims,
    private readonly derived: Derived,
    private readonly takeovers: Takeovers,
    private readonly fleets: FleetViews,
    private readonly peers: Peers,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.tellAll(), EXPLAIN_AFTER_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A lease changed: a new request is judged once what can be placed has been. */
  note(id: string): void {
    const lease = this.views.leases.get(id);
    if (lease?.request.exclusive) return; // passes the queue by
    if (lease?.status !== 'pending') {
      this.fresh.delete(id);
      this.admitted.delete(id);
    } else if (!this.admitted.has(id) && lease.explained === undefined && lease.request.wait !== 'always' && this.peers.mine(id)) this.fresh.add(id);
  }

  /** After a plan: who was not placed and is not to wait is refused at once. */
  judge(): void {
    if (this.fresh.size === 0) return;
    let fleet: FleetView | undefined;
    const verdicts = new Map<string, Explanation>();
    for (const id of this.fresh) {
      const lease = this.views.leases.get(id);
      // Its claim is on its way. One that fails brings it back into the queue, and here.
      if (lease?.status === 'pending' && !this.views.claims.has(id) && lease.request.type === 'host' && !this.claims.placement.has(id)) continue;
      this.fresh.delete(id);
      if (lease?.status !== 'pending' || this.views.claims.has(id)) continue;
      const { request } = lease;
      if (this.mayWait(id, request)) {
        this.admitted.add(id);
        continue;
      }
      fleet ??= this.fleets.now();
      const wants = JSON.stringify([request.type, request.owner, request.project, request.attributes, request.blueprints, request.wait]);
      const said = verdicts.get(wants) ?? this.explain(request, fleet, 0, { projects: ownProject(request) });
      verdicts.set(wants, said);
      if (said.verdict === 'never' || (request.wait === 'no' && request.type === 'host')) this.refuse(id, said);
      else this.admitted.add(id);
    }
  }

  /** The usual case, mostly decided without a look at the fleet: it may wait, and a host that fits it, or what it would stand on, is there. */
  private mayWait(id: string, request: LeaseRequest): boolean {
    if (request.wait === 'no') return false;
    // Whoever waits for a lease of his own choice waits for nothing that a blueprint could give.
    if (request.type !== 'host') return request.host !== undefined || this.standing(this.catalogue.open(request), request).length > 0;
    return this.fitsNow(id) && this.allows(request.owner);
  }

  /** Those of some blueprints that could have what they would stand on, now or later; all of them for who waits whatever there is. */
  standing(blueprints: readonly LiveBlueprint[], request: LeaseRequest): readonly LiveBlueprint[] {
    if (request.host) return blueprints;
    let fleet: FleetView | undefined;
    const could = blueprints.filter(({ spec }) => groundsOf(spec, request).every(({ request: ground }) => this.fitsSome(ground) || this.explain(ground, (fleet ??= this.fleets.now()), 0).verdict !== 'never'));
    return could.length === 0 && request.wait === 'always' ? blueprints : could;
  }

  /** The usual case, decided without a look at the fleet: a host that fits is there. */
  private fitsSome(request: LeaseRequest): boolean {
    if (request.type !== 'host' || !this.allows(request.owner)) return false;
    return this.asIfQueued(request, (lease) => this.fitsNow(lease));
  }

  private fitsNow(lease: string): boolean {
    return this.claims.placement.fitsSome(lease, (blueprint) => this.catalogue.get(blueprint)?.disabled === undefined);
  }

  private allows(owner: string): boolean {
    const { quota } = this.room;
    return quota.hosts !== 0 && ownerLimit(quota, owner) !== 0;
  }

  async consider(command: Command<CommandData<'allocator', 'ConsiderLease'>>): Promise<Answer> {
    const { request, lease, projects } = command.data;
    const view = lease === undefined ? undefined : this.views.leases.get(lease);
    if (lease !== undefined && view?.status !== 'pending') return rejected('lease-ended', 'The lease does not wait.', [{ field: 'data.lease', message: view ? `is ${view.status}: only a lease that waits can be explained from the present` : 'is not the id of a lease that waits' }]);
    const takeover = lease === undefined ? undefined : this.takeovers.explanationOf(lease);
    if (takeover) return { accepted: true, id: command.id, data: view ? withDeadline(takeover, view) : takeover };
    const wanted = request ?? view!.request;
    const ahead = lease !== undefined && this.claims.placement.has(lease) ? this.claims.placement.ahead(lease) : this.aheadOf(wanted);
    const explanation = this.explain(wanted, this.fleets.now(), ahead, { lease, projects });
    return { accepted: true, id: command.id, data: view ? withDeadline(explanation, view) : explanation };
  }

  /** Requests that wait and would come before a new one for the same hosts. */
  private aheadOf(request: LeaseRequest): number {
    return request.type === 'host' ? this.asIfQueued(request, (lease) => this.claims.placement.ahead(lease)) : 0;
  }

  /** Looks at the queue with a request in it that was not made. */
  private asIfQueued<T>(request: LeaseRequest, look: (lease: string) => T): T {
    const lease = derivedId('considered', JSON.stringify(request));
    const { placement } = this.claims;
    const { owner, attributes, prefer, blueprints, priority } = request;
    placement.request({ lease, owner, attributes, prefer, blueprints, may: this.doors.may(request), priority, askedAt: Date.now(), order: Number.MAX_SAFE_INTEGER });
    try {
      return look(lease);
    } finally {
      placement.withdraw(lease);
    }
  }

  /** Writes down why requests wait, where that has changed. */
  private tellAll(): void {
    const fresh = this.tellKnown();
    this.refresh();
    if (fresh) this.tellKnown();
  }

  /** Writes down the reasons that are known. True when something is waited for that has none yet. */
  private tellKnown(): boolean {
    let told = 0;
    let fresh = false;
    const kept = new Set<string>();
    for (const [id, lease] of this.waiting()) {
      if (!this.peers.mine(id)) continue;
      if (!this.waited.has(id)) {
        this.waited.add(id);
        if (lease.explained === undefined) continue;
      }
      const wants = this.wantsOf(id, lease.request);
      kept.add(wants);
      const known = this.known.get(wants);
      if (!known) {
        fresh = true;
        this.known.set(wants, { lease: id, at: 0 });
      } else if (!this.views.leases.has(known.lease)) known.lease = id;
      if (!known?.said || known.said.reason === lease.explained || told >= EXPLAIN_AT_ONCE || this.telling.has(id)) continue;
      told++;
      this.telling.add(id);
      this.send('ExplainLease', id, { ...known.said, ahead: this.claims.placement.has(id) ? this.claims.placement.ahead(id) : 0 });
    }
    for (const wants of this.known.keys()) if (!kept.has(wants)) this.known.delete(wants);
    for (const id of this.waited) if (this.views.leases.get(id)?.status !== 'pending') this.waited.delete(id);
    return fresh;
  }

  /** Works reasons out anew, the oldest first, for a little while: a large fleet must not cost the service its time. */
  private refresh(): void {
    if (this.known.size === 0) return;
    const begun = performance.now();
    const fleet = this.fleets.now();
    for (const [wants, known] of [...this.known].sort(([, a], [, b]) => a.at - b.at)) {
      const lease = this.views.leases.get(known.lease);
      if (lease) this.known.set(wants, { lease: known.lease, at: performance.now(), said: this.explain(lease.request, fleet, 0, { lease: known.lease, projects: ownProject(lease.request) }) });
      if (performance.now() - begun > REFRESH_MS) return;
    }
  }

  /** Names what decides about the reason of a request: the same for all that wait for the same. */
  private wantsOf(id: string, { type, owner, project, attributes, prefer, blueprints, host }: LeaseRequest): string {
    const group = type === 'host' ? this.claims.placement.wantsOf(id) : undefined;
    return group === undefined ? JSON.stringify([type, owner, project, attributes, prefer, blueprints, host?.lease]) : `${group}\n${JSON.stringify([owner, project])}`;
  }

  private *waiting(): IterableIterator<[string, LeaseView]> {
    for (const id of this.claims.placement.waiting()) {
      const lease = this.views.leases.get(id);
      if (lease) yield [id, lease];
    }
    for (const [id, lease] of this.views.leases) if (lease.status === 'pending' && lease.request.type !== 'host') yield [id, lease];
  }

  private refuse(id: string, explanation: Explanation): void {
    if (this.telling.has(id)) return;
    this.telling.add(id);
    this.send('RefuseLease', id, explanation);
  }

  private send(type: 'ExplainLease' | 'RefuseLease', lease: string, explanation: Explanation): void {
    this.runtime.bus
      .command('lease', type, { lease, explanation }, { id: derivedId(lease, `${type} ${this.follower().position} ${explanation.reason}`), actor: 'allocator', after: this.follower().position, ...(type === 'ExplainLease' && { patienceMs: 10_000 }) })
      .catch((error: unknown) => this.runtime.log.warn({ error, lease }, 'reason not delivered'))
      .finally(() => this.telling.delete(lease));
  }

  private explain(request: LeaseRequest, fleet: FleetView, ahead: number, { lease, projects }: { lease?: string | undefined; projects?: readonly string[] | undefined } = {}): Explanation {
    const said = explain(request, { ...this.fleets.withOwner(fleet, request.owner), projects }, { ahead }, Date.now());
    const waiting = lease !== undefined && request.type !== 'host' ? this.waitsFor(lease, request) : undefined;
    return waiting === undefined || said.verdict === 'never' ? said : { ...said, verdict: 'wait', reason: waiting };
  }

  /** What something that stands on a lease waits for, when that is the other lease. */
  private waitsFor(lease: string, request: LeaseRequest): string | undefined {
    if (this.derived.waitsForRoom(lease)) return undefined;
    const on = request.host?.lease;
    const view = on === undefined ? undefined : this.views.leases.get(on);
    return view && view.status !== 'active' ? `the lease that it stands on is ${view.status}${view.explained === undefined ? '' : `: ${view.explained}`}` : undefined;
  }
}

/** What is written down of a request is read by all who see its project, so of holders it names no others. */
const ownProject = ({ project }: LeaseRequest): string[] | undefined => (project === undefined ? undefined : [project]);

/** What waits for so long at most is refused then, if that comes before anything else that is known to come. */
function withDeadline(said: Explanation, { request: { waitAtMost }, askedAt }: LeaseView): Explanation {
  if (waitAtMost === undefined) return said;
  const by = new Date(askedAt + waitAtMost).toISOString();
  return said.by !== undefined && Date.parse(said.by) <= Date.parse(by) ? said : { ...said, next: `${said.next}; the request is refused if it still waits then`, by };
}
