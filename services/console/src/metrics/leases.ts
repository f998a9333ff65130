import type { AnyRecorded } from '@berth/contracts';
import type { Counter, Gauge, Histogram, Metrics } from '@berth/runtime';

type Of<K extends AnyRecorded['kind']> = Extract<AnyRecorded, { kind: K }>;
type Living = 'acquired' | 'active' | 'released' | 'broken';

interface Known {
  type: string;
  status: 'pending' | Living;
  /** ms since the epoch */
  asked: number;
  blueprint: string;
}

/** Seconds that people wait for machines. */
export const WAIT_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
const living: readonly Living[] = ['acquired', 'active', 'released', 'broken'];

/** What is counted of leases, folded from all their events: a restart counts the same again, and what happened meanwhile too. */
export class LeaseFigures {
  private readonly known = new Map<string, Known>();
  private readonly wait: Histogram<'type' | 'blueprint'>;
  private readonly grant: Histogram<'type'>;
  private readonly ended: Counter<'type' | 'ended'>;

  constructor(metrics: Metrics, now: () => number = Date.now) {
    this.wait = metrics.histogram('berth_lease_wait_seconds', 'From the request of a lease until it could be used.', ['type', 'blueprint'], WAIT_BUCKETS);
    this.grant = metrics.histogram('berth_lease_grant_seconds', 'From the request of a lease being stored to the claim of its slot.', ['type'], WAIT_BUCKETS);
    this.ended = metrics.counter('berth_leases_ended_total', 'Leases that are over: released, expired, broken, or refused before they had a slot.', ['type', 'ended']);
    metrics.gauge('berth_leases', 'Leases that have a slot, by status: acquired (it is being made ready), active, released and broken (being cleaned up).', ['type', 'status'], (gauge) => this.tellLiving(gauge));
    metrics.gauge('berth_lease_queue_depth', 'Leases that wait for a slot.', ['type'], (gauge) => {
      for (const [type, all] of this.byType()) gauge.set({ type }, all.filter(({ status }) => status === 'pending').length);
    });
    metrics.gauge('berth_lease_queue_oldest_seconds', 'How long the oldest lease that waits for a slot has waited; absent when none does.', ['type'], (gauge) => {
      for (const [type, all] of this.byType()) {
        const pending = all.filter(({ status }) => status === 'pending');
        if (pending.length > 0) gauge.set({ type }, Math.max(0, now() - Math.min(...pending.map(({ asked }) => asked))) / 1000);
      }
    });
  }

  private tellLiving(gauge: Gauge<'type' | 'status'>): void {
    for (const [type, all] of this.byType()) for (const status of living) gauge.set({ type, status }, all.filter((lease) => lease.status === status).length);
  }

  private byType(): Map<string, Known[]> {
    const types = new Map<string, Known[]>();
    for (const lease of this.known.values()) {
      const all = types.get(lease.type);
      if (all) all.push(lease);
      else types.set(lease.type, [lease]);
    }
    return types;
  }

  /** A claim is on the resource. */
  applyResource({ commit }: Of<'resource'>): void {
    for (const event of commit.events) {
      if (event.type !== 'SlotClaimed') continue;
      const lease = this.known.get(event.data.lease);
      if (lease?.status === 'pending') this.grant.observe({ type: lease.type }, secondsSince(lease.asked, commit.at));
    }
  }

  apply({ id, commit }: Of<'lease'>): void {
    for (const event of commit.events) {
      if (event.type === 'LeaseRequested') {
        // A job that waits for a machine says so itself; nobody is served by it.
        if (event.data.exclusive) continue;
        this.known.set(id, { type: event.data.type, status: 'pending', asked: Date.parse(commit.at), blueprint: 'none' });
        continue;
      }
      const lease = this.known.get(id);
      if (!lease) continue; // over already
      switch (event.type) {
        case 'LeaseAcquired':
          lease.status = 'acquired';
          lease.blueprint = event.data.blueprint;
          break;
        case 'LeaseActivated':
          lease.status = 'active';
          this.wait.observe({ type: lease.type, blueprint: lease.blueprint }, secondsSince(lease.asked, commit.at));
          break;
        case 'LeaseRefused':
          this.ended.inc({ type: lease.type, ended: 'refused' });
          this.known.delete(id);
          break;
        case 'LeaseReleased':
          lease.status = 'released';
          this.ended.inc({ type: lease.type, ended: event.data.expired ? 'expired' : 'released' });
          break;
        case 'LeaseBroken':
          lease.status = 'broken';
          this.ended.inc({ type: lease.type, ended: 'broken' });
          break;
        case 'LeaseDestroyed':
          this.known.delete(id);
          break;
        case 'LeaseWaiting':
        case 'PriorityChanged':
        case 'LeaseRenewed':
        case 'LeaseBeat':
          break;
      }
    }
  }
}

/** Never less than nothing: the two may have been written by clocks of two machines. */
export const secondsSince = (begin: number, at: string): number => Math.max(0, Date.parse(at) - begin) / 1000;
