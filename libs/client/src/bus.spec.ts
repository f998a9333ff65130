import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { subjects, type StatusEvent } from '@berth/contracts';
import { applyStreams } from '@berth/nats';
import { atEndOfFile, tempFolder } from '../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { connectBus, type BusClient } from './bus.js';
import { Channel } from './channel.js';
import { berthHome, readCliConfig } from './config.js';

describe('on the bus', () => {
  let nats: TestNats;
  let bus: BusClient;
  beforeAll(async () => {
    nats = await startTestNats();
    bus = await connectBus(nats.url);
    atEndOfFile(() => bus.close());
    await applyStreams(await bus.connection.jetstreamManager());
  });

  let position = 0;
  async function tell(id: string, status: string): Promise<void> {
    const event: StatusEvent = {
      specversion: '1.0', id: String(++position), source: '/spec', type: 'spec', subject: id, time: new Date().toISOString(), datacontenttype: 'application/json',
      data: { id, status, percent: null, activity: null, error: null },
    };
    await bus.connection.jetstream().publish(subjects.status('build', id), JSON.stringify(event));
  }

  test('a late listener sees the present, then what follows, each once', async () => {
    const id = randomUUID();
    await tell(id, 'pending');
    await tell(id, 'preparing');
    const seen: string[] = [];
    const listening = (async () => {
      for await (const event of bus.status('build', id)) {
        seen.push(event.data.status);
        if (event.data.status === 'passed') return;
      }
    })();
    await eventually(() => expect(seen).toEqual(['preparing']));
    await tell(id, 'building');
    await tell(id, 'passed');
    await listening;
    expect(seen).toEqual(['preparing', 'building', 'passed']);
    expect((await bus.waitForStatus('build', id)).data.status).toBe('passed');
  });

  test('what was told while the server was away is seen after', async () => {
    const id = randomUUID();
    await tell(id, 'building');
    const waiting = bus.waitForStatus('build', id, ['failed']);
    const other = await connectBus(nats.url);
    atEndOfFile(() => other.close());
    await nats.kill9();
    await nats.restart();
    await eventually(() => other.connection.flush());
    // One try waits for five seconds: on a busy machine the first may come before the server is ready.
    await eventually(() => tell(id, 'failed'), { timeoutMs: 15_000 });
    expect((await waiting).data.status).toBe('failed');
  });

  test('waiting has an end, and says what it saw', async () => {
    const id = randomUUID();
    await tell(id, 'building');
    await expect(bus.waitForStatus('build', id, ['passed'], { timeoutMs: 200 })).rejects.toThrow('it is building');
    await expect(bus.waitForStatus('build', randomUUID(), undefined, { timeoutMs: 200 })).rejects.toThrow('nothing was told of it');
  });

  test('a command is sent again with the same id until it is answered', async () => {
    const ids: string[] = [];
    const subscription = bus.connection.subscribe(subjects.command('lease', 'ReleaseLease'), {
      callback: (_error, message) => {
        ids.push((JSON.parse(message.string()) as { id: string }).id);
        if (ids.length === 2) message.respond(JSON.stringify({ accepted: true, id: 'x' }));
      },
    });
    expect(await bus.command('lease', 'ReleaseLease', { lease: randomUUID() })).toEqual({ accepted: true, id: 'x' });
    expect(ids.length).toBe(2);
    expect(new Set(ids).size).toBe(1);
    subscription.unsubscribe();
    await expect(bus.command('lease', 'ReleaseLease', { lease: randomUUID() }, { patienceMs: 500 })).rejects.toThrow('no answer from lease on ReleaseLease');
  });
});

test('a channel gives all that was put in, in order, then its end', async () => {
  const channel = new Channel<number>();
  channel.push(1, 2);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const value of channel) seen.push(value);
  })();
  await Promise.resolve();
  channel.push(3);
  channel.end(new Error('over'));
  channel.push(4);
  await expect(reading).rejects.toThrow('over');
  expect(seen).toEqual([1, 2, 3]);
});

describe('where Berth is', () => {
  test('told, or written by a start', async () => {
    const root = await tempFolder('config');
    const inside = join(root, 'a/b');
    await mkdir(inside, { recursive: true });
    await mkdir(join(root, '.berth'));
    const written = { url: 'http://127.0.0.1:4780', token: 't', natsUrl: 'nats://x' };
    await writeFile(join(root, '.berth/cli.json'), JSON.stringify(written));
    expect(berthHome({}, inside)).toBe(join(root, '.berth'));
    expect(berthHome({ BERTH_HOME: 'x' }, inside)).toBe(join(inside, 'x'));
    expect(readCliConfig({}, inside)).toEqual(written);
    expect(readCliConfig({ BERTH_URL: 'http://other', BERTH_TOKEN: 'o' }, inside)).toEqual({ url: 'http://other', token: 'o' });
    expect(readCliConfig({ BERTH_URL: 'http://127.0.0.1:4780/' }, inside).token).toBe('t');
    // The token of this installation is not shown to another one.
    expect(() => readCliConfig({ BERTH_URL: 'http://other' }, inside)).toThrow('BERTH_TOKEN is not');
    expect(() => readCliConfig({ BERTH_URL: 'nonsense', BERTH_TOKEN: 'o' }, inside)).toThrow('not a URL');
    await writeFile(join(root, '.berth/cli.json'), '{');
    expect(() => readCliConfig({}, inside)).toThrow('is damaged');
    expect(() => readCliConfig({ BERTH_HOME: join(root, 'none') }, inside)).toThrow('has not been started here');
  });
});
