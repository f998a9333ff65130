import type { ReplicationView } from '@berth/client';
import type { AnyRecorded, ReplicationEvent, ReplicationPolicy } from '@berth/contracts';
import { ALL, foldPart, type PartChanges, type PartWhere, type Row, type RowOf } from './row.js';

/** A row of the projection `replication`. A policy that was removed stays, until its name is used again. */
export interface ReplicationRow extends Row {
  name: string;
  spec: ReplicationPolicy;
  checking: boolean;
  lastCheck: ReplicationView['lastCheck'];
  removed: string | null;
}

const policyChanges: PartChanges<ReplicationRow, ReplicationEvent, 'ObjectReplicated' | 'ReplicationFailed' | 'ReplicaForgotten'> = {
  ReplicationPolicySaved: (row, { revision: _revision, ...spec }, { id, at, sequence, opened }) => {
    const known = row?.removed === null ? row : undefined;
    return { id, name: id, spec, checking: known?.checking ?? false, lastCheck: known?.lastCheck ?? null, removed: null, created: known?.created ?? at, modified: at, position: sequence, opened: row?.opened ?? opened };
  },
  ReplicationPolicyRemoved: (row, _data, { at }) => row && { ...row, checking: false, removed: at },
  ReplicationCheckStarted: (row) => row && { ...row, checking: true },
  ReplicationCheckEnded: (row, { sound, repaired, failed }, { at }) => row && { ...row, checking: false, lastCheck: { at, sound, repaired, failed } },
};

/** Pure: a commit of a policy into its row. */
export const foldReplication = (row: ReplicationRow | undefined, recorded: AnyRecorded): ReplicationRow | undefined => foldPart(policyChanges, (_event: ReplicationEvent, stream) => stream, row, recorded, recorded.id);

/** A row of the projection `replica`: an object under a policy. One that was forgotten stays, until it is copied again. */
export interface ReplicaRow extends Row {
  policy: string;
  /** `VERSION/TARGET/image` or `VERSION/TARGET/sbom` */
  object: string;
  state: 'there' | 'failed';
  error: string | null;
  removed: string | null;
}

const told = (row: ReplicaRow | undefined, { object, state, error }: Pick<ReplicaRow, 'object' | 'state' | 'error'>, { id, stream, at, sequence, opened }: PartWhere): ReplicaRow => ({
  id, policy: stream, object, state, error, removed: null, created: row?.created ?? at, modified: at, position: sequence, opened: row?.opened ?? opened,
});
const replicaChanges: PartChanges<ReplicaRow, ReplicationEvent, 'ReplicationPolicySaved' | 'ReplicationCheckStarted' | 'ReplicationCheckEnded'> = {
  ObjectReplicated: (row, { object }, where) => told(row, { object, state: 'there', error: null }, where),
  ReplicationFailed: (row, { object, error }, where) => told(row, { object, state: 'failed', error }, where),
  ReplicaForgotten: (row, _data, { at }) => row && { ...row, removed: at },
  // Its copies stay where they are; nobody looks after them any more.
  ReplicationPolicyRemoved: (row, _data, { at }) => row && { ...row, removed: row.removed ?? at },
};

/** Which replica an event changes. */
export const replicaOf: RowOf<ReplicationEvent> = (event, stream) => {
  if (event.type === 'ReplicationPolicyRemoved') return ALL;
  return 'object' in event.data ? `${stream}/${event.data.object}` : undefined;
};

/** Pure: what a commit of a policy says of an object, into its row. */
export const foldReplica = (row: ReplicaRow | undefined, recorded: AnyRecorded, id: string): ReplicaRow | undefined => foldPart(replicaChanges, replicaOf, row, recorded, id);
