import pg from 'pg';
import { DataSource, EntitySchema, type MigrationInterface, type QueryRunner } from 'typeorm';
import type { BuildRow } from './build.js';
import type { LeaseRow } from './lease.js';

/** Checkpoints and migrations: what must outlive a rebuild. */
export const HOME_SCHEMA = 'berth';
/** The projections that are shown. */
export const LIVE_SCHEMA = 'berth_views';
/** Where a rebuild makes the next ones. */
export const NEXT_SCHEMA = 'berth_views_next';

const number = { to: (value: number | null) => value, from: (value: string | null) => (value === null ? null : Number(value)) };
const instant = { to: (value: string | null) => value, from: (value: Date | null) => (value === null ? null : value.toISOString()) };

const rowColumns = {
  id: { type: 'text', primary: true },
  created: { type: 'timestamptz', transformer: instant },
  modified: { type: 'timestamptz', transformer: instant },
  position: { type: 'bigint', transformer: number },
  opened: { type: 'bigint', transformer: number },
} as const;

/** The tables of the projections, in a schema of one's choice: a rebuild fills the same tables elsewhere. */
export function projectionEntities(schema: string) {
  const lease = new EntitySchema<LeaseRow>({
    name: `${schema}.lease`,
    tableName: 'lease',
    schema,
    columns: {
      ...rowColumns,
      owner: { type: 'text' },
      status: { type: 'text' },
      type: { type: 'text' },
      blueprint: { type: 'text', nullable: true },
      attributes: { type: 'jsonb' },
      resource: { type: 'text', nullable: true },
      slot: { type: 'int', nullable: true },
      token: { type: 'bigint', nullable: true, transformer: number },
      hostLease: { type: 'text', name: 'host_lease', nullable: true },
      until: { type: 'timestamptz', nullable: true, transformer: instant },
      reason: { type: 'text', nullable: true },
      error: { type: 'text', nullable: true },
      project: { type: 'text', nullable: true },
      ended: { type: 'text', nullable: true },
      prefer: { type: 'jsonb' },
      blueprints: { type: 'jsonb' },
      priority: { type: 'int' },
      affinity: { type: 'text', nullable: true },
      wait: { type: 'text' },
      waitAtMost: { type: 'bigint', name: 'wait_at_most', nullable: true, transformer: number },
      ttl: { type: 'bigint', nullable: true, transformer: number },
      alive: { type: 'timestamptz', nullable: true, transformer: instant },
    },
  });
  const build = new EntitySchema<BuildRow>({
    name: `${schema}.build`,
    tableName: 'build',
    schema,
    columns: {
      ...rowColumns,
      plan: { type: 'text' },
      planVersion: { type: 'int', name: 'plan_version' },
      status: { type: 'text' },
      percent: { type: 'int' },
      activity: { type: 'text', nullable: true },
      error: { type: 'text', nullable: true },
      initiator: { type: 'text' },
      hostLease: { type: 'text', name: 'host_lease', nullable: true },
      workingCopyLease: { type: 'text', name: 'working_copy_lease', nullable: true },
      steps: { type: 'jsonb' },
      artifacts: { type: 'jsonb' },
      attempt: { type: 'int' },
      cleanedUp: { type: 'boolean', name: 'cleaned_up' },
      problem: { type: 'text', nullable: true },
      project: { type: 'text', nullable: true },
      priority: { type: 'int' },
    },
  });
  return { lease, build } as const;
}
export type ProjectionEntities = ReturnType<typeof projectionEntities>;

/** The statements that make the tables; used by the migration and by each rebuild. */
export function tables(schema: string): string[] {
  const row = 'id text PRIMARY KEY, created timestamptz NOT NULL, modified timestamptz NOT NULL, position bigint NOT NULL, opened bigint NOT NULL';
  return [
    `CREATE SCHEMA "${schema}"`,
    `CREATE TABLE "${schema}".lease (${row}, owner text NOT NULL, status text NOT NULL, type text NOT NULL, blueprint text, attributes jsonb NOT NULL,
      resource text, slot int, token bigint, host_lease text, until timestamptz, reason text, error text, project text, ended text, prefer jsonb NOT NULL,
      blueprints jsonb NOT NULL, priority int NOT NULL, affinity text, wait text NOT NULL, wait_at_most bigint, ttl bigint, alive timestamptz)`,
    `CREATE UNIQUE INDEX lease_opened ON "${schema}".lease (opened)`,
    `CREATE INDEX lease_status ON "${schema}".lease (status, opened)`,
    `CREATE TABLE "${schema}".build (${row}, plan text NOT NULL, plan_version int NOT NULL, status text NOT NULL, percent int NOT NULL, activity text, error text,
      initiator text NOT NULL, host_lease text, working_copy_lease text, steps jsonb NOT NULL, artifacts jsonb NOT NULL, attempt int NOT NULL, cleaned_up boolean NOT NULL, problem text,
      project text, priority int NOT NULL)`,
    `CREATE UNIQUE INDEX build_opened ON "${schema}".build (opened)`,
    `CREATE INDEX build_status ON "${schema}".build (status, opened)`,
    `CREATE INDEX build_plan ON "${schema}".build (plan, opened)`,
  ];
}

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
    for (const column of ['project', 'ended', 'prefer', 'blueprints', 'priority', 'affinity', 'wait', 'wait_at_most', 'ttl', 'alive']) {
      await runner.query(`ALTER TABLE ${LIVE_SCHEMA}.lease DROP COLUMN ${column}`);
    }
    for (const column of ['project', 'priority']) await runner.query(`ALTER TABLE ${LIVE_SCHEMA}.build DROP COLUMN ${column}`);
  }
}

async function remake(runner: QueryRunner): Promise<void> {
  await runner.query(`DROP SCHEMA ${LIVE_SCHEMA} CASCADE`);
  for (const statement of tables(LIVE_SCHEMA)) await runner.query(statement);
  await runner.query(`UPDATE ${HOME_SCHEMA}.checkpoint SET position = 0`);
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
    migrations: [Projections1700000000001, Requests1700000000002],
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
