import { unreachable, type ActionKind, type AnyRecorded, type HostAccess, type ResourceType } from '@berth/contracts';

/** A host, and what is known of the link to it. */
export interface HostView {
  id: string;
  name: string;
  /** the machine that it stands for, of those that are enrolled */
  machine?: string;
  /** absent while a host is being launched */
  access?: HostAccess;
  active: boolean;
  /** It was launched, not enrolled: once it is over, all that was on it is gone too. */
  launched: boolean;
  /** why it is over: broken or destroyed */
  over?: string;
  /** what the allocator has on record: why it can't be reached */
  problem?: string;
}

export interface ResourceView {
  type: ResourceType;
  /** The lease that it stands on, and what is behind that once a claim has said so. */
  parent?: { lease: string; view?: ResourceView };
  path?: string;
  /** of a host */
  host?: HostView;
}

/** Kinds of actions that take away what a lease stood on: owed whatever happens, also when the lease has ended. */
export const isRemoval = (kind: ActionKind): boolean => kind === 'remove-working-copy' || kind === 'stop-service';

/** A service on a working copy on a host is three; more would be a fault of whoever wrote the events. */
const LEVELS = 4;

/** The host that a resource stands on, through whatever is between. */
export function hostOf(resource: ResourceView): HostView | undefined {
  let at: ResourceView | undefined = resource;
  for (let level = 0; at && level < LEVELS; level++) {
    if (at.host) return at.host;
    at = at.parent?.view;
  }
  return undefined;
}

/**
 * What stands on what. A child holds on to the very view of what it stands on, so it is still known what became of a host
 * after that was destroyed, for as long as something stands on it and no longer.
 */
export class ResourceTree {
  readonly hosts = new Map<string, HostView & { access: HostAccess }>();
  /** those of enrolled machines, by machine */
  readonly machines = new Map<string, HostView & { access: HostAccess }>();
  readonly claims = new Map<string, { resource: ResourceView; token: number }>();
  private readonly surplus = new Map<string, { resource: ResourceView; token: number }[]>();
  private readonly resources = new Map<string, ResourceView>();
  /** by lease: what stands on it */
  private readonly children = new Map<string, Set<ResourceView>>();

  has(id: string): boolean {
    return this.resources.has(id);
  }

  apply({ id, sequence, commit }: Extract<AnyRecorded, { kind: 'resource' }>): void {
    for (const event of commit.events) {
      const resource = this.resources.get(id);
      const host = resource?.host;
      switch (event.type) {
        case 'ResourceCreated': {
          const { type, name, machine, host: access, parent } = event.data;
          const created: ResourceView = { type };
          if (type === 'host') created.host = { id, name, active: false, launched: access === undefined, ...(machine !== undefined && { machine }), ...(access && { access }) };
          if (parent) this.adopt(created, parent.lease, parent.resource);
          this.resources.set(id, created);
          if (created.host) this.serve(created.host);
          break;
        }
        case 'ResourceActivated':
          if (resource && event.data.path !== undefined) resource.path = event.data.path;
          if (!host) break;
          if (event.data.host) host.access = event.data.host;
          host.active = true;
          this.serve(host);
          break;
        case 'SlotClaimed':
          if (!resource) break;
          // Of two allocators' claims for one lease the first counts; the other waits in case that one is given back.
          if (this.claims.has(event.data.lease)) {
            this.surplus.set(event.data.lease, [...(this.surplus.get(event.data.lease) ?? []), { resource, token: sequence }]);
            break;
          }
          this.claims.set(event.data.lease, { resource, token: sequence });
          // It was not known what is behind the lease when these were created.
          for (const child of this.children.get(event.data.lease) ?? []) child.parent!.view = resource;
          break;
        case 'SlotFreed':
          if (resource) this.freed(event.data.lease, resource);
          break;
        case 'ResourceUnreachable':
          if (host) host.problem = event.data.error;
          break;
        case 'ResourceReachable':
          if (host) delete host.problem;
          break;
        case 'ResourceBroken':
          if (host) this.end(host, event.data.error);
          break;
        case 'ResourceDestroyed':
          if (host) this.end(host, host.over ?? 'it was destroyed');
          if (resource?.parent) this.leave(resource, resource.parent.lease);
          this.resources.delete(id);
          break;
        case 'ResourceReleased':
        case 'FactsKept':
        case 'HealthFailed':
        case 'HealthPassed':
        case 'ResourceQuarantined':
        case 'QuarantineEnded':
        case 'ResourceHeld':
        case 'HoldEnded':
        case 'DrainBegan':
        case 'DrainEnded':
        case 'ResourceReserved':
        case 'ReservationEnded':
          break;
        default:
          unreachable(event);
      }
    }
  }

  private freed(lease: string, resource: ResourceView): void {
    const others = (this.surplus.get(lease) ?? []).filter((claim) => claim.resource !== resource);
    if (this.claims.get(lease)?.resource === resource) {
      this.claims.delete(lease);
      const next = others.shift();
      if (next) this.claims.set(lease, next);
    }
    if (others.length > 0) this.surplus.set(lease, others);
    else this.surplus.delete(lease);
  }

  private serve(host: HostView): void {
    if (!host.access || host.over !== undefined) return;
    const served = host as HostView & { access: HostAccess };
    this.hosts.set(host.id, served);
    if (host.machine !== undefined) this.machines.set(host.machine, served);
  }

  private end(host: HostView, error: string): void {
    host.over = error;
    this.hosts.delete(host.id);
    // Its machine may have the next one by now.
    if (host.machine !== undefined && this.machines.get(host.machine)?.id === host.id) this.machines.delete(host.machine);
  }

  private adopt(child: ResourceView, lease: string, resource: string | undefined): void {
    const view = (resource === undefined ? undefined : this.resources.get(resource)) ?? this.claims.get(lease)?.resource;
    child.parent = { lease, ...(view && { view }) };
    this.children.set(lease, (this.children.get(lease) ?? new Set()).add(child));
  }

  private leave(child: ResourceView, lease: string): void {
    const others = this.children.get(lease);
    others?.delete(child);
    if (others?.size === 0) this.children.delete(lease);
  }
}
