import type { DataSource } from 'typeorm';
import type { ResourceView, TimelineView, UsageView } from '@berth/client';
import type { AnyRecorded, Kind } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import type { Hub } from '../live/hub.js';
import { foldAction, type ActionRow } from './action.js';
import { buildUpTo, foldBuild, type BuildRow } from './build.js';
import { projectionEntities } from './columns.js';
import { foldJob, type JobRow } from './job.js';
import { foldLease, type LeaseRow } from './lease.js';
import type { Listed, ListQuery } from './list-query.js';
import { readList, type ListedName, type Seen } from './lists.js';
import type { MachineRow } from './machine.js';
import type { Projection } from './projection.js';
import { foldResource, resourceView, type ResourceRow } from './resources.js';
import type { Row } from './row.js';
import { LIVE_SCHEMA } from './schema.js';
import { timeline } from './timeline.js';
import type { PricePeriod } from './blueprints.js';
import { usage, type UsageAsked } from './usage.js';

/** How long a list waits for the rows of a write that was just answered. */
const CATCH_UP_MS = 1000;
const uuidLike = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** What is asked of leases, builds and actions. A read after a write sees the write. */
export class Reads {
  private readonly entities = projectionEntities(LIVE_SCHEMA);
  private written = 0;

  constructor(
    private readonly store: EventStore,
    private readonly database: DataSource,
    private readonly projection: Pick<Projection, 'reached' | 'position'>,
    private readonly hub: Pick<Hub, 'latest' | 'covers' | 'position'>,
  ) {}

  /** A write was answered with this position: lists show it from now on. */
  noteWrite(position: number): void {
    this.written = Math.max(this.written, position);
  }

  lease(id: string): Promise<LeaseRow | undefined> {
    return this.row('lease', id, foldLease);
  }

  build(id: string): Promise<BuildRow | undefined> {
    return this.row('build', id, foldBuild);
  }

  job(id: string): Promise<JobRow | undefined> {
    return this.row('job', id, foldJob);
  }

  /** A resource that is no more. */
  async endedResource(id: string): Promise<ResourceView | undefined> {
    const row = await this.folded('resource', id, foldResource);
    return row && resourceView(row, Date.now());
  }

  /** The row; while that is behind the events, or is not there yet, the events themselves. */
  private async row<R extends Row>(kind: 'lease' | 'build' | 'job', id: string, fold: (row: R | undefined, recorded: AnyRecorded) => R | undefined): Promise<R | undefined> {
    if (!uuidLike.test(id)) return undefined;
    const shown = this.projection.position;
    const row = (await this.database.getRepository<Row>(this.entities[kind]).findOneBy({ id })) as R | null;
    const fresh = row && this.hub.covers(shown) && row.position >= this.hub.latest(kind, id);
    return fresh ? row : this.folded(kind, id, fold);
  }

  /** As of now, from the events alone: for decisions. */
  currentLease(id: string): Promise<LeaseRow | undefined> {
    return this.folded('lease', id, foldLease);
  }

  action(id: string): Promise<ActionRow | undefined> {
    return this.folded('action', id, foldAction);
  }

  private async folded<R>(kind: Kind, id: string, fold: (row: R | undefined, recorded: AnyRecorded) => R | undefined): Promise<R | undefined> {
    if (!uuidLike.test(id)) return undefined;
    let row: R | undefined;
    for (const recorded of await this.store.load(kind, id)) row = fold(row, recorded as AnyRecorded);
    return row;
  }

  /** A build as it was when a generation of it ended, or is now when that is its last; undefined when it has not had that one. */
  async generation(id: string, generation: number): Promise<BuildRow | undefined> {
    const now = await this.build(id);
    if (!now || now.generation === generation) return now;
    const row = buildUpTo((await this.store.load('build', id)) as AnyRecorded[], generation);
    // What it kept is there as long as it is kept, not as long as it was the last one.
    return row && { ...row, artifacts: now.artifacts.filter((artifact) => artifact.generation === generation) };
  }

  machines(query: ListQuery): Promise<Listed<MachineRow>> {
    return this.list<MachineRow>('machine', query);
  }

  resources(query: ListQuery, seen?: Seen): Promise<Listed<ResourceRow>> {
    return this.list<ResourceRow>('resource', query, seen);
  }

  leases(query: ListQuery, seen?: Seen): Promise<Listed<LeaseRow>> {
    return this.list<LeaseRow>('lease', query, seen);
  }

  builds(query: ListQuery, seen?: Seen): Promise<Listed<BuildRow>> {
    return this.list<BuildRow>('build', query, seen);
  }

  jobs(query: ListQuery): Promise<Listed<JobRow>> {
    return this.list<JobRow>('job', query);
  }

  /** Until the rows show what was written here last and what the feed has told, for a while: whoever reads because of an event, and hears of no other, would be shown for good what was before it. */
  async caughtUp(): Promise<void> {
    await this.projection.reached(Math.max(this.written, this.hub.position), CATCH_UP_MS);
  }

  private async list<R extends Row>(name: ListedName, query: ListQuery, seen?: Seen): Promise<Listed<R>> {
    await this.caughtUp();
    return readList<R>(this.database.manager, LIVE_SCHEMA, this.entities, name, query, seen);
  }

  /** Who has used what in a span of time. */
  async usage(asked: UsageAsked, prices: readonly PricePeriod[], seen?: Seen): Promise<UsageView> {
    await this.caughtUp();
    return usage(this.database, asked, prices, seen);
  }

  async timeline(from: number, to: number, buckets: number, seen?: Seen): Promise<TimelineView> {
    await this.caughtUp();
    return timeline(this.database, from, to, buckets, seen);
  }
}
