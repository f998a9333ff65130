import { connect, type NatsConnection } from 'nats';
import { afterEach, expect, test } from 'vitest';
import { startTestNats, type TestNats } from './nats.js';
import { eventually } from './wait.js';

let connection: NatsConnection | undefined;
afterEach(async () => {
  await connection?.close();
});

async function published(nats: TestNats, count: number): Promise<void> {
  connection = await connect({ servers: nats.url });
  const manager = await connection.jetstreamManager();
  await manager.streams.add({ name: 'KEPT', subjects: ['kept.>'] });
  for (let n = 0; n < count; n++) await connection.jetstream().publish(`kept.${n}`, `${n}`);
  await connection.close();
}

async function stored(nats: TestNats): Promise<number> {
  connection = await connect({ servers: nats.url });
  const info = await (await connection.jetstreamManager()).streams.info('KEPT');
  return info.state.messages;
}

test('what was acknowledged is there after SIGKILL and a restart on the same port', async () => {
  const nats = await startTestNats();
  await published(nats, 100);
  const { pid, url } = nats;
  await nats.kill9();
  await expect(connect({ servers: url, reconnect: false, timeout: 500 })).rejects.toThrow();
  await nats.restart();
  expect(nats.pid).not.toBe(pid);
  expect(await stored(nats)).toBe(100);
});

test('a client that stays connects again by itself', async () => {
  const nats = await startTestNats();
  connection = await connect({ servers: nats.url, reconnectTimeWait: 20, maxReconnectAttempts: -1 });
  const client = connection;
  await nats.kill9();
  await nats.restart();
  await eventually(() => client.flush());
});

test('two servers have different ports and stores', async () => {
  const [one, two] = await Promise.all([startTestNats(), startTestNats()]);
  expect(one.port).not.toBe(two.port);
  await published(one, 1);
  await expect(stored(two)).rejects.toThrow(/stream not found/);
  await two.stop();
  await two.stop();
});
