import { unreachable, type AnyRecorded, type ResourceEvent } from '@berth/contracts';
import type { ResourceState, ResourceView } from '@berth/client';

/** What is kept of a resource; the rest of its view follows from it and from the time. */
export type ResourceRow = Omit<ResourceView, 'free' | 'busy' | 'state' | 'phase'>;
type Created = Extract<ResourceEvent, { type: 'ResourceCreated' }>['data'];
type Access = NonNullable<Created['host']>;

const addressOf = (host: Access | undefined): string | null => (host === undefined ? null : `${host.user}@${host.address}:${host.port}`);

function created(id: string, at: string, data: Created): ResourceRow {
  const { name, type, blueprint, version, attributes, slots, machine, host, parent, members } = data;
  return {
    id, name, type, blueprint, version: version ?? null, status: 'pending', attributes, machine: machine ?? null, address: addressOf(host),
    reachable: true, error: null, quarantined: null, held: null, draining: null, health: { failures: 0, error: null },
    slots, leases: [], uses: 0, parent: parent === undefined ? null : { lease: parent.lease, resource: parent.resource ?? null, own: parent.own === true },
    members: members ?? null, path: null, commit: null, port: null, uri: null, facts: {}, created: at, activated: null,
  };
}

/** Living resources, folded from their events. */
export class Resources {
  private readonly rows = new Map<string, ResourceRow>();
  /** host resources, by the machine they stand for */
  private readonly hosts = new Map<string, string>();

  apply({ id, commit }: Extract<AnyRecorded, { kind: 'resource' }>): void {
    for (const event of commit.events) {
      if (event.type === 'ResourceCreated') {
        const { machine, type } = event.data;
        this.rows.set(id, created(id, commit.at, event.data));
        if (machine !== undefined && type === 'host') this.hosts.set(machine, id);
        continue;
      }
      const row = this.rows.get(id);
      if (!row) continue;
      if (event.type !== 'ResourceDestroyed') change(row, event, commit.at);
      else {
        this.rows.delete(id);
        if (row.machine !== null && this.hosts.get(row.machine) === id) this.hosts.delete(row.machine);
      }
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

function change(row: ResourceRow, event: Exclude<ResourceEvent, { type: 'ResourceCreated' | 'ResourceDestroyed' }>, at: string): void {
  switch (event.type) {
    case 'FactsKept':
      row.facts = kept(row.facts, event.data.facts);
      return;
    case 'ResourceActivated': {
      const { attributes, path, commit, host, port, uri } = event.data;
      row.status = 'active';
      row.activated = at;
      // What its blueprint says goes before what was found on it.
      row.attributes = { ...attributes, ...row.attributes };
      row.path = path ?? row.path;
      row.commit = commit ?? row.commit;
      row.address = addressOf(host) ?? row.address;
      row.port = port ?? row.port;
      row.uri = uri ?? row.uri;
      return;
    }
    case 'ResourceBroken':
      row.status = 'broken';
      row.error = event.data.error;
      return;
    case 'ResourceUnreachable':
      row.reachable = false;
      row.error = event.data.error;
      return;
    case 'ResourceReachable':
      row.reachable = true;
      row.error = null;
      return;
    case 'HealthFailed':
      row.health = event.data;
      return;
    case 'HealthPassed':
      row.health = { failures: 0, error: null };
      return;
    case 'ResourceQuarantined':
      row.quarantined = event.data;
      return;
    case 'QuarantineEnded':
      row.quarantined = null;
      return;
    case 'ResourceHeld':
      row.held = event.data;
      return;
    case 'HoldEnded':
      row.held = null;
      return;
    case 'DrainBegan':
      row.draining = event.data.reason;
      return;
    case 'DrainEnded':
      row.draining = null;
      return;
    case 'SlotClaimed':
      row.leases = [...row.leases, { slot: event.data.slot, lease: event.data.lease, owner: event.data.owner, since: at }];
      row.uses += 1;
      return;
    case 'SlotFreed':
      row.leases = row.leases.filter((claim) => claim.lease !== event.data.lease);
      return;
    case 'ResourceReleased':
      row.status = 'released';
      return;
    default:
      unreachable(event);
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
  if (row.status === 'broken') return 'broken';
  if (row.status === 'pending') return 'booting';
  if (row.status === 'released') return 'ending';
  if (!row.reachable) return 'unreachable';
  if (inForce(row.held, now)) return 'held';
  if (row.quarantined) return 'quarantined';
  return row.draining === null ? 'active' : 'draining';
}

/** What the API shows of it. A slot is free when it could be had now. */
export function resourceView(row: ResourceRow, now: number): ResourceView {
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
export const withLeases = (resource: ResourceView, seen: ReadonlySet<string> | undefined): ResourceView =>
  seen === undefined ? resource : { ...resource, leases: resource.leases.filter(({ lease }) => seen.has(lease)) };
