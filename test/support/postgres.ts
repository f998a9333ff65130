import { startPostgres } from '@berth/embedded/servers';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { RUN_ADDRESS } from './run.js';

let server: Promise<string> | undefined;

/** The address of a new empty database, dropped at the end of the file. The server is shared by all files of a run. */
export async function freshDatabase(): Promise<string> {
  server ??= serverAddress();
  const admin = await server;
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(admin, `CREATE DATABASE ${name}`);
  // FORCE: a pool that a failing test left open must not keep the database.
  atEndOfFile(() => execute(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  const url = new URL(admin);
  url.pathname = `/${name}`;
  return url.href;
}

async function serverAddress(): Promise<string> {
  const run = process.env[RUN_ADDRESS];
  if (run === undefined) {
    // Outside vitest (benchmarks) there is no run to share with.
    const own = await startPostgres({ home: await tempFolder('postgres') });
    atEndOfFile(() => own.stop());
    return own.url;
  }
  const response = await fetch(run);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
