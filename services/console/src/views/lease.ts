import type { AnyRecorded, LeaseEvent } from '@berth/contracts';
import type { LeaseView, ResourceView } from '@berth/client';
import { foldRow, instantOf, required, type Changes, type Row } from './row.js';

/** A row of the projection `lease`. */
export type LeaseRow = Omit<LeaseView, keyof OfResource> & Row;
/** What a lease is shown with of its resource, which may live longer and shorter than it. */
type OfResource = Pick<LeaseView, 'path' | 'port' | 'uri' | 'members'>;

const changes: Changes<LeaseRow, LeaseEvent> = {
  LeaseRequested: (_row, data, { id, sequence, at, actor }) => ({
    id,
    owner: data.owner,
    project: data.project ?? null,
    status: 'pending',
    ended: null,
    type: data.type,
    blueprint: null,
    attributes: data.attributes,
    prefer: data.prefer ?? [],
    blueprints: data.blueprints ?? [],
    priority: data.priority ?? 100,
    affinity: data.affinity ?? null,
    // Requests of older versions say nothing of it: they waited, whatever there was.
    wait: data.wait ?? 'always',
    waitAtMost: data.waitAtMost ?? null,
    ttl: data.ttl ?? null,
    alive: null,
    resource: null,
    slot: null,
    token: null,
    hostLease: data.host?.lease ?? null,
    exclusive: data.exclusive ?? null,
    until: data.until === undefined ? null : instantOf(data.until),
    reason: null,
    error: null,
    build: /^build:(.+)$/.exec(actor)?.[1] ?? null,
    acquired: null,
    finished: null,
    created: at,
    modified: at,
    position: sequence,
    opened: sequence,
  }),
  LeaseWaiting: (row, { reason }, where) => ({ ...required(row, where), reason }),
  PriorityChanged: (row, { priority }, where) => ({ ...required(row, where), priority }),
  LeaseAcquired: (row, { resource, blueprint, slot, token }, where) => ({ ...required(row, where), status: 'acquired', reason: null, resource, blueprint, slot, token, acquired: where.at }),
  LeaseActivated: (row, _data, where) => ({ ...required(row, where), status: 'active' }),
  LeaseRenewed: (row, { until }, where) => ({ ...required(row, where), until: instantOf(until) }),
  LeaseBeat: (row, { alive }, where) => ({ ...required(row, where), alive: instantOf(alive) }),
  // It never had anything, so nothing is left of it.
  LeaseRefused: (row, { reason }, where) => ({ ...required(row, where), status: 'destroyed', ended: 'refused', reason, finished: where.at }),
  LeaseReleased: (row, { reason, expired }, where) => ({ ...required(row, where), status: 'released', ended: expired ? 'expired' : 'released', reason }),
  LeaseBroken: (row, { error }, where) => ({ ...required(row, where), status: 'broken', ended: 'broken', error }),
  LeaseDestroyed: (row, _data, where) => ({ ...required(row, where), status: 'destroyed', finished: where.at }),
};

/** Pure: a commit of a lease into its row. */
export const foldLease = (row: LeaseRow | undefined, recorded: AnyRecorded): LeaseRow | undefined => foldRow(changes, row, recorded);

/** What the API shows of a row and of the resource behind it. */
export function leaseView({ opened: _opened, ...row }: LeaseRow, resource: ResourceView | undefined): LeaseView {
  const { path = null, port = null, uri = null, members = null } = resource ?? {};
  return { ...row, path, port, uri, members };
}
