import type { AnyRecorded } from '@berth/contracts';

/** A lease that a resource asked for itself. */
export interface OwnedLease {
  lease: string;
  /** of a composite */
  member: string | null;
}

/** Pure: what a resource leased itself by then, from its events: what it stands on, or the members of a composite. */
export function ownedLeases(resource: readonly AnyRecorded[]): OwnedLease[] {
  let owned: OwnedLease[] = [];
  for (const { commit } of resource) {
    for (const event of commit.events) {
      if (event.type === 'ResourceCreated' && event.data.parent?.own) owned = [{ lease: event.data.parent.lease, member: null }];
      else if (event.type === 'FactsKept' && event.data.facts['members'] !== undefined) {
        // null: given back for an older composite, and asked for anew later.
        const members = event.data.facts['members'] as Record<string, string> | null;
        owned = Object.entries(members ?? {}).map(([member, lease]) => ({ lease, member }));
      }
    }
  }
  return owned;
}
