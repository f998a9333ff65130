import type { WarehouseObject } from '@berth/client';
import { attributeQuery, objectAttributes, QueryFault, type AttributeQuery } from '@berth/contracts';
import type { ImageVersionRow } from './image-version.js';
import type { ReplicaRow, ReplicationRow } from './replication.js';

/** An object, and its place in the order in which objects came to be. */
export interface Placed {
  object: Omit<WarehouseObject, 'replicas'>;
  created: string;
  tie: number;
}

/** A version has an image and an SBOM for each of its targets: fewer than that. */
const OBJECTS_OF_A_VERSION = 32;

/** What the warehouse has of a version, in an order that does not change. */
export function objectsOf(version: ImageVersionRow, os: Record<string, string>): Placed[] {
  const { image, number, use, revoked, labels, attributes, created, opened } = version;
  return version.targets.flatMap(({ target, file, sbom }, nth) =>
    ([['image', file], ['sbom', sbom]] as const).flatMap(([kind, kept], which) => {
      if (!kept) return [];
      const facts = objectAttributes({ image, number, target, kind, os, bytes: kept.bytes, use, revoked: revoked?.holds === true, labels, attributes });
      const object = { id: `${version.id}/${target}/${kind}`, image, version: version.id, number, target, bytes: kept.bytes, sha256: kept.sha256, attributes: facts };
      return [{ object, created, tie: opened * OBJECTS_OF_A_VERSION + 2 * nth + which }];
    }),
  );
}

/** A policy, ready to be asked. */
export interface Policy {
  row: ReplicationRow;
  covers: AttributeQuery;
}

export const policyOf = (row: ReplicationRow): Policy => ({ row, covers: readable(row.spec.query) });

/** What can't be read covers nothing: whoever saved it was told, and all others are listed for all that. */
function readable(query: string): AttributeQuery {
  try {
    return attributeQuery(query);
  } catch (error) {
    if (!(error instanceof QueryFault)) throw error;
    return () => false;
  }
}

/** How an object is kept a second time: by what covers it, and by what has a copy still. */
export function replicasOf({ id, attributes }: Placed['object'], policies: readonly Policy[], replicas: readonly ReplicaRow[]): WarehouseObject['replicas'] {
  return policies.flatMap(({ row: { name }, covers }): WarehouseObject['replicas'] => {
    const replica = replicas.find((one) => one.policy === name && one.object === id);
    if (replica) return [{ policy: name, state: replica.state, error: replica.error, at: replica.modified }];
    return covers(attributes) ? [{ policy: name, state: 'waiting', error: null, at: null }] : [];
  });
}
