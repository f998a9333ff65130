import { rejected, unreachable, type ActionSpec, type AnyRecorded, type HostAccess, type Refusal } from '@berth/contracts';
import { hostOf, isRemoval, ResourceTree, type HostView, type ResourceView } from './resources.js';

/** Where an action of a lease takes place. */
export interface Place {
  host: HostView;
  access: HostAccess;
  /** folder of the lease on the host: absolute once a working copy is made, else below the host's base folder */
  folder: { path: string } | { copy: string };
}

/** Why nothing can be done on the host of a lease any more. `launched`: it is gone with all that was on it. */
export interface Gone {
  launched: boolean;
  error: string;
}

interface LeaseView {
  status: 'active' | 'other' | 'ended';
}

/** What makes an action on a host legitimate: who holds what, folded from the feed. */
export class Grants {
  private readonly tree = new ResourceTree();
  private readonly leases = new Map<string, LeaseView>();

  /** Hosts in service: known how to get in, and neither broken nor destroyed. */
  get hosts(): ReadonlyMap<string, HostView & { access: HostAccess }> {
    return this.tree.hosts;
  }

  /** The host in service of an enrolled machine. */
  hostOf(machine: string): (HostView & { access: HostAccess }) | undefined {
    return this.tree.machines.get(machine);
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.applyLease(recorded);
    else if (recorded.kind === 'resource') this.tree.apply(recorded);
  }

  private applyLease({ id, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    for (const event of commit.events) {
      switch (event.type) {
        case 'LeaseRequested':
          this.leases.set(id, { status: 'other' });
          break;
        case 'LeaseActivated':
          this.leases.set(id, { status: 'active' });
          break;
        case 'LeaseRefused':
        case 'LeaseReleased':
        case 'LeaseBroken':
          this.leases.set(id, { status: 'ended' });
          break;
        case 'LeaseDestroyed':
          this.leases.delete(id);
          break;
        case 'LeaseWaiting':
        case 'PriorityChanged':
        case 'LeaseAcquired':
        case 'LeaseRenewed':
        case 'LeaseBeat':
          break;
        default:
          unreachable(event);
      }
    }
  }

  ended(lease: string): boolean {
    return (this.leases.get(lease)?.status ?? 'ended') === 'ended';
  }

  /** Is the slot still held under this grant? */
  holds(lease: string, token: number): boolean {
    return this.tree.claims.get(lease)?.token === token;
  }

  /** Does anybody alive own the folder of this name? A folder is named after a lease or a working copy. */
  owned(folder: string): boolean {
    return this.leases.has(folder) || this.tree.claims.has(folder) || this.tree.has(folder);
  }

  /** Why nothing can be done for this lease on a host: that one failed for good, or there never was one. */
  gone(lease: string): Gone | undefined {
    const claim = this.tree.claims.get(lease);
    if (!claim) return undefined;
    const host = hostOf(claim.resource);
    // Nobody could get in so far, so nothing of this lease is anywhere.
    if (!host?.access) return { launched: true, error: host?.over ?? 'it stands on no host' };
    return host.over === undefined ? undefined : { launched: host.launched, error: host.over };
  }

  /**
   * May this be done under this lease with this token? What makes or removes what a lease stands on needs the claim
   * alone; everything else needs the lease to be active. The claim outlives the lease until all is cleaned up.
   */
  check(lease: string, token: number, spec: Pick<ActionSpec, 'kind'>): Refusal | undefined {
    const claim = this.tree.claims.get(lease);
    if (!claim) {
      if (this.leases.has(lease)) return rejected('lease-not-active', 'The lease has no host.', [{ field: 'data.lease', message: 'is not active: nothing can run under it' }]);
      return rejected('unknown-lease', 'There is no such lease.', [{ field: 'data.lease', message: 'is not the id of a lease that is alive' }]);
    }
    if (claim.token !== token) return rejected('stale-token', `The fencing token ${token} is stale.`, [{ field: 'data.token', message: `is not the token of the lease's grant (${claim.token})` }]);
    if (isRemoval(spec.kind)) return undefined;
    const status = this.leases.get(lease)?.status ?? 'ended';
    const makes = spec.kind === 'prepare-working-copy' || spec.kind === 'start-service';
    if (status !== 'active' && !(makes && status !== 'ended')) {
      return rejected('lease-not-active', `The lease is not active.`, [{ field: 'data.lease', message: status === 'ended' ? 'has ended: request a new lease' : 'is not active yet' }]);
    }
    if (claim.resource.type === 'composite') return rejected('lease-not-active', 'A composite has no host of its own.', [{ field: 'data.lease', message: 'is of a composite: name the lease of one of its members' }]);
    if (!this.placed(claim.resource)) return rejected('lease-not-active', 'The lease has no host yet.', [{ field: 'data.lease', message: 'stands on something that is not ready yet' }]);
    const gone = this.gone(lease);
    if (gone) return rejected('machine-unreachable', `Its host failed: ${gone.error}.`, [{ field: 'data.lease', message: 'stands on a host that failed: request a new lease' }]);
    return undefined;
  }

  /** @throws when `check` would have refused */
  place(lease: string): Place {
    const resource = this.tree.claims.get(lease)?.resource;
    const host = resource && this.placed(resource);
    if (!host) throw new Error(`lease ${lease} stands on no host`);
    const at = resource.type === 'service' ? resource.parent?.view : resource;
    return { host, access: host.access, folder: at?.path === undefined ? { copy: lease } : { path: at.path } };
  }

  private placed(resource: ResourceView): (HostView & { access: HostAccess }) | undefined {
    const host = hostOf(resource);
    return host?.access && { ...host, access: host.access };
  }
}
