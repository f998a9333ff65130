import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import pg from 'pg';
import { savedPlan, subjects, type Commit, type Kind } from '@berth/contracts';
import { atEndOfFile } from '../support/cleanup.js';
import { startTestNats, type TestNats } from '../support/nats.js';
import { eventually } from '../support/wait.js';
import { newEnvironment, startConsole, type ConsoleEnvironment } from './console-process.js';

const HOSTS = 10_000;
const BUILDS = 100_000;
const LEASES = 20_000;

/** The plan of every build. */
export const plan = savedPlan.parse({ name: 'bench', host: {}, workingCopy: {}, env: {}, steps: [{ name: 'Build', run: 'make', env: {} }, { name: 'Test', run: 'make check', env: {} }] });

/** Publishes commits as services store them; counts what it published. */
export class Publisher {
  commits = 0;
  events = 0;
  private id = 0;
  constructor(private readonly connection: NatsConnection) {}

  say(kind: Kind, id: string, ...events: Commit['events']): void {
    const commit: Commit = { id: `bench-${this.id++}`, at: new Date().toISOString(), actor: 'bench', cause: 'bench', events };
    this.connection.publish(subjects.event(kind, id), JSON.stringify(commit));
    this.commits++;
    this.events += events.length;
  }
}

/** The commits of one lease cycle on a host, in their order. */
export const cycle = (lease: string, host: string, owner: string): (readonly [Kind, string, ...Commit['events']])[] => [
  ['lease', lease, { type: 'LeaseRequested', data: { type: 'host', owner, attributes: { os: 'linux' } } }],
  ['resource', host, { type: 'SlotClaimed', data: { slot: 0, lease, owner } }],
  ['lease', lease, { type: 'LeaseAcquired', data: { resource: host, blueprint: 'preallocated', slot: 0, token: 1 } }, { type: 'LeaseActivated', data: {} }],
  ['lease', lease, { type: 'LeaseReleased', data: { reason: 'done', expired: false } }],
  ['resource', host, { type: 'SlotFreed', data: { slot: 0, lease } }],
  ['lease', lease, { type: 'LeaseDestroyed', data: {} }],
];

/** What a console finds that has all rows yet to make. */
export interface Past {
  environment: ConsoleEnvironment;
  nats: TestNats;
  connection: NatsConnection;
  publisher: Publisher;
  /** ids of the hosts */
  hosts: string[];
  pool: pg.Pool;
}

/** 10,000 hosts, 100,000 builds and 20,000 leases on the bus; no console runs. */
export async function largePast(): Promise<Past> {
  const nats = await startTestNats();
  const environment = await newEnvironment(nats.url);
  // The first start makes streams and tables; the second one finds a past of which it has no rows.
  await (await startConsole(environment)).stop();
  const connection = await connect({ servers: nats.url });
  atEndOfFile(() => connection.close());
  const publisher = new Publisher(connection);
  const hosts = await past(connection, publisher);
  const pool = new pg.Pool({ connectionString: environment.DATABASE_URL, max: 2 });
  atEndOfFile(() => pool.end());
  return { environment, nats, connection, publisher, hosts, pool };
}

/** Hosts, builds that ended, and lease cycles. */
async function past(connection: NatsConnection, publisher: Publisher): Promise<string[]> {
  const hosts: string[] = [];
  for (let i = 0; i < HOSTS; i++) {
    const [name, id] = [`host-${i}`, randomUUID()];
    hosts.push(id);
    publisher.say('machine', name, { type: 'MachineAdded', data: { name, address: '10.0.0.1', port: 22, user: 'ci', credential: 'agent', platform: 'linux', attributes: { os: 'linux', rack: `r${i % 400}` }, slots: 2, hostKey: 'ssh-ed25519 AAAA', facts: { cpus: '8' } } });
    publisher.say('resource', id, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'preallocated', name, attributes: { os: 'linux', rack: `r${i % 400}` }, slots: 2, machine: name } }, { type: 'ResourceActivated', data: {} });
    if (i % 500 === 0) await connection.flush();
  }
  for (let i = 0; i < BUILDS; i++) {
    const [id, action, hostLease] = [randomUUID(), randomUUID(), randomUUID()];
    const about = { plan: { ...plan, name: `plan-${i % 300}` }, planVersion: 1, variables: {}, initiator: `user-${i % 500}`, project: `project-${i % 40}` };
    publisher.say('build', id, { type: 'BuildRequested', data: about }, { type: 'BuildPreparing', data: { attempt: 1, hostLease } });
    publisher.say('build', id, { type: 'BuildStarted', data: { path: '/x', machine: `host-${i % HOSTS}` } }, { type: 'StepStarted', data: { step: 0, name: 'Build', action } });
    publisher.say('build', id, { type: 'StepFinished', data: { step: 0, outcome: 'passed', durationMs: 5 } }, i % 20 === 0 ? { type: 'BuildFailed', data: { error: 'Test: exit 1' } } : { type: 'BuildPassed', data: {} });
    if (i % 200 === 0) await connection.flush();
  }
  for (let i = 0; i < LEASES; i++) {
    for (const commit of cycle(randomUUID(), hosts[i % HOSTS]!, `user-${i % 500}`)) publisher.say(...commit);
    if (i % 200 === 0) await connection.flush();
  }
  const manager = await connection.jetstreamManager();
  await eventually(async () => {
    const { state } = await manager.streams.info('BERTH_EVENTS');
    if (state.last_seq !== publisher.commits) throw new Error(`${state.last_seq} of ${publisher.commits} commits are stored`);
  }, { timeoutMs: 120_000 });
  return hosts;
}

/** Up to where all rows are made. */
export const position = async (pool: pg.Pool): Promise<number> => Number((await pool.query<{ least: string }>('SELECT min(position) AS least FROM berth.checkpoint')).rows[0]!.least);
