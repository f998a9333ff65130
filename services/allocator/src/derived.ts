import { derivedId, type AnyRecorded, type HostAccess, type LeaseRequest } from '@berth/contracts';
import { tellUntilStored, type Runtime } from '@berth/runtime';
import type { DerivedBlueprint } from './blueprints/blueprint.js';
import { derived, isDerived } from './blueprints/index.js';
import { choosePort, portOf } from './blueprints/service.js';
import { cacheKey } from './blueprints/working-copy.js';
import type { Catalogue } from './catalogue.js';
import type { Claims, Resources } from './claims.js';
import type { HostWork } from './host-work.js';
import type { Owned } from './owned.js';
import type { LiveBlueprint } from './domain/blueprint.js';
import { parentRequest, roomFor } from './domain/derived.js';
import type { LiveResource, Resource, ResourceCommand, ResourceInfo } from './domain/resource.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { LeaseView, Views } from './views.js';

/** Between two tries to have room set aside while the bus is away. */
const RETRY_MS = 1000;

/**
 * What stands on a leased host: made when its lease is asked for, removed when that lease ends, and only then are slots
 * given back, leaf first. Works from the present alone, so a restart goes on where the last process stopped.
 */
export class Derived {
  /** what is not destroyed, by the lease that it stands on */
  private readonly standing = new Map<string, Set<string>>();
  /** leases that wait for room under a limit of their blueprint */
  private readonly waiting = new Set<string>();
  /** leases for which room is being asked */
  private readonly asking = new Set<string>();
  /** leases for which nothing could be made, as there is nothing that it could stand on: they are refused, or that changes */
  private readonly shut = new Set<string>();
  /** how often room came free so far */
  private freed = 0;
  /** by service: the position at which it took its port */
  private readonly ports = new Map<string, number>();

  constructor(
    private readonly runtime: Runtime,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly claims: Claims,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly peers: Peers,
    private readonly owned: Owned,
    private readonly work: HostWork,
    /** those blueprints of which something could be made for a request */
    private readonly couldStand: (blueprints: readonly LiveBlueprint[], request: LeaseRequest) => readonly LiveBlueprint[],
  ) {}

  /** The resource that belongs to a lease. */
  static idOf(lease: string, type: LeaseRequest['type']): string {
    return derivedId(lease, type === 'working-copy' ? 'working copy' : type);
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind !== 'resource') return;
    const state = this.resources.get(recorded.id)?.state;
    if (!state || state.status === 'none' || !state.info.parent) return;
    if (state.status === 'destroyed') this.ports.delete(recorded.id);
    else if (recorded.commit.events.some((event) => event.type === 'FactsKept' && 'port' in event.data.facts)) this.ports.set(recorded.id, recorded.sequence);
    const { lease } = state.info.parent;
    const others = this.standing.get(lease) ?? new Set<string>();
    if (state.status === 'destroyed') others.delete(recorded.id);
    else others.add(recorded.id);
    if (others.size > 0) this.standing.set(lease, others);
    else this.standing.delete(lease);
  }

  /** Why a lease of a derived type waits, for its explanation. */
  waitsForRoom(lease: string): boolean {
    return this.waiting.has(lease);
  }

  /** Room came free: who waited for it asks again, in the order of their points. */
  noteRoom(): void {
    this.freed++;
    const points = ({ request, askedAt }: LeaseView) => askedAt - 60_000 * request.priority;
    const ids = [...this.waiting].flatMap((id) => {
      const lease = this.views.leases.get(id);
      if (!lease) this.waiting.delete(id);
      return lease ? [{ id, lease }] : [];
    });
    for (const { id } of ids.sort((a, b) => points(a.lease) - points(b.lease) || a.lease.order - b.lease.order)) this.lease(id);
  }

  /** The fleet changed: what could not be made may be possible now. */
  noteFleet(): void {
    for (const id of [...this.shut]) this.lease(id);
  }

  /** What is due for a lease of any type. */
  lease(id: string): void {
    const lease = this.views.leases.get(id);
    this.shut.delete(id);
    if (lease?.status === 'pending' && isDerived(lease.request.type)) this.create(id, lease);
    const claim = this.views.claimOf(id);
    if (!claim || (lease && lease.status !== 'ended') || !this.peers.mine(claim.resource)) return;
    const resource = this.resources.get(claim.resource)?.state;
    if (!resource || resource.status === 'none' || resource.status === 'destroyed' || resource.info.type === 'composite') return;
    // A hold keeps what is left of builds; an exclusive lease leaves nothing.
    if (this.standing.has(id) || (this.heldUnder(claim.resource) && !lease?.request.exclusive)) return;
    if (resource.info.type !== 'host') {
      this.end(claim.resource, resource, id, claim.token);
      return;
    }
    const free = () => {
      this.views.used.delete(id);
      this.views.made.delete(id);
      this.claims.free(claim.resource, id);
    };
    // What ran under a host lease itself did so in a folder named after the lease.
    if (this.views.used.has(id)) this.work.remove(id, { kind: 'remove-working-copy', copy: id }, id, claim.token, free);
    else if (!this.views.running.has(id)) free();
  }

  /** What is due for a resource that stands on a lease. */
  resource(id: string): void {
    const resource = this.resources.get(id)?.state;
    if (!resource || resource.status === 'none' || !isDerived(resource.info.type)) return;
    if (resource.status === 'destroyed') {
      if (resource.info.parent) this.lease(resource.info.parent.lease);
      return;
    }
    if (!this.peers.mine(id)) return;
    const lease = resource.claims.get(0);
    if (lease === undefined) return;
    const view = this.views.leases.get(lease);
    if (!view || view.status === 'ended') {
      this.lease(lease);
      return;
    }
    const { parent } = resource.info;
    const ground = parent?.own ? this.views.leases.get(parent.lease) : undefined;
    if (resource.status === 'pending') this.make(id, resource, lease, view);
    // It asked for that lease itself, so nobody else sees to it.
    else if (resource.status === 'active' && ground?.status === 'ended') this.tell(id, { type: 'Break', error: `its own ${ground.request.type} lease ended: ${ground.failure ?? 'it is gone'}` }, 'ground lost');
  }

  /** A lease changed that something may stand on. */
  parent(lease: string): void {
    for (const id of this.standing.get(lease) ?? []) this.resource(id);
  }

  // --- making ---

  private create(lease: string, { request, order }: LeaseView): void {
    const { type } = request;
    if (!isDerived(type)) return;
    const id = Derived.idOf(lease, type);
    if (this.resources.get(id) || this.asking.has(lease) || !this.peers.mine(id)) return;
    const open = this.catalogue.open(request);
    if (open.length === 0) return; // its explanation says why
    const usable = this.couldStand(open, request);
    if (usable.length === 0) {
      this.shut.add(lease);
      return;
    }
    if (request.host && !this.views.claimOf(request.host.lease)) return; // the lease service releases it when what it stands on ends
    this.asking.add(lease);
    const { freed } = this;
    this.found(id, lease, request, order, usable)
      .catch((error: unknown) => {
        this.runtime.log.warn({ error, lease }, 'room not known to be set aside, tried again');
        this.waiting.add(lease);
        setTimeout(() => this.noteRoom(), RETRY_MS).unref();
      })
      .finally(() => {
        this.asking.delete(lease);
        // What came free while it was asking may not have been free yet when it was answered.
        if (this.freed !== freed && this.waiting.has(lease)) this.lease(lease);
      });
  }

  /** Makes the resource by the first of the blueprints that has room. */
  private async found(id: string, lease: string, request: LeaseRequest, order: number, usable: readonly LiveBlueprint[]): Promise<void> {
    for (const { spec, version } of usable) {
      const { limits, name } = spec;
      const slot = { lease, owner: request.owner, blueprint: name, host: false };
      const launch = limits.resources === undefined ? [] : [{ resource: id, blueprint: name, launched: false }];
      if (!roomFor(this.room.fleet, limits, slot, id)) continue;
      // What another process has set aside for the same is its to give back.
      const { slots, launches } = this.room.fleet;
      const [hadSlot, hadLaunch] = [slots.has(lease), launches.has(id)];
      const room = await this.room.take([slot], launch);
      if (!room.slots.has(lease) || room.launches.size < launch.length) {
        this.room.give(hadSlot ? [] : [lease], hadLaunch ? [] : [id]);
        continue;
      }
      this.waiting.delete(lease);
      const host = request.host && this.views.claimOf(request.host.lease);
      const parent = request.host ? { lease: request.host.lease, ...(host && { resource: host.resource }) } : { lease: derivedId(id, 'host lease'), own: true };
      const cache = spec.kind === 'working-copy' ? cacheKey(spec.reuse, request) : undefined;
      const info: ResourceInfo = {
        type: request.type,
        blueprint: name,
        name: `${request.type.replace('-', ' ')} ${id.slice(0, 8)}`,
        attributes: spec.attributes,
        slots: 1,
        parent,
        version,
        ...(request.type === 'working-copy' && { workingCopy: request.workingCopy ?? {} }),
        ...(cache !== undefined && { cache }),
      };
      this.tell(id, { type: 'Create', activate: false, claim: { lease, owner: request.owner }, info }, `create ${order}`);
      return;
    }
    this.waiting.add(lease);
  }

  private make(id: string, resource: LiveResource, lease: string, { request }: LeaseView): void {
    const { info } = resource;
    const blueprint = this.catalogue.get(info.blueprint)?.spec;
    if (!info.parent || !isDerived(info.type)) return;
    if (!blueprint || !isDerived(blueprint.kind)) {
      this.tell(id, { type: 'Break', error: `its blueprint ${info.blueprint} was removed` }, 'no blueprint');
      return;
    }
    if (info.parent.own) {
      const failure = this.owned.ask(info.parent.lease, parentRequest(blueprint, request, info.cache), id);
      if (failure !== undefined) {
        this.tell(id, { type: 'Break', error: failure }, 'no host');
        return;
      }
    }
    const parent = this.views.leases.get(info.parent.lease);
    const claim = this.views.claimOf(lease);
    // A host that was given may be acquired only: it becomes active, or ends, and then this is looked at again.
    if (parent?.status !== 'active' || !claim || claim.resource !== id) return;
    const make = this.views.made.get(id)?.make;
    const kind = derived[info.type] as DerivedBlueprint<never>;
    if (!make) {
      if (blueprint.kind === 'service' && !this.chosePort(id, resource, blueprint)) return;
      this.work.run(derivedId(id, 'prepare'), lease, claim.token, kind.create(blueprint as never, id, info, resource.facts), (refusal) => this.tell(id, { type: 'Break', error: refusal }, 'refused'));
    } else if (make.end?.ok) this.tell(id, { type: 'Activate', ...kind.made(blueprint as never, make.end.result, resource.facts, this.hostOf(id)) }, 'activate');
    else if (make.end) this.tell(id, { type: 'Break', error: make.end.code === 'unreachable' || make.end.code === 'lost' ? `host unreachable: ${make.end.error}` : make.end.error }, 'break');
  }

  /** A service's port is stored before it is started. Of two that took the same at the same time, the later takes another. */
  private chosePort(id: string, resource: LiveResource, spec: Extract<LiveBlueprint['spec'], { kind: 'service' }>): boolean {
    if (spec.port === undefined) return true;
    const root = this.rootOf(id);
    const own = portOf(resource.facts);
    const since = this.ports.get(id) ?? Number.POSITIVE_INFINITY;
    const taken = new Set<number>();
    for (const [other, at] of this.ports) {
      const state = this.resources.get(other)?.state;
      if (other === id || at > since || !state || !('facts' in state)) continue;
      const port = portOf(state.facts);
      if (port !== undefined && this.rootOf(other) === root) taken.add(port);
    }
    if (own !== undefined && !taken.has(own)) return true;
    const port = choosePort(spec, id, taken);
    if (port === 'none') this.tell(id, { type: 'Break', error: `every port of ${spec.name} is taken on its host` }, 'no port');
    else this.tell(id, { type: 'Keep', facts: { port } }, `port ${this.resources.get(id)?.revision ?? 0}`);
    return false;
  }

  // --- ending ---

  private end(id: string, resource: LiveResource, lease: string, token: number): void {
    const { info, facts } = resource;
    if (!isDerived(info.type)) return;
    const gone = () => this.tell(id, { type: 'Destroy' }, 'destroy');
    // Nothing was begun on a host: there is nothing to remove, and perhaps no host to remove it from.
    if (!this.views.made.get(id)?.make && resource.status !== 'active') {
      if (!this.views.running.has(lease)) gone();
      return;
    }
    const kind = derived[info.type] as DerivedBlueprint<never>;
    const spec = this.catalogue.get(info.blueprint)?.spec;
    this.work.remove(id, kind.destroy((spec && isDerived(spec.kind) ? spec : undefined) as never, id, info, facts, resource.status !== 'active'), lease, token, gone);
  }

  // --- the way down ---

  /** The host resource at the bottom of what a resource stands on; itself for a host. */
  rootOf(id: string): string | undefined {
    let at: string | undefined = id;
    for (let depth = 0; at !== undefined && depth < 8; depth++) {
      const state: Resource | undefined = this.resources.get(at)?.state;
      if (!state || state.status === 'none') return undefined;
      if (state.info.type === 'host') return at;
      const parent: ResourceInfo['parent'] = state.info.parent;
      at = parent && (this.views.claimOf(parent.lease)?.resource ?? parent.resource);
    }
    return undefined;
  }

  private hostOf(id: string): HostAccess | undefined {
    const root = this.resources.get(this.rootOf(id) ?? '')?.state;
    return root && root.status !== 'none' ? root.info.host : undefined;
  }

  private heldUnder(id: string): boolean {
    const root = this.resources.get(this.rootOf(id) ?? '')?.state;
    return root !== undefined && 'flags' in root && root.flags.held !== undefined;
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}
