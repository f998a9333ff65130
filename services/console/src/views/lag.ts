import type { NatsConnection } from 'nats';
import type { DataSource } from 'typeorm';
import type { ProjectionView } from '@berth/client';
import { streams } from '@berth/nats';
import { projectionNames } from './columns.js';
import { HOME_SCHEMA, LIVE_SCHEMA } from './schema.js';

/** Every projection: up to where its rows show the events, and how old what they do not show yet is. */
export async function lags(connection: NatsConnection, database: DataSource): Promise<ProjectionView[]> {
  const checkpoints = await database.query<{ name: string; position: string }[]>(`SELECT name, position FROM ${HOME_SCHEMA}.checkpoint`);
  const counts = await Promise.all(projectionNames.map((name) => database.query<{ rows: string }[]>(`SELECT count(*) AS rows FROM ${LIVE_SCHEMA}.${name}`)));
  const manager = await connection.jetstreamManager({ checkAPI: false });
  const last = (await manager.streams.info(streams.events.name)).state.last_seq;
  const ages = new Map<number, Promise<number>>();
  const ageAfter = (position: number): Promise<number> => {
    const known = ages.get(position) ?? manager.streams.getMessage(streams.events.name, { seq: position + 1 }).then(({ time }) => Math.max(0, Date.now() - time.getTime()));
    ages.set(position, known);
    return known;
  };
  return Promise.all(
    projectionNames.map(async (name, i) => {
      const position = Number(checkpoints.find((one) => one.name === name)?.position ?? 0);
      const commits = Math.max(0, last - position);
      return { name, position, last, rows: Number(counts[i]![0]!.rows), lag: { commits, ms: commits === 0 ? 0 : await ageAfter(position) } };
    }),
  );
}
