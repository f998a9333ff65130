import { derivedId, rejected, type AnyRecorded, type Answer, type CommandData } from '@berth/contracts';
import { aggregates, Follower, tellUntilStored, type Aggregates, type Cause, type Command, type Following, type Runtime } from '@berth/runtime';
import { deadline, type Times } from './domain/deadline.js';
import { dueFor } from './domain/due.js';
import { leaseDecider, type Lease, type LeaseCommand } from './domain/lease.js';
import { checkStanding } from './domain/standing.js';
import { leaseStatus } from './domain/status.js';
import { Alarms } from './expiry.js';
import { Slots } from './slots.js';

type Data<T extends 'RequestLease' | 'RenewLease' | 'BeatLease' | 'ChangePriority' | 'ReleaseLease' | 'EvictLease' | 'ExplainLease' | 'RefuseLease'> = Command<CommandData<'lease', T>>;

/** The lease service: the one writer of leases. It learns of claims and of resources from the feed. */
export class LeaseApp implements Following {
  readonly follower: Follower;
  readonly kinds = ['lease', 'resource'] as const;
  readonly status: NonNullable<Following['status']> = {
    kinds: ['lease'],
    of: (recorded) => {
      if (recorded.kind === 'lease' && recorded.commit.events.every((event) => event.type === 'LeaseBeat')) return undefined;
      const lease = this.leases.get(recorded.id)?.state;
      return lease && lease.status !== 'none' ? leaseStatus(recorded.id, lease) : undefined;
    },
  };
  readonly leases: Aggregates<Lease, LeaseCommand, Parameters<typeof leaseDecider.evolve>[1]>;
  private readonly slots = new Slots();
  /** leases by the lease that they stand on: gone before it */
  private readonly standing = new Map<string, Set<string>>();
  /** when those were asked for that may wait for so long only; no event says so, but its commit does */
  private readonly asked = new Map<string, string>();
  /** since when the feed shows the present: before, nobody could be heard */
  private live = new Date(0).toISOString();
  private readonly alarms = new Alarms((id) => this.tell(id, { type: 'Expire', now: now(), ...this.timesOf(id) }, derivedId(id, `expire ${Date.now()}`)));

  constructor(private readonly runtime: Runtime) {
    this.follower = new Follower(runtime, this);
    this.leases = aggregates('lease', leaseDecider, runtime.store, () => this.follower.feed);
  }

  // --- commands ---

  async request(command: Data<'RequestLease'>): Promise<Answer> {
    const { data } = command;
    await this.follower.reached(command.after);
    const refusal = checkStanding(data, data.host && this.leases.get(data.host.lease)?.state);
    if (refusal) return refusal;
    if (data.until && Date.parse(data.until) <= Date.now()) return rejected('invalid-data', 'RequestLease is refused: until is in the past.', [{ field: 'data.until', message: 'must be in the future' }]);
    return this.leases.handle(command.id, { type: 'Request', request: data, now: now() }, causeOf(command));
  }

  renew(command: Data<'RenewLease'>): Promise<Answer> {
    return this.carryOut(command, { type: 'Renew', until: command.data.until, now: now() });
  }

  beat(command: Data<'BeatLease'>): Promise<Answer> {
    return this.carryOut(command, { type: 'Beat', now: now() });
  }

  changePriority(command: Data<'ChangePriority'>): Promise<Answer> {
    return this.carryOut(command, { type: 'ChangePriority', priority: command.data.priority });
  }

  release(command: Data<'ReleaseLease'>): Promise<Answer> {
    return this.carryOut(command, { type: 'Release', reason: command.data.reason });
  }

  evict(command: Data<'EvictLease'>): Promise<Answer> {
    return this.carryOut(command, { type: 'Evict', reason: command.data.reason });
  }

  explain(command: Data<'ExplainLease'>): Promise<Answer> {
    return this.carryOut(command, { type: 'Explain', explanation: command.data.explanation });
  }

  async refuse(command: Data<'RefuseLease'>): Promise<Answer> {
    await this.follower.reached(command.after);
    const { lease, explanation } = command.data;
    // One allocator found nothing while another has claimed: what can be served is not refused.
    if (this.slots.claimsOf(lease).length > 0) return { accepted: true, id: lease };
    return this.leases.handle(lease, { type: 'Refuse', explanation }, causeOf(command));
  }

  private async carryOut(command: Command<{ lease: string }>, told: LeaseCommand): Promise<Answer> {
    await this.follower.reached(command.after);
    return this.leases.handle(command.data.lease, told, causeOf(command));
  }

  // --- feed ---

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') {
      this.leases.apply(recorded);
      this.noteLease(recorded.id, recorded.commit.at);
    } else if (recorded.kind === 'resource') for (const event of recorded.commit.events) this.slots.apply(recorded.id, recorded.sequence, event);
  }

  private noteLease(id: string, at: string): void {
    const lease = this.leases.get(id)?.state;
    if (!lease || lease.status === 'none') return;
    if (lease.request.waitAtMost !== undefined) {
      if (lease.status !== 'pending') this.asked.delete(id);
      else if (!this.asked.has(id)) this.asked.set(id, at);
    }
    if (!lease.request.host) return;
    const ground = lease.request.host.lease;
    const others = this.standing.get(ground) ?? new Set<string>();
    if (lease.status === 'destroyed') others.delete(id);
    else others.add(id);
    if (others.size > 0) this.standing.set(ground, others);
    else this.standing.delete(ground);
  }

  caughtUp(): void {
    this.live = now();
    for (const [id] of this.leases.entries()) this.reconcile(id);
  }

  react(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') {
      this.reconcile(recorded.id);
      this.reconcileAround(recorded.id);
    } else if (recorded.kind === 'resource') {
      const leases = new Set<string>();
      for (const event of recorded.commit.events) {
        if (event.type === 'SlotClaimed' || event.type === 'SlotFreed') leases.add(event.data.lease);
        else if (event.type === 'ResourceActivated' || event.type === 'ResourceBroken') for (const id of this.slots.resource(recorded.id)?.leases ?? []) leases.add(id);
      }
      for (const id of leases) this.reconcile(id);
    }
  }

  /** The end of a lease concerns what stands on it, and what it stood on. */
  private reconcileAround(id: string): void {
    const lease = this.leases.get(id)?.state;
    if (lease?.status === 'released' || lease?.status === 'broken') for (const dependent of this.standing.get(id) ?? []) this.reconcile(dependent);
    else if (lease?.status === 'destroyed' && lease.request.host) this.reconcile(lease.request.host.lease);
  }

  /** What is due for a lease by what the feed has shown: the same answer after a restart as live. */
  private reconcile(id: string): void {
    const entry = this.leases.get(id);
    if (!entry || entry.state.status === 'none') return;
    const { state, revision } = entry;
    this.mindDeadline(id, state);
    const due = dueFor(state, {
      claims: this.slots.claimsOf(id),
      resource: 'grant' in state ? this.slots.resource(state.grant.resource) : undefined,
      isActive: (resource) => this.slots.isActive(resource),
      groundless: this.groundless(state),
      carries: this.standing.has(id),
    });
    if (due) this.tell(id, due, derivedId(id, `${due.type} ${revision}`));
  }

  /** Why there is nothing left to stand on. A lease that was active once and is not known any more ended long ago. */
  private groundless(lease: Exclude<Lease, { status: 'none' }>): string | undefined {
    if (!lease.request.host) return undefined;
    const ground = this.leases.get(lease.request.host.lease)?.state;
    if (!ground || ground.status === 'none') return 'the lease it stands on ended';
    return ground.status === 'released' || ground.status === 'broken' || ground.status === 'destroyed' ? `its ${ground.request.type} lease ended` : undefined;
  }

  private mindDeadline(id: string, lease: Lease): void {
    const due = deadline(lease, this.timesOf(id));
    if (due) this.alarms.set(id, due.at);
    else this.alarms.clear(id);
  }

  private timesOf(id: string): Times {
    return { asked: this.asked.get(id) ?? this.live, live: this.live };
  }

  private tell(id: string, command: LeaseCommand, commit: string): void {
    tellUntilStored(this.runtime, this.leases, id, command, { id: commit, actor: 'lease', cause: commit, at: now() });
  }

  stop(): void {
    this.alarms.clearAll();
  }
}

const now = (): string => new Date().toISOString();
const causeOf = (command: Command): Cause => ({ id: command.id, actor: command.actor, cause: command.id, at: now() });
