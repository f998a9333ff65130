import { derivedId, type AnyRecorded, type LeaseRequest } from '@berth/contracts';
import type { Follower, Runtime } from '@berth/runtime';
import type { Resources } from './claims.js';
import type { Peers } from './peers.js';
import type { Views } from './views.js';

/**
 * Leases that resources hold themselves: the host that a working copy leased to stand on, the members of a composite. They
 * are asked for like anybody's, and given back when their resource is destroyed, or never needed them after all.
 */
export class Owned {
  /** by lease: the resource that asked */
  private readonly by = new Map<string, string>();
  private readonly sent = new Set<string>();
  /** by lease: why it is over */
  private readonly over = new Map<string, string>();

  constructor(
    private readonly runtime: Runtime,
    private readonly follower: () => Follower,
    private readonly views: Views,
    private readonly resources: Resources,
    private readonly peers: Peers,
    private readonly again: (resource: string) => void,
  ) {}

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease' && this.by.has(recorded.id)) {
      for (const event of recorded.commit.events) {
        if (event.type === 'LeaseRefused' || event.type === 'LeaseReleased') this.over.set(recorded.id, event.data.reason);
        else if (event.type === 'LeaseBroken') this.over.set(recorded.id, event.data.error);
      }
    }
    if (recorded.kind !== 'resource') return;
    for (const event of recorded.commit.events) {
      if (event.type === 'ResourceCreated' && event.data.parent?.own) this.by.set(event.data.parent.lease, recorded.id);
      else if (event.type === 'FactsKept') for (const lease of membersOf(event.data.facts)) this.by.set(lease, recorded.id);
    }
  }

  ownerOf(lease: string): string | undefined {
    return this.by.get(lease);
  }

  /** Sees that a lease is asked for. @returns why there will be none, when that is known */
  ask(lease: string, request: LeaseRequest, resource: string): string | undefined {
    const over = this.over.get(lease);
    if (over !== undefined) return over;
    if (!this.views.leases.has(lease)) this.send(lease, request, resource);
    return undefined;
  }

  /** Sees that a lease is given back. True when nothing is left of it. */
  release(lease: string, reason: string): boolean {
    const view = this.views.leases.get(lease);
    if (!view) return this.over.has(lease) || !this.sent.has(lease);
    if (view.status !== 'ended') this.giveBack(lease, reason);
    return false;
  }

  /** A lease, or the resource that owns it, changed: one whose resource is gone is given back. */
  look(lease: string): void {
    const resource = this.by.get(lease);
    if (resource === undefined || !this.peers.mine(resource)) return;
    const state = this.resources.get(resource)?.state;
    const view = this.views.leases.get(lease);
    const gone = !state || state.status === 'destroyed';
    if (gone && view && view.status !== 'ended') this.giveBack(lease, 'what it was for is gone');
    else if (gone && !view && this.over.has(lease)) {
      // Kept until then: a request that is still on its way would make a lease that nobody knows of.
      this.by.delete(lease);
      this.over.delete(lease);
    }
  }

  lookAll(resource?: string): void {
    for (const [lease, by] of this.by) if (resource === undefined || by === resource) this.look(lease);
  }

  private send(lease: string, request: LeaseRequest, resource: string): void {
    if (this.sent.has(lease)) return;
    this.sent.add(lease);
    this.runtime.bus
      .command('lease', 'RequestLease', request, { id: lease, actor: 'allocator', after: this.follower().position })
      .then(async (answer) => {
        if (!answer.accepted) {
          this.over.set(lease, answer.message);
          this.again(resource);
        } else if (answer.position) {
          await this.follower().reached(answer.position);
          // Asked for and not needed any more meanwhile.
          this.look(lease);
        }
      })
      .catch((error: unknown) => this.runtime.log.warn({ error, lease }, 'lease not asked for'))
      .finally(() => this.sent.delete(lease));
  }

  private giveBack(lease: string, reason: string): void {
    const id = derivedId(lease, 'release');
    if (this.sent.has(id)) return;
    this.sent.add(id);
    this.runtime.bus
      .command('lease', 'ReleaseLease', { lease, reason }, { id, actor: 'allocator', after: this.follower().position })
      .catch((error: unknown) => this.runtime.log.warn({ error, lease }, 'lease not given back'))
      .finally(() => this.sent.delete(id));
  }
}

/** The leases of a composite, as its bookkeeping has them. */
export function membersOf(facts: Readonly<Record<string, unknown>>): string[] {
  const { members } = facts;
  return members && typeof members === 'object' ? Object.values(members).filter((lease): lease is string => typeof lease === 'string') : [];
}
