import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { httpClient, type BerthHttp } from '@berth/client';
import { CHECKOUT } from '@berth/embedded/servers';
import { atEndOfFile, tempFolder } from '../support/cleanup.js';
import { freshDatabase } from '../support/postgres.js';

/** What a console is told. */
export interface ConsoleEnvironment {
  NATS_URL: string;
  DATABASE_URL: string;
  BERTH_HOME: string;
  BERTH_TOKEN: string;
}

/** A console that runs, and a client of it. */
export interface Console {
  url: string;
  token: string;
  berth: BerthHttp;
  pid: number;
  stop(): Promise<void>;
}

/** A database, a folder and a token of its own. */
export const newEnvironment = async (natsUrl: string): Promise<ConsoleEnvironment> => ({ NATS_URL: natsUrl, DATABASE_URL: await freshDatabase(), BERTH_HOME: await tempFolder('console'), BERTH_TOKEN: randomUUID() });

/** A console in a process of its own, until the benchmark ends; resolves once it takes requests. */
export async function startConsole(environment: ConsoleEnvironment): Promise<Console> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(CHECKOUT, 'services', 'console', 'dist', 'main.js')], { env: { ...process.env, ...environment, BERTH_HTTP_PORT: String(port) }, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  const stop = atEndOfFile(async () => {
    child.kill('SIGTERM');
    await gone;
  });
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => line.endsWith('is ready') && resolve());
    child.once('exit', (code) => reject(new Error(`the console ended with ${code} before it was ready`)));
  });
  const [url, token] = [`http://127.0.0.1:${port}`, environment.BERTH_TOKEN];
  return { url, token, berth: httpClient({ url, token }), pid: child.pid!, stop };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
