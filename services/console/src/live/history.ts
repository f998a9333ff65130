import type { NatsConnection } from 'nats';
import { subjects, writers, type AnyRecorded, type Kind } from '@berth/contracts';
import type { HistoryEntry } from '@berth/client';
import type { EventStore } from '@berth/event-store';
import { streams } from '@berth/nats';
import type { Fleet } from '../views/fleet.js';
import { decodeStored } from '../views/projection.js';
import { lastSequence, StreamReader } from './reader.js';

const kinds = Object.keys(writers) as Kind[];
/** Many things are looked up for one history: not all at once. */
const AT_ONCE = 16;

/** What happened to a thing, and for a build to all that it used. */
export class History {
  constructor(
    private readonly connection: NatsConnection,
    private readonly store: EventStore,
    private readonly fleet: Fleet,
    private readonly now: () => number,
  ) {}

  /** All events of the thing with that id, of whatever kind, in order, as far as the asker may read them; none when there is no such thing. */
  async of(id: string, mayRead: (recorded: AnyRecorded) => boolean | Promise<boolean>): Promise<HistoryEntry[]> {
    const own = await this.load(kinds.map((kind) => ({ kind, id })));
    const build = own.some((recorded) => recorded.kind === 'build') ? await this.usedBy(own) : [];
    const all = [...own, ...build];
    const readable = await Promise.all(all.map(async (recorded) => mayRead(recorded)));
    return entries(all.filter((_recorded, at) => readable[at]));
  }

  private async usedBy(build: AnyRecorded[]): Promise<AnyRecorded[]> {
    const leaseIds = new Set<string>();
    const actionIds = new Set<string>();
    for (const { commit } of build) {
      for (const event of commit.events) {
        if (event.type === 'BuildPreparing') leaseIds.add(event.data.hostLease);
        else if (event.type === 'BuildWorkingCopyRequested') leaseIds.add(event.data.workingCopyLease);
        else if (event.type === 'StepStarted') actionIds.add(event.data.action);
      }
    }
    const leases = await this.load([...leaseIds].map((id) => ({ kind: 'lease', id })));
    for (const lease of leaseIds) for (const action of this.fleet.actionsOf(lease)) actionIds.add(action);
    const actions = await this.load([...actionIds].map((id) => ({ kind: 'action', id })));
    return [...leases, ...actions, ...(await this.resourcesOf(leases, leaseIds))];
  }

  /**
   * Of the resources behind leases what happened while they were held. All but hosts are there for their lease alone; a
   * host serves for years, so it is read from the claim on, which the fencing token names, to the end of the lease.
   */
  private async resourcesOf(leases: AnyRecorded[], ids: ReadonlySet<string>): Promise<AnyRecorded[]> {
    const whole = new Set<string>();
    const hosts = new Map<string, { from: number; to: number }>();
    const types = new Map<string, string>();
    const ends = new Map<string, number>();
    for (const { id, sequence, commit } of leases) {
      for (const event of commit.events) {
        if (event.type === 'LeaseRequested') types.set(id, event.data.type);
        else if (event.type === 'LeaseDestroyed') ends.set(id, sequence);
      }
    }
    for (const { id, commit } of leases) {
      for (const event of commit.events) {
        if (event.type !== 'LeaseAcquired') continue;
        const { resource, token } = event.data;
        const known = hosts.get(resource) ?? { from: token, to: 0 };
        if (types.get(id) !== 'host') whole.add(resource);
        else hosts.set(resource, { from: Math.min(known.from, token), to: Math.max(known.to, ends.get(id) ?? this.now()) });
      }
    }
    const made = await this.load([...whole].map((id) => ({ kind: 'resource', id })));
    const spans = await Promise.all([...hosts].map(([resource, span]) => this.hostSpan(resource, span, ids)));
    return [...made, ...spans.flat()];
  }

  private async hostSpan(resource: string, { from, to }: { from: number; to: number }, leases: ReadonlySet<string>): Promise<AnyRecorded[]> {
    const concerns = ({ commit }: AnyRecorded) => commit.events.some((event) => (event.type !== 'SlotClaimed' && event.type !== 'SlotFreed') || leases.has(event.data.lease));
    const subject = subjects.event('resource', resource);
    const end = Math.min(to, await lastSequence(this.connection, streams.events.name, subject));
    const reader = new StreamReader(this.connection, streams.events.name, { subject, after: from - 1 });
    const found: AnyRecorded[] = [];
    try {
      for (let position = from - 1; position < end; ) {
        for (const recorded of (await reader.take(500)).map(decodeStored)) {
          position = recorded.sequence;
          if (position <= end && concerns(recorded)) found.push(recorded);
        }
      }
    } finally {
      reader.close();
    }
    return found;
  }

  private async load(things: { kind: Kind; id: string }[]): Promise<AnyRecorded[]> {
    const found: AnyRecorded[] = [];
    for (let i = 0; i < things.length; i += AT_ONCE) {
      const some = await Promise.all(things.slice(i, i + AT_ONCE).map(({ kind, id }) => this.store.load(kind, id)));
      found.push(...(some.flat() as AnyRecorded[]));
    }
    return found;
  }
}

/** Events in the order they were stored, each commit once. */
function entries(recorded: AnyRecorded[]): HistoryEntry[] {
  const bySequence = new Map(recorded.map((one) => [one.sequence, one]));
  return [...bySequence.values()]
    .sort((a, b) => a.sequence - b.sequence)
    .flatMap(({ kind, id, sequence, commit }) =>
      commit.events.map((event) => ({ sequence, time: commit.at, kind, id, type: event.type, data: event.data, actor: commit.actor, cause: commit.cause })),
    );
}
