import { connect, type NatsConnection } from 'nats';
import { applyStreams } from '@berth/nats';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestNats, type TestNats } from '../../../test/support/nats.js';
import { jetStreamStore } from './jetstream.js';
import { commit, storeContract } from './store.contract.js';
import { UnavailableError, type EventStore } from './store.js';

describe('the event store on JetStream', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let store: EventStore;

  beforeAll(async () => {
    nats = await startTestNats();
  });
  beforeEach(async () => {
    // Some of the tests leave things behind that no reader can pass: each has a bus of its own.
    connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
    const manager = await connection.jetstreamManager();
    for await (const stream of manager.streams.list()) await manager.streams.delete(stream.config.name);
    await applyStreams(manager);
    store = jetStreamStore(connection);
    return () => connection.close();
  });

  storeContract(
    () => store,
    async (kind, id, data) => {
      await connection.jetstream().publish(`berth.evt.${kind}.${id}`, data);
    },
  );

  test('streams are applied again without a change', async () => {
    await applyStreams(await connection.jetstreamManager());
  });

  test('a server that was killed and comes back loses nothing, doubles nothing, and feeds go on', async () => {
    const seen: number[] = [];
    const feed = await store.feed(0, (r) => void seen.push(r.sequence), (error) => expect.unreachable(error.message));
    const id = commit().id;
    let at = await store.append('lease', id, 0, commit());
    await nats.kill9();
    const during = store.append('lease', id, at, commit());
    await nats.restart();
    at = await during;
    at = await store.append('lease', id, at, commit());
    await feed.reached(at);
    expect(seen).toEqual((await store.load('lease', id)).map((r) => r.sequence));
    expect(seen).toHaveLength(3);
    await feed.stop();
  });

  test('an outage is told as one, never as an empty stream', async () => {
    const impatient = jetStreamStore(connection, { timeoutMs: 100, patienceMs: 300 });
    await nats.kill9();
    await expect(impatient.load('lease', 'x')).rejects.toBeInstanceOf(UnavailableError);
    await expect(impatient.append('lease', 'x', 0, commit())).rejects.toBeInstanceOf(UnavailableError);
    await nats.restart();
  });

  afterAll(() => nats.stop());
});
