import { derivedId, type CommandInput, type Explanation } from '@berth/contracts';
import { tellUntilStored, type Follower, type Runtime } from '@berth/runtime';
import type { Resources } from './claims.js';
import { whatBars, type Bar } from './domain/takeover.js';
import type { LiveResource, ResourceCommand } from './domain/resource.js';
import type { Hosts } from './hosts.js';
import type { Peers } from './peers.js';
import type { Views } from './views.js';

/** Before an eviction that was not heard of is asked for again. */
const RETRY_MS = 1000;

/**
 * Exclusive leases: the whole of a machine, whatever its state, for hardware jobs. They pass the queue by: the host is
 * reserved for the first that asks, so that nobody else gets a slot, and taken once what is on it has ended. By force, that
 * is ended.
 */
export class Takeovers {
  /** by machine: exclusive leases that wait for it */
  private readonly waiting = new Map<string, Set<string>>();
  private readonly sent = new Set<string>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly hosts: Hosts,
    private readonly peers: Peers,
  ) {}

  stop(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** A lease changed: it waits for a machine, or stands in the way of one that does. */
  lease(id: string): void {
    const view = this.views.leases.get(id);
    const machine = view?.request.exclusive?.machine;
    if (machine !== undefined) {
      if (view?.status === 'pending' && !this.views.claims.has(id)) this.waiting.set(machine, (this.waiting.get(machine) ?? new Set()).add(id));
      else this.forget(machine, id);
      this.look(machine);
    }
    const claim = this.views.claimOf(id);
    if (claim) this.resource(claim.resource);
  }

  /** A host changed. */
  resource(id: string): void {
    const state = this.resources.get(id)?.state;
    if (state && state.status !== 'none' && state.info.machine !== undefined) this.look(state.info.machine);
  }

  private forget(machine: string, lease: string): void {
    const others = this.waiting.get(machine);
    others?.delete(lease);
    if (others?.size === 0) this.waiting.delete(machine);
  }

  /** What is due for a machine. O(what waits for it and is on it). */
  private look(machine: string): void {
    const host = this.hosts.hostOf(machine);
    const state = host === undefined ? undefined : this.resources.get(host)?.state;
    const queue = this.queue(machine);
    if (host === undefined || !state || state.status === 'none' || state.status === 'destroyed') {
      if (!this.hosts.isEnrolled(machine)) for (const lease of queue) if (this.peers.mine(lease)) this.refuse(lease, machine);
      return;
    }
    if (!this.peers.mine(host)) return;
    const { reserved } = state.flags;
    if (reserved && !this.isAlive(reserved.lease) && !holds(state, reserved.lease)) return this.tell(host, { type: 'Unreserve', lease: reserved.lease }, `unreserve ${reserved.lease}`);
    const [first] = queue;
    if (!reserved && first !== undefined) this.tell(host, { type: 'Reserve', lease: first, owner: this.ownerOf(first) }, `reserve ${first}`);
    for (const lease of queue) this.serve(lease, host, state, reserved?.lease);
  }

  private serve(lease: string, host: string, state: LiveResource, next: string | undefined): void {
    const bars = this.barsOf(lease, state, next);
    if (!bars) return this.tell(host, { type: 'TakeOver', lease, owner: this.ownerOf(lease), despite: [...state.claims.values()] }, `take over ${lease}`);
    this.explain(lease, bars.explanation);
    for (const other of bars.evict) this.evict(other, lease, state.info.machine!);
  }

  /** Those that wait for a machine and have it not, in the order they were asked for. */
  private queue(machine: string): string[] {
    const order = (lease: string) => this.views.leases.get(lease)?.order ?? 0;
    return [...(this.waiting.get(machine) ?? [])].filter((lease) => this.views.leases.get(lease)?.status === 'pending' && !this.views.claims.has(lease)).sort((a, b) => order(a) - order(b));
  }

  private isAlive(lease: string): boolean {
    const view = this.views.leases.get(lease);
    return view !== undefined && view.status !== 'ended';
  }

  private ownerOf(lease: string): string {
    return this.views.leases.get(lease)?.request.owner ?? this.views.claimOf(lease)?.owner ?? 'unknown';
  }

  /** Why an exclusive lease waits; undefined when it is none, or does not wait for what is on its machine. */
  explanationOf(lease: string): Explanation | undefined {
    const machine = this.views.leases.get(lease)?.request.exclusive?.machine;
    const state = machine === undefined ? undefined : this.resources.get(this.hosts.hostOf(machine) ?? '')?.state;
    if (!state || state.status === 'none' || state.status === 'destroyed') return undefined;
    return this.barsOf(lease, state, state.flags.reserved?.lease)?.explanation;
  }

  private barsOf(lease: string, state: LiveResource, next: string | undefined): Bar | undefined {
    const { info, status, flags } = state;
    const claims = [...state.claims.values()].map((id) => ({ lease: id, owner: this.ownerOf(id), over: !this.isAlive(id) }));
    const reachable = state.status !== 'active' || state.unreachable === undefined;
    return whatBars(lease, next, { name: info.machine ?? info.name, blueprint: info.blueprint, status, claims, reachable, held: flags.held !== undefined }, this.views.leases.get(lease)?.request.exclusive?.force === true);
  }

  private evict(lease: string, by: string, machine: string): void {
    this.send(`evict ${lease}`, 'EvictLease', { lease, reason: `machine ${machine} was taken by force for ${this.ownerOf(by)}` }, derivedId(lease, `evict ${by}`), () => this.look(machine));
  }

  private explain(lease: string, explanation: Explanation): void {
    if (this.views.leases.get(lease)?.explained === explanation.reason) return;
    this.send(`explain ${lease}`, 'ExplainLease', { lease, explanation }, derivedId(lease, `explain ${this.follower().position} ${explanation.reason}`), () => this.lease(lease));
  }

  private refuse(lease: string, machine: string): void {
    const reason = `machine ${machine} is not enrolled`;
    const explanation: Explanation = { verdict: 'never', reason, next: 'enrol it (berth machine add)', ahead: 0, considered: [], more: 0 };
    this.send(`refuse ${lease}`, 'RefuseLease', { lease, explanation }, derivedId(lease, `refuse ${reason}`), () => this.lease(lease));
  }

  /** Once at a time; `again` when it was not heard. */
  private send<T extends 'EvictLease' | 'ExplainLease' | 'RefuseLease'>(key: string, type: T, data: CommandInput<'lease', T>, id: string, again: () => void): void {
    if (this.sent.has(key)) return;
    this.sent.add(key);
    this.runtime.bus
      .command('lease', type, data, { id, actor: 'allocator', after: this.follower().position })
      .then(() => this.sent.delete(key))
      .catch((error: unknown) => {
        this.runtime.log.warn({ error, type, id }, 'not delivered, tried again');
        const timer = setTimeout(() => {
          this.timers.delete(timer);
          this.sent.delete(key);
          again();
        }, RETRY_MS);
        timer.unref();
        this.timers.add(timer);
      });
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}

const holds = (state: LiveResource, lease: string): boolean => [...state.claims.values()].includes(lease);
