import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, test } from 'vitest';
import { lockHome } from './home.js';
import { startPostgres } from './postgres.js';
import { removeHome } from './postgres-user.js';
import { isAlive } from './process.js';

const home = mkdtempSync(join(tmpdir(), 'postgres-'));
afterAll(() => removeHome(home));

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

// One folder for all tests, in order: creating a database is the slow part.
test('the first start makes the database, the next finds it on the same address', async () => {
  const first = await startPostgres({ home });
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  expect(statSync(join(home, 'postgres', 'password')).mode & 0o777).toBe(0o600);

  const second = await startPostgres({ home });
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  await second.stop();
});

test('a wrong password is refused', async () => {
  const server = await startPostgres({ home });
  const url = new URL(server.url);
  url.password = 'guess';
  await expect(query(url.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
  await server.stop();
});

test('a stop does not wait for open connections', async () => {
  const server = await startPostgres({ home });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const lost = new Promise((resolve) => client.on('error', resolve));
  await server.stop();
  await lost;
});

test('a taken port is left for another', async () => {
  const before = Number(readFileSync(join(home, 'postgres', 'port'), 'utf8'));
  const occupier = createServer();
  await new Promise<void>((resolve) => occupier.listen(before, '127.0.0.1', resolve));
  const server = await startPostgres({ home });
  expect(server.port).not.toBe(before);
  expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  await server.stop();
  occupier.close();
});

test('one that a dead owner left running is stopped by the next owner', async () => {
  const left = await startPostgres({ home });
  writeFileSync(join(home, 'up.pid'), '999999999 1\n');
  const lock = await lockHome(home);
  expect(isAlive(left.pid)).toBe(false);
  await lock.release();
  const server = await startPostgres({ home });
  expect(await query(server.url, 'SELECT n FROM kept')).toEqual([{ n: 42 }]);
  await server.stop();
});

test('data of another version is one sentence', async () => {
  const version = join(home, 'elsewhere', 'postgres', 'data', 'PG_VERSION');
  const other = join(home, 'elsewhere');
  await startPostgres({ home: other }).then((server) => server.stop());
  writeFileSync(version, '12\n');
  await expect(startPostgres({ home: other })).rejects.toThrow(/was made by PostgreSQL 12 and this is \d+: dump and restore it/);
  rmSync(other, { recursive: true });
});
