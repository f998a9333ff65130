import { blueprintKinds, bootedFrom } from '@berth/contracts';
import type { Launcher } from './blueprints/blueprint.js';
import { launchers } from './blueprints/index.js';
import { poolNow, type Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import { groundsOf } from './domain/derived.js';
import type { BlueprintView, FleetView, HostView } from './domain/explain.js';
import { ownerLimit } from './domain/fleet.js';
import { refusedOf, type LiveBlueprint } from './domain/blueprint.js';
import { stageOf, type LiveResource } from './domain/resource.js';
import type { Doors } from './doors.js';
import type { Hosts } from './hosts.js';
import type { Images } from './images.js';
import type { Pools } from './pools.js';
import type { Room } from './room.js';
import type { Views } from './views.js';

/** The fleet, as an explanation sees it. */
export class FleetViews {
  constructor(
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly pools: Pools,
    private readonly machines: Hosts,
    private readonly doors: Doors,
    private readonly images: Images,
  ) {}

  /** With what one owner may hold, where that is limited. */
  withOwner(fleet: FleetView, owner: string): FleetView {
    const limit = ownerLimit(this.room.quota, owner);
    if (limit === undefined) return fleet;
    let used = 0;
    for (const slot of this.room.fleet.slots.values()) if (slot.host && slot.owner === owner) used++;
    return { ...fleet, quota: { ...fleet.quota, owner: { limit, used } } };
  }

  /** The present. O(resources). */
  now(): FleetView {
    const { quota, fleet } = this.room;
    const hosts: HostView[] = [];
    const resources = new Map<string, number>();
    const leases = new Map<string, number>();
    const ownLeases = new Map<string, number>();
    const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
    for (const [id, { state }] of this.resources.entries()) {
      if (state.status === 'none' || state.status === 'destroyed') continue;
      const { blueprint, type } = state.info;
      add(resources, blueprint);
      for (const lease of state.claims.values()) {
        add(leases, blueprint);
        add(ownLeases, `${blueprint}\n${this.ownerOf(lease)}`);
      }
      if (type === 'host') hosts.push(this.hostView(id, state));
    }
    const slots = [...fleet.slots.values()].filter((slot) => slot.host).length;
    const launched = [...fleet.launches.values()].filter((launch) => launch.launched).length;
    const blueprints = [...this.catalogue.all()].map((blueprint) => this.blueprintView(blueprint, { resources, leases, ownLeases }));
    return {
      blueprints,
      hosts,
      quota: { ...(quota.hosts !== undefined && { hosts: { limit: quota.hosts, used: slots } }), ...(quota.resources !== undefined && { launches: { limit: quota.resources, used: launched } }) },
    };
  }

  private blueprintView(blueprint: LiveBlueprint, counts: { resources: Map<string, number>; leases: Map<string, number>; ownLeases: Map<string, number> }): BlueprintView {
    const { spec, disabled, breaker } = blueprint;
    const now = Date.now();
    const could = spec.kind === 'preallocated' ? this.machines.toCome(spec) : this.pools.offers(blueprint);
    const tests = this.pools.tests(blueprint);
    const first = spec.kind === 'ec2' && could.length > 0 && this.pools.offers(blueprint, now).length === 0 ? [...refusedOf(blueprint, this.images.launched(spec)).values()].sort((a, b) => (a.until < b.until ? -1 : 1))[0] : undefined;
    const max = spec.kind === 'ec2' ? poolNow(spec.pool, new Date(now)).max : undefined;
    return {
      name: spec.name,
      kind: spec.kind,
      type: blueprintKinds[spec.kind].type,
      rank: spec.rank,
      allow: spec.allow,
      limits: spec.limits as BlueprintView['limits'],
      resources: counts.resources.get(spec.name) ?? 0,
      leases: counts.leases.get(spec.name) ?? 0,
      leasesOf: (owner) => counts.ownLeases.get(`${spec.name}\n${owner}`) ?? 0,
      launches: could,
      ...(tests.length > 0 && { tests }),
      grounds: (request) => groundsOf(spec, request),
      ...(disabled !== undefined && { disabled }),
      ...(breaker && Date.parse(breaker.until) > now && { breaker: { until: breaker.until, reason: breaker.reason } }),
      ...(first && { refused: { until: first.until, reason: first.error } }),
      ...(max !== undefined && { max }),
    };
  }

  private hostView(id: string, state: LiveResource): HostView {
    const clock = this.views.clocks.get(id);
    const since = new Date(clock?.since ?? 0).toISOString();
    const { flags, info } = state;
    const known = this.catalogue.get(info.blueprint)?.spec;
    const spec = state.status === 'pending' ? known : undefined;
    const standing = this.images.standing(state, known);
    const allow = this.doors.of(info.machine)?.allow;
    const by = spec && (launchers[spec.kind] as Launcher | undefined)?.readyBy(spec as never, state.facts);
    return {
      resource: id,
      name: info.name,
      blueprint: info.blueprint,
      attributes: info.attributes,
      slots: info.slots,
      ...(allow && { allow }),
      status: state.status,
      since,
      claims: [...state.claims.values()].map((lease) => {
        const { until, project } = this.views.leases.get(lease)?.request ?? {};
        return { lease, owner: this.ownerOf(lease), ...(project !== undefined && { project }), ...(until !== undefined && { until }) };
      }),
      ...(state.status === 'broken' && { error: state.error }),
      ...(state.status === 'active' && state.unreachable !== undefined && { unreachable: state.unreachable }),
      ...(by !== undefined && { by }),
      ...(stageOf(state) !== undefined && { phase: stageOf(state)! }),
      ...(flags.quarantined && { quarantined: flags.quarantined }),
      ...(flags.held && { held: flags.held }),
      ...(flags.draining !== undefined && { draining: flags.draining }),
      ...(state.status === 'released' && { ending: state.reason }),
      ...(standing?.is === 'test' && { apart: `it is of version ${info.booted?.number} of ${info.booted?.image}, which is under test: for requests that want it (${bootedFrom.version})` }),
      ...(standing?.is === 'over' && { apart: standing.reason }),
      ...(flags.reserved && { reserved: flags.reserved.owner }),
    };
  }

  private ownerOf(lease: string): string {
    return this.views.claimOf(lease)?.owner ?? this.views.leases.get(lease)?.request.owner ?? 'unknown';
  }
}
