import { addressOptions, applyStreams, serverConf, supportsSyncAlways, withLogin, type BusUser, type SyncPolicy } from '@berth/nats';
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connect } from 'nats';
import { busPasswords, hashedUsers, type Passwords } from './nats-users.js';
import { isAlive, launched, signal, stopAtExit, stopProcess, waitUntil } from './process.js';
import { rememberPort, rememberedPort } from './port.js';
import { findProgram, isExecutable, searchFolders, unpackPackage, type Search } from './programs.js';
import { tail } from './text.js';

/** What a nats-server is started with. */
export interface NatsOptions {
  /** BERTH_HOME; everything of the server lives in its `nats` folder. */
  readonly home: string;
  /** 0 or absent: the port of the last start if it is free, else any; a number: that one or an error. */
  readonly port?: number;
  readonly host?: string;
  /** The program, when it was found before. */
  readonly binary?: string;
  readonly storeDir?: string;
  readonly pidFile?: string;
  readonly logFile?: string;
  readonly maxPayload?: number;
  readonly maxFileStore?: number;
  readonly sync?: SyncPolicy;
  /** Where it listens for browsers; 0: any free port. */
  readonly websocketPort?: number;
  /**
   * It asks who connects: the users of the bus, with the passwords in `users.json` beside it, and makes the streams, which
   * services then may not. Without, whoever connects may do everything.
   */
  readonly users?: boolean;
}

/** A nats-server that accepts connections and has JetStream ready. */
export interface NatsServer {
  /** Without a login. */
  readonly url: string;
  /** With the login of a user, where it asks for one. */
  urlOf(user: BusUser): string;
  readonly port: number;
  /** `ws://...` where it listens for browsers. */
  readonly websocketUrl: string | undefined;
  readonly pid: number;
  /** Such as `2.9.10`. */
  readonly version: string;
  /** Resolves when the process has ended, however that came. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** The nats-server program: on this machine, or unpacked from the operating system's package into the state folder. */
export async function findNatsServer(stateDir: string, search: Search = {}): Promise<string> {
  const found = findProgram('nats-server', search.folders ?? searchFolders());
  if (found !== undefined) return found;
  try {
    const binary = join(await unpackPackage({ name: 'nats-server' }, stateDir), 'usr', 'sbin', 'nats-server');
    if (isExecutable(binary)) return binary;
    throw new Error('the package holds no such program');
  } catch (error) {
    throw new Error(
      `nats-server is not installed and could not be fetched (${(error as Error).message}): ` +
        'install it with "apt-get install nats-server" (Debian, Ubuntu) or "brew install nats-server" (macOS), or set NATS_URL to a running server',
    );
  }
}

/** Starts a nats-server with JetStream under `home` and waits until it can be used. */
export async function startNats(options: NatsOptions): Promise<NatsServer> {
  const folder = join(options.home, 'nats');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const binary = options.binary ?? (await findNatsServer(options.home));
  const { stdout } = await promisify(execFile)(binary, ['--version']);
  const version = /v(\d\S*)/.exec(stdout)?.[1] ?? 'unknown';
  if (options.sync === 'always' && !supportsSyncAlways(version)) {
    throw new Error(`nats-server ${version} cannot sync on every write: install 2.10 or newer, or leave the sync policy at "default"`);
  }
  const passwords = options.users === true ? await busPasswords(folder) : undefined;
  const portFile = join(folder, 'port');
  const wanted = options.port || (await rememberedPort(portFile)) || 0;
  let started = await launch(binary, folder, wanted, options, passwords);
  if (started === 'port taken') {
    if (options.port) throw new Error(`port ${options.port} is in use, so nats-server cannot start: stop what uses it or choose another port`);
    started = await launch(binary, folder, 0, options, passwords);
    if (started === 'port taken') throw new Error('nats-server found no free port on this machine');
  }
  await rememberPort(portFile, started.port);
  return { ...started, version };
}

async function launch(binary: string, folder: string, port: number, options: NatsOptions, passwords: Passwords | undefined): Promise<Omit<NatsServer, 'version'> | 'port taken'> {
  const host = options.host ?? '127.0.0.1';
  const logFile = options.logFile ?? join(folder, 'log');
  const pidFile = options.pidFile ?? join(folder, 'pid');
  const confFile = join(folder, 'server.conf');
  const conf = serverConf({
    host,
    port,
    storeDir: options.storeDir ?? join(folder, 'store'),
    pidFile,
    portsDir: folder,
    sync: options.sync ?? 'default',
    ...(options.websocketPort === undefined ? {} : { websocketPort: options.websocketPort }),
    ...(passwords && { authorization: await hashedUsers(passwords) }),
    ...(options.maxPayload === undefined ? {} : { maxPayload: options.maxPayload }),
    ...(options.maxFileStore === undefined ? {} : { maxFileStore: options.maxFileStore }),
  });
  await writeFile(confFile, conf, { mode: 0o600 });

  // The log goes through a descriptor of ours rather than `log_file`, so that what a server says while it fails is kept too.
  const log = openSync(logFile, 'a', 0o600);
  const since = (await readFile(logFile)).length;
  // In a process group of its own: Ctrl-C on the terminal must reach us only, the bus has to outlive the services' drain.
  const child = spawn(binary, ['-c', confFile], { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const { pid, exited } = await launched(child, `nats-server at ${binary}`);
  const keep = stopAtExit(() => signal(pid, 'SIGTERM'));
  const portsFile = join(folder, `nats-server_${pid}.ports`);
  const stop = async (): Promise<void> => {
    // Waiting for its end must keep us alive now.
    child.ref();
    await stopProcess(pid);
    await exited;
    keep();
    await rm(pidFile, { force: true });
    await rm(portsFile, { force: true });
  };
  try {
    const listening = await waitForPort(portsFile, pid);
    if (listening === undefined) {
      const said = (await readFile(logFile)).subarray(since).toString();
      await stop();
      if (/websocket.*address already in use/i.test(said)) throw new Error(`port ${options.websocketPort} is in use, so nats-server cannot listen there for WebSocket: stop what uses it, or set BERTH_NATS_WS_PORT to another port (0 = any free one)`);
      if (/address already in use/.test(said)) return 'port taken';
      throw new Error(`nats-server did not start (${tail(said)}): the full text is in ${logFile}`);
    }
    const url = `nats://${host}:${listening}`;
    const urlOf = (user: BusUser): string => (passwords ? withLogin(url, user, passwords[user]) : url);
    await waitForJetStream(urlOf('admin'), logFile);
    if (passwords) await makeStreams(urlOf('admin'));
    return { url, urlOf, port: listening, websocketUrl: await websocketIn(portsFile), pid, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The server writes this file once its listener is open; it can be seen half-written. */
async function waitForPort(portsFile: string, pid: number): Promise<number | undefined> {
  let port: number | undefined;
  await waitUntil(async () => {
    const text = await readFile(portsFile, 'utf8').catch(() => '');
    port = Number(/"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1]) || undefined;
    return port !== undefined || !isAlive(pid);
  }, 30_000);
  return port;
}

async function websocketIn(portsFile: string): Promise<string | undefined> {
  return (JSON.parse(await readFile(portsFile, 'utf8')) as { websocket?: string[] }).websocket?.[0];
}

async function waitForJetStream(url: string, logFile: string): Promise<void> {
  let last = 'no answer';
  const ready = await waitUntil(async () => {
    try {
      const connection = await connect({ ...addressOptions(url), reconnect: false, timeout: 2000 });
      try {
        await (await connection.jetstreamManager()).getAccountInfo();
      } finally {
        await connection.close();
      }
      return true;
    } catch (error) {
      last = (error as Error).message;
      return false;
    }
  }, 30_000, 20);
  if (!ready) throw new Error(`nats-server runs but JetStream is not ready (${last}): see ${logFile}`);
}

async function makeStreams(url: string): Promise<void> {
  const connection = await connect({ ...addressOptions(url), name: 'berth-streams' });
  try {
    await applyStreams(await connection.jetstreamManager());
  } finally {
    await connection.close();
  }
}
