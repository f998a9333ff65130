import { In, type EntityManager, type EntityMetadata } from 'typeorm';
import type { AnyRecorded } from '@berth/contracts';
import { foldBuild } from './build.js';
import type { ProjectionEntities, ProjectionName } from './columns.js';
import { foldJob } from './job.js';
import { foldLease } from './lease.js';
import { foldMachine } from './machine.js';
import { foldResource } from './resources.js';
import type { Row } from './row.js';

type Fold = (row: Row | undefined, recorded: AnyRecorded) => Row | undefined;

/** Every projection: its fold, and the event that a row begins with. One line each. Each folds the kind it is named after. */
const projections = {
  machine: { fold: foldMachine, begins: 'MachineAdded' },
  resource: { fold: foldResource, begins: 'ResourceCreated' },
  lease: { fold: foldLease, begins: 'LeaseRequested' },
  build: { fold: foldBuild, begins: 'BuildRequested' },
  job: { fold: foldJob, begins: 'JobRequested' },
} as const satisfies Record<ProjectionName, { fold: (row: never, recorded: AnyRecorded) => Row | undefined; begins: string }>;

/** Rows of each projection that are remembered: those that changed last will change next. */
const REMEMBERED = 4000;

/**
 * Writes commits into the rows of one schema. Remembers the rows that it wrote last, so that most need not be read again:
 * {@link forget} them as soon as somebody else may have written.
 */
export class RowWriter {
  private readonly known: Record<ProjectionName, Map<string, Row>> = { machine: new Map(), resource: new Map(), lease: new Map(), build: new Map(), job: new Map() };

  constructor(private readonly entities: ProjectionEntities) {}

  forget(name: ProjectionName): void {
    this.known[name].clear();
  }

  /** Folds commits into the rows of one projection, within the transaction of `manager`; commits of other kinds change nothing. */
  async write(manager: EntityManager, name: ProjectionName, commits: readonly AnyRecorded[]): Promise<void> {
    const own = commits.filter((recorded) => recorded.kind === name);
    if (own.length === 0) return;
    const known = this.known[name];
    const { fold, begins } = projections[name] as { fold: Fold; begins: string };
    const unread = new Set<string>();
    const begun = new Set<string>();
    for (const { id, commit } of own) {
      if (commit.events[0]!.type === begins) begun.add(id);
      else if (!known.has(id) && !begun.has(id)) unread.add(id);
    }
    for (const row of await this.read(manager, name, [...unread])) known.set(row.id, row);
    const changed = new Map<string, Row>();
    for (const recorded of own) {
      const row = fold(changed.get(recorded.id) ?? known.get(recorded.id), recorded);
      if (row) changed.set(recorded.id, row);
    }
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

  private async read(manager: EntityManager, name: ProjectionName, ids: string[]): Promise<Row[]> {
    return ids.length === 0 ? [] : manager.getRepository<Row>(this.entities[name]).findBy({ id: In(ids) });
  }
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

