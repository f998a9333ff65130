import type { DataSource } from 'typeorm';
import type { Page } from '@berth/client';
import type { AnyRecorded, Kind } from '@berth/contracts';
import type { EventStore } from '@berth/event-store';
import type { Hub } from '../live/hub.js';
import { foldAction, type ActionRow } from './action.js';
import { foldBuild, type BuildRow } from './build.js';
import { foldLease, type LeaseRow } from './lease.js';
import type { Projection } from './projection.js';
import type { Row } from './row.js';
import { LIVE_SCHEMA, projectionEntities } from './schema.js';

/** Which rows of a list. */
export interface ListQuery {
  /** columns and the values they may have */
  where: Record<string, readonly string[]>;
  /** whom they act for; null = anybody or nobody */
  projects: readonly string[] | null;
  limit: number;
  /** `opened` of the last row that the asker has */
  before: number | undefined;
}

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
    private readonly hub: Pick<Hub, 'latest' | 'covers'>,
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

  /** The row; while that is behind the events, or is not there yet, the events themselves. */
  private async row<R extends Row>(kind: 'lease' | 'build', id: string, fold: (row: R | undefined, recorded: AnyRecorded) => R | undefined): Promise<R | undefined> {
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

  leases(query: ListQuery): Promise<Page<LeaseRow>> {
    return this.list<LeaseRow>('lease', query);
  }

  builds(query: ListQuery): Promise<Page<BuildRow>> {
    return this.list<BuildRow>('build', query);
  }

  private async list<R extends Row>(kind: 'lease' | 'build', { where, projects, limit, before }: ListQuery): Promise<Page<R>> {
    await this.projection.reached(this.written, CATCH_UP_MS);
    const query = this.database.getRepository<Row>(this.entities[kind]).createQueryBuilder('row').orderBy('row.opened', 'DESC').limit(limit + 1);
    for (const [column, values] of Object.entries(where)) if (values.length > 0) query.andWhere(`row.${column} IN (:...${column})`, { [column]: values });
    if (projects !== null) query.andWhere('row.project IN (:...projects)', { projects });
    if (before !== undefined) query.andWhere('row.opened < :before', { before });
    const rows = (await query.getMany()) as R[];
    const items = rows.slice(0, limit);
    return { items, cursor: rows.length > limit ? String(items.at(-1)!.opened) : null };
  }
}
