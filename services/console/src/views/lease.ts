import type { AnyRecorded, LeaseEvent } from '@berth/contracts';
import type { LeaseView } from '@berth/client';
import { foldRow, instantOf, required, type Changes, type Row } from './row.js';

/** A row of the projection `lease`. */
export type LeaseRow = LeaseView & Row;

const changes: Changes<LeaseRow, LeaseEvent> = {
  LeaseRequested: (_row, data, { id, sequence, at }) => ({
    id,
    owner: data.owner,
    status: 'pending',
    type: data.type,
    blueprint: null,
    attributes: data.attributes,
    resource: null,
    slot: null,
    token: null,
    hostLease: data.host?.lease ?? null,
    until: data.until === undefined ? null : instantOf(data.until),
    reason: null,
    error: null,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  LeaseWaiting: (row, { reason }, where) => ({ ...required(row, where), reason }),
  LeaseAcquired: (row, { resource, blueprint, slot, token }, where) => ({ ...required(row, where), status: 'acquired', reason: null, resource, blueprint, slot, token }),
  LeaseActivated: (row, _data, where) => ({ ...required(row, where), status: 'active' }),
  LeaseRenewed: (row, { until }, where) => ({ ...required(row, where), until: instantOf(until) }),
  LeaseReleased: (row, { reason }, where) => ({ ...required(row, where), status: 'released', reason }),
  LeaseBroken: (row, { error }, where) => ({ ...required(row, where), status: 'broken', error }),
  LeaseDestroyed: (row, _data, where) => ({ ...required(row, where), status: 'destroyed' }),
};

/** Pure: a commit of a lease into its row. */
export const foldLease = (row: LeaseRow | undefined, recorded: AnyRecorded): LeaseRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of a row. */
export function leaseView({ opened: _opened, ...view }: LeaseRow): LeaseView {
  return view;
}
