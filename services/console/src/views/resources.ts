import type { AnyRecorded, ResourceEvent, ResourceType } from '@berth/contracts';
import type { ResourceState, ResourceView } from '@berth/client';
import { foldRow, instantOf, required, type Changes, type Row } from './row.js';

/** A row of the projection `resource`: what is kept of one; the rest of its view follows from it and from the time. */
export type ResourceRow = Omit<ResourceView, 'free' | 'busy' | 'phase'> & Row;
type Created = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];
type Access = NonNullable<Created['host']>;

const addressOf = (host: Access | undefined): string | null => (host === undefined ? null : `${host.user}@${host.address}:${host.port}`);

/** The types of leases that may stand on a resource of a type. */
const carries: Record<ResourceType, ResourceType[]> = { host: ['working-copy', 'service'], 'working-copy': ['service'], service: [], composite: [] };

const changes: Changes<ResourceRow, ResourceEvent> = {
  ResourceCreated: (_row, { name, type, blueprint, version, attributes, slots, machine, host, parent, members }, { id, sequence, at }) => ({
    id, name, type, blueprint, version: version ?? null, status: 'pending', state: 'booting', owner: null, attributes, capabilities: carries[type], machine: machine ?? null, address: addressOf(host),
    reachable: true, error: null, quarantined: null, held: null, draining: null, reserved: null, health: { failures: 0, error: null },
    slots, leases: [], uses: 0, parent: parent === undefined ? null : { lease: parent.lease, resource: parent.resource ?? null, own: parent.own === true },
    members: members ?? null, path: null, commit: null, port: null, uri: null, facts: {}, until: null, activated: null, destroyed: null,
    created: at, modified: at, position: sequence, opened: sequence,
  }),
  FactsKept: (row, { facts }, where) => {
    const resource = required(row, where);
    return { ...resource, facts: kept(resource.facts, facts) };
  },
  ResourceActivated: (row, { attributes, path, commit, host, port, uri }, where) => {
    const resource = required(row, where);
    return {
      ...resource, status: 'active', activated: where.at,
      // What its blueprint says goes before what was found on it.
      attributes: { ...attributes, ...resource.attributes },
      path: path ?? resource.path, commit: commit ?? resource.commit, address: addressOf(host) ?? resource.address, port: port ?? resource.port, uri: uri ?? resource.uri,
    };
  },
  ResourceBroken: (row, { error }, where) => ({ ...required(row, where), status: 'broken', error }),
  ResourceUnreachable: (row, { error }, where) => ({ ...required(row, where), reachable: false, error }),
  ResourceReachable: (row, _data, where) => ({ ...required(row, where), reachable: true, error: null }),
  HealthFailed: (row, { failures, error }, where) => ({ ...required(row, where), health: { failures, error } }),
  HealthPassed: (row, _data, where) => ({ ...required(row, where), health: { failures: 0, error: null } }),
  ResourceQuarantined: (row, quarantined, where) => ({ ...required(row, where), quarantined }),
  QuarantineEnded: (row, _data, where) => ({ ...required(row, where), quarantined: null }),
  ResourceHeld: (row, held, where) => ({ ...required(row, where), held }),
  HoldEnded: (row, _data, where) => ({ ...required(row, where), held: null }),
  DrainBegan: (row, { reason }, where) => ({ ...required(row, where), draining: reason }),
  DrainEnded: (row, _data, where) => ({ ...required(row, where), draining: null }),
  ResourceReserved: (row, { lease, owner }, where) => ({ ...required(row, where), reserved: { lease, owner } }),
  ReservationEnded: (row, _data, where) => ({ ...required(row, where), reserved: null }),
  SlotClaimed: (row, { slot, lease, owner }, where) => {
    const resource = required(row, where);
    return { ...resource, leases: [...resource.leases, { slot, lease, owner, since: where.at }], uses: resource.uses + 1 };
  },
  SlotFreed: (row, { lease }, where) => {
    const resource = required(row, where);
    return { ...resource, leases: resource.leases.filter((claim) => claim.lease !== lease) };
  },
  ResourceReleased: (row, _data, where) => ({ ...required(row, where), status: 'released' }),
  ResourceDestroyed: (row, _data, where) => ({ ...required(row, where), status: 'destroyed', leases: [], destroyed: where.at }),
};

/** Pure: a commit of a resource into its row. `state` is as of that commit: a hold whose time is up is one until it has ended. */
export function foldResource(row: ResourceRow | undefined, recorded: AnyRecorded): ResourceRow | undefined {
  const next = foldRow(changes, row, recorded);
  if (next === undefined || next === row) return next;
  const { held, quarantined, leases } = next;
  return { ...next, state: stateOf(next, 0), owner: leases[0]?.owner ?? null, until: instantOrNull(held?.until ?? quarantined?.until) };
}

const instantOrNull = (text: string | undefined): string | null => (text === undefined ? null : instantOf(text));

/** Living resources, folded from their events. */
export class Resources {
  private readonly rows = new Map<string, ResourceRow>();
  /** host resources, by the machine they stand for */
  private readonly hosts = new Map<string, string>();

  apply(recorded: Extract<AnyRecorded, { kind: 'resource' }>): void {
    const { id, commit } = recorded;
    const before = this.rows.get(id);
    // What comes after its end changes nothing of what lives.
    if (!before && commit.events[0]?.type !== 'ResourceCreated') return;
    const row = foldResource(before, recorded)!;
    const { machine, type } = row;
    if (row.status === 'destroyed') {
      this.rows.delete(id);
      if (machine !== null && this.hosts.get(machine) === id) this.hosts.delete(machine);
    } else {
      this.rows.set(id, row);
      if (!before && machine !== null && type === 'host') this.hosts.set(machine, id);
    }
  }

  all(): Iterable<ResourceRow> {
    return this.rows.values();
  }

  hostOf(machine: string): ResourceRow | undefined {
    return this.rows.get(this.hosts.get(machine) ?? '');
  }

  get(id: string, now: number): ResourceView | undefined {
    const row = this.rows.get(id);
    return row && resourceView(row, now);
  }

  list(wanted: (row: ResourceRow) => boolean, now: number): ResourceView[] {
    return [...this.rows.values()].filter(wanted).map((row) => resourceView(row, now)).sort(byName);
  }
}

/** The keys given replace those before; null removes one. */
function kept(before: Record<string, unknown>, fresh: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...before, ...fresh }).filter(([, value]) => value !== null));
}

/**
 * The event that ends a hold may come a moment after its time is up: until then it is no longer shown all the same. Not so a
 * quarantine: when its time is up the host is looked at first, which takes as long as the host lets it, and may begin another.
 */
const inForce = <T extends { until: string }>(flag: T | null, now: number): T | null => (flag !== null && Date.parse(flag.until) > now ? flag : null);

/** How a resource is as one word; why it can't be leased, when it can't. */
export function stateOf(row: Pick<ResourceRow, 'status' | 'reachable' | 'held' | 'quarantined' | 'draining'>, now: number): ResourceState {
  if (row.status === 'destroyed') return 'destroyed';
  if (row.status === 'broken') return 'broken';
  if (row.status === 'pending') return 'booting';
  if (row.status === 'released') return 'ending';
  if (!row.reachable) return 'unreachable';
  if (inForce(row.held, now)) return 'held';
  if (row.quarantined) return 'quarantined';
  return row.draining === null ? 'active' : 'draining';
}

/** What the API shows of it. A slot is free when it could be had now. */
export function resourceView({ opened: _opened, ...row }: ResourceRow, now: number): ResourceView {
  const state = stateOf(row, now);
  const busy = row.leases.length;
  const { phase } = row.facts;
  return {
    ...row, state, phase: typeof phase === 'string' ? phase : null, busy, free: state === 'active' ? Math.max(0, row.slots - busy) : 0,
    held: inForce(row.held, now),
  };
}

export const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** A resource as somebody sees it who does not see all leases: who holds its other slots is left out, that they are held is not. */
export function withLeases(resource: ResourceView, seen: ReadonlySet<string> | undefined): ResourceView {
  if (seen === undefined) return resource;
  const leases = resource.leases.filter(({ lease }) => seen.has(lease));
  return { ...resource, leases, owner: leases[0]?.owner ?? null };
}
