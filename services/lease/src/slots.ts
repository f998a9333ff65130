import { unreachable, type ResourceEvent } from '@berth/contracts';
import type { Grant } from './domain/lease.js';

/** What this service needs to know of a resource. */
export interface ResourceView {
  blueprint: string;
  active: boolean;
  error?: string;
  leases: Set<string>;
}

const none: readonly Grant[] = [];

/** Resources and the claims on their slots, folded from the feed. */
export class Slots {
  private readonly resources = new Map<string, ResourceView>();
  /** live claims by lease, in the order of all events */
  private readonly claims = new Map<string, Grant[]>();

  resource(id: string): ResourceView | undefined {
    return this.resources.get(id);
  }

  isActive(id: string): boolean {
    return this.resources.get(id)?.active === true;
  }

  /**
   * The live claims of a lease. Several allocators may claim for one lease at the same time: the first in the order of all
   * events counts, and is the same one for whoever reads them; the others are given back by whoever made them.
   */
  claimsOf(lease: string): readonly Grant[] {
    return this.claims.get(lease) ?? none;
  }

  apply(id: string, sequence: number, event: ResourceEvent): void {
    switch (event.type) {
      case 'ResourceCreated':
        this.resources.set(id, { blueprint: event.data.blueprint, active: false, leases: new Set() });
        return;
      case 'ResourceDestroyed':
        this.resources.delete(id);
        return;
      case 'SlotClaimed':
        this.claim(id, sequence, event.data);
        return;
      case 'SlotFreed':
        this.free(id, event.data);
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
        return; // leases outlive a draining, a sick or a silent host: these say who gets its slots next
      case 'FactsKept':
        return; // for its blueprint alone
      default:
        unreachable(event);
    }
  }

  private claim(id: string, token: number, { lease, slot }: { lease: string; slot: number }): void {
    const resource = this.resources.get(id)!;
    const grant: Grant = { resource: id, blueprint: resource.blueprint, slot, token };
    const others = this.claims.get(lease);
    if (others) others.push(grant);
    else this.claims.set(lease, [grant]);
    resource.leases.add(lease);
  }

  private free(id: string, { lease, slot }: { lease: string; slot: number }): void {
    this.resources.get(id)!.leases.delete(lease);
    const left = (this.claims.get(lease) ?? none).filter((grant) => grant.resource !== id || grant.slot !== slot);
    if (left.length > 0) this.claims.set(lease, left);
    else this.claims.delete(lease);
  }
}
