import { derivedId, satisfies, type BlueprintOf, type LeaseRequest } from '@berth/contracts';
import { tellUntilStored, type Runtime } from '@berth/runtime';
import type { Catalogue } from './catalogue.js';
import type { Resources } from './claims.js';
import { Derived } from './derived.js';
import { membersOf, type Owned } from './owned.js';
import type { LiveBlueprint } from './domain/blueprint.js';
import { memberRequest } from './domain/derived.js';
import type { LiveResource, ResourceCommand, ResourceInfo } from './domain/resource.js';
import type { Peers } from './peers.js';
import type { Room } from './room.js';
import type { LeaseView, Views } from './views.js';

/** How long until room is asked for again when the store did not answer. */
const RETRY_MS = 1000;

/** What a composite keeps of itself. */
interface Bookkeeping {
  /** counts from 1; grows when it gave its members back for an older one */
  round?: number;
  members?: Record<string, string>;
  /** lease of the older composite that it gave its members back for */
  yielded?: string;
}

/**
 * Named sets of leases, all or none. Members are leases like any other. Two composites that each hold what the other waits
 * for are told apart by age (wound-wait, Rosenkrantz et al. 1978): the younger gives its members back and asks again when
 * the older has all of its own. The oldest never gives back, so one always gets on and nobody starves.
 */
export class Composites {
  private readonly asking = new Set<string>();
  /** leases that wait for room under a limit of their blueprint */
  private readonly waiting = new Set<string>();
  /** composites that are about to give their members back */
  private readonly yielding = new Set<string>();

  constructor(
    private readonly runtime: Runtime,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly catalogue: Catalogue,
    private readonly room: Room,
    private readonly peers: Peers,
    private readonly owned: Owned,
    /** those blueprints of which something could be made for a request */
    private readonly couldStand: (blueprints: readonly LiveBlueprint[], request: LeaseRequest) => readonly LiveBlueprint[],
  ) {}

  /** What is due for a lease: its composite is made, or one of which it is a member goes on. */
  lease(id: string): void {
    const lease = this.views.leases.get(id);
    if (lease?.status === 'pending' && lease.request.type === 'composite') this.create(id, lease);
    const claim = this.views.claimOf(id);
    if (claim) this.resource(claim.resource);
    const owner = this.owned.ownerOf(id);
    if (owner !== undefined) this.resource(owner);
  }

  /** What is due for a composite. */
  resource(id: string): void {
    const state = this.resources.get(id)?.state;
    if (!state || state.status === 'none' || state.status === 'destroyed' || state.info.type !== 'composite' || !this.peers.mine(id)) return;
    const lease = state.claims.get(0);
    const view = lease === undefined ? undefined : this.views.leases.get(lease);
    if (lease === undefined || !view || view.status === 'ended') {
      const left = membersOf(state.facts).filter((member) => !this.owned.release(member, 'its composite ended'));
      if (left.length === 0) this.tell(id, { type: 'Destroy' }, 'destroy');
      return;
    }
    if (state.status === 'pending') this.gather(id, state, lease, view);
    else if (state.status === 'active') {
      const lost = membersOf(state.facts).find((member) => !isAlive(this.views.leases.get(member)));
      if (lost !== undefined) this.tell(id, { type: 'Break', error: `its member ${this.nameOf(state, lost)} ended: ${this.views.leases.get(lost)?.failure ?? 'it is gone'}` }, 'member lost');
    }
  }

  /** A composite ended or has all its members: who gave way to it may ask again, and who waits for room. */
  lookAll(): void {
    for (const lease of [...this.waiting]) {
      this.waiting.delete(lease);
      this.lease(lease);
    }
    for (const [id, { state }] of this.resources.entries()) if (state.status === 'pending' && state.info.type === 'composite') this.resource(id);
  }

  private create(lease: string, { request, order }: LeaseView): void {
    const id = Derived.idOf(lease, 'composite');
    if (this.resources.get(id) || this.asking.has(lease) || !this.peers.mine(id)) return;
    const open = this.catalogue.open(request);
    if (open.length === 0) return;
    const usable = this.couldStand(open, request);
    if (usable.length === 0) {
      // It is refused, unless that changes before.
      this.waiting.add(lease);
      return;
    }
    this.asking.add(lease);
    this.found(id, lease, request.owner, order, usable)
      .catch((error: unknown) => {
        this.runtime.log.warn({ error, lease }, 'room not known to be set aside, tried again');
        this.waiting.add(lease);
        setTimeout(() => this.lookAll(), RETRY_MS).unref();
      })
      .finally(() => this.asking.delete(lease));
  }

  /** Makes the composite by the first of the blueprints that has room. */
  private async found(id: string, lease: string, owner: string, order: number, usable: readonly LiveBlueprint[]): Promise<void> {
    for (const { spec, version } of usable) {
      const { name, attributes, limits } = spec;
      // What another process has set aside for the same is its to give back.
      const { slots, launches } = this.room.fleet;
      const [hadSlot, hadLaunch] = [slots.has(lease), launches.has(id)];
      const room = await this.room.take([{ lease, owner, blueprint: name, host: false }], limits.resources === undefined ? [] : [{ resource: id, blueprint: name, launched: false }]);
      if (!room.slots.has(lease) || (limits.resources !== undefined && room.launches.size === 0)) {
        this.room.give(hadSlot ? [] : [lease], hadLaunch ? [] : [id]);
        continue;
      }
      this.tell(id, { type: 'Create', activate: false, claim: { lease, owner }, info: { type: 'composite', blueprint: name, name: `${name} ${id.slice(0, 8)}`, attributes, slots: 1, version } }, `create ${order}`);
      return;
    }
    this.waiting.add(lease);
  }

  private gather(id: string, state: LiveResource, lease: string, view: LeaseView): void {
    const spec = this.catalogue.spec(state.info.blueprint, 'composite');
    if (!spec) {
      this.tell(id, { type: 'Break', error: `its blueprint ${state.info.blueprint} was removed` }, 'no blueprint');
      return;
    }
    const { round = 1, members, yielded } = state.facts as Bookkeeping;
    if (yielded !== undefined) {
      this.yielding.delete(id);
      const left = membersOf(state.facts).filter((member) => !this.owned.release(member, 'given back for an older composite'));
      if (left.length > 0 || this.stillGathers(yielded)) return;
      this.tell(id, { type: 'Keep', facts: { round: round + 1, members: null, yielded: null } }, `again ${round + 1}`);
      return;
    }
    if (!members) {
      // Named before any is asked for: whatever happens now, what was asked for is known.
      const named = Object.fromEntries(Object.keys(spec.members).map((key) => [key, derivedId(id, `member ${key} round ${round}`)]));
      this.tell(id, { type: 'Keep', facts: { round, members: named } }, `members ${round}`);
      return;
    }
    let complete = true;
    for (const [key, member] of Object.entries(spec.members)) {
      const own = members[key];
      if (own === undefined) continue; // added to the blueprint since: it keeps to what it began with
      const on = member.on === undefined ? undefined : members[member.on];
      if (on !== undefined && this.views.leases.get(on)?.status !== 'active') {
        complete = false;
        continue;
      }
      const failure = this.owned.ask(own, memberRequest(member, view.request, on), id);
      if (failure !== undefined) {
        this.tell(id, { type: 'Break', error: `its member ${key} can't be had: ${failure}` }, `member ${key} ${round}`);
        return;
      }
      if (this.views.leases.get(own)?.status !== 'active') complete = false;
    }
    // Once it is decided that it gives way it does, also when its last member came meanwhile.
    if (this.yielding.has(id)) return;
    if (complete) this.tell(id, { type: 'Activate' }, 'activate');
    else this.yieldToOlder(id, state, lease, view, round, spec);
  }

  private yieldToOlder(id: string, state: LiveResource, lease: string, view: LeaseView, round: number, spec: BlueprintOf<'composite'>): void {
    const held = this.behind(state).flatMap((member) => {
      const resource = this.resources.get(this.views.claimOf(member)?.resource ?? '')?.state;
      return resource && 'claims' in resource ? [resource.info] : [];
    });
    if (held.length === 0) return;
    for (const [other, { state: rival }] of this.resources.entries()) {
      if (other === id || rival.status !== 'pending' || rival.info.type !== 'composite') continue;
      const rivalLease = rival.claims.get(0);
      const rivalView = rivalLease === undefined ? undefined : this.views.leases.get(rivalLease);
      if (rivalLease === undefined || !rivalView || rivalView.order >= view.order || (rival.facts as Bookkeeping).yielded !== undefined) continue;
      const waiting = this.behind(rival).flatMap((member) => {
        const waits = this.views.leases.get(member);
        // Only one that has waited for a while: who is about to be served needs nobody's help.
        return waits?.status === 'pending' && waits.explained !== undefined && !this.views.claims.has(member) ? [waits.request] : [];
      });
      if (!waiting.some((request) => held.some((resource) => this.couldServe(resource, request)))) continue;
      this.runtime.log.info({ composite: id, older: other, blueprint: spec.name, lease }, 'gives its members back for an older composite');
      this.yielding.add(id);
      this.tell(id, { type: 'Keep', facts: { yielded: rivalLease } }, `yield ${round} ${rivalLease}`);
      return;
    }
  }

  /** The leases of a composite's members, and those that their resources asked for to stand on. */
  private behind(state: LiveResource): string[] {
    const leases = membersOf(state.facts);
    for (const lease of leases) {
      const resource = this.resources.get(this.views.claimOf(lease)?.resource ?? '')?.state;
      if (resource && 'claims' in resource && resource.info.parent?.own) leases.push(resource.info.parent.lease);
    }
    return leases;
  }

  /** Would giving this back help whoever waits for that? A host by what it is; anything else is not to be had because of a limit. */
  private couldServe({ type, blueprint, attributes }: ResourceInfo, request: LeaseRequest): boolean {
    if (type !== request.type || (request.blueprints.length > 0 && !request.blueprints.includes(blueprint))) return false;
    if (type === 'host') return satisfies(attributes, request.attributes);
    return Object.values(this.catalogue.get(blueprint)?.spec.limits ?? {}).some((limit) => limit !== undefined);
  }

  /** Its lease becomes active only after it: nothing would make this composite look again then. */
  private stillGathers(lease: string): boolean {
    return this.resources.get(Derived.idOf(lease, 'composite'))?.state.status === 'pending';
  }

  private nameOf(state: LiveResource, lease: string): string {
    return Object.entries((state.facts as Bookkeeping).members ?? {}).find(([, member]) => member === lease)?.[0] ?? lease;
  }

  private tell(id: string, command: ResourceCommand, role: string): void {
    const cause = derivedId(id, role);
    tellUntilStored(this.runtime, this.resources, id, command, { id: cause, actor: 'allocator', cause, at: new Date().toISOString() });
  }
}

const isAlive = (lease: LeaseView | undefined): boolean => lease !== undefined && lease.status !== 'ended';
