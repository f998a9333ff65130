import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection } from 'nats';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyStreams, streams } from '@berth/nats';
import { startTestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { JetStreamStrategy } from './strategy.js';

let connection: NatsConnection;
beforeAll(async () => {
  connection = await connect({ servers: (await startTestNats()).url });
  await applyStreams(await connection.jetstreamManager());
});
afterAll(() => connection.close());

test('a command that is asked for again while it is carried out is carried out once, and everybody is answered', async () => {
  const strategy = new JetStreamStrategy('lease', connection, pino({ level: 'silent' }));
  let begun = 0;
  let finish: () => void = () => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  strategy.addHandler('ReleaseLease', async ({ id }: { id: string }) => {
    begun++;
    await finished;
    return { accepted: true, id };
  });
  await new Promise<void>((resolve, reject) => strategy.listen((error) => (error ? reject(error as Error) : resolve())));

  const id = randomUUID();
  const payload = JSON.stringify({ id, type: 'ReleaseLease', data: { lease: randomUUID() } });
  const asked = Array.from({ length: 4 }, () => connection.request('berth.cmd.lease.ReleaseLease', payload, { timeout: 5000 }));
  const left = async () => (await (await connection.jetstreamManager()).streams.info(streams.commands.name)).state.messages;
  await eventually(async () => expect(await left()).toBe(4));
  finish();
  for (const answer of await Promise.all(asked)) expect(answer.json()).toEqual({ accepted: true, id });
  await eventually(async () => expect(await left()).toBe(0));
  expect(begun).toBe(1);
  await strategy.close();
});
