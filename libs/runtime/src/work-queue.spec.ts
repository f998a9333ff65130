import { randomUUID } from 'node:crypto';
import { AckPolicy, connect, DeliverPolicy, type JetStreamManager, type NatsConnection } from 'nats';
import { beforeAll, expect, test } from 'vitest';
import { addressOptions, applyStreams, streams } from '@berth/nats';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { startTestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { WorkQueue } from './work-queue.js';

let own: NatsConnection;
let admin: NatsConnection;
let manager: JetStreamManager;
beforeAll(async () => {
  const nats = await startTestNats({ users: true });
  admin = await connect(addressOptions(nats.urlOf('admin')));
  own = await connect(addressOptions(nats.urlOf('lease')));
  atEndOfFile(() => Promise.all([admin.close(), own.close()]).then(() => undefined));
  manager = await admin.jetstreamManager();
  await applyStreams(manager);
});

const queued = async () => (await manager.streams.info(streams.commands.name)).state.messages;
const consumer = () => manager.consumers.info(streams.commands.name, 'lease');

/** A queue whose commands are noted and acknowledged. */
function opened() {
  const warned: object[] = [];
  const got: string[] = [];
  const queue = new WorkQueue(own, 'lease', { warn: ((about: object) => warned.push(about)) as never });
  const subscription = own.subscribe(queue.deliver, { queue: 'lease', callback: (_error, message) => {
    got.push(message.string());
    own.publish(message.reply!, '+ACK');
  } });
  const close = () => {
    queue.close();
    subscription.unsubscribe();
  };
  return { queue, warned, got, close };
}

test('a command that no consumer is given any more is handed out again, with the rights that a service has', async () => {
  const command = JSON.stringify({ id: randomUUID(), type: 'ReleaseLease', data: {} });
  // Handed out once to somebody who never answers: it stays in the stream, and this consumer is past it, as after a server
  // that has lost that it was taken away.
  const seen: string[] = [];
  const deaf = admin.subscribe('berth.deliver.lease', { queue: 'lease', callback: (_error, message) => void seen.push(message.string()) });
  await manager.consumers.add(streams.commands.name, { durable_name: 'lease', filter_subject: 'berth.cmd.lease.*', deliver_subject: 'berth.deliver.lease', deliver_group: 'lease', deliver_policy: DeliverPolicy.All, ack_policy: AckPolicy.Explicit, ack_wait: 50_000_000, max_deliver: 1 });
  admin.publish('berth.cmd.lease.ReleaseLease', command);
  await eventually(() => expect(seen).toEqual([command]));
  await eventually(async () => expect((await consumer()).num_ack_pending).toBe(0));
  deaf.unsubscribe();
  await admin.flush();
  expect(await queued()).toBe(1);

  const { queue, warned, got, close } = opened();
  await own.flush();
  await queue.recover();
  await eventually(() => expect(got).toEqual([command]));
  await eventually(async () => expect(await queued()).toBe(0));
  expect(warned).toEqual([{ commands: 1 }]);
  close();
});

test('where nothing is left over nothing is touched', async () => {
  const { queue, warned, close } = opened();
  await queue.ensure();
  const { created } = await consumer();
  await queue.recover();
  expect((await consumer()).created).toBe(created);
  expect(warned).toEqual([]);
  close();
});

test('nor while commands are being carried out', async () => {
  const queue = new WorkQueue(own, 'lease', { warn: () => undefined });
  const held: string[] = [];
  const subscription = own.subscribe(queue.deliver, { queue: 'lease', callback: (_error, message) => void held.push(message.reply!) });
  await queue.ensure();
  const { created } = await consumer();
  const done = queue.recover();
  admin.publish('berth.cmd.lease.ReleaseLease', JSON.stringify({ id: randomUUID(), type: 'ReleaseLease', data: {} }));
  await eventually(() => expect(held).not.toEqual([]));
  await eventually(async () => expect((await consumer()).num_ack_pending).toBe(1));
  own.publish(held.at(-1)!, '+ACK');
  await done;
  expect((await consumer()).created).toBe(created);
  expect(await queued()).toBe(0);
  subscription.unsubscribe();
  queue.close();
});
