import { derivedId, rejected, unreachable, type AnyRecorded, type Answer, type BlueprintName, type CommandData, type ResourceEvent } from '@berth/contracts';
import { aggregates, Follower, tellUntilStored, type Aggregates, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { leaseDecider, type Grant, type Lease, type LeaseCommand } from './domain/lease.js';
import { leaseStatus } from './domain/status.js';
import { Alarms } from './expiry.js';

/** What this service needs to know of a resource. */
interface ResourceView {
  blueprint: BlueprintName;
  active: boolean;
  error?: string;
  leases: Set<string>;
}

/** The lease service: the one writer of leases. It learns of claims and of resources from the feed. */
export class LeaseApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['lease', 'resource'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['lease'],
    of: (recorded) => {
      const lease = this.leases.get(recorded.id)?.state;
      return lease && lease.status !== 'none' ? leaseStatus(recorded.id, lease) : undefined;
    },
  };
  readonly leases: Aggregates<Lease, LeaseCommand, Parameters<typeof leaseDecider.evolve>[1]>;
  private readonly resources = new Map<string, ResourceView>();
  /** live claims, by lease */
  private readonly claims = new Map<string, Grant>();
  /** working-copy leases by the host lease that they stand on: released before it */
  private readonly standing = new Map<string, Set<string>>();
  private readonly alarms = new Alarms((id) => this.tell(id, { type: 'Expire', now: new Date().toISOString() }, derivedId(id, `expire ${Date.now()}`)));

  constructor(private readonly runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    this.leases = aggregates('lease', leaseDecider, runtime.store, () => this.follower.feed);
  }

  // --- commands ---

  async request(command: Command<CommandData<'lease', 'RequestLease'>>): Promise<Answer> {
    const { data } = command;
    await this.follower.reached(command.after);
    if (data.type === 'working-copy') {
      if (!data.host) return rejected('invalid-data', 'RequestLease is refused: a working copy needs a leased host.', [{ field: 'data.host.lease', message: 'give the id of an active host lease' }]);
      const host = this.leases.get(data.host.lease)?.state;
      if (!host || host.status === 'none') return rejected('unknown-lease', 'RequestLease is refused: there is no such host lease.', [{ field: 'data.host.lease', message: 'is not the id of a lease' }]);
      if (host.request.type !== 'host') return rejected('invalid-data', 'RequestLease is refused: that lease is not on a host.', [{ field: 'data.host.lease', message: `is a lease of type ${host.request.type}, not host` }]);
      if (host.status !== 'active') return rejected('lease-not-active', `RequestLease is refused: the host lease is ${host.status}.`, [{ field: 'data.host.lease', message: `is ${host.status}; it must be active` }]);
    } else if (data.host ?? data.workingCopy) {
      return rejected('invalid-data', 'RequestLease is refused: only a working copy stands on another lease.', [{ field: data.host ? 'data.host' : 'data.workingCopy', message: 'goes with type working-copy' }]);
    }
    if (data.until && Date.parse(data.until) <= Date.now()) return rejected('invalid-data', 'RequestLease is refused: until is in the past.', [{ field: 'data.until', message: 'must be in the future' }]);
    return this.leases.handle(command.id, { type: 'Request', request: data }, causeOf(command));
  }

  async renew(command: Command<CommandData<'lease', 'RenewLease'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.leases.handle(command.data.lease, { type: 'Renew', until: command.data.until, now: new Date().toISOString() }, causeOf(command));
  }

  async release(command: Command<CommandData<'lease', 'ReleaseLease'>>): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.leases.handle(command.data.lease, { type: 'Release', reason: command.data.reason }, causeOf(command));
  }

  async explain(command: Command<CommandData<'lease', 'ExplainLease'>>): Promise<Answer> {
    return this.leases.handle(command.data.lease, { type: 'Explain', reason: command.data.reason }, causeOf(command));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') {
      this.leases.apply(recorded);
      this.noteStanding(recorded.id);
    } else if (recorded.kind === 'resource') for (const event of recorded.commit.events) this.noteResource(recorded.id, recorded.sequence, event);
  }

  private noteResource(id: string, sequence: number, event: ResourceEvent): void {
    switch (event.type) {
      case 'ResourceCreated':
        this.resources.set(id, { blueprint: event.data.blueprint, active: false, leases: new Set() });
        return;
      case 'ResourceDestroyed':
        this.resources.delete(id);
        return;
      case 'SlotClaimed':
        this.claims.set(event.data.lease, { resource: id, blueprint: this.resources.get(id)!.blueprint, slot: event.data.slot, token: sequence });
        this.resources.get(id)!.leases.add(event.data.lease);
        return;
      case 'SlotFreed':
        this.claims.delete(event.data.lease);
        this.resources.get(id)!.leases.delete(event.data.lease);
        return;
      case 'ResourceActivated':
        Object.assign(this.resources.get(id)!, { active: true });
        return;
      case 'ResourceBroken':
        Object.assign(this.resources.get(id)!, { active: false, error: event.data.error });
        return;
      case 'ResourceReleased':
      case 'ResourceReachable':
      case 'ResourceUnreachable':
        return; // leases outlive a draining or a silent host
      default:
        unreachable(event);
    }
  }

  private noteStanding(id: string): void {
    const lease = this.leases.get(id)?.state;
    if (!lease || lease.status === 'none' || !lease.request.host) return;
    const host = lease.request.host.lease;
    const others = this.standing.get(host) ?? new Set<string>();
    if (lease.status === 'destroyed') others.delete(id);
    else others.add(id);
    if (others.size > 0) this.standing.set(host, others);
    else this.standing.delete(host);
  }

  caughtUp(): void {
    for (const [id] of this.leases.entries()) this.reconcile(id);
  }

  react(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.reconcile(recorded.id);
    else if (recorded.kind === 'resource') {
      const leases = new Set<string>();
      for (const event of recorded.commit.events) {
        if (event.type === 'SlotClaimed' || event.type === 'SlotFreed') leases.add(event.data.lease);
        else if (event.type === 'ResourceActivated' || event.type === 'ResourceBroken') for (const id of this.resources.get(recorded.id)?.leases ?? []) leases.add(id);
      }
      for (const id of leases) this.reconcile(id);
    }
  }

  /** What is due for a lease by what the feed has shown: the same answer after a restart as live. */
  private reconcile(id: string): void {
    const entry = this.leases.get(id);
    if (!entry || entry.state.status === 'none') return;
    const { state, revision } = entry;
    this.mindExpiry(id, state);
    const due = dueFor(state, this.claims.get(id), 'grant' in state ? this.resources.get(state.grant.resource) : undefined, (resource) => this.resources.get(resource)?.active === true);
    if (due) this.tell(id, due, derivedId(id, `${due.type} ${revision}`));
    if (state.status === 'released' || state.status === 'broken') {
      for (const dependent of this.standing.get(id) ?? []) this.tell(dependent, { type: 'Release', reason: 'its host lease ended' }, derivedId(dependent, `host ended ${revision}`));
    }
  }

  private mindExpiry(id: string, lease: Lease): void {
    if (lease.status === 'pending' || lease.status === 'acquired' || lease.status === 'active') {
      if (lease.request.until) this.alarms.set(id, Date.parse(lease.request.until));
    } else this.alarms.clear(id);
  }

  private tell(id: string, command: LeaseCommand, commit: string): void {
    tellUntilStored(this.runtime, this.leases, id, command, { id: commit, actor: 'lease', cause: commit, at: new Date().toISOString() });
  }

  stop(): void {
    this.alarms.clearAll();
  }
}

/** The one command that a lease is due, given its claim and the resource behind its grant. */
function dueFor(lease: Lease, claim: Grant | undefined, resource: ResourceView | undefined, isActive: (resource: string) => boolean): LeaseCommand | undefined {
  switch (lease.status) {
    case 'pending':
      return claim && { type: 'Claim', grant: claim, ready: isActive(claim.resource) };
    case 'acquired':
      if (resource?.error !== undefined) return { type: 'Break', resource: lease.grant.resource, error: resource.error };
      return resource?.active ? { type: 'Ready', resource: lease.grant.resource } : undefined;
    case 'active':
      return resource?.error !== undefined ? { type: 'Break', resource: lease.grant.resource, error: resource.error } : undefined;
    case 'released':
    case 'broken':
      return claim ? undefined : { type: 'Freed', token: lease.grant.token };
    case 'none':
    case 'destroyed':
      return undefined;
    default:
      return unreachable(lease);
  }
}

const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: new Date().toISOString() });
