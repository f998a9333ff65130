import type { DataSource } from 'typeorm';
import { streams } from '@berth/nats';
import type { Runtime } from '@berth/runtime';
import { StreamReader } from '../live/reader.js';
import { BATCH, decodeStored, lockCheckpoint, moveCheckpoint, project } from './projection.js';
import { LIVE_SCHEMA, NEXT_SCHEMA, projectionEntities, tables } from './schema.js';

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
 * Makes the projections again from the first event on, into tables of their own, and shows those instead at the end. The
 * old rows are served, and kept up to date, until then.
 *
 * @throws {RebuildRunning} one at a time
 */
export async function rebuildProjection(runtime: Runtime, database: DataSource, onProgress: (progress: Progress) => void, signal?: AbortSignal): Promise<void> {
  const holder = database.createQueryRunner();
  try {
    const [lock] = (await holder.query('SELECT pg_try_advisory_lock($1) AS got', [REBUILD_LOCK])) as { got: boolean }[];
    if (!lock?.got) throw new RebuildRunning('the projections are being rebuilt already: wait for that to end');
    try {
      await rebuild(runtime, database, onProgress, signal);
    } finally {
      await holder.query('SELECT pg_advisory_unlock($1)', [REBUILD_LOCK]);
    }
  } finally {
    await holder.release();
  }
}

async function rebuild(runtime: Runtime, database: DataSource, onProgress: (progress: Progress) => void, signal?: AbortSignal): Promise<void> {
  const manager = await runtime.connection.jetstreamManager({ checkAPI: false });
  const of = (await manager.streams.info(streams.events.name)).state.last_seq;
  await database.query(`DROP SCHEMA IF EXISTS ${NEXT_SCHEMA} CASCADE`); // of a rebuild that was interrupted
  for (const statement of tables(NEXT_SCHEMA)) await database.query(statement);
  const entities = projectionEntities(NEXT_SCHEMA);
  const reader = new StreamReader(runtime.connection, streams.events.name);
  let position = 0;
  const advance = async (target: number, within = database.manager) => {
    while (position < target) {
      signal?.throwIfAborted();
      const commits = (await reader.take(BATCH, signal && { signal })).map(decodeStored);
      if (commits.length === 0) continue;
      await within.transaction((tx) => project(tx, entities, commits));
      position = commits.at(-1)!.sequence;
      onProgress({ position, of: Math.max(of, position), done: false });
    }
  };
  try {
    await advance(of);
    await database.transaction(async (tx) => {
      // The live rows stand still from here on; what they are ahead by is read now, so nothing shown ever goes back.
      await advance(await lockCheckpoint(tx));
      await tx.query(`DROP SCHEMA ${LIVE_SCHEMA} CASCADE`);
      await tx.query(`ALTER SCHEMA ${NEXT_SCHEMA} RENAME TO ${LIVE_SCHEMA}`);
      await moveCheckpoint(tx, position);
    });
    onProgress({ position, of: Math.max(of, position), done: true });
  } finally {
    reader.close();
  }
}
