import { In, type EntityManager, type EntityMetadata } from 'typeorm';
import type { AnyRecorded, EventOf, Kind } from '@berth/contracts';
import { foldBuild } from './build.js';
import { entryOf, foldCatalogEntry } from './catalogue.js';
import { projectionNames, type ProjectionEntities, type ProjectionName } from './columns.js';
import { channelOf, foldChannel } from './image-channel.js';
import { foldImageVersion, versionOf } from './image-version.js';
import { foldImage } from './image.js';
import { foldJob } from './job.js';
import { foldLease } from './lease.js';
import { foldMachine } from './machine.js';
import { foldResource } from './resources.js';
import { foldReplica, foldReplication, replicaOf } from './replication.js';
import { ALL, type Row, type RowOf } from './row.js';

type Fold = (row: Row | undefined, recorded: AnyRecorded, id: string) => Row | undefined;

/** How a projection is folded. */
interface Folding {
  kind: Kind;
  fold: (row: never, recorded: AnyRecorded, id: string) => Row | undefined;
  /** the event that a row begins with, where every row has one */
  begins?: string;
  /** of a stream with several rows: which one an event is about. One row, that of the stream, when absent */
  rowOf?: RowOf<never>;
  /** the column with the id of the stream, where there is an event that is about all rows of it */
  stream?: string;
}

/** Every projection. One line each. */
const projections = {
  machine: { kind: 'machine', fold: foldMachine, begins: 'MachineAdded' },
  resource: { kind: 'resource', fold: foldResource, begins: 'ResourceCreated' },
  lease: { kind: 'lease', fold: foldLease, begins: 'LeaseRequested' },
  build: { kind: 'build', fold: foldBuild, begins: 'BuildRequested' },
  job: { kind: 'job', fold: foldJob, begins: 'JobRequested' },
  image: { kind: 'image', fold: foldImage },
  image_version: { kind: 'image', fold: foldImageVersion, rowOf: versionOf, stream: 'image' },
  channel: { kind: 'image', fold: foldChannel, rowOf: channelOf, stream: 'image' },
  catalog_entry: { kind: 'catalog', fold: foldCatalogEntry, rowOf: entryOf },
  replication: { kind: 'replication', fold: foldReplication },
  replica: { kind: 'replication', fold: foldReplica, rowOf: replicaOf, stream: 'policy' },
} as const satisfies Record<ProjectionName, Folding>;

/** Rows of each projection that are remembered: those that changed last will change next. */
const REMEMBERED = 4000;

/**
 * Writes commits into the rows of one schema. Remembers the rows that it wrote last, so that most need not be read again:
 * {@link forget} them as soon as somebody else may have written.
 */
export class RowWriter {
  private readonly known = Object.fromEntries(projectionNames.map((name) => [name, new Map<string, Row>()])) as Record<ProjectionName, Map<string, Row>>;

  constructor(private readonly entities: ProjectionEntities) {}

  forget(name: ProjectionName): void {
    this.known[name].clear();
  }

  /** Folds commits into the rows of one projection, within the transaction of `manager`; commits of other kinds change nothing. */
  async write(manager: EntityManager, name: ProjectionName, commits: readonly AnyRecorded[]): Promise<void> {
    const { kind, begins, rowOf, stream, ...folding } = projections[name] as Folding;
    const fold = folding.fold as Fold;
    const own = commits.filter((recorded) => recorded.kind === kind).map((recorded) => ({ recorded, ...rowsOf(recorded, rowOf as RowOf<EventOf<string, unknown>> | undefined) }));
    if (own.every(({ ids, all }) => ids.length === 0 && !all)) return;
    const known = this.known[name];
    const unread = new Set<string>();
    const begun = new Set<string>();
    for (const { recorded, ids } of own) {
      for (const id of ids) {
        if (recorded.commit.events[0]!.type === begins) begun.add(id);
        else if (!known.has(id) && !begun.has(id)) unread.add(id);
      }
    }
    const streams = own.filter(({ all }) => all).map(({ recorded }) => recorded.id);
    for (const row of await this.read(manager, name, [...unread])) known.set(row.id, row);
    // What was remembered is as new as what is stored.
    for (const row of stream === undefined ? [] : await this.readBy(manager, name, stream, streams)) known.set(row.id, row);
    const changed = new Map<string, Row>();
    const ofStream = (id: string): string[] => [...known.values(), ...changed.values()].filter((row) => (row as unknown as Record<string, unknown>)[stream!] === id).map((row) => row.id);
    for (const { recorded, ids, all } of own) {
      for (const id of new Set(all ? [...ids, ...ofStream(recorded.id)] : ids)) {
        const before = changed.get(id) ?? known.get(id);
        const row = fold(before, recorded, id);
        // Much of what a stream says is about some of its rows only.
        if (row && row !== before) changed.set(id, row);
      }
    }
    if (changed.size === 0) return;
    const rows = [...changed.values()];
    const { query, json } = upsert(manager.connection.getMetadata(this.entities[name]), rows);
    await manager.query(query, [json]);
    for (const row of rows) {
      known.delete(row.id);
      known.set(row.id, row);
    }
    for (const id of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(id);
    }
  }

  private read(manager: EntityManager, name: ProjectionName, ids: string[]): Promise<Row[]> {
    return this.readBy(manager, name, 'id', ids);
  }

  private async readBy(manager: EntityManager, name: ProjectionName, column: string, values: string[]): Promise<Row[]> {
    return values.length === 0 ? [] : manager.getRepository<Row>(this.entities[name]).findBy({ [column]: In(values) });
  }
}

/** The rows that a commit is about: some by their ids, or all that its stream has. */
function rowsOf({ id, commit }: AnyRecorded, rowOf: RowOf<EventOf<string, unknown>> | undefined): { ids: string[]; all: boolean } {
  if (!rowOf) return { ids: [id], all: false };
  const found = new Set((commit.events as EventOf<string, unknown>[]).map((event) => rowOf(event, id)));
  return { ids: [...found].filter((one) => typeof one === 'string'), all: found.has(ALL) };
}

/** All rows in one statement with one parameter; TypeORM's own has a parameter for each value, of which a statement takes 65,535. */
function upsert({ tablePath, columns }: EntityMetadata, rows: readonly Row[]): { query: string; json: string } {
  const names = columns.map(({ databaseName }) => `"${databaseName}"`);
  const plain = rows.map((row) => Object.fromEntries(columns.map(({ databaseName, propertyName }) => [databaseName, (row as unknown as Record<string, unknown>)[propertyName]])));
  const set = names.filter((name) => name !== '"id"').map((name) => `${name} = EXCLUDED.${name}`);
  return {
    query: `INSERT INTO ${tablePath} (${names.join(', ')}) SELECT ${names.join(', ')} FROM json_populate_recordset(NULL::${tablePath}, $1) ON CONFLICT (id) DO UPDATE SET ${set.join(', ')}`,
    json: storable(JSON.stringify(plain)),
  };
}

/** PostgreSQL keeps no NUL and no half of a surrogate pair: what has one must not hold up all rows for ever. */
function storable(json: string): string {
  return json.includes('\\u') ? json.replace(/\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/g, (found) => (found === '\\\\' ? found : '\ufffd')) : json;
}

