import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'nats';
import pg from 'pg';
import { allocatorService } from '@berth/allocator';
import { buildOrchestratorService } from '@berth/build-orchestrator';
import { startConsole } from '@berth/console';
import { gatewayService } from '@berth/host-agent-gateway';
import { imageFactoryService } from '@berth/image-factory';
import { leaseService } from '@berth/lease';
import { actionSettings, httpSettings, Metrics, metricsSettings, readEnvironment, startService, tlsFiles, traceSettings, type Config, type RunningService } from '@berth/runtime';
import { addressOptions, shownAddress, type BusUser, type TlsFiles } from '@berth/nats';
import { lockHome, resolveHome } from './home.js';
import { startNats } from './nats.js';
import { startPostgres } from './postgres.js';

/** Everything of Berth, running on this machine. */
export interface Berth {
  home: string;
  url: string;
  /** with the login of `frontend` on a bus of our own */
  natsUrl: string;
  databaseUrl: string;
  token: string;
  /** of the first start on this state folder: signs a browser in as its administrator, once and within an hour */
  firstLink?: string;
  /** Drains the services and stops what was started here, in the opposite order. Idempotent. */
  stop(): Promise<void>;
}

export interface BerthOptions {
  env?: NodeJS.ProcessEnv;
  /** Told of each thing as it becomes ready. */
  progress?: (line: string) => void;
  /** Something that was ready can't go on. */
  onFailure?: (error: Error) => void;
}

/** In waves: those of the second ask those of the first something as soon as they are up, and would wait for a late one. */
const waves = [[leaseService, gatewayService], [allocatorService, buildOrchestratorService], [imageFactoryService]];
const definitions = waves.flat();

/**
 * Starts the bus, the database, every service and the console; what NATS_URL or DATABASE_URL name is used as it is.
 * When one part can't start, the parts before it are stopped again.
 *
 * @throws Error with one sentence that says what is wrong and what to do
 */
export async function startBerth(options: BerthOptions = {}): Promise<Berth> {
  const env = options.env ?? process.env;
  const progress = options.progress ?? (() => {});
  const settings = readEnvironment(env);
  const http = httpSettings(settings);
  const home = resolveHome(env);
  const started: { name: string; stop: () => Promise<unknown> }[] = [];
  const ready = new Map<string, { ready: boolean; detail?: string }>();
  let stopping: Promise<void> | undefined;

  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      const problems: unknown[] = [];
      for (const part of started.reverse()) await part.stop().catch((error: unknown) => problems.push(error));
      if (problems.length > 0) throw new AggregateError(problems, 'not everything could be stopped');
    })();
    return stopping;
  };
  const failed = (name: string) => (error: Error) => {
    ready.set(name, { ready: false, detail: error.message });
    if (!stopping) options.onFailure?.(new Error(`${name} can't go on: ${error.message}`, { cause: error }));
  };

  try {
    const lock = await lockHome(home);
    started.push({ name: 'home', stop: () => lock.release() });
    if (settings.BERTH_HTTP_PORT !== 0) await assertFree(settings.BERTH_HTTP_PORT, settings.BERTH_HTTP_HOST);

    const [bus, database] = await bothOrNone(
      settings.NATS_URL === undefined ? startNats({ home, users: true, ...(settings.BERTH_NATS_WS_PORT !== undefined && { websocketPort: settings.BERTH_NATS_WS_PORT }) }) : reachNats(settings.NATS_URL, tlsFiles(settings).natsTls),
      settings.DATABASE_URL === undefined ? startPostgres({ home }) : reachPostgres(settings.DATABASE_URL),
      started,
    );
    progress(`bus       ${shownAddress(bus.url)}${bus.websocketUrl === undefined ? '' : `, for browsers ${bus.websocketUrl}`}`);
    progress(`database  ${shownAddress(database.url)}`);
    for (const [name, part] of [['nats-server', bus], ['PostgreSQL', database]] as const) {
      void part.exited?.then(() => failed(name)(new Error('its process ended')));
    }

    // Others may pass through the state folder; what commands and errors say is for its owner.
    await mkdir(join(home, 'logs'), { recursive: true, mode: 0o700 });
    const config: Omit<Config, 'natsUrl'> = { home, httpPort: settings.BERTH_HTTP_PORT, ...(settings.NATS_URL !== undefined && tlsFiles(settings)), databaseUrl: database.url, logLevel: settings.BERTH_LOG_LEVEL, sweepMs: settings.BERTH_SWEEP_SECONDS * 1000, sweepGraceMs: settings.BERTH_SWEEP_GRACE_SECONDS * 1000, artifacts: settings.BERTH_ARTIFACTS, ...actionSettings(settings), ...metricsSettings(settings), ...traceSettings(settings), ...http, logFile: join(home, 'logs', 'berth.log') };
    // A server of somebody's own is logged in to as NATS_URL says, by all alike.
    const urlOf = (user: BusUser): string => bus.urlOf?.(user) ?? bus.url;
    const configOf = (user: BusUser): Config => ({ ...config, natsUrl: urlOf(user) });
    const metrics = new Metrics().watchProcess();
    for (const wave of waves) {
      const services = await Promise.allSettled(wave.map((definition) => startService(definition, configOf(definition.name), failed(definition.name), metrics)));
      for (const outcome of services) if (outcome.status === 'fulfilled') started.push(named(outcome.value));
      const refused = services.find((outcome) => outcome.status === 'rejected');
      if (refused) throw refused.reason;
    }
    for (const { name } of definitions) ready.set(name, { ready: true });
    progress(`services  ${definitions.map((d) => d.name).join(', ')}`);

    const token = await keptToken(home, env['BERTH_TOKEN']);
    const console = await startConsole(configOf('console'), failed('console'), { token, readiness: () => Promise.resolve(Object.fromEntries(ready)), metrics });
    started.push(named(console));
    await writeCliConfig(home, { url: console.url, token, natsUrl: urlOf('frontend') });
    progress(`console   ${console.url}`);
    return { home, url: console.url, natsUrl: urlOf('frontend'), databaseUrl: database.url, token, ...(console.firstLink && { firstLink: console.firstLink.url }), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const named = (service: RunningService) => ({ name: service.name, stop: () => service.stop() });

interface Part {
  url: string;
  urlOf?: (user: BusUser) => string;
  websocketUrl?: string | undefined;
  exited?: Promise<void>;
  stop?: () => Promise<unknown>;
}

/** Waits for both; when one fails, the other is on the list of what to stop. */
async function bothOrNone(bus: Promise<Part>, database: Promise<Part>, started: { name: string; stop: () => Promise<unknown> }[]): Promise<[Part, Part]> {
  const outcomes = await Promise.allSettled([bus, database]);
  const parts: Part[] = [];
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') continue;
    const part = outcome.value;
    parts.push(part);
    if (part.stop) started.push({ name: part.url, stop: () => part.stop!() });
  }
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (refused) throw refused.reason;
  return [parts[0]!, parts[1]!];
}

async function reachNats(url: string, tls: TlsFiles | undefined): Promise<Part> {
  try {
    const connection = await connect({ ...addressOptions(url, tls), timeout: 3000, reconnect: false });
    await connection.close();
    return { url };
  } catch (error) {
    throw new Error(`NATS_URL ${shownAddress(url)} can't be reached (${(error as Error).message}): start that server, correct NATS_URL, or unset it to use the built-in one`, { cause: error });
  }
}

async function reachPostgres(url: string): Promise<Part> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 3000 });
  try {
    await client.connect();
    return { url };
  } catch (error) {
    throw new Error(`DATABASE_URL ${shownAddress(url)} can't be reached (${(error as Error).message || (error as { code?: string }).code}): start that server, correct DATABASE_URL, or unset it to use the built-in one`, { cause: error });
  } finally {
    await client.end().catch(() => undefined); // it never connected
  }
}

function assertFree(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`port ${port} is in use: stop what uses it, or set BERTH_HTTP_PORT to another port (0 = any free one)`)
          : new Error(`port ${port} can't be used (${error.code}): set BERTH_HTTP_PORT to another port (0 = any free one)`),
      ),
    );
    probe.listen(port, host, () => probe.close(() => resolve()));
  });
}

/** The token of the last start, so that whoever has it goes on. */
async function keptToken(home: string, given: string | undefined): Promise<string> {
  if (given) return given;
  try {
    const { token } = JSON.parse(await readFile(join(home, 'cli.json'), 'utf8')) as { token?: unknown };
    if (typeof token === 'string' && token.length >= 32) return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
  }
  return randomBytes(32).toString('base64url');
}

async function writeCliConfig(home: string, content: { url: string; token: string; natsUrl: string }): Promise<void> {
  const file = join(home, 'cli.json');
  await writeFile(`${file}.new`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
