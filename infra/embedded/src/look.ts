import { readFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { withLogin, type BusUser } from '@berth/nats';
import pg from 'pg';
import { rememberedPort } from './port.js';

const ANSWER_MS = 3000;

/** The address of the database that a start on this state folder uses or used; undefined when it has had none. */
export async function ownDatabase(home: string): Promise<string | undefined> {
  const folder = join(home, 'postgres');
  const port = await rememberedPort(join(folder, 'port'));
  const password = (await readFile(join(folder, 'password'), 'utf8').catch(() => '')).trim();
  return port === undefined || password === '' ? undefined : `postgres://berth:${encodeURIComponent(password)}@127.0.0.1:${port}/berth`;
}

/**
 * The address of the NATS that a start on this state folder uses or used, with the login of the console, who may look whether
 * all is well with it; undefined when it has had none.
 */
export async function ownBus(home: string): Promise<string | undefined> {
  const folder = join(home, 'nats');
  const port = await rememberedPort(join(folder, 'port'));
  const text = await readFile(join(folder, 'users.json'), 'utf8').catch(() => '{}'); // nobody's that we may read
  let passwords: Partial<Record<BusUser, string>>;
  try {
    passwords = JSON.parse(text) as typeof passwords;
  } catch {
    return undefined; // the next start says what is to be done about it
  }
  return port === undefined || passwords.console === undefined ? undefined : withLogin(`nats://127.0.0.1:${port}`, 'console', passwords.console);
}

/**
 * Asks a PostgreSQL for its version.
 * @throws Error with the reason when it does not answer
 */
export async function askDatabase(url: string): Promise<string> {
  // Of ours, so that it can be ended: the client keeps one that was opened and never answered.
  const socket = new Socket();
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS, query_timeout: ANSWER_MS, stream: () => socket });
  client.on('error', () => undefined); // told by what is waited for
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version: string }>('SHOW server_version');
    return rows[0]!.server_version;
  } catch (error) {
    throw new Error((error as Error).message || String((error as NodeJS.ErrnoException).code), { cause: error });
  } finally {
    socket.destroy();
  }
}
