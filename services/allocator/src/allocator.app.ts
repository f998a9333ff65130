import type { AnyRecorded, Answer, CommandData, ResourceEvent } from '@berth/contracts';
import { aggregates, Follower, type Command, type Following, type Runtime } from '@berth/runtime';
import { Claims, type Resources } from './claims.js';
import { Copies } from './copies.js';
import { Hosts, type Machines } from './hosts.js';
import { Views } from './views.js';
import { machineDecider } from './domain/machine.js';
import { resourceDecider } from './domain/resource.js';
import { machineStatus, resourceStatus } from './domain/status.js';

/** The allocator: the one writer of machines and resources. */
export class AllocatorApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['machine', 'resource', 'lease', 'action'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['machine', 'resource'],
    of: (recorded) => {
      if (recorded.kind === 'machine') {
        const machine = this.machines.get(recorded.id)?.state;
        return machine && machine.status !== 'none' ? machineStatus(recorded.id, machine) : undefined;
      }
      const resource = this.resources.get(recorded.id)?.state;
      return resource && resource.status !== 'none' ? resourceStatus(recorded.id, resource) : undefined;
    },
  };
  private readonly machines: Machines;
  private readonly resources: Resources;
  private readonly views = new Views();
  /** who holds what, by lease */
  private readonly claimed = new Map<string, { resource: string; token: number }>();
  private readonly hosts: Hosts;
  private readonly claims: Claims;
  private readonly copies: Copies;

  constructor(runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    const feed = () => this.follower.feed;
    this.machines = aggregates('machine', machineDecider, runtime.store, feed);
    this.resources = aggregates('resource', resourceDecider, runtime.store, feed);
    this.hosts = new Hosts(runtime, this.machines, this.resources);
    this.claims = new Claims(runtime, () => this.follower, this.views, this.resources);
    this.copies = new Copies(runtime, () => this.follower, this.views, this.resources, this.claims, (lease) => this.claimed.get(lease));
  }

  // --- commands ---

  async addMachine(command: Command<CommandData<'allocator', 'AddMachine'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.hosts.enrol(command);
  }

  async removeMachine(command: Command<CommandData<'allocator', 'RemoveMachine'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.machines.handle(command.data.name, { type: 'Remove', name: command.data.name }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
  }

  async reportHost(command: Command<CommandData<'allocator', 'ReportHost'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { resource, reachable, error } = command.data;
    return this.resources.handle(resource, { type: 'Report', reachable, error: error ?? 'it does not answer' }, { id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'machine') this.machines.apply(recorded);
    else if (recorded.kind === 'resource') {
      this.resources.apply(recorded);
      for (const event of recorded.commit.events) this.noteClaim(recorded.id, recorded.sequence, event);
      this.copies.apply(recorded);
      if (!this.live) this.hosts.resource(recorded.id);
    } else if (recorded.kind === 'lease') this.views.apply(recorded);
    else if (recorded.kind === 'action') {
      this.touched = this.views.actionOf(recorded.id);
      this.views.apply(recorded);
      this.touched ??= this.views.actionOf(recorded.id);
    }
  }

  private live = false;
  /** lease and copy of the action that the last commit was about */
  private touched: { lease: string; copy?: string } | undefined;

  private noteClaim(resource: string, sequence: number, event: ResourceEvent): void {
    if (event.type === 'SlotClaimed') this.claimed.set(event.data.lease, { resource, token: sequence });
    else if (event.type === 'SlotFreed') this.claimed.delete(event.data.lease);
  }

  caughtUp(): void {
    this.live = true;
    for (const [id] of this.resources.entries()) {
      this.claims.noteResource(id);
      this.hosts.resource(id);
      this.copies.resource(id);
    }
    for (const [name] of this.machines.entries()) this.hosts.machine(name);
    for (const id of this.views.leases.keys()) this.lease(id);
    for (const id of this.claimed.keys()) this.copies.lease(id);
    this.claims.start();
    this.claims.plan();
    void this.hosts.ensureLocal();
  }

  react(recorded: AnyRecorded): void {
    switch (recorded.kind) {
      case 'machine':
        this.hosts.machine(recorded.id);
        return;
      case 'resource':
        this.claims.noteResource(recorded.id);
        this.hosts.resource(recorded.id);
        this.copies.resource(recorded.id);
        // A claim may have been committed for a lease that ended meanwhile.
        for (const event of recorded.commit.events) if (event.type === 'SlotClaimed') this.copies.lease(event.data.lease);
        this.claims.plan();
        return;
      case 'lease':
        this.lease(recorded.id);
        this.claims.plan();
        return;
      case 'action':
        if (!this.touched) return;
        if (this.touched.copy !== undefined) this.copies.resource(this.touched.copy);
        this.copies.lease(this.touched.lease);
        return;
      case 'plan':
      case 'build':
        return;
    }
  }

  private lease(id: string): void {
    this.claims.noteLease(id);
    this.copies.lease(id);
  }

  stop(): void {
    this.claims.stop();
    this.copies.stop();
    this.hosts.stop();
  }
}
