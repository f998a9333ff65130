import type { DataSource, EntityManager } from 'typeorm';
import type { AnyRecorded } from '@berth/contracts';
import { decodeCommit } from '@berth/event-store';
import { streams } from '@berth/nats';
import type { Living, Runtime } from '@berth/runtime';
import { StreamReader, type Stored } from '../live/reader.js';
import { projectionEntities, projectionNames, type ProjectionName } from './columns.js';
import { HOME_SCHEMA, LIVE_SCHEMA } from './schema.js';
import { RowWriter } from './write.js';

/** How much goes into one transaction: up to so many commits, or what came in so many milliseconds. */
export const BATCH = 1000;
const LINGER_MS = 20;
const RETRY_MS = 500;

export const decodeStored = (stored: Stored): AnyRecorded => decodeCommit(stored.subject, stored.sequence, stored.data) as AnyRecorded;

/** What is kept in step beside the rows, from the same commits. */
export interface Beside {
  begin(position: number): Promise<void>;
  /** Once their rows are written; must not fail. */
  apply(commits: readonly AnyRecorded[]): Promise<void>;
}

export type Positions = Record<ProjectionName, number>;

/**
 * Keeps the projections in step with the events. Rows and checkpoints change in one transaction, which holds the rows of the
 * checkpoints: of two consoles on one database, and of a rebuild that ends, only one writes at a time, and none writes twice.
 */
export class Projection implements Living {
  private stopped = false;
  private reader: StreamReader | undefined;
  private running: Promise<void> | undefined;
  private waiting: { position: number; resolve: () => void }[] = [];
  /** why it is behind; undefined while all is well */
  trouble: string | undefined;
  private readonly writer = new RowWriter(projectionEntities(LIVE_SCHEMA));
  /** up to where this console has written, or seen that it was written */
  private shown = Object.fromEntries(projectionNames.map((name) => [name, 0])) as Positions;

  constructor(
    private readonly runtime: Runtime,
    private readonly database: DataSource,
    private readonly beside?: Beside,
  ) {}

  /** The position that all rows show. */
  get position(): number {
    return Math.min(...Object.values(this.shown));
  }

  async start(): Promise<void> {
    this.shown = await openCheckpoints(this.runtime, this.database);
    await this.beside?.begin(this.position);
    this.reader = new StreamReader(this.runtime.connection, streams.events.name, { after: this.position, portion: 2 * BATCH });
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
        this.shown = await this.write(commits);
        this.trouble = undefined;
        await this.beside?.apply(commits);
        for (const waiter of this.waiting.filter((one) => one.position <= this.position)) waiter.resolve();
        return;
      } catch (error) {
        for (const name of projectionNames) this.writer.forget(name);
        this.trouble = (error as Error).message;
        this.runtime.log.warn({ error }, 'the projections could not be written, will be tried again');
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  private write(commits: AnyRecorded[]): Promise<Positions> {
    const last = commits.at(-1)!.sequence;
    return this.database.transaction(async (manager) => {
      // A crash of the server may lose the last of these transactions, rows and checkpoint together: they are written again.
      await manager.query('SET LOCAL synchronous_commit = off');
      const done = await lockCheckpoints(manager, projectionNames);
      for (const name of projectionNames) {
        // Another console, or a rebuild, has been at these rows meanwhile.
        if (done[name] !== this.shown[name]) this.writer.forget(name);
        await this.writer.write(manager, name, commits.filter(({ sequence }) => sequence > done[name]));
      }
      const behind = projectionNames.filter((name) => done[name] < last);
      await moveCheckpoints(manager, behind, last);
      return { ...done, ...Object.fromEntries(behind.map((name) => [name, last])) };
    });
  }
}

/** What tells one BERTH_EVENTS from another: a database must never show the events of two. */
export async function streamMark(runtime: Runtime): Promise<{ mark: string; last: number }> {
  const manager = await runtime.connection.jetstreamManager({ checkAPI: false });
  const info = await manager.streams.info(streams.events.name);
  return { mark: info.created, last: info.state.last_seq };
}

/** The positions that the rows show. Rows of another stream, or of a future that this one has not had, are dropped: they are made again. */
async function openCheckpoints(runtime: Runtime, database: DataSource): Promise<Positions> {
  const { mark, last } = await streamMark(runtime);
  return database.transaction(async (manager) => {
    await manager.query(`INSERT INTO ${HOME_SCHEMA}.checkpoint (name, position, stream) SELECT unnest($1::text[]), 0, $2 ON CONFLICT DO NOTHING`, [projectionNames, mark]);
    const found = await manager.query<{ name: ProjectionName; position: string; stream: string }[]>(`SELECT name, position, stream FROM ${HOME_SCHEMA}.checkpoint WHERE name = ANY($1) ORDER BY name FOR UPDATE`, [projectionNames]);
    const foreign = found.filter(({ position, stream }) => stream !== mark || Number(position) > last).map(({ name }) => name);
    if (foreign.length > 0) {
      runtime.log.warn({ projections: foreign, last }, 'the rows belong to another event stream: they are made anew');
      await manager.query(`TRUNCATE ${foreign.map((name) => `${LIVE_SCHEMA}.${name}`).join(', ')}`);
      await manager.query(`UPDATE ${HOME_SCHEMA}.checkpoint SET position = 0, stream = $2 WHERE name = ANY($1)`, [foreign, mark]);
    }
    return Object.fromEntries(found.map(({ name, position }) => [name, foreign.includes(name) ? 0 : Number(position)])) as Positions;
  });
}

/** Positions of the live rows; nobody else moves them until the transaction ends. Always in one order, so that two never wait for each other. */
export async function lockCheckpoints(manager: EntityManager, names: readonly ProjectionName[]): Promise<Positions> {
  const found = await manager.query<{ name: ProjectionName; position: string }[]>(`SELECT name, position FROM ${HOME_SCHEMA}.checkpoint WHERE name = ANY($1) ORDER BY name FOR UPDATE`, [names]);
  return Object.fromEntries(found.map(({ name, position }) => [name, Number(position)])) as Positions;
}

export async function moveCheckpoints(manager: EntityManager, names: readonly ProjectionName[], position: number): Promise<void> {
  await manager.query(`UPDATE ${HOME_SCHEMA}.checkpoint SET position = $2 WHERE name = ANY($1)`, [names, position]);
}
