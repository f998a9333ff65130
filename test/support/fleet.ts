import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readdir, readFile } from 'node:fs/promises';
import { CHECKOUT } from '@berth/embedded/servers';
import { connectBus, type BusClient } from '@berth/client';
import { outputHeaders, subjects, type Answer, type AnyRecorded, type CommandInput, type CommandType, type Recorded, type ServiceName, type StatusEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { inboxOf, streams } from '@berth/nats';
import { seal, type SealingKey } from '@berth/runtime';
import { AckPolicy, DeliverPolicy } from 'nats';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { startTestNats, type TestNats } from './nats.js';
import { startTestSshd, type TestSshd } from './sshd.js';
import { eventually } from './wait.js';

/** What a build takes. */
export const serviceNames = ['lease', 'allocator', 'host-agent-gateway', 'build-orchestrator'] as const;
export type FleetService = (typeof serviceNames)[number] | 'image-factory';

/** A service in a process of its own. */
export interface ServiceProcess {
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill9(): Promise<void>;
  /** A new process of the same service; resolves when it says that it is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The bus, a host, and every service as its own process, as in production. */
export interface Fleet {
  home: string;
  nats: TestNats;
  bus: BusClient;
  services: Record<FleetService, ServiceProcess>;
  /** One more process of a service, beside the one that is there. */
  another(service: FleetService): Promise<ServiceProcess>;
  /** Sends a command; throws when it is refused. */
  command<S extends ServiceName, T extends CommandType<S>>(service: S, type: T, data: CommandInput<S, T>): Promise<Extract<Answer, { accepted: true }>>;
  /** Enrols a host; resolves when it can be leased. */
  addMachine(name: string, sshd: Pick<TestSshd, 'host' | 'port' | 'user' | 'privateKeyPath'>, options?: { slots?: number; attributes?: Record<string, string>; folder?: string }): Promise<string>;
  setSecret(name: string, value: string): Promise<void>;
  applyPlan(yaml: string): Promise<void>;
  /** Starts a build and gives its id at once. */
  build(plan: string, variables?: Record<string, string>): Promise<string>;
  ended(build: string, options?: { timeoutMs?: number; cleanedUp?: boolean }): Promise<StatusEvent>;
  requestLease(data: Record<string, unknown>): Promise<string>;
  /** All events of one kind, from the log itself. */
  events(kind?: AnyRecorded['kind']): Promise<Recorded[]>;
  /** What an action printed, in the order it was stored, each byte once. */
  output(action: string): Promise<{ stdout: string; stderr: string }>;
  /** The same, as bytes. */
  outputBytes(action: string): Promise<{ stdout: Buffer; stderr: Buffer }>;
  /** Names left in the machine's folder: working copies and folders of actions. */
  leftovers(folder: string): Promise<string[]>;
}

/** Starts the named services (all that a build takes by default), each on its own. */
export async function startFleet(options: { services?: readonly FleetService[]; nats?: TestNats; env?: Readonly<Record<string, string>> } = {}): Promise<Fleet> {
  const nats = options.nats ?? (await startTestNats({ users: true }));
  const home = await tempFolder('fleet');
  const services = Object.fromEntries(await Promise.all((options.services ?? serviceNames).map(async (name) => [name, await startProcess(name, nats.urlOf(name), home, options.env)]))) as Fleet['services'];
  atEndOfFile(() => nothingRefused(home));
  const bus = await connectBus(nats.urlOf('admin'));
  atEndOfFile(() => bus.close());
  const store = jetStreamStore(bus.connection);

  const command = async <S extends ServiceName, T extends CommandType<S>>(service: S, type: T, data: CommandInput<S, T>, more?: { id: string }) => {
    const answer = await bus.command(service, type, data, more);
    if (!answer.accepted) throw new Error(`${type}: ${answer.code}: ${answer.message}`);
    return answer;
  };
  const fleet: Fleet = {
    home,
    nats,
    bus,
    services,
    another: (service) => startProcess(service, nats.urlOf(service), home, options.env),
    command,
    async addMachine(name, sshd, more = {}) {
      const folder = more.folder ?? join(home, name);
      await command('allocator', 'AddMachine', { name, address: sshd.host, port: sshd.port, user: sshd.user, credential: `file:${sshd.privateKeyPath}`, platform: 'linux', slots: more.slots ?? 1, attributes: more.attributes ?? {}, folder });
      await eventually(async () => (await fleet.events('resource')).some((r) => r.commit.events.some((e) => e.type === 'ResourceCreated' && (e.data as { name: string }).name === name)), { timeoutMs: 10_000 });
      return folder;
    },
    async setSecret(name, value) {
      const key = (await command('host-agent-gateway', 'SealingKey', {})).data as unknown as SealingKey;
      const id = randomUUID();
      await command('host-agent-gateway', 'SetSecret', { name, sealed: seal(key, Buffer.from(value), { command: id, name }) }, { id });
    },
    async applyPlan(yaml) {
      await command('build-orchestrator', 'ApplyPlan', { source: yaml });
    },
    async build(plan, variables = {}) {
      return (await command('build-orchestrator', 'RequestBuild', { plan, variables }, { id: randomUUID() })).id;
    },
    ended: (build, { timeoutMs = 30_000, cleanedUp = true } = {}) =>
      bus.waitForStatus('build', build, (event) => ['passed', 'failed', 'aborted', 'error'].includes(event.data.status) && (!cleanedUp || event.data['cleanedUp'] === true), { timeoutMs }),
    async requestLease(data) {
      return (await command('lease', 'RequestLease', data as never, { id: randomUUID() })).id;
    },
    async events(kind) {
      const all: Recorded[] = [];
      const feed = await store.feed(0, (recorded) => void ((kind === undefined || recorded.kind === kind) && all.push(recorded)), (error) => {
        throw error;
      });
      await feed.live;
      await feed.stop();
      return all;
    },
    async output(action) {
      const { stdout, stderr } = await readOutput(bus, action);
      return { stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
    },
    outputBytes: (action) => readOutput(bus, action),
    async leftovers(folder) {
      const names = await Promise.all(['copies', 'actions'].map(async (part) => (await list(join(folder, part))).map((name) => `${part}/${name}`)));
      return names.flat();
    },
  };
  return fleet;
}

/** What the bus did not let a service do. Rights that are missing would otherwise show only where somebody waits for an answer. */
async function nothingRefused(home: string): Promise<void> {
  const refused = (await Promise.all([...serviceNames, 'image-factory', 'console'].map((name) => readFile(join(home, `${name}.log`), 'utf8').catch(() => '')))) // one that was not started
    .flatMap((log) => log.split('\n'))
    .filter((line) => line.includes('does not let this user'));
  if (refused.length > 0) throw new Error(`a service lacks rights on the bus: ${refused.slice(0, 5).join('; ')}`);
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function startProcess(name: FleetService, natsUrl: string, home: string, more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const main = join(CHECKOUT, 'services', name, 'dist', 'main.js');
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();

  const start = async () => {
    const log = openSync(join(home, `${name}.log`), 'a');
    const own = spawn(process.execPath, ['--enable-source-maps', main], {
      env: { ...process.env, NATS_URL: natsUrl, BERTH_HOME: home, BERTH_LOG_LEVEL: process.env['BERTH_LOG_LEVEL'] ?? 'info', ...more },
      stdio: ['ignore', 'pipe', log],
    });
    child = own;
    gone = new Promise((resolve) => own.once('exit', () => resolve()));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: own.stdout! }).on('line', (line) => line.endsWith('is ready') && resolve());
      own.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it was ready: see ${home}/${name}.log`)));
    });
  };
  const end = async (signal: NodeJS.Signals) => {
    child?.kill(signal);
    await gone;
  };
  atEndOfFile(() => end('SIGTERM'));
  await start();
  return {
    get pid() {
      return child!.pid!;
    },
    kill9: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
}

/** Reads an action's stored output; a chunk that was stored twice counts once. */
async function readOutput(bus: BusClient, action: string): Promise<{ stdout: Buffer; stderr: Buffer }> {
  const manager = await bus.connection.jetstreamManager();
  const inbox = inboxOf(bus.connection);
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const reached = { stdout: 0, stderr: 0 };
  const subscription = bus.connection.subscribe(inbox);
  const info = await manager.consumers.add(streams.output.name, { deliver_subject: inbox, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All, filter_subject: subjects.output(action) });
  let left = info.num_pending;
  if (left > 0) {
    for await (const message of subscription) {
      const stream = message.headers!.get(outputHeaders.stream) as 'stdout' | 'stderr';
      const offset = Number(message.headers!.get(outputHeaders.offset));
      if (offset > reached[stream]) throw new Error(`${stream} of ${action} has a hole at ${reached[stream]}: the next chunk starts at ${offset}`);
      const fresh = message.data.subarray(reached[stream] - offset);
      parts[stream].push(Buffer.from(fresh));
      reached[stream] += fresh.length;
      if (--left === 0) break;
    }
  }
  subscription.unsubscribe();
  await manager.consumers.delete(streams.output.name, info.name);
  return { stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) };
}

export { startTestSshd };
