import { removeHome, startPostgres, stopStale, type Postgres } from '@berth/embedded/servers';
import { chmod, mkdtemp, readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RUN_ADDRESS, RUN_FOLDER } from './run.js';

/**
 * What all test files of a run share, kept by the process that outlives them: one PostgreSQL, started when the first
 * file asks for it, so that a run of pure unit tests starts nothing.
 */
export default async function setup(): Promise<() => Promise<void>> {
  await removeDeadRuns();
  const home = await mkdtemp(join(tmpdir(), `berth-run-${process.pid}-`));
  // A server of a test that runs as another account must be able to pass through.
  await chmod(home, 0o711);
  let postgres: Promise<Postgres> | undefined;
  const server = createServer((_request, response) => {
    // Commits need not survive the machine here, and fsync is most of what a small test database does.
    postgres ??= startPostgres({ home, settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' } });
    postgres.then(
      ({ url }) => response.end(url),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  process.env[RUN_ADDRESS] = await addressOf(server);
  process.env[RUN_FOLDER] = home;
  return async () => {
    server.close();
    await postgres?.then((running) => running.stop(), () => undefined);
    removeHome(home);
  };
}

function addressOf(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  });
}

/** A run that was killed could not clean up; its number in the folder's name tells that it is gone. */
async function removeDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^berth-run-(\d+)-/.exec(name)?.[1]);
    if (!pid || runs(pid)) continue;
    await stopStale(join(tmpdir(), name));
    removeHome(join(tmpdir(), name));
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
