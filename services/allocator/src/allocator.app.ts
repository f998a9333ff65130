import { type AnyRecorded, type Answer, type CommandData, type ResourceEvent } from '@berth/contracts';
import { aggregates, Follower, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { Care } from './care.js';
import { Catalogue, type Blueprints } from './catalogue.js';
import { Claims, type Resources } from './claims.js';
import { Composites } from './composites.js';
import { Derived } from './derived.js';
import { Doors } from './doors.js';
import { FleetViews } from './fleet-views.js';
import { Images } from './images.js';
import { InUse } from './in-use.js';
import { HostWork } from './host-work.js';
import { Hosts, type Machines } from './hosts.js';
import { Launches } from './launches.js';
import { Operations } from './operations.js';
import { Services } from './services.js';
import { Owned } from './owned.js';
import { Peers } from './peers.js';
import { Pools } from './pools.js';
import { Reaper } from './reaper.js';
import { Room, type Fleets } from './room.js';
import { Takeovers } from './takeovers.js';
import { Views } from './views.js';
import { Why } from './why.js';
import { blueprintDecider } from './domain/blueprint.js';
import { fleetDecider } from './domain/fleet.js';
import { machineDecider } from './domain/machine.js';
import { resourceDecider } from './domain/resource.js';
import { blueprintStatus, fleetStatus, machineStatus, resourceStatus } from './domain/status.js';

/** Room that was set aside and not used after so long was set aside by a process that is gone. */
const STALE_ROOM_MS = 10_000;

/** The allocator: the one writer of machines, blueprints, resources and the fleet. Several processes of it share the work. */
export class AllocatorApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['machine', 'blueprint', 'fleet', 'resource', 'lease', 'action', 'catalog', 'image'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['machine', 'blueprint', 'fleet', 'resource'],
    of: (recorded) => {
      // One allocator tells of each thing: of two, the slower one would put an older word after a newer.
      if (!this.peers.mine(recorded.id)) return undefined;
      if (recorded.kind === 'machine') {
        const machine = this.machines.get(recorded.id)?.state;
        return machine && machine.status !== 'none' ? machineStatus(recorded.id, machine) : undefined;
      }
      if (recorded.kind === 'blueprint') {
        const blueprint = this.blueprints.get(recorded.id)?.state;
        return blueprint && blueprint.status !== 'none' ? blueprintStatus(recorded.id, blueprint) : undefined;
      }
      if (recorded.kind === 'fleet') return fleetStatus(recorded.id, this.room.fleet);
      const resource = this.resources.get(recorded.id)?.state;
      return resource && resource.status !== 'none' ? resourceStatus(recorded.id, resource) : undefined;
    },
  };
  readonly operations: Operations;
  readonly services: Services;
  readonly catalogue: Catalogue;
  readonly room: Room;
  readonly why: Why;
  private readonly machines: Machines;
  private readonly blueprints: Blueprints;
  private readonly fleets: Fleets;
  private readonly resources: Resources;
  private readonly views = new Views();
  private readonly images: Images;
  private readonly peers: Peers;
  private readonly inUse: InUse;
  private readonly doors: Doors;
  private readonly hosts: Hosts;
  private readonly claims: Claims;
  private readonly owned: Owned;
  private readonly work: HostWork;
  private readonly derived: Derived;
  private readonly composites: Composites;
  private readonly takeovers: Takeovers;
  private readonly launches: Launches;
  private readonly pools: Pools;
  private readonly care: Care;
  private readonly reaper: Reaper;
  private stale: NodeJS.Timeout | undefined;

  constructor(runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    const follower = () => this.follower;
    const feed = () => this.follower.feed;
    this.machines = aggregates('machine', machineDecider, runtime.store, feed);
    this.blueprints = aggregates('blueprint', blueprintDecider, runtime.store, feed);
    this.fleets = aggregates('fleet', fleetDecider, runtime.store, feed);
    this.resources = aggregates('resource', resourceDecider, runtime.store, feed);
    const { views, resources } = this;
    this.peers = new Peers(runtime, () => this.shared());
    this.images = new Images(runtime);
    this.catalogue = new Catalogue(runtime, follower, this.blueprints, (name) => this.inUse.of(name), this.images);
    this.room = new Room(runtime, follower, this.fleets, this.catalogue, () => this.inUse.inAll());
    this.inUse = new InUse(views, resources, this.catalogue, () => this.room, this.peers);
    this.hosts = new Hosts(runtime, this.machines, resources, this.catalogue, this.room, this.peers);
    this.doors = new Doors(this.machines, this.catalogue);
    this.claims = new Claims(runtime, follower, views, resources, this.catalogue, this.doors, this.room, this.images, this.peers, () => {
      this.why.judge();
      this.pools.look();
    });
    this.owned = new Owned(runtime, follower, views, resources, this.peers, (id) => this.resource(id));
    this.work = new HostWork(runtime, follower, views);
    const couldStand: Why['standing'] = (blueprints, request) => this.why.standing(blueprints, request);
    this.derived = new Derived(runtime, views, resources, this.claims, this.catalogue, this.room, this.peers, this.owned, this.work, couldStand);
    this.composites = new Composites(runtime, views, resources, this.catalogue, this.room, this.peers, this.owned, couldStand);
    this.takeovers = new Takeovers(runtime, follower, views, resources, this.hosts, this.peers);
    this.launches = new Launches(runtime, follower, resources, this.catalogue, this.room, this.images, this.peers);
    this.pools = new Pools(runtime, follower, views, resources, this.catalogue, this.room, this.claims, this.images, this.peers);
    this.care = new Care(runtime, resources, this.catalogue, this.peers);
    this.reaper = new Reaper(runtime, views, resources, this.catalogue, this.room, this.peers);
    this.why = new Why(runtime, follower, views, this.catalogue, this.doors, this.room, this.claims, this.derived, this.takeovers, new FleetViews(views, resources, this.catalogue, this.room, this.pools, this.hosts, this.doors, this.images), this.peers);
    this.operations = new Operations(views, resources, this.hosts, this.derived);
    this.services = new Services(runtime, follower, views, resources, this.catalogue);
  }

  // --- commands ---

  async addMachine(command: Command<CommandData<'allocator', 'AddMachine'>>): Promise<Answer> {
    return this.hosts.enrol(command);
  }

  async changeMachine(command: Command<CommandData<'allocator', 'ChangeMachine'>>): Promise<Answer> {
    return this.hosts.change(command);
  }

  removeMachine(command: Command<CommandData<'allocator', 'RemoveMachine'>>): Promise<Answer> {
    return this.machines.handle(command.data.name, { type: 'Remove', name: command.data.name }, causeOf(command));
  }

  reportHost(command: Command<CommandData<'allocator', 'ReportHost'>>): Promise<Answer> {
    const { resource, reachable, error } = command.data;
    return this.resources.handle(resource, { type: 'Report', reachable, error: error ?? 'it does not answer' }, causeOf(command));
  }

  /** Everything is decided once the views show what its asker has seen. */
  async seen<C extends Command, A>(command: C, handle: (command: C) => Promise<A>): Promise<A> {
    await this.follower.reached(command.after);
    return handle(command);
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'action') {
      // An ended action is forgotten with the commit that ends it.
      const before = this.views.actionOf(recorded.id);
      this.views.apply(recorded);
      this.touched = before ?? this.views.actionOf(recorded.id);
      return;
    }
    this.views.apply(recorded);
    this.owned.apply(recorded);
    switch (recorded.kind) {
      case 'machine':
        this.machines.apply(recorded);
        this.reopened = this.doors.note(recorded.id);
        return;
      case 'blueprint':
        this.blueprints.apply(recorded);
        return;
      case 'catalog':
      case 'image':
        this.moved = this.images.views.apply(recorded);
        return;
      case 'fleet':
        this.fleets.apply(recorded);
        for (const { type, data } of recorded.commit.events) {
          if (type === 'Reserved') for (const { lease } of data.slots) this.claims.noteRoom(lease);
          else if (type === 'Returned') for (const lease of data.slots) this.claims.noteRoom(lease);
        }
        return;
      case 'resource':
        this.resources.apply(recorded);
        this.claims.noteClaims(recorded.id, recorded.commit.events);
        this.derived.apply(recorded);
        if (recorded.commit.events.some(({ type }) => type === 'ResourceActivated')) this.pools.learn(recorded.id);
        if (!this.live) this.hosts.resource(recorded.id);
        return;
      default:
        return;
    }
  }

  private live = false;
  /** whether the last commit of a machine changed who may use it */
  private reopened = false;
  /** whether what hosts are launched from may have changed with the last commit of an image, or of the catalogue */
  private moved = false;
  /** lease, and what was made or removed, of the action that the last commit was about */
  private touched: { lease: string; about?: string } | undefined;

  async caughtUp(): Promise<void> {
    await this.peers.start();
    await this.room.found();
    this.live = true;
    this.claims.noteLimits();
    this.lookAtAll();
    this.why.start();
    this.care.start();
    this.pools.start();
    this.reaper.start();
    this.stale = setInterval(() => this.inUse.tidy(), STALE_ROOM_MS);
    this.stale.unref();
    void this.hosts.ensureLocal();
  }

  /** Whatever is due by what is there now: at the start, and when the work is shared anew. */
  private lookAtAll(): void {
    for (const [id] of this.resources.entries()) this.resource(id);
    for (const [name] of this.machines.entries()) this.hosts.machine(name);
    for (const id of this.views.leases.keys()) this.lease(id);
    for (const id of this.views.claims.keys()) this.derived.lease(id);
    this.owned.lookAll();
    this.inUse.adopt();
    this.claims.plan();
  }

  private shared(): void {
    if (!this.live) return;
    this.lookAtAll();
    // Whoever told of these may be gone, with its last word unsaid.
    for (const aggregates of [this.machines, this.blueprints, this.fleets, this.resources]) {
      for (const [id, { revision }] of aggregates.entries()) this.follower.tellAgain(aggregates.kind, id, revision);
    }
  }

  react(recorded: AnyRecorded): void {
    if (!this.live) return;
    switch (recorded.kind) {
      case 'machine':
        this.hosts.machine(recorded.id);
        if (this.reopened) this.readmit();
        return;
      case 'blueprint':
        this.reshape(recorded.commit.events.some(({ type }) => type === 'BlueprintSaved' || type === 'BlueprintRemoved' || type === 'BlueprintEnabled' || type === 'BlueprintDisabled'));
        return;
      case 'fleet':
        if (recorded.commit.events.some(({ type }) => type === 'QuotaSet')) {
          this.claims.noteLimits();
          this.inUse.adopt();
        }
        if (recorded.commit.events.some(({ type }) => type === 'Returned' || type === 'QuotaSet')) {
          this.hosts.noteRoom();
          this.derived.noteRoom();
          this.derived.noteFleet();
          this.composites.lookAll();
        }
        this.claims.plan();
        return;
      case 'resource':
        this.resource(recorded.id);
        for (const event of recorded.commit.events) this.follow(recorded.id, event);
        this.derived.noteFleet();
        this.claims.plan();
        return;
      case 'lease':
        this.lease(recorded.id);
        if (recorded.commit.events.some(({ type }) => type === 'LeaseWaiting' || type === 'LeaseDestroyed')) this.composites.lookAll();
        this.claims.plan();
        return;
      case 'action':
        if (!this.touched) return;
        if (this.touched.about !== undefined) this.derived.resource(this.touched.about);
        this.derived.lease(this.touched.lease);
        return;
      case 'plan':
      case 'token':
      case 'access':
      case 'webhook':
      case 'secret':
      case 'hardware':
      case 'hardware-group':
      case 'job':
      case 'catalog':
      case 'image':
        if (this.moved) this.followImages();
        return;
      case 'replication':
      case 'build':
        return;
    }
  }

  /** Who may use what changed. */
  private readmit(): void {
    this.claims.notePermissions();
    for (const [id, lease] of this.views.leases) if (lease.status === 'pending' && lease.request.type !== 'host') this.lease(id);
    this.claims.plan();
  }

  /** A blueprint changed; `who`: also in who may use it, or what it makes of machines. */
  private reshape(who: boolean): void {
    this.claims.noteLimits();
    if (who) {
      this.hosts.noteBlueprints();
      this.inUse.adopt();
      for (const [id] of this.resources.entries()) this.care.resource(id);
      this.readmit();
    } else this.claims.plan();
    this.pools.look();
  }

  /** Hosts may be of another version now than those that would be launched. */
  private followImages(): void {
    for (const [id, { state }] of this.resources.entries()) if ('info' in state && state.info.booted) this.claims.noteResource(id);
    this.claims.plan();
    this.pools.look();
  }

  private resource(id: string): void {
    this.claims.noteResource(id);
    this.hosts.resource(id);
    this.derived.resource(id);
    this.composites.resource(id);
    this.takeovers.resource(id);
    this.launches.resource(id);
    this.care.resource(id);
  }

  /** What an event of a resource means for others. */
  private follow(id: string, event: ResourceEvent): void {
    switch (event.type) {
      case 'SlotClaimed': {
        const { lease } = event.data;
        // A claim may have been committed for a lease that ended meanwhile.
        this.derived.lease(lease);
        return;
      }
      case 'SlotFreed': {
        const { lease } = event.data;
        this.claims.noteLease(lease);
        if (!this.views.claims.has(lease) && this.peers.mine(id)) this.room.give([lease]);
        return;
      }
      case 'HoldEnded':
        for (const lease of this.views.claims.keys()) this.derived.lease(lease);
        return;
      case 'ResourceDestroyed':
        if (this.peers.mine(id)) this.room.give([], [id]);
        this.owned.lookAll(id);
        this.composites.lookAll();
        this.derived.noteRoom();
        return;
      case 'ResourceActivated':
        this.composites.lookAll();
        return;
      default:
        return;
    }
  }

  private lease(id: string): void {
    this.claims.noteLease(id);
    this.derived.lease(id);
    this.derived.parent(id);
    this.owned.look(id);
    this.composites.lease(id);
    this.takeovers.lease(id);
    this.why.note(id);
  }

  stop(): void {
    clearInterval(this.stale);
    for (const part of [this.why, this.takeovers, this.care, this.pools, this.reaper, this.launches, this.work, this.claims, this.room, this.hosts, this.peers]) part.stop();
  }
}

const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
