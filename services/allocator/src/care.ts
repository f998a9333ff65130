import { derivedId, type BlueprintSpec } from '@berth/contracts';
import { tellUntilStored, type Runtime } from '@berth/runtime';
import { launchers } from './blueprints/index.js';
import type { Launcher } from './blueprints/blueprint.js';
import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import { isInLastUse, isLaunched, type LiveResource, type ResourceCommand } from './domain/resource.js';
import type { Peers } from './peers.js';

/** How often a provider is asked how its hosts are; one question for all of a blueprint. */
const INSPECT_MS = 5000;
/** setTimeout can't wait longer than this (2^31 - 1 ms, about 24 days); later instants are looked at again then. */
const LONGEST_MS = 2_147_483_647;
const PROBE_PATIENCE_MS = 30_000;

type HealthCheck = NonNullable<Extract<BlueprintSpec, { kind: 'ec2' | 'preallocated' | 'local' }>['health']>;

/**
 * Looks after hosts in service: checks their health, quarantines those that fail and lets them out again, ends holds in
 * time, and asks providers whether what they launched is still there.
 */
export class Care {
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly checking = new Set<string>();
  private readonly inspecting = new Set<string>();
  private inspector: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly runtime: Runtime,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly peers: Peers,
  ) {}

  start(): void {
    this.inspector = setInterval(() => this.inspect(), INSPECT_MS);
    this.inspector.unref();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.inspector);
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  /** Sets the alarms that a host is due; the same after a restart as live. */
  resource(id: string): void {
    const state = this.resources.get(id)?.state;
    const host = state && state.status !== 'none' && state.status !== 'destroyed' && state.info.type === 'host' ? state : undefined;
    if (!host || !this.peers.mine(id)) {
      for (const role of ['hold', 'quarantine', 'health']) this.clear(`${role} ${id}`);
      return;
    }
    const { held, quarantined } = host.flags;
    this.alarm(`hold ${id}`, held && Date.parse(held.until), () => this.tell(id, { type: 'EndHold', over: new Date().toISOString() }, `hold over ${held!.until}`));
    this.alarm(`quarantine ${id}`, quarantined && Date.parse(quarantined.until), () => void this.letOut(id).catch((error: unknown) => this.failed(error, id)));
    const health = this.healthOf(host);
    // Whoever has the whole of a machine may well have it off.
    if (!health || host.status !== 'active' || quarantined || host.flags.reserved) this.clear(`health ${id}`);
    else if (!this.timers.has(`health ${id}`) && !this.checking.has(id)) this.alarm(`health ${id}`, Date.now() + this.spread(health.every), () => void this.check(id).catch((error: unknown) => this.failed(error, id)));
    if (host.status === 'active' && host.unreachable !== undefined && isLaunched(host)) this.inspect(host.info.blueprint);
  }

  // --- health ---

  private healthOf({ info }: LiveResource): HealthCheck | undefined {
    const spec = this.catalogue.get(info.blueprint)?.spec;
    return spec && 'health' in spec ? spec.health : undefined;
  }

  /** Hosts of one blueprint are not all asked in the same moment. */
  private readonly spread = (every: number): number => every * (0.8 + 0.4 * Math.random());

  private async check(id: string): Promise<void> {
    const state = this.resources.get(id)?.state;
    const health = state?.status === 'active' ? this.healthOf(state) : undefined;
    if (state?.status !== 'active' || !health || state.flags.quarantined || state.flags.reserved || this.checking.has(id)) return;
    this.checking.add(id);
    try {
      const failed = await this.examine(state, health);
      // A check takes its time: what became of the host meanwhile counts, and a quarantine by hand is not shortened.
      const now = this.resources.get(id)?.state;
      if (this.stopped || now?.status !== 'active') return;
      const failures = now.flags.failures + 1;
      if (failed === undefined) this.tell(id, { type: 'Health' }, `healthy ${this.revision(id)}`);
      else {
        this.tell(id, { type: 'Health', failed }, `unhealthy ${this.revision(id)}`);
        if (failures >= health.failures && !now.flags.quarantined) this.tell(id, { type: 'Quarantine', now: new Date().toISOString(), reason: `its health check failed ${failures} times: ${failed}` }, `quarantine ${this.revision(id)}`);
      }
    } finally {
      this.checking.delete(id);
      this.clear(`health ${id}`);
      if (!this.stopped) this.resource(id);
    }
  }

  /** Undefined: it is well. */
  private async examine({ info }: LiveResource, health: HealthCheck | undefined): Promise<string | undefined> {
    if (!info.host) return 'it has no address';
    const id = derivedId(`${info.name}`, `examine ${Date.now()} ${Math.random()}`);
    const check = health && { command: health.command, timeoutMs: health.timeout };
    const answer = await this.runtime.bus.command('host-agent-gateway', 'ProbeHost', { host: info.host, ...(check && { check }) }, { id, actor: 'allocator', patienceMs: PROBE_PATIENCE_MS + (health?.timeout ?? 0) });
    if (!answer.accepted) return answer.message;
    const outcome = (answer.data as { check?: { exitCode: number; output: string } } | undefined)?.check;
    return outcome && outcome.exitCode !== 0 ? `it ended with ${outcome.exitCode}: ${outcome.output.trim().slice(-300)}` : undefined;
  }

  /** A quarantine is over when the host is well again, not just when its time is: otherwise the next lease would find out. */
  private async letOut(id: string): Promise<void> {
    const state = this.resources.get(id)?.state;
    if (state?.status !== 'active' || !state.flags.quarantined || this.checking.has(id)) return;
    const { until } = state.flags.quarantined;
    this.checking.add(id);
    try {
      const failed = await this.examine(state, this.healthOf(state));
      const since = this.resources.get(id)?.state;
      // Let out, or quarantined anew, while it was looked at: whoever did that has decided.
      if (this.stopped || since?.status !== 'active' || since.flags.quarantined?.until !== until) return;
      const now = new Date().toISOString();
      if (failed === undefined) this.tell(id, { type: 'EndQuarantine', over: now, reason: 'its time is over, and it answers', forgive: this.healthOf(state) !== undefined }, `let out ${until}`);
      else this.tell(id, { type: 'Quarantine', now, reason: `still not well: ${failed}` }, `quarantine again ${until}`);
    } finally {
      this.checking.delete(id);
      this.clear(`quarantine ${id}`);
      if (!this.stopped) this.resource(id);
    }
  }

  // --- providers ---

  /** Asks providers about what is in service: what is gone breaks, and with it its leases, at once. */
  private inspect(only?: string): void {
    for (const { spec } of this.catalogue.all()) {
      const launcher = launchers[spec.kind] as Launcher | undefined;
      if (!launcher || spec.kind !== 'ec2' || (only !== undefined && spec.name !== only) || this.inspecting.has(spec.name)) continue;
      const of = [...this.resources.entries()].flatMap(([id, { state }]) => ((state.status === 'active' || ('claims' in state && isInLastUse(state))) && state.info.blueprint === spec.name && this.peers.mine(id) ? [{ resource: id, facts: state.facts }] : []));
      if (of.length === 0) continue;
      this.inspecting.add(spec.name);
      launcher
        .inspect(spec, of)
        .then((conditions) => {
          for (const [id, condition] of conditions) {
            if (condition.is === 'gone') this.tell(id, { type: 'Break', error: condition.error, fault: 'lost' }, 'gone');
            else if (condition.is === 'unknown') this.runtime.log.info({ resource: id, error: condition.error }, 'its provider does not say how it is');
          }
        })
        .catch((error: unknown) => this.failed(error, spec.name))
        .finally(() => this.inspecting.delete(spec.name));
    }
  }

  // --- common ---

  private alarm(key: string, at: number | undefined, ring: () => void): void {
    this.clear(key);
    if (at === undefined || this.stopped) return;
    const timer = setTimeout(() => {
      this.timers.delete(key);
      // A timer may fire a little early; the instant itself decides.
      if (Date.now() < at) this.alarm(key, at, ring);
      else ring();
    }, Math.min(Math.max(0, at - Date.now()), LONGEST_MS));
    timer.unref();
    this.timers.set(key, timer);
  }

  private clear(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }

  private revision(id: string): number {
    return this.resources.get(id)?.revision ?? 0;
  }

  private failed(error: unknown, about: string): void {
    if (!this.stopped && !this.runtime.connection.isClosed()) this.runtime.log.warn({ error, about }, 'could not be looked after, tried again');
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}
