import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writers } from '@berth/contracts';
import { requestsOf } from '../../../libs/event-store/src/requests.js';
import { startTestNats, type TestNats } from '../../../test/support/nats.js';
import { addressOptions } from './address.js';
import { streams } from './streams.js';
import { busUsers, permissions, type BusUser } from './permissions.js';

const everyService = ['allocator', 'lease', 'host-agent-gateway', 'build-orchestrator', 'image-factory'] as const;
const services = (...more: BusUser[]): BusUser[] => [...everyService, ...more];
const nobody: BusUser[] = [];

/** Who may publish what, besides admin. Written down once more, by hand: the rights are to be read here, not derived. */
const mayPublish: [string, readonly BusUser[]][] = [
  ['berth.evt.machine.m', ['allocator']],
  ['berth.evt.blueprint.b', ['allocator']],
  ['berth.evt.fleet.f', ['allocator']],
  ['berth.evt.resource.r', ['allocator']],
  ['berth.evt.lease.l', ['lease']],
  ['berth.evt.action.a', ['host-agent-gateway']],
  ['berth.evt.plan.p', ['build-orchestrator']],
  ['berth.evt.build.b', ['build-orchestrator']],
  ['berth.evt.token.t', ['console']],
  ['berth.evt.webhook.w', ['console']],
  ['berth.evt.nothing.n', nobody],
  ['berth.status.lease.l', ['lease']],
  ['berth.status.build.b', ['build-orchestrator']],
  ['berth.status.machine.m', ['allocator']],
  ['berth.status.action.a', ['host-agent-gateway']],
  ['berth.out.a', ['host-agent-gateway']],
  ['berth.dead.lease.RequestLease', ['lease']],
  ['berth.dead.allocator.AddMachine', ['allocator']],
  ['berth.cmd.lease.RequestLease', ['allocator', 'host-agent-gateway', 'build-orchestrator', 'console', 'frontend']],
  ['berth.cmd.lease.EvictLease', ['allocator', 'console']],
  ['berth.cmd.lease.RenewLease', ['console', 'frontend']],
  ['berth.cmd.lease.RefuseLease', ['allocator', 'console']],
  ['berth.cmd.lease.ExplainLease', ['allocator', 'console']],
  ['berth.cmd.allocator.AddMachine', ['console', 'frontend']],
  ['berth.cmd.allocator.ChangeMachine', ['host-agent-gateway', 'console', 'frontend']],
  ['berth.cmd.allocator.DrainResource', ['host-agent-gateway', 'console', 'frontend']],
  ['berth.cmd.allocator.HoldResource', ['build-orchestrator', 'console', 'frontend']],
  ['berth.cmd.allocator.ReportHost', ['host-agent-gateway', 'console']],
  ['berth.cmd.build-orchestrator.RequestBuild', ['image-factory', 'console', 'frontend']],
  ['berth.cmd.build-orchestrator.ApplyPlan', ['image-factory', 'console', 'frontend']],
  ['berth.cmd.build-orchestrator.PauseBuild', ['console', 'frontend']],
  ['berth.cmd.image-factory.BuildImage', ['console', 'frontend']],
  ['berth.cmd.image-factory.SaveAccount', ['console']],
  ['berth.cmd.image-factory.SaveEnvironment', ['console', 'frontend']],
  ['berth.cmd.image-factory.RollbackChannel', ['allocator', 'console', 'frontend']],
  ['berth.evt.image.i', ['image-factory']],
  ['berth.evt.catalog.main', ['image-factory']],
  ['berth.evt.replication.r', ['image-factory']],
  ['berth.status.image.i', ['image-factory']],
  ['berth.cmd.host-agent-gateway.RunAction', ['allocator', 'build-orchestrator', 'console', 'frontend']],
  ['berth.cmd.host-agent-gateway.CancelAction', ['build-orchestrator', 'console', 'frontend']],
  ['berth.cmd.host-agent-gateway.RequestJob', ['console', 'frontend']],
  ['berth.cmd.host-agent-gateway.SetHardware', ['console', 'frontend']],
  ['berth.evt.job.j', ['host-agent-gateway']],
  ['berth.evt.hardware.m', ['host-agent-gateway']],
  ['berth.status.job.j', ['host-agent-gateway']],
  ['berth.cmd.host-agent-gateway.ProbeHost', ['allocator', 'console']],
  ['berth.cmd.host-agent-gateway.RemoveFolders', ['allocator', 'console']],
  ['berth.cmd.console.CreateToken', ['console']],
  ['berth.cmd.console.SaveWebhook', ['console']],
  ['berth.hook.w', ['console']],
  ['berth.dead.console.CreateToken', ['console']],
  ['berth.cmd.host-agent-gateway.SealingKey', ['console']],
  ['berth.cmd.host-agent-gateway.SetSecret', ['console']],
  ['berth.cmd.host-agent-gateway.RemoveSecret', ['console']],
  ['berth.cmd.host-agent-gateway.RotateSecrets', ['console']],
  ['berth.cmd.host-agent-gateway.SendRequest', ['build-orchestrator', 'console']],
  ['berth.evt.secret.s', ['host-agent-gateway']],
  ['berth.live.allocator', ['allocator']],
  ['berth.live.a.c.up', ['console']],
  ['berth.live.a.c.down', ['host-agent-gateway']],
  ['berth.deliver.lease', nobody],
  ['$O.berth-artifacts.C.x', ['host-agent-gateway', 'console']],
  ['$O.berth-transfers.M.x', ['host-agent-gateway', 'console']],
  ['$JS.API.INFO', services('console')],
  ['$JS.API.STREAM.INFO.BERTH_EVENTS', services('console')],
  ['$JS.API.STREAM.CREATE.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.CREATE.MINE', nobody],
  ['$JS.API.STREAM.UPDATE.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.PURGE.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.PURGE.BERTH_STATUS', nobody],
  ['$JS.API.STREAM.DELETE.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.DELETE.BERTH_COMMANDS', nobody],
  ['$JS.API.STREAM.DELETE.OBJ_berth-artifacts', nobody],
  ['$JS.API.STREAM.MSG.DELETE.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.MSG.DELETE.BERTH_DEAD', ['console']],
  ['$JS.API.STREAM.MSG.GET.BERTH_DEAD', ['console']],
  ['$JS.API.STREAM.MSG.GET.BERTH_COMMANDS', ['console']],
  ['$JS.API.STREAM.MSG.GET.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.SNAPSHOT.BERTH_EVENTS', nobody],
  ['$JS.API.STREAM.RESTORE.BERTH_EVENTS', nobody],
  ['$JS.API.DIRECT.GET.BERTH_EVENTS', services('console')],
  ['$JS.API.DIRECT.GET.BERTH_STATUS', services('console', 'frontend')],
  ['$JS.API.DIRECT.GET.BERTH_OUTPUT', ['host-agent-gateway', 'console']],
  ['$JS.API.CONSUMER.CREATE.BERTH_EVENTS', services('console')],
  ['$JS.API.CONSUMER.CREATE.BERTH_OUTPUT', ['console']],
  ['$JS.API.CONSUMER.CREATE.BERTH_COMMANDS', nobody],
  ['$JS.API.CONSUMER.CREATE.BERTH_COMMANDS.lease.berth.cmd.lease.*', ['lease']],
  ['$JS.API.CONSUMER.CREATE.BERTH_COMMANDS.lease.berth.cmd.allocator.*', nobody],
  ['$JS.API.CONSUMER.DURABLE.CREATE.BERTH_COMMANDS.lease', nobody],
  ['$JS.API.CONSUMER.INFO.BERTH_COMMANDS.lease', ['lease', 'console']],
  ['$JS.API.CONSUMER.DELETE.BERTH_COMMANDS.lease', ['lease']],
  ['$JS.API.CONSUMER.DELETE.BERTH_COMMANDS.allocator', ['allocator']],
  ['$JS.API.CONSUMER.MSG.NEXT.BERTH_EVENTS.c', ['console']],
  ['$JS.API.CONSUMER.CREATE.BERTH_STATUS.webhook-w.berth.status.x.*', ['console']],
  ['$JS.API.CONSUMER.DELETE.BERTH_STATUS.webhook-w', ['console']],
  ['$JS.ACK.BERTH_STATUS.webhook-w.1.1.1.1.0', ['console']],
  ['$JS.API.CONSUMER.CREATE.BERTH_COMMANDS.console.berth.cmd.console.*', ['console']],
  ['$JS.API.DIRECT.GET.BERTH_DELIVERIES', ['console']],
  ['$JS.ACK.BERTH_COMMANDS.lease.1.1.1.1.0', ['lease']],
  ['$JS.FC.BERTH_EVENTS.c.1', services('console')],
  ['_INBOX.frontend.x', services('console')],
  ['anything.else', nobody],
];

/** Who may subscribe to what, besides admin. */
const maySubscribe: [string, readonly BusUser[]][] = [
  ['berth.cmd.lease.*', ['lease']],
  ['berth.cmd.>', nobody],
  ['berth.evt.>', nobody],
  ['berth.evt.lease.*', nobody],
  ['berth.out.a', nobody],
  ['berth.dead.>', nobody],
  ['berth.deliver.lease', ['lease']],
  ['berth.status.*.*', ['console', 'frontend']],
  ['berth.status.>', ['frontend']],
  ['berth.status.build.b', ['console', 'frontend']],
  ['berth.live.a.*.up', ['host-agent-gateway']],
  ['berth.live.a.c.down', ['console']],
  ['berth.live.>', nobody],
  ['berth.live.allocator', ['allocator']],
  ['_INBOX.>', nobody],
  ['_INBOX.x', nobody],
  ...busUsers.filter((user) => user !== 'admin').map((user): [string, BusUser[]] => [`_INBOX.${user}.x`, [user]]),
  ['$JS.>', nobody],
  ['$JS.EVENT.ADVISORY.>', nobody],
  ['$O.berth-artifacts.>', nobody],
  ['>', nobody],
];

let nats: TestNats;
beforeAll(async () => {
  nats = await startTestNats({ users: true });
}, 60_000);

/** What the server refuses of all that is tried on a connection of its own, as `operation subject`. */
async function refusals(user: BusUser, attempt: (connection: NatsConnection) => void): Promise<Set<string>> {
  const connection = await connect({ ...addressOptions(nats.urlOf(user)), reconnect: false });
  const refused = new Set<string>();
  void (async () => {
    for await (const { permissionContext } of connection.status()) if (permissionContext) refused.add(permissionContext.subject);
  })();
  attempt(connection);
  // The server takes things in order: what it has to say about them comes before its word on this one.
  await connection.flush();
  // What the client has heard is handed on within the turn.
  await new Promise((resolve) => setImmediate(resolve));
  await connection.close();
  return refused;
}

const tried = {
  publish: (user: BusUser, subjects: readonly string[]) => refusals(user, (connection) => subjects.forEach((subject) => connection.publish(subject))),
  subscribe: (user: BusUser, subjects: readonly string[]) => refusals(user, (connection) => subjects.forEach((subject) => connection.subscribe(subject, { callback: () => undefined }))),
};

const ordinary = busUsers.filter((user) => user !== 'admin');

describe.each(ordinary)('%s', (user) => {
  test('publishes what the table says, and nothing else', async () => {
    const subjects = mayPublish.map(([subject]) => subject);
    const refused = await tried.publish(user, subjects);
    expect(subjects.filter((subject) => !refused.has(subject))).toEqual(mayPublish.filter(([, users]) => users.includes(user)).map(([subject]) => subject));
  });

  test('hears what the table says, and nothing else', async () => {
    const subjects = maySubscribe.map(([subject]) => subject);
    const refused = await tried.subscribe(user, subjects);
    expect(subjects.filter((subject) => !refused.has(subject))).toEqual(maySubscribe.filter(([, users]) => users.includes(user)).map(([subject]) => subject));
  });

  test('has no right of another that is not its own too', async () => {
    const matches = (patterns: readonly string[], subject: string) => patterns.some((pattern) => isUnder(pattern, subject));
    for (const way of ['publish', 'subscribe'] as const) {
      const subjects = [...new Set(ordinary.flatMap((other) => permissions[other][way]))].map((pattern) => pattern.replaceAll('*', 'x').replace('>', 'x.y'));
      const refused = await tried[way](user, subjects);
      expect(subjects.filter((subject) => !refused.has(subject)), way).toEqual(subjects.filter((subject) => matches(permissions[user][way], subject)));
    }
  });
});

/** Whether a subject falls under a pattern, as the server has it. */
function isUnder(pattern: string, subject: string): boolean {
  const [wanted, given] = [pattern.split('.'), subject.split('.')];
  const end = wanted.indexOf('>');
  if (end >= 0) return given.length > end && wanted.slice(0, end).every((part, at) => part === '*' || part === given[at]);
  return wanted.length === given.length && wanted.every((part, at) => part === '*' || part === given[at]);
}

test('every kind of thing has one user who writes its events, and that is its writer', async () => {
  const written = new Map<string, BusUser[]>(Object.keys(writers).map((kind) => [kind, []]));
  for (const user of ordinary) {
    const subjects = Object.keys(writers).map((kind) => `berth.evt.${kind}.x`);
    const refused = await tried.publish(user, subjects);
    for (const kind of written.keys()) if (!refused.has(`berth.evt.${kind}.x`)) written.get(kind)!.push(user);
  }
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(Object.entries(writers).map(([kind, writer]) => [kind, [writer]])));
});

describe('what is refused has no effect', () => {
  let admin: NatsConnection;
  beforeAll(async () => {
    admin = await connect(addressOptions(nats.urlOf('admin')));
  });
  afterAll(() => admin.close());

  test('a foreign event is not stored, and a stream that somebody would delete stays', async () => {
    const manager = await admin.jetstreamManager();
    const before = (await manager.streams.info('BERTH_EVENTS')).state.messages;
    await tried.publish('lease', ['berth.evt.machine.forged', '$JS.API.STREAM.DELETE.BERTH_EVENTS']);
    expect((await manager.streams.info('BERTH_EVENTS')).state.messages).toBe(before);
  });

  test('who asks for what it may not is told so at once', async () => {
    const connection = await connect({ ...addressOptions(nats.urlOf('frontend')), reconnect: false });
    try {
      await expect(connection.request('$JS.API.STREAM.DELETE.BERTH_EVENTS', '', { timeout: 20_000 })).rejects.toMatchObject({ code: 'PERMISSIONS_VIOLATION' });
    } finally {
      await connection.close();
    }
  });

  test('so is who asks with the requests of our own, each of them', async () => {
    const connection = await connect({ ...addressOptions(nats.urlOf('lease')), reconnect: false });
    try {
      const ask = () => requestsOf(connection).ask('berth.evt.machine.forged', '{}', { timeoutMs: 20_000 });
      const [first, second] = await Promise.allSettled([ask(), ask()]);
      expect([first, second]).toMatchObject([{ reason: { code: 'PERMISSIONS_VIOLATION' } }, { reason: { code: 'PERMISSIONS_VIOLATION' } }]);
      expect(Number((await requestsOf(connection).ask('$JS.API.INFO', '', { timeoutMs: 5000 })).json<{ streams: number }>().streams)).toBe(Object.keys(streams).length);
    } finally {
      await connection.close();
    }
  });

  test.each(['', 'nobody:secret@', 'lease:guessed@'])('nobody comes in as "%s"', async (login) => {
    const url = nats.url.replace('//', `//${login}`);
    await expect(connect({ ...addressOptions(url), reconnect: false })).rejects.toMatchObject({ code: 'AUTHORIZATION_VIOLATION' });
  });
});
