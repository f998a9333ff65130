import { rejected, type ActionSpec, type AnyRecorded, type HostAccess, type Refusal, type ResourceType } from '@berth/contracts';

/** A host, and what is known of the link to it. */
export interface HostView {
  id: string;
  name: string;
  access: HostAccess;
  active: boolean;
  /** what the allocator has on record: why it can't be reached */
  problem?: string;
}

/** Where an action of a lease takes place. */
export interface Place {
  host: HostView;
  /** folder of the lease on the host: absolute once a working copy is made, else below the host's base folder */
  folder: { path: string } | { copy: string };
}

interface LeaseView {
  status: 'active' | 'other' | 'ended';
}

interface ResourceView {
  type: ResourceType;
  parent?: string;
  path?: string;
  leases: Set<string>;
}

/** What makes an action on a host legitimate: who holds what, folded from the feed. */
export class Grants {
  readonly hosts = new Map<string, HostView>();
  private readonly leases = new Map<string, LeaseView>();
  private readonly resources = new Map<string, ResourceView>();
  private readonly claims = new Map<string, { resource: string; token: number }>();

  apply(recorded: AnyRecorded): void {
    if (recorded.kind === 'lease') this.applyLease(recorded);
    else if (recorded.kind === 'resource') this.applyResource(recorded);
  }

  private applyLease({ id, commit }: Extract<AnyRecorded, { kind: 'lease' }>): void {
    for (const event of commit.events) {
      if (event.type === 'LeaseRequested') this.leases.set(id, { status: 'other' });
      else if (event.type === 'LeaseActivated') this.leases.set(id, { status: 'active' });
      else if (event.type === 'LeaseReleased' || event.type === 'LeaseBroken') this.leases.set(id, { status: 'ended' });
      else if (event.type === 'LeaseDestroyed') this.leases.delete(id);
    }
  }

  private applyResource({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'resource' }>): void {
    for (const event of commit.events) {
      const resource = this.resources.get(id);
      const host = this.hosts.get(id);
      switch (event.type) {
        case 'ResourceCreated':
          this.resources.set(id, { type: event.data.type, leases: new Set(), ...(event.data.parent && { parent: event.data.parent.resource }) });
          if (event.data.host) this.hosts.set(id, { id, name: event.data.name, access: event.data.host, active: false });
          break;
        case 'ResourceActivated':
          if (resource && event.data.path !== undefined) resource.path = event.data.path;
          if (host) host.active = true;
          break;
        case 'SlotClaimed':
          this.claims.set(event.data.lease, { resource: id, token: sequence });
          resource?.leases.add(event.data.lease);
          break;
        case 'SlotFreed':
          this.claims.delete(event.data.lease);
          resource?.leases.delete(event.data.lease);
          break;
        case 'ResourceUnreachable':
          if (host) host.problem = event.data.error;
          break;
        case 'ResourceReachable':
          if (host) delete host.problem;
          break;
        case 'ResourceDestroyed':
          this.resources.delete(id);
          this.hosts.delete(id);
          break;
        case 'ResourceBroken':
        case 'ResourceReleased':
          break;
      }
    }
  }

  ended(lease: string): boolean {
    return (this.leases.get(lease)?.status ?? 'ended') === 'ended';
  }

  /** Is the slot still held under this grant? */
  holds(lease: string, token: number): boolean {
    return this.claims.get(lease)?.token === token;
  }

  /**
   * May this be done under this lease with this token? What makes or removes what a lease stands on needs the claim
   * alone; everything else needs the lease to be active. The claim outlives the lease until all is cleaned up.
   */
  check(lease: string, token: number, spec: ActionSpec): Refusal | undefined {
    const claim = this.claims.get(lease);
    if (!claim) {
      if (this.leases.has(lease)) return rejected('lease-not-active', 'The lease has no host.', [{ field: 'data.lease', message: 'is not active: nothing can run under it' }]);
      return rejected('unknown-lease', 'There is no such lease.', [{ field: 'data.lease', message: 'is not the id of a lease that is alive' }]);
    }
    if (claim.token !== token) return rejected('stale-token', `The fencing token ${token} is stale.`, [{ field: 'data.token', message: `is not the token of the lease's grant (${claim.token})` }]);
    const status = this.leases.get(lease)?.status ?? 'ended';
    if (spec.kind === 'remove-working-copy') return undefined;
    if (status === 'active' || (spec.kind === 'prepare-working-copy' && status !== 'ended')) return undefined;
    return rejected('lease-not-active', `The lease is not active.`, [{ field: 'data.lease', message: status === 'ended' ? 'has ended: request a new lease' : 'is not active yet' }]);
  }

  /** @throws when `check` would have refused */
  place(lease: string): Place {
    const claim = this.claims.get(lease);
    const resource = claim && this.resources.get(claim.resource);
    const host = claim && resource && this.hosts.get(resource.type === 'host' ? claim.resource : (resource.parent ?? ''));
    if (!host) throw new Error(`lease ${lease} stands on no host`);
    return { host, folder: resource.path === undefined ? { copy: lease } : { path: resource.path } };
  }
}
