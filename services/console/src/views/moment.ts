import type { AnyRecorded, BuildEvent } from '@berth/contracts';
import type { BuildMoment, MomentView } from '@berth/client';
import { foldBuild, type BuildRow } from './build.js';
import { countSlots } from './capacity.js';
import { foldLease, leaseView, type LeaseRow } from './lease.js';
import type { Seen } from './lists.js';
import { foldMachine, machineView, type MachineRow } from './machine.js';
import { byName, foldResource, resourceView, withLeases, type ResourceRow } from './resources.js';
import { instantOf } from './row.js';

type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;

/** Rows as they are written down. */
interface Written {
  machines: MachineRow[];
  resources: ResourceRow[];
  leases: LeaseRow[];
  builds: BuildRow[];
}

/**
 * The whole fleet as of one position, folded from the events: what lived then, and nothing else. So it is as large as the
 * fleet, however long its past is. Rows are never changed, only replaced: a copy shares them.
 */
export class Moment {
  position = 0;
  /** the latest time in any commit so far, RFC 3339: it never goes back, whatever clocks do */
  at = '';
  private machines = new Map<string, MachineRow>();
  private resources = new Map<string, ResourceRow>();
  private leases = new Map<string, LeaseRow>();
  private builds = new Map<string, BuildRow>();

  /** How many things live. */
  get things(): number {
    return this.machines.size + this.resources.size + this.leases.size + this.builds.size;
  }

  copy(): Moment {
    const copy = new Moment();
    Object.assign(copy, { position: this.position, at: this.at, machines: new Map(this.machines), resources: new Map(this.resources), leases: new Map(this.leases), builds: new Map(this.builds) });
    return copy;
  }

  apply(recorded: AnyRecorded): void {
    if (recorded.sequence <= this.position) return;
    this.position = recorded.sequence;
    const at = instantOf(recorded.commit.at);
    if (at > this.at) this.at = at;
    switch (recorded.kind) {
      case 'machine':
        return keep(this.machines, recorded.id, foldMachine(this.machines.get(recorded.id), recorded), ({ status }) => status === 'enrolled');
      case 'resource':
        if (!this.resources.has(recorded.id) && recorded.commit.events[0]?.type !== 'ResourceCreated') return;
        return keep(this.resources, recorded.id, foldResource(this.resources.get(recorded.id), recorded), ({ status }) => status !== 'destroyed');
      case 'lease':
        if (!this.leases.has(recorded.id) && recorded.commit.events[0]?.type !== 'LeaseRequested') return;
        return keep(this.leases, recorded.id, foldLease(this.leases.get(recorded.id), recorded), ({ status }) => status !== 'destroyed');
      case 'build':
        return this.applyBuild(recorded);
      case 'action':
      case 'blueprint':
      case 'fleet':
      case 'plan':
      case 'token':
      case 'access':
      case 'webhook':
      case 'secret':
      case 'hardware':
      case 'hardware-group':
      case 'job':
      case 'catalog':
      case 'image':
      case 'replication':
        return; // nothing that is shown of a moment
    }
  }

  /** Of one that is over nothing is kept: it may be cleaned up, pinned and the like, and begins again with a restart. */
  private applyBuild(recorded: Of<'build'>): void {
    const known = this.builds.get(recorded.id);
    const events = recorded.commit.events as BuildEvent[];
    const begins = known ? 0 : events.findIndex(({ type }) => type === 'BuildRequested' || type === 'BuildRestarted');
    if (begins === -1) return;
    const row = foldBuild(known, { ...recorded, commit: { ...recorded.commit, events: events.slice(begins) } });
    keep(this.builds, recorded.id, row, ({ status }) => status === 'pending' || status === 'preparing' || status === 'building' || status === 'paused');
  }

  write(): string {
    const written: Written = { machines: [...this.machines.values()], resources: [...this.resources.values()], leases: [...this.leases.values()], builds: [...this.builds.values()] };
    return JSON.stringify(written);
  }

  static read(position: number, at: string, text: string): Moment {
    const written = JSON.parse(text) as Written;
    const byId = <R extends { id: string }>(rows: R[]) => new Map(rows.map((row) => [row.id, row]));
    const moment = new Moment();
    return Object.assign(moment, { position, at, machines: byId(written.machines), resources: byId(written.resources), leases: byId(written.leases), builds: byId(written.builds) });
  }

  /** What the API shows of it; of each list at most so many, and how many there are. */
  view(now: number, limit: number, { projects }: Seen = {}): MomentView {
    const resources = [...this.resources.values()];
    const hosts = resources.filter(({ type }) => type === 'host');
    const ofMachine = new Map(hosts.flatMap((host) => (host.machine === null ? [] : [[host.machine, host] as const])));
    const machines = [...this.machines.values()].sort(byName);
    const visible = ({ project }: { project: string | null }) => !projects || (project !== null && projects.includes(project));
    const leases = [...this.leases.values()].filter(visible).sort(newest);
    const builds = [...this.builds.values()].filter(visible).sort(newest);
    // Who holds the slots of others is theirs to know.
    const seen = projects && new Set(leases.map(({ id }) => id));
    const shownResource = (row: ResourceRow) => withLeases(resourceView(row, now), seen);
    const shown = (row: ResourceRow | undefined) => row && shownResource(row);
    return {
      position: this.position,
      at: new Date(now).toISOString(),
      totals: { machines: machines.length, hosts: hosts.length, resources: resources.length, leases: leases.length, waiting: leases.filter(({ status }) => status === 'pending').length, builds: builds.length },
      slots: countSlots(hosts, now),
      machines: machines.slice(0, limit).map((row) => machineView(row, shown(ofMachine.get(row.name)))),
      resources: resources.sort(byName).slice(0, limit).map(shownResource),
      leases: leases.slice(0, limit).map((row) => leaseView(row, row.resource === null ? undefined : shown(this.resources.get(row.resource)))),
      builds: builds.slice(0, limit).map(buildMoment),
    };
  }
}

function keep<R>(rows: Map<string, R>, id: string, row: R | undefined, lives: (row: R) => boolean): void {
  if (row !== undefined && lives(row)) rows.set(id, row);
  else rows.delete(id);
}

const newest = (a: { opened: number }, b: { opened: number }): number => b.opened - a.opened;

/** What is shown of a build that was under way. */
export function buildMoment({ id, plan, planVersion, status, percent, activity, initiator, project, priority, ref, commit, generation, attempt, hosts, started, position }: BuildMoment): BuildMoment {
  return { id, plan, planVersion, status, percent, activity, initiator, project, priority, ref, commit, generation, attempt, hosts, started, position };
}
