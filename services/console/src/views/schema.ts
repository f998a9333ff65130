import pg from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { projectionEntities, projectionNames, type ProjectionName } from './columns.js';
import { indexesOf, tableOf } from './tables.js';

/** Checkpoints and migrations: what must outlive a rebuild. */
export const HOME_SCHEMA = 'berth';
/** The projections that are shown. */
export const LIVE_SCHEMA = 'berth_views';
/** Where a rebuild makes the next ones. */
export const NEXT_SCHEMA = 'berth_views_next';

/** The statements that make all tables as they are today. */
const tables = (schema: string): string[] => [`CREATE SCHEMA "${schema}"`, ...projectionNames.flatMap((name) => [...tableOf(schema, name), ...indexesOf(schema, name)])];

/** Migrations are named by when they were written. The first one makes the tables as they are today: the later ones find nothing to do then. */
class Projections1700000000001 implements MigrationInterface {
  readonly name = 'Projections1700000000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of tables(LIVE_SCHEMA)) await runner.query(statement);
    await runner.query(`CREATE TABLE ${HOME_SCHEMA}.checkpoint (name text PRIMARY KEY, position bigint NOT NULL, stream text NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE ${HOME_SCHEMA}.checkpoint`);
    await runner.query(`DROP SCHEMA ${LIVE_SCHEMA} CASCADE`);
  }
}

/**
 * Leases say what they want, how long they wait and how they ended; builds whom they act for. Old rows can't tell how
 * their things ended, so all are made anew from the events: the next start begins with the first one.
 */
class Requests1700000000002 implements MigrationInterface {
  readonly name = 'Requests1700000000002';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
  }

  /** An older version fills rows of its own shape: it finds no rows and no checkpoint of ours. */
  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await withoutLists(runner);
    await drop(runner, 'build', graphColumns);
    await drop(runner, 'lease', ['project', 'ended', 'prefer', 'blueprints', 'priority', 'affinity', 'wait', 'wait_at_most', 'ttl', 'alive']);
    await drop(runner, 'build', ['project', 'priority']);
  }
}

/** Builds are graphs of steps, on several hosts, in generations: made anew from the events like those before. */
class Graphs1700000000003 implements MigrationInterface {
  readonly name = 'Graphs1700000000003';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await withoutLists(runner);
    await drop(runner, 'build', graphColumns);
  }
}
const graphColumns = ['beneath', 'weights', 'failure', 'ref', 'commit', 'url', 'parent', 'hosts', 'generation', 'generations'];

/**
 * Machines and resources are rows too, with a checkpoint for each projection; leases say which build asked for them and
 * when they had their slot, builds when they ran. Fleets of the past are kept at some positions.
 */
class Lists1700000000004 implements MigrationInterface {
  readonly name = 'Lists1700000000004';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await runner.query(`CREATE TABLE ${HOME_SCHEMA}.moment (position bigint PRIMARY KEY, at timestamptz NOT NULL, stream text NOT NULL, things int NOT NULL, state bytea NOT NULL)`);
    await runner.query(`CREATE INDEX moment_at ON ${HOME_SCHEMA}.moment (at, position)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await withoutLists(runner);
    await runner.query(`DROP TABLE ${HOME_SCHEMA}.moment`);
  }
}

/** Machines say who may use them, and so do the fleets of the past that are kept. */
class Allowed1700000000005 implements MigrationInterface {
  readonly name = 'Allowed1700000000005';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await runner.query(`DELETE FROM ${HOME_SCHEMA}.moment`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await runner.query(`DELETE FROM ${HOME_SCHEMA}.moment`);
    await withoutJobs(runner);
    await drop(runner, 'machine', ['allow']);
  }
}

/** Hardware jobs are rows too; hosts say whether they are taken as a whole: made anew from the events like those before. */
class Jobs1700000000006 implements MigrationInterface {
  readonly name = 'Jobs1700000000006';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await withoutJobs(runner);
  }
}

/** Images, their versions and channels, the catalogue and copies are rows too: made anew from the events like those before. */
class Images1700000000007 implements MigrationInterface {
  readonly name = 'Images1700000000007';

  async up(runner: QueryRunner): Promise<void> {
    await remake(runner);
  }

  async down(runner: QueryRunner): Promise<void> {
    await remake(runner);
    await withoutImages(runner);
  }
}

/** Objects of the warehouse are asked by the attributes of their versions: their index, and nothing is made anew. */
class Objects1700000000008 implements MigrationInterface {
  readonly name = 'Objects1700000000008';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of tableOf(LIVE_SCHEMA, 'image_version').slice(1)) await runner.query(statement);
    // What has made the tables just now, or remade them, has made it too.
    await runner.query(attributeIndex.replace('CREATE INDEX', 'CREATE INDEX IF NOT EXISTS'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX IF EXISTS ${LIVE_SCHEMA}.${/CREATE INDEX (\S+)/.exec(attributeIndex)![1]!}`);
  }
}
const attributeIndex = indexesOf(LIVE_SCHEMA, 'image_version').find((statement) => statement.includes('(attributes '))!;

async function withoutImages(runner: QueryRunner): Promise<void> {
  for (const table of ['image', 'image_version', 'channel', 'catalog_entry', 'replication', 'replica'] as const satisfies readonly ProjectionName[]) await runner.query(`DROP TABLE ${LIVE_SCHEMA}.${table}`);
}

async function withoutJobs(runner: QueryRunner): Promise<void> {
  await withoutImages(runner);
  await runner.query(`DROP TABLE ${LIVE_SCHEMA}.job`);
  await drop(runner, 'resource', ['reserved']);
  await drop(runner, 'lease', ['exclusive']);
}

/** What older versions have not; they have one checkpoint, and make it when there is none. */
async function withoutLists(runner: QueryRunner): Promise<void> {
  await withoutImages(runner);
  await runner.query(`DROP TABLE ${LIVE_SCHEMA}.machine, ${LIVE_SCHEMA}.resource, ${LIVE_SCHEMA}.job`);
  await drop(runner, 'lease', ['exclusive', 'build', 'acquired', 'finished']);
  await drop(runner, 'build', ['started', 'finished']);
}

async function drop(runner: QueryRunner, table: 'machine' | 'lease' | 'build' | 'resource', columns: readonly string[]): Promise<void> {
  for (const column of columns) await runner.query(`ALTER TABLE ${LIVE_SCHEMA}.${table} DROP COLUMN ${column}`);
}

async function remake(runner: QueryRunner): Promise<void> {
  await runner.query(`DROP SCHEMA ${LIVE_SCHEMA} CASCADE`);
  for (const statement of tables(LIVE_SCHEMA)) await runner.query(statement);
  await runner.query(`DELETE FROM ${HOME_SCHEMA}.checkpoint`);
}

/** Key of the lock that lets one console at a time change the schema. */
const MIGRATION_LOCK = 4_780_001;

/**
 * Connects to Postgres and brings the schema up to date.
 * @throws when the server does not answer or refuses
 */
export async function openDatabase(url: string, onError: (error: Error) => void): Promise<DataSource> {
  // A connection that breaks while nobody uses it, or while it is being closed, must not end the process.
  class Pool extends pg.Pool {
    constructor(config: pg.PoolConfig) {
      super(config);
      this.on('connect', (client) => client.on('error', onError));
    }
  }
  const database = new DataSource({
    type: 'postgres',
    driver: { ...pg, Pool },
    url,
    applicationName: 'berth-console',
    schema: HOME_SCHEMA,
    entities: [...Object.values(projectionEntities(LIVE_SCHEMA)), ...Object.values(projectionEntities(NEXT_SCHEMA))],
    migrations: [Projections1700000000001, Requests1700000000002, Graphs1700000000003, Lists1700000000004, Allowed1700000000005, Jobs1700000000006, Images1700000000007, Objects1700000000008],
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize: 10,
    connectTimeoutMS: 5000,
    poolErrorHandler: onError,
    extra: { statement_timeout: 30_000 },
  });
  try {
    await database.initialize();
  } catch (error) {
    const { hostname, port, pathname } = new URL(url);
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new Error(`the database ${pathname.slice(1)} at ${hostname}:${port || 5432} can't be used (${why}): start it or correct DATABASE_URL`, { cause: error });
  }
  const runner = database.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await runner.query(`CREATE SCHEMA IF NOT EXISTS ${HOME_SCHEMA}`);
      await database.runMigrations({ transaction: 'all' });
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner.release();
  }
  return database;
}
