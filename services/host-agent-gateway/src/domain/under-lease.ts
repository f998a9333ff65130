import type { ActionSpec, AnyRecorded } from '@berth/contracts';
import { isLive, type Action } from './action.js';

type Prepare = Extract<ActionSpec, { kind: 'prepare-working-copy' }>;

/** What was done under each lease and matters to what is done next, folded from the feed. */
export class UnderLease {
  private readonly byLease = new Map<string, Set<string>>();
  private readonly started = new Map<string, number>();
  private readonly left = new Map<string, readonly string[]>();
  private readonly copies = new Map<string, Prepare>();
  private readonly services = new Map<string, readonly string[]>();

  /** `action`: of an action's commit, what it made of it. */
  apply(recorded: AnyRecorded, action: Action | undefined): void {
    const { id } = recorded;
    if (recorded.kind === 'lease' && recorded.commit.events.some((event) => event.type === 'LeaseDestroyed')) {
      this.left.delete(id);
      this.copies.delete(id);
      this.services.delete(id);
    }
    if (recorded.kind !== 'action' || !action || action.status === 'none') return;
    const { lease } = action;
    if ((action.status === 'failed' && action.code === 'unreachable') || action.status === 'lost') this.left.set(lease, [...(this.left.get(lease) ?? []), id]);
    if (action.spec.kind === 'prepare-working-copy') this.copies.set(lease, action.spec);
    if (action.status === 'requested' && (action.spec.kind === 'start-service' || action.spec.kind === 'restart-service')) this.services.set(lease, [...new Set([...this.starters(lease), id])]);
    if (isLive(action)) {
      this.byLease.set(lease, (this.byLease.get(lease) ?? new Set()).add(id));
      if (action.status === 'started' && !this.started.has(id)) this.started.set(id, Date.parse(recorded.commit.at));
    } else {
      this.started.delete(id);
      const others = this.byLease.get(lease);
      others?.delete(id);
      if (others?.size === 0) this.byLease.delete(lease);
    }
  }

  leases(): Iterable<string> {
    return this.byLease.keys();
  }

  /** Live actions. */
  live(lease: string): readonly string[] {
    return [...(this.byLease.get(lease) ?? [])];
  }

  /** When an action was recorded as started, epoch milliseconds. */
  startedAt(action: string): number | undefined {
    return this.started.get(action);
  }

  /** Actions that ended without the host having said that nothing of them runs. */
  abandoned(lease: string): readonly string[] {
    return this.left.get(lease) ?? [];
  }

  /** What the lease's working copy was made from: a build may have changed what the copy itself says of that. */
  prepared(lease: string): Prepare | undefined {
    return this.copies.get(lease);
  }

  /** Actions that have started a service under a lease, the first one first. */
  starters(lease: string): readonly string[] {
    return this.services.get(lease) ?? [];
  }
}
