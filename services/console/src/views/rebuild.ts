import type { DataSource } from 'typeorm';
import { streams } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import { StreamReader } from '../live/reader.js';
import { projectionEntities, projectionNames, type ProjectionName } from './columns.js';
import { BATCH, decodeStored, lockCheckpoints, moveCheckpoints } from './projection.js';
import { LIVE_SCHEMA, NEXT_SCHEMA } from './schema.js';
import { indexesOf, tableOf } from './tables.js';
import { RowWriter } from './write.js';

export interface Progress {
  /** commits read so far */
  position: number;
  /** commits there were when it began */
  of: number;
  done: boolean;
}

/** Key of the lock that lets one rebuild run at a time, in whatever process. */
const REBUILD_LOCK = 4_780_002;

/** A rebuild is under way already. */
export class RebuildRunning extends Error {}

/**
 * Makes projections again from the first event on, into tables of their own, and shows those instead at the end. The old
 * rows are served, and kept up to date, until then.
 *
 * @param names those that are made again; all when absent
 * @throws {RebuildRunning} one at a time
 */
export async function rebuildProjection(runtime: Runtime, database: DataSource, onProgress: (progress: Progress) => void, names: readonly ProjectionName[] = projectionNames, signal?: AbortSignal): Promise<void> {
  const holder = database.createQueryRunner();
  try {
    const [lock] = (await holder.query('SELECT pg_try_advisory_lock($1) AS got', [REBUILD_LOCK])) as { got: boolean }[];
    if (!lock?.got) throw new RebuildRunning('projections are being rebuilt already: wait for that to end');
    try {
      await rebuild(runtime, database, onProgress, names, signal);
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [REBUILD_LOCK]);
    }
  } finally {
    await holder.release();
  }
}

async function rebuild(runtime: Runtime, database: DataSource, onProgress: (progress: Progress) => void, names: readonly ProjectionName[], signal?: AbortSignal): Promise<void> {
  const manager = await runtime.connection.jetstreamManager({ checkAPI: false });
  const of = (await manager.streams.info(streams.events.name)).state.last_seq;
  await database.query(`DROP SCHEMA IF EXISTS ${NEXT_SCHEMA} CASCADE`); // of a rebuild that was interrupted
  await database.query(`CREATE SCHEMA ${NEXT_SCHEMA}`);
  for (const name of names) for (const statement of tableOf(NEXT_SCHEMA, name)) await database.query(statement);
  const writer = new RowWriter(projectionEntities(NEXT_SCHEMA));
  const reader = new StreamReader(runtime.connection, streams.events.name, { portion: 2 * BATCH });
  let position = 0;
  const advance = async (target: number, within = database.manager) => {
    while (position < target) {
      signal?.throwIfAborted();
      const commits = (await reader.take(Math.min(BATCH, target - position), signal && { signal })).map(decodeStored);
      if (commits.length === 0) continue;
      await within.transaction(async (tx) => {
        for (const name of names) await writer.write(tx, name, commits);
      });
      position = commits.at(-1)!.sequence;
      onProgress({ position, of: Math.max(of, position), done: false });
    }
  };
  try {
    await advance(of);
    // A table is filled in a fraction of the time while it has no indexes but that of its ids.
    await database.transaction(async (tx) => {
      await tx.query('SET LOCAL statement_timeout = 0');
      for (const name of names) for (const statement of [...indexesOf(NEXT_SCHEMA, name), `ANALYZE ${NEXT_SCHEMA}.${name}`]) await tx.query(statement);
    });
    await database.transaction(async (tx) => {
      // The live rows stand still from here on; what they are ahead by is read now, so nothing shown ever goes back.
      const shown = await lockCheckpoints(tx, projectionNames);
      await advance(Math.max(...names.map((name) => shown[name])), tx);
      for (const name of names) {
        await tx.query(`DROP TABLE ${LIVE_SCHEMA}.${name}`);
        await tx.query(`ALTER TABLE ${NEXT_SCHEMA}.${name} SET SCHEMA ${LIVE_SCHEMA}`);
      }
      await tx.query(`DROP SCHEMA ${NEXT_SCHEMA}`);
      await moveCheckpoints(tx, names, position);
    });
    onProgress({ position, of: Math.max(of, position), done: true });
  } finally {
    reader.close();
  }
}
