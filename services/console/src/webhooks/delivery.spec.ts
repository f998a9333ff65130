import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type NatsConnection } from 'nats';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { DeliveryView } from '@berth/client';
import type { StatusEvent } from '@berth/contracts';
import { addressOptions, applyStreams, streams } from '@berth/nats';
import { signingKey } from '@berth/runtime';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { startTestNats } from '../../../../test/support/nats.js';
import { eventually } from '../../../../test/support/wait.js';
import type { Webhook } from '../domain/webhook.js';
import { consumerName, Deliveries } from './delivery.js';
import { DeliveryLog } from './log.js';

const master = Buffer.alloc(32, 1);
let bus: NatsConnection;
/** tells statuses, as the other services do */
let teller: NatsConnection;
let server: Server;
let url: string;
/** what came, and what it is answered with */
let got: { event: StatusEvent; headers: Record<string, unknown>; body: string }[] = [];
let answer: (event: StatusEvent) => number = () => 204;
let log: DeliveryLog;
let next = 0;

beforeAll(async () => {
  // With the rights that the console has, and no others.
  const nats = await startTestNats({ users: true });
  teller = await connect(addressOptions(nats.urlOf('admin')));
  atEndOfFile(() => teller.close());
  await applyStreams(await teller.jetstreamManager());
  bus = await connect(addressOptions(nats.urlOf('console')));
  atEndOfFile(() => bus.close());
  log = new DeliveryLog(bus);
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      const body = Buffer.concat(parts).toString();
      const event = JSON.parse(body) as StatusEvent;
      const status = answer(event);
      got.push({ event, headers: request.headers, body });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEndOfFile(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
beforeEach(() => {
  got = [];
  answer = () => 204;
});

type Saved = Extract<Webhook, { status: 'active' }>;
const hook = (over: Partial<Saved['spec']> = {}, more: Partial<Saved> = {}): Webhook => ({ status: 'active', spec: { url, kinds: [], statuses: [], ...over }, version: 1, key: 1, ...more });

/** Webhooks that are sent to until the file ends, or until `stop`. */
async function sending(hooks: Record<string, Webhook>) {
  const suspended: string[][] = [];
  const now = new Map(Object.entries(hooks));
  const fail = (error: Error) => {
    throw error;
  };
  const gone = (name: string, _id: string, reason: string) => {
    const webhook = now.get(name)!;
    suspended.push([name, reason]);
    if (webhook.status !== 'none') now.set(name, { ...webhook, status: 'suspended', reason });
    void deliveries.agree();
    return Promise.resolve();
  };
  const deliveries: Deliveries = new Deliveries({ connection: bus, log: { warn: () => undefined }, fail }, { all: () => now, get: (name) => now.get(name) }, master, log, gone, 50);
  await deliveries.start();
  const stop = atEndOfFile(() => deliveries.stop());
  return {
    suspended,
    stop,
    change: (name: string, webhook: Webhook) => {
      now.set(name, webhook);
      return deliveries.agree();
    },
  };
}

/** Tells a status on the bus, stored when this resolves. */
async function tell(kind: string, id: string, status: string): Promise<string> {
  const position = String(++next);
  const event: StatusEvent = { specversion: '1.0', id: position, source: 'spec', type: `dev.berth.${kind}.${status}`, subject: id, time: new Date().toISOString(), datacontenttype: 'application/json', data: { id, status, percent: null, activity: null, error: null } };
  await teller.jetstream().publish(`berth.status.${kind}.${id}`, JSON.stringify(event));
  return position;
}
const seen = () => got.map(({ event }) => `${event.subject} ${event.data.status}`);
let names = 0;
const fresh = () => `h${++names}`;

describe('what is sent', () => {
  test('each status in order, as a CloudEvent, signed, and written down', async () => {
    const name = fresh();
    const { stop } = await sending({ [name]: hook() });
    for (let i = 0; i < 20; i++) await tell('build', `b${i}`, 'passed');
    await eventually(() => expect(seen()).toEqual(Array.from({ length: 20 }, (_, i) => `b${i} passed`)));
    const { headers, body, event } = got[0]!;
    expect(headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(headers['webhook-id']).toBe(`build.b0.${event.id}`);
    const key = Buffer.from(signingKey(master, name, 1).slice(6), 'base64');
    expect(headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(`build.b0.${event.id}.${String(headers['webhook-timestamp'])}.${body}`).digest('base64')}`);
    await eventually(async () => expect(await log.list(name)).toHaveLength(20));
    expect((await log.list(name))[0]).toMatchObject({ id: `build.b19.${got[19]!.event.id}`, attempt: 1, outcome: 'delivered', status: 204, error: null } satisfies Partial<DeliveryView>);
    await stop();
  });

  test('only of the kinds and with the statuses that were asked for; a change of that holds from then on', async () => {
    const name = fresh();
    const { change, stop } = await sending({ [name]: hook({ kinds: ['build'], statuses: ['passed'] }) });
    for (const [kind, status] of [['lease', 'passed'], ['build', 'failed'], ['build', 'passed']] as const) await tell(kind, `x-${kind}-${status}`, status);
    await eventually(() => expect(seen()).toEqual(['x-build-passed passed']));
    await change(name, hook({ kinds: ['lease', 'machine'] }, { version: 2 }));
    for (const kind of ['build', 'lease', 'machine']) await tell(kind, `y-${kind}`, 'active');
    await eventually(() => expect(seen()).toEqual(['x-build-passed passed', 'y-lease active', 'y-machine active']));
    await change(name, hook({ kinds: ['image'], statuses: ['COMPLETE', 'FAILED'] }, { version: 3 }));
    for (const [kind, status] of [['build', 'COMPLETE'], ['image', 'BUILDING'], ['image', 'COMPLETE']] as const) await tell(kind, `z-${kind}`, status);
    await eventually(() => expect(seen().slice(3)).toEqual(['z-image COMPLETE']));
    await stop();
  });

  test('with the key before too, until that is over', async () => {
    const name = fresh();
    const { change, stop } = await sending({ [name]: hook({}, { key: 2, overlap: { key: 1, until: new Date(Date.now() + 60_000).toISOString() } }) });
    await tell('build', 'k1', 'passed');
    await eventually(() => expect(got).toHaveLength(1));
    await change(name, hook({}, { key: 2, version: 2, overlap: { key: 1, until: new Date(Date.now() - 1).toISOString() } }));
    await tell('build', 'k2', 'passed');
    await eventually(() => expect(got).toHaveLength(2));
    expect(got.map(({ headers }) => String(headers['webhook-signature']).split(' ').length)).toEqual([2, 1]);
    await stop();
  });
});

describe('a target', () => {
  test('that fails is tried again, and what comes after waits for it', async () => {
    const name = fresh();
    let left = 3;
    answer = ({ subject }) => (subject === 'f1' && left-- > 0 ? 500 : 200);
    const { stop } = await sending({ [name]: hook() });
    await tell('build', 'f1', 'passed');
    await tell('build', 'f2', 'passed');
    await eventually(() => expect(seen()).toEqual(['f1 passed', 'f1 passed', 'f1 passed', 'f1 passed', 'f2 passed']));
    await eventually(async () => expect((await log.list(name)).map(({ attempt, outcome }) => [attempt, outcome]).reverse()).toEqual([[1, 'failed'], [2, 'failed'], [3, 'failed'], [4, 'delivered'], [1, 'delivered']]));
    // What is sent again has the same id: whoever gets it twice can tell.
    expect(new Set(got.slice(0, 4).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    await stop();
  });

  test('that was away is told what is true now, and by the next process', async () => {
    const name = fresh();
    answer = () => 503;
    const first = await sending({ [name]: hook() });
    await tell('build', 'a1', 'building');
    await eventually(() => expect(got.length).toBeGreaterThan(0));
    await first.stop();
    await tell('build', 'a1', 'passed');
    await tell('build', 'a2', 'failed');
    got = [];
    answer = () => 200;
    const second = await sending({ [name]: hook() });
    await eventually(() => expect(seen()).toEqual(['a1 passed', 'a2 failed']));
    await second.stop();
  });

  test('that says no to one status is asked five times, and then told the next one', async () => {
    const name = fresh();
    answer = ({ subject }) => (subject === 'r1' ? 422 : 200);
    const { stop } = await sending({ [name]: hook() });
    await tell('build', 'r1', 'passed');
    await tell('build', 'r2', 'passed');
    await eventually(() => expect(seen()).toEqual([...Array.from({ length: 5 }, () => 'r1 passed'), 'r2 passed']), { timeoutMs: 10_000 });
    await eventually(async () => expect((await log.list(name))[1]).toMatchObject({ attempt: 5, outcome: 'given-up', status: 422 }));
    await stop();
  });

  test('that is gone for good is not sent to any more; what happens waits until it is resumed', async () => {
    const name = fresh();
    answer = () => 410;
    const { suspended, change, stop } = await sending({ [name]: hook() });
    await tell('build', 'g1', 'passed');
    await eventually(() => expect(suspended).toEqual([[name, 'its target says that it is gone (410 Gone)']]));
    await tell('build', 'g2', 'passed');
    answer = () => 200;
    got = [];
    await change(name, hook());
    await eventually(() => expect(seen()).toEqual(['g1 passed', 'g2 passed']));
    await stop();
  });

  test('is told at once what came while it was being suspended', async () => {
    const name = fresh();
    const { change, stop } = await sending({ [name]: hook() });
    const ended = change(name, { ...hook(), status: 'suspended', reason: 'r' } as Webhook);
    await tell('build', 'e1', 'passed');
    await ended;
    await change(name, hook());
    await eventually(() => expect(seen()).toEqual(['e1 passed']));
    await stop();
  });

  test('that does not answer holds up no other', async () => {
    const [slow, quick] = [fresh(), fresh()];
    answer = () => 200;
    const hanging = createServer(() => undefined);
    await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
    const { stop } = await sending({ [slow]: hook({ url: `http://127.0.0.1:${(hanging.address() as AddressInfo).port}/` }), [quick]: hook() });
    await tell('build', 's1', 'passed');
    await eventually(() => expect(seen()).toEqual(['s1 passed']));
    // Its one try ends with the connection; nothing is left behind.
    hanging.closeAllConnections();
    hanging.close();
    await stop();
  });
});

test('a webhook that is removed has nothing left on the bus', async () => {
  const name = fresh();
  const { change, stop } = await sending({ [name]: hook() });
  const manager = await bus.jetstreamManager();
  expect((await manager.consumers.info(streams.status.name, consumerName(name))).config.max_ack_pending).toBe(1);
  await change(name, { status: 'none', version: 1, key: 1 });
  await expect(manager.consumers.info(streams.status.name, consumerName(name))).rejects.toThrow(/consumer not found/);
  await stop();
});

test('what is on the feed and is no status is passed over', async () => {
  const name = fresh();
  const { stop } = await sending({ [name]: hook() });
  await teller.jetstream().publish('berth.status.build.junk', 'not JSON');
  await teller.jetstream().publish('berth.status.build.junk2', '{"specversion":"1.0"}');
  await tell('build', 'j1', 'passed');
  await eventually(() => expect(seen()).toEqual(['j1 passed']));
  await stop();
});
