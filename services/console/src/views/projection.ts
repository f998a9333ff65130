import type { DataSource, EntityManager } from 'typeorm';
import { In } from 'typeorm';
import type { AnyRecorded } from '@berth/contracts';
import { decodeCommit } from '@berth/event-store';
import { streams } from '@berth/nats';
import type { Living, Runtime } from '@berth/runtime';
import { StreamReader, type Stored } from '../live/reader.js';
import { foldBuild } from './build.js';
import { foldLease } from './lease.js';
import type { Row } from './row.js';
import { HOME_SCHEMA, LIVE_SCHEMA, projectionEntities, type ProjectionEntities } from './schema.js';

/** Every projection: the kind it folds, and its fold. One line each. */
const folds = { lease: foldLease, build: foldBuild } as const satisfies Record<keyof ProjectionEntities, (row: never, recorded: AnyRecorded) => Row | undefined>;

/** How much goes into one transaction: up to so many commits, or what came in so many milliseconds. */
export const BATCH = 500;
const LINGER_MS = 20;
const RETRY_MS = 500;
const LIVE = 'live';

export const decodeStored = (stored: Stored): AnyRecorded => decodeCommit(stored.subject, stored.sequence, stored.data) as AnyRecorded;

/** Folds commits into the rows of one schema, within the transaction of `manager`. */
export async function project(manager: EntityManager, entities: ProjectionEntities, commits: readonly AnyRecorded[]): Promise<void> {
  for (const kind of Object.keys(folds) as (keyof typeof folds)[]) {
    const own = commits.filter((recorded) => recorded.kind === kind);
    if (own.length === 0) continue;
    const repository = manager.getRepository<Row>(entities[kind]);
    const ids = [...new Set(own.map((recorded) => recorded.id))];
    const rows = new Map((await repository.findBy({ id: In(ids) })).map((row) => [row.id, row]));
    const fold = folds[kind] as (row: Row | undefined, recorded: AnyRecorded) => Row | undefined;
    for (const recorded of own) {
      const row = fold(rows.get(recorded.id), recorded);
      if (row) rows.set(recorded.id, row);
    }
    await repository.upsert([...rows.values()], ['id']);
  }
}

/**
 * Keeps the projections in step with the events. Rows and checkpoint change in one transaction, which holds the checkpoint's
 * row: of two consoles on one database, and of a rebuild that ends, only one writes at a time, and none writes twice.
 */
export class Projection implements Living {
  position = 0;
  private stopped = false;
  private reader: StreamReader | undefined;
  private running: Promise<void> | undefined;
  private waiting: { position: number; resolve: () => void }[] = [];
  /** why it is behind; undefined while all is well */
  trouble: string | undefined;
  private readonly entities = projectionEntities(LIVE_SCHEMA);

  constructor(
    private readonly runtime: Runtime,
    private readonly database: DataSource,
  ) {}

  async start(): Promise<void> {
    this.position = await openCheckpoint(this.runtime, this.database);
    this.reader = new StreamReader(this.runtime.connection, streams.events.name, { after: this.position });
    this.running = this.run(this.reader).catch((error: unknown) => this.runtime.fail(error as Error));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.reader?.close();
    await this.running;
  }

  /** Resolves with true once the rows show a position; with false when that takes too long. */
  reached(position: number, patienceMs: number): Promise<boolean> {
    if (position <= this.position) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = { position, resolve: () => settle(true) };
      const settle = (is: boolean) => {
        clearTimeout(timer);
        this.waiting = this.waiting.filter((other) => other !== waiter);
        resolve(is);
      };
      const timer = setTimeout(() => settle(false), patienceMs);
      this.waiting.push(waiter);
    });
  }

  private async run(reader: StreamReader): Promise<void> {
    while (!this.stopped) {
      const stored = await reader.take(BATCH, { lingerMs: LINGER_MS });
      if (stored.length > 0) await this.insist(stored.map(decodeStored));
    }
  }

  /** A batch is written until it is: an outage of the database delays the rows and loses nothing. */
  private async insist(commits: AnyRecorded[]): Promise<void> {
    while (!this.stopped) {
      try {
        await this.write(commits);
        this.trouble = undefined;
        this.position = Math.max(this.position, commits.at(-1)!.sequence);
        for (const waiter of this.waiting.filter((one) => one.position <= this.position)) waiter.resolve();
        return;
      } catch (error) {
        this.trouble = (error as Error).message;
        this.runtime.log.warn({ error }, 'the projections could not be written, will be tried again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private write(commits: AnyRecorded[]): Promise<void> {
    return this.database.transaction(async (manager) => {
      const done = await lockCheckpoint(manager);
      const fresh = commits.filter((recorded) => recorded.sequence > done);
      if (fresh.length === 0) return;
      await project(manager, this.entities, fresh);
      await moveCheckpoint(manager, fresh.at(-1)!.sequence);
    });
  }
}

/** What tells one BERTH_EVENTS from another: a database must never show the events of two. */
async function streamMark(runtime: Runtime): Promise<{ mark: string; last: number }> {
  const manager = await runtime.connection.jetstreamManager({ checkAPI: false });
  const info = await manager.streams.info(streams.events.name);
  return { mark: info.created, last: info.state.last_seq };
}

/** The position that the rows show. Rows of another stream, or of a future that this one has not had, are dropped: they are made again. */
async function openCheckpoint(runtime: Runtime, database: DataSource): Promise<number> {
  const { mark, last } = await streamMark(runtime);
  return database.transaction(async (manager) => {
    await manager.query(`INSERT INTO ${HOME_SCHEMA}.checkpoint (name, position, stream) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING`, [LIVE, mark]);
    const [found] = await manager.query<{ position: string; stream: string }[]>(`SELECT position, stream FROM ${HOME_SCHEMA}.checkpoint WHERE name = $1 FOR UPDATE`, [LIVE]);
    const position = Number(found!.position);
    if (found!.stream === mark && position <= last) return position;
    runtime.log.warn({ position, last }, 'the rows belong to another event stream: they are made anew');
    await manager.query(`TRUNCATE ${LIVE_SCHEMA}.lease, ${LIVE_SCHEMA}.build`);
    await manager.query(`UPDATE ${HOME_SCHEMA}.checkpoint SET position = 0, stream = $2 WHERE name = $1`, [LIVE, mark]);
    return 0;
  });
}

/** Position of the live rows; nobody else moves it until the transaction ends. */
export async function lockCheckpoint(manager: EntityManager): Promise<number> {
  const [found] = await manager.query<{ position: string }[]>(`SELECT position FROM ${HOME_SCHEMA}.checkpoint WHERE name = $1 FOR UPDATE`, [LIVE]);
  return Number(found!.position);
}

export async function moveCheckpoint(manager: EntityManager, position: number): Promise<void> {
  await manager.query(`UPDATE ${HOME_SCHEMA}.checkpoint SET position = $2 WHERE name = $1`, [LIVE, position]);
}
