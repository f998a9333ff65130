import { randomBytes, randomUUID } from 'node:crypto';
import { connect, headers as natsHeaders, type NatsConnection } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { outputHeaders, subjects } from '@berth/contracts';
import { applyStreams } from '@berth/nats';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../../test/support/nats.js';
import { eventually } from '../../../../test/support/wait.js';
import { Deduplicator, readOutput, type OutputStream, type Totals } from './output.js';

let nats: TestNats;
let connection: NatsConnection;
beforeAll(async () => {
  nats = await startTestNats();
  connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  atEndOfFile(() => connection.close());
  await applyStreams(await connection.jetstreamManager());
});

async function print(action: string, stream: OutputStream, offset: number, bytes: Uint8Array | string): Promise<void> {
  const headers = natsHeaders();
  headers.set(outputHeaders.stream, stream);
  headers.set(outputHeaders.offset, String(offset));
  await connection.jetstream().publish(subjects.output(action), typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { headers });
}
async function read(action: string, ended?: Promise<Totals>, signal = new AbortController().signal): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of readOutput(connection, action, signal, ended)) pieces.push(bytes);
  return Buffer.concat(pieces).toString();
}

describe('output', () => {
  test('what was stored twice, and cut elsewhere, is read once', async () => {
    const action = randomUUID();
    await print(action, 'stdout', 0, 'one ');
    await print(action, 'stderr', 0, 'ERR ');
    await print(action, 'stdout', 4, 'two ');
    await print(action, 'stdout', 0, 'one two thr');
    await print(action, 'stderr', 0, 'ERR ');
    await print(action, 'stdout', 11, 'ee');
    expect(await read(action)).toBe('one ERR two three');
  });

  test('nothing printed is nothing read', async () => {
    expect(await read(randomUUID())).toBe('');
    expect(await read(randomUUID(), Promise.resolve({ stdoutBytes: 0, stderrBytes: 0 }))).toBe('');
  });

  test('followed until the end is told and all its bytes are there, even late ones', async () => {
    const action = randomUUID();
    let end!: (totals: Totals) => void;
    const reading = read(action, new Promise<Totals>((resolve) => (end = resolve)));
    await print(action, 'stdout', 0, 'a');
    await print(action, 'stdout', 1, 'b');
    end({ stdoutBytes: 3, stderrBytes: 0 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await print(action, 'stdout', 2, 'c');
    expect(await reading).toBe('abc');
  });

  test('followed across a killed server, each byte once', async () => {
    const action = randomUUID();
    const all = randomBytes(300_000).toString('hex');
    let end!: (totals: Totals) => void;
    const reading = read(action, new Promise<Totals>((resolve) => (end = resolve)));
    for (let i = 0; i < 300_000; i += 50_000) await print(action, 'stdout', i, all.slice(i, i + 50_000));
    await nats.kill9();
    await nats.restart();
    await eventually(() => connection.flush());
    for (let i = 250_000; i < 600_000; i += 50_000) await print(action, 'stdout', i, all.slice(i, i + 50_000));
    end({ stdoutBytes: 600_000, stderrBytes: 0 });
    expect(await reading).toBe(all);
  });

  test('whoever stops listening is let go at once', async () => {
    const stop = new AbortController();
    const reading = read(randomUUID(), new Promise<Totals>(() => undefined), stop.signal);
    setTimeout(() => stop.abort(), 50);
    expect(await reading).toBe('');
  });

  test('a chunk that does not say where it belongs is an error with its place', () => {
    expect(() => new Deduplicator().take({ data: new Uint8Array(1), headers: undefined, sequence: 7 })).toThrow('output at 7');
  });
});
