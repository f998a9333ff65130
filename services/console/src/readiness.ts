import type { DataSource } from 'typeorm';
import type { Runtime } from '@berth/runtime';
import type { Readiness } from './http/tokens.js';
import type { Hub } from './live/hub.js';
import type { Projection } from './views/projection.js';

/** How long the bus and the database may take to say that they are there. */
const ANSWER_MS = 1500;

/** The readiness of the console itself, beside that of the others. */
export function consoleReadiness(runtime: Runtime, database: DataSource, projection: Projection, hub: Hub, others: Readiness): Readiness {
  const own = async (): Promise<{ ready: boolean; detail?: string }> => {
    const faults: string[] = [];
    const check = (what: string, answer: Promise<unknown>) => within(answer).catch((error: unknown) => void faults.push(`${what} does not answer (${(error as Error).message})`));
    await Promise.all([check('NATS', runtime.connection.flush()), check('PostgreSQL', database.query('SELECT 1'))]);
    if (projection.trouble !== undefined) faults.push(`the projections are ${hub.position - projection.position} commits behind (${projection.trouble})`);
    return faults.length === 0 ? { ready: true } : { ready: false, detail: faults.join('; ') };
  };
  return async () => {
    const [console, rest] = await Promise.all([own(), others()]);
    return { console, ...rest };
  };
}

function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS} ms`)), ANSWER_MS);
  });
  return Promise.race([answer, limit]).finally(() => clearTimeout(timer));
}
