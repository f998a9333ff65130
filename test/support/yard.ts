import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { CommandInput, Explanation, LeaseEvent, ResourceEvent, StatusEvent } from '@berth/contracts';
import { derivedId } from '@berth/contracts';
import { startFleet, type Fleet } from './fleet.js';
import { startTestSshd } from './sshd.js';
import { eventually } from './wait.js';

type Saved = CommandInput<'allocator', 'SaveBlueprint'>['spec'];
type Request = CommandInput<'lease', 'RequestLease'>;
type Activated = Extract<ResourceEvent, { type: 'ResourceActivated' }>['data'];

/** A fleet with hosts to stand things on, and what a spec asks of it. */
export interface Yard {
  fleet: Fleet;
  /** folders of the hosts, by name */
  folders: Map<string, string>;
  /** A host of this name, which is an attribute of it too. */
  host(name: string, more?: { slots?: number; attributes?: Record<string, string> }): Promise<string>;
  save(spec: Saved): Promise<void>;
  lease(request: Request): Promise<string>;
  active(lease: string, timeoutMs?: number): Promise<StatusEvent>;
  release(...leases: string[]): Promise<void>;
  destroyed(...leases: string[]): Promise<StatusEvent[]>;
  considered(request: Request): Promise<Explanation>;
  /** The resource that is made for a lease. */
  resourceOf(lease: string, type?: 'working copy' | 'service' | 'composite'): string;
  /** What was found of a lease's resource when it became active. */
  madeFor(lease: string, type?: 'working copy' | 'service' | 'composite'): Promise<Activated>;
  eventsOf(id: string): Promise<(LeaseEvent | ResourceEvent)[]>;
  /** The lease that a resource asked for itself. */
  ownLease(resource: string): string;
  /** Ids of leases in the order in which they were destroyed. */
  destroyedInOrder(): Promise<string[]>;
}

export async function startYard(): Promise<Yard> {
  const [fleet, sshd] = await Promise.all([startFleet(), startTestSshd()]);
  const folders = new Map<string, string>();
  const yard: Yard = {
    fleet,
    folders,
    async host(name, { slots = 1, attributes = {} } = {}) {
      const folder = await fleet.addMachine(name, sshd, { slots, attributes, folder: join(fleet.home, name) });
      folders.set(name, folder);
      return folder;
    },
    save: async (spec) => void (await fleet.command('allocator', 'SaveBlueprint', { spec })),
    lease: (request) => fleet.requestLease(request),
    active: (lease, timeoutMs = 15_000) =>
      fleet.bus.waitForStatus('lease', lease, ({ data }) => {
        if (data.status === 'broken' || data.status === 'destroyed') throw new Error(`the lease is ${data.status}: ${data.error ?? data.activity}`);
        return data.status === 'active';
      }, { timeoutMs }),
    async release(...leases) {
      for (const lease of leases) await fleet.command('lease', 'ReleaseLease', { lease });
    },
    destroyed: (...leases) => Promise.all(leases.map((lease) => fleet.bus.waitForStatus('lease', lease, ['destroyed'], { timeoutMs: 15_000 }))),
    async considered(request) {
      const { data } = await fleet.command('allocator', 'ConsiderLease', { request });
      return data as Explanation;
    },
    resourceOf: (lease, type = 'working copy') => derivedId(lease, type),
    async madeFor(lease, type) {
      const made = (await yard.eventsOf(yard.resourceOf(lease, type))).find((event) => event.type === 'ResourceActivated');
      return made!.data as Activated;
    },
    eventsOf: async (id) => (await fleet.events()).filter((r) => r.id === id).flatMap((r) => r.commit.events as (LeaseEvent | ResourceEvent)[]),
    ownLease: (resource) => derivedId(resource, 'host lease'),
    destroyedInOrder: async () => (await fleet.events('lease')).filter((r) => r.commit.events.some((e) => e.type === 'LeaseDestroyed')).map((r) => r.id),
  };
  return yard;
}

/** The first of so many ports in a row that nobody listens on; below those that the system gives out. */
export function freePorts(count: number): Promise<number> {
  return eventually(async () => {
    const from = 20_000 + Math.floor(Math.random() * 10_000);
    for (let port = from; port < from + count; port++) if (!(await bindable(port))) return false;
    return from;
  });
}

function bindable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Does anybody listen there? */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** Shell that starts a web server on $PORT, which answers with what the JavaScript expression says. */
export const webServer = (says: string): string =>
  `'${process.execPath}' -e 'require("http").createServer((request, response) => response.end(String(${says}))).listen(+process.env.PORT, "127.0.0.1")' >/dev/null 2>&1 &`;
export const ANSWERS = `'${process.execPath}' -e 'fetch("http://127.0.0.1:" + process.env.PORT).then((r) => process.exit(r.ok ? 0 : 1), (e) => { console.log(String(e.cause ?? e)); process.exit(1); })'`;
