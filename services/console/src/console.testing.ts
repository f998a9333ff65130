import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { httpClient, type BerthHttp } from '@berth/client';
import type { Config } from '@berth/runtime';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { startFleet, startTestSshd, type Fleet } from '../../../test/support/fleet.js';
import { freshDatabase } from '../../../test/support/postgres.js';
import { eventually } from '../../../test/support/wait.js';
import { watchAnswers } from './api.testing.js';
import { startConsole, type RunningConsole } from './console.module.js';

export { eventually };

/** A whole installation: bus, database, a host, the other services as processes of their own, and the console in this one. */
export interface Installation {
  config: Config;
  fleet: Fleet;
  console: RunningConsole;
  token: string;
  berth: BerthHttp;
  /** folder of Berth on the host */
  hostFolder: string;
  /** A raw request with the token. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** Starts it; everything ends with the test file. */
export async function install(options: { slots?: number } = {}): Promise<Installation> {
  const [fleet, databaseUrl] = await Promise.all([startFleet(), freshDatabase()]);
  const { home, nats } = fleet;
  const config: Config = { home, httpPort: 0, natsUrl: nats.urlOf('console'), databaseUrl, logLevel: 'info', sweepMs: 60_000, sweepGraceMs: 300_000, logFile: join(home, 'console.log') };
  const fail = (error: Error) => {
    throw error;
  };
  const token = randomUUID();
  const running = await startConsole(config, fail, { token, readiness: () => Promise.resolve({ lease: { ready: true } }), watch: watchAnswers });
  atEndOfFile(() => running.stop());
  const berth = httpClient({ url: running.url, token });
  const sshd = await startTestSshd();
  const hostFolder = join(home, 'host');
  await berth.machines.add({ name: 'box', address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, slots: options.slots ?? 4, attributes: { pool: 'spec' }, folder: hostFolder });
  await eventually(async () => (await berth.machines.get('box')).resource !== null, { timeoutMs: 10_000 });
  const ask = (path: string, init: RequestInit = {}) => fetch(`${running.url}/api/v1/${path}`, { ...init, headers: { Authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) } });
  return {
    config, fleet, console: running, token, berth, hostFolder, ask,
    post: (path, body, headers = {}) => ask(path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers } }),
  };
}

/** A host lease that can be used. */
export async function activeLease({ berth }: Installation): Promise<string> {
  const { id } = await berth.leases.request({ type: 'host', attributes: { pool: 'spec' }, until: new Date(Date.now() + 600_000).toISOString() });
  await eventually(async () => (await berth.leases.get(id)).status === 'active', { timeoutMs: 10_000 });
  return id;
}
