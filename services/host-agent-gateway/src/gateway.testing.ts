import { randomUUID } from 'node:crypto';
import { outputHeaders, subjects, type ActionEvent, type Answer, type CommandInput, type HostAccess, type LeaseEvent, type Recorded, type ResourceEvent } from '@berth/contracts';
import { jetStreamStore } from '@berth/event-store';
import { natsBus, seal, startService, type Bus, type Config, type RunningService, type SealingKey } from '@berth/runtime';
import { streams } from '@berth/nats';
import { AckPolicy, connect, createInbox, DeliverPolicy, type NatsConnection } from 'nats';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { startTestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { gatewayService } from './gateway.module.js';

type Spec = CommandInput<'host-agent-gateway', 'RunAction'>['spec'];

/** The gateway on a real bus; the spec says what allocator and lease service would. */
export interface TestGateway {
  home: string;
  /** The spec's own. */
  connection: NatsConnection;
  bus: Bus;
  resource(id: string, ...events: ResourceEvent[]): Promise<number>;
  lease(id: string, ...events: LeaseEvent[]): Promise<number>;
  /** A host under an active lease of its own; `how` it is known how to get in. */
  host(how: 'enrolled' | 'launched', access: HostAccess): Promise<{ resource: string; lease: string; token: number }>;
  /** Something under a lease of its own that stands on another lease. */
  on(parent: string, type: 'working-copy' | 'service', state?: 'acquired' | 'active', path?: string): Promise<{ resource: string; lease: string; token: number }>;
  ask(type: 'ProbeHost' | 'ListFolders' | 'RemoveFolders' | 'ListFiles' | 'StatFile', data: object): Promise<Answer>;
  run(lease: string, token: number, spec: Spec): Promise<string>;
  events(action: string): Promise<ActionEvent[]>;
  started(action: string): Promise<void>;
  /** The last event of an action, once that has ended. */
  ended(action: string): Promise<ActionEvent>;
  /** The stored chunks of an action's output: `<stream> <offset>`, how much is left out there, and the bytes. */
  chunks(action: string): Promise<{ stream: string; offset: number; cut: number; bytes: Buffer }[]>;
  /** Sets a secret, as the console does. */
  setSecret(name: string, value: string | Uint8Array, id?: string): Promise<Answer>;
  secret(type: 'RemoveSecret' | 'RotateSecrets' | 'SendRequest', data: object, id?: string): Promise<Answer>;
  cancel(action: string, graceMs?: number): Promise<Answer>;
  restart(): Promise<void>;
}

export async function startGateway(more: Partial<Config> = {}): Promise<TestGateway> {
  const nats = await startTestNats();
  const home = await tempFolder('gateway');
  const connection = await connect({ servers: nats.url, noEcho: false });
  atEndOfFile(() => connection.close());
  const store = jetStreamStore(connection);
  const bus = natsBus(connection);
  const config = { home, httpPort: 0, natsUrl: nats.url, databaseUrl: '', logLevel: 'silent', sweepMs: 60_000, sweepGraceMs: 60_000, ...more };
  const start = () =>
    startService(gatewayService, config, (error) => {
      throw error;
    });
  let service: RunningService = await start();
  atEndOfFile(() => service.stop());
  const revisions = new Map<string, number>();
  let position = 0;
  const append = async (kind: 'resource' | 'lease', id: string, events: (ResourceEvent | LeaseEvent)[]): Promise<number> => {
    position = await store.append(kind, id, revisions.get(id) ?? 0, { id: randomUUID(), at: new Date().toISOString(), actor: 'spec', cause: 'spec', events });
    revisions.set(id, position);
    return position;
  };
  const events = async (action: string) => (await store.load<ActionEvent>('action', action)).flatMap((recorded: Recorded<ActionEvent>) => recorded.commit.events);
  const self: TestGateway = {
    home,
    connection,
    bus,
    resource: (id, ...told) => append('resource', id, told),
    lease: (id, ...told) => append('lease', id, told),
    async host(how, access) {
      const [resource, lease] = [randomUUID(), randomUUID()];
      await self.lease(lease, { type: 'LeaseRequested', data: { type: 'host', owner: 'ada', attributes: {}, prefer: [], blueprints: [], priority: 1, wait: 'always' } });
      await self.resource(resource, { type: 'ResourceCreated', data: { type: 'host', blueprint: 'any', name: `host-${resource.slice(0, 8)}`, attributes: {}, slots: 1, ...(how === 'enrolled' && { host: access }) } });
      const token = await self.resource(resource, { type: 'SlotClaimed', data: { slot: 0, lease, owner: 'ada' } });
      await self.resource(resource, { type: 'ResourceActivated', data: how === 'launched' ? { host: access } : {} });
      await self.lease(lease, { type: 'LeaseActivated', data: {} });
      return { resource, lease, token };
    },
    async on(parent, type, state = 'active', path) {
      const [resource, lease] = [randomUUID(), randomUUID()];
      await self.lease(lease, { type: 'LeaseRequested', data: { type, owner: 'ada', attributes: {}, prefer: [], blueprints: [], priority: 1, wait: 'always' } });
      await self.resource(resource, { type: 'ResourceCreated', data: { type, blueprint: 'any', name: type, attributes: {}, slots: 1, parent: { lease: parent } } });
      const token = await self.resource(resource, { type: 'SlotClaimed', data: { slot: 0, lease, owner: 'ada' } });
      if (state === 'acquired') return { resource, lease, token };
      await self.resource(resource, { type: 'ResourceActivated', data: path === undefined ? {} : { path } });
      await self.lease(lease, { type: 'LeaseActivated', data: {} });
      return { resource, lease, token };
    },
    ask: (type, data) => bus.command('host-agent-gateway', type, data as never, { id: randomUUID(), actor: 'spec', after: position, patienceMs: 60_000 }),
    async run(lease, token, spec) {
      const id = randomUUID();
      const answer = await bus.command('host-agent-gateway', 'RunAction', { lease, token, spec }, { id, actor: 'spec', after: position });
      if (!answer.accepted) throw new Error(`${answer.code}: ${answer.message}`);
      return id;
    },
    events,
    started: (action) => eventually(async () => (await events(action)).some((event) => event.type === 'ActionStarted'), { timeoutMs: 10_000 }).then(() => undefined),
    ended: (action) =>
      eventually(async () => {
        const last = (await events(action)).at(-1);
        return last && /Succeeded|Failed|Lost|Cancelled/.test(last.type) ? last : false;
      }, { timeoutMs: 15_000 }),
    async chunks(action) {
      const manager = await connection.jetstreamManager();
      const inbox = createInbox();
      const subscription = connection.subscribe(inbox);
      const info = await manager.consumers.add(streams.output.name, { deliver_subject: inbox, ack_policy: AckPolicy.None, deliver_policy: DeliverPolicy.All, filter_subject: subjects.output(action) });
      const chunks: { stream: string; offset: number; cut: number; bytes: Buffer }[] = [];
      if (info.num_pending > 0) {
        for await (const { headers, data } of subscription) {
          const header = (name: string) => headers?.get(name) ?? '';
          chunks.push({ stream: header(outputHeaders.stream), offset: Number(header(outputHeaders.offset)), cut: Number(header(outputHeaders.cut)), bytes: Buffer.from(data) });
          if (chunks.length === info.num_pending) break;
        }
      }
      subscription.unsubscribe();
      await manager.consumers.delete(streams.output.name, info.name);
      return chunks;
    },
    async setSecret(name, value, id = randomUUID()) {
      const key = await bus.command('host-agent-gateway', 'SealingKey', {}, { id: randomUUID(), actor: 'spec' });
      if (!key.accepted) throw new Error(key.message);
      return bus.command('host-agent-gateway', 'SetSecret', { name, sealed: seal(key.data as unknown as SealingKey, Buffer.from(value), { command: id, name }) }, { id, actor: 'spec' });
    },
    secret: (type, data, id = randomUUID()) => bus.command('host-agent-gateway', type, data as never, { id, actor: 'spec', patienceMs: 30_000 }),
    cancel: (action, graceMs) => bus.command('host-agent-gateway', 'CancelAction', { action, ...(graceMs !== undefined && { graceMs }) }, { id: randomUUID(), actor: 'spec', after: position }),
    async restart() {
      await service.stop();
      service = await start();
    },
  };
  return self;
}
