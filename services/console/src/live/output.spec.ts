import { randomBytes, randomUUID } from 'node:crypto';
import { connect, headers as natsHeaders, type NatsConnection } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { outputHeaders, subjects } from '@berth/contracts';
import { applyStreams, streams } from '@berth/nats';
import { atEndOfFile } from '../../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../../test/support/nats.js';
import { eventually } from '../../../../test/support/wait.js';
import { Output } from './output.js';
import { BEGINNING, type OutputStream, type Totals } from './place.js';

let nats: TestNats;
let connection: NatsConnection;
let output: Output;
beforeAll(async () => {
  nats = await startTestNats();
  connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  atEndOfFile(() => connection.close());
  await applyStreams(await connection.jetstreamManager());
  output = another();
});
const another = (most?: number): Output => {
  const own = new Output(connection, { ...(most !== undefined && { most }) });
  atEndOfFile(() => own.close());
  return own;
};

async function print(action: string, stream: OutputStream, offset: number, bytes: Uint8Array | string, cut?: number): Promise<void> {
  const headers = natsHeaders();
  headers.set(outputHeaders.stream, stream);
  headers.set(outputHeaders.offset, String(offset));
  if (cut !== undefined) headers.set(outputHeaders.cut, String(cut));
  await connection.jetstream().publish(subjects.output(action), typeof bytes === 'string' ? Buffer.from(bytes) : bytes, { headers });
}
/** Prints chunks of one byte value each, all at once but in order. */
async function flood(action: string, chunks: number, size = 64 * 1024): Promise<void> {
  await Promise.all(Array.from({ length: chunks }, (_, i) => print(action, 'stdout', i * size, Buffer.alloc(size, i % 256))));
}
const whole = (chunks: number, size = 64 * 1024): Buffer => Buffer.concat(Array.from({ length: chunks }, (_, i) => Buffer.alloc(size, i % 256)));
const always = () => new AbortController().signal;

async function bytesOf(action: string, ended?: Promise<Totals>, { signal = always(), from = output }: { signal?: AbortSignal; from?: Output } = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const { bytes } of from.read(action, signal, { ended })) pieces.push(bytes);
  return Buffer.concat(pieces);
}
const read = async (...args: Parameters<typeof bytesOf>): Promise<string> => (await bytesOf(...args)).toString();
function ending(): { ended: Promise<Totals>; end(stdoutBytes: number, stderrBytes?: number): void } {
  let resolve!: (totals: Totals) => void;
  const ended = new Promise<Totals>((done) => (resolve = done));
  return { ended, end: (stdoutBytes, stderrBytes = 0) => resolve({ stdoutBytes, stderrBytes }) };
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
    const { ended, end } = ending();
    const reading = read(action, ended);
    await print(action, 'stdout', 0, 'a');
    await print(action, 'stdout', 1, 'b');
    end(3);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await print(action, 'stdout', 2, 'c');
    expect(await reading).toBe('abc');
  });

  test('followed across a killed server, each byte once', async () => {
    const action = randomUUID();
    const all = randomBytes(300_000).toString('hex');
    const { ended, end } = ending();
    const reading = read(action, ended);
    for (let i = 0; i < 300_000; i += 50_000) await print(action, 'stdout', i, all.slice(i, i + 50_000));
    await nats.kill9();
    await nats.restart();
    await eventually(() => connection.flush());
    for (let i = 250_000; i < 600_000; i += 50_000) await print(action, 'stdout', i, all.slice(i, i + 50_000));
    end(600_000);
    expect(await reading).toBe(all);
  });

  test('whoever stops listening is let go at once', async () => {
    const stop = new AbortController();
    const reading = read(randomUUID(), new Promise<Totals>(() => undefined), { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    expect(await reading).toBe('');
  });
});

describe('holes', () => {
  test('where bytes were left out a line says so, and the end counts them', async () => {
    const action = randomUUID();
    const { ended, end } = ending();
    const reading = read(action, ended);
    await print(action, 'stdout', 0, 'head');
    await print(action, 'stdout', 4, '', 1000);
    await print(action, 'stdout', 4, '', 1000);
    await print(action, 'stdout', 1004, 'tail\n');
    end(1009);
    expect(await reading).toBe('head\n[... 1000 bytes left out ...]\ntail\n');
  });

  test('a chunk that was stored before one in front of it comes again', async () => {
    const action = randomUUID();
    await print(action, 'stdout', 0, 'one ');
    await print(action, 'stdout', 8, 'three');
    await print(action, 'stderr', 0, 'ERR ');
    await print(action, 'stdout', 4, 'two ');
    await print(action, 'stdout', 8, 'three');
    expect(await read(action)).toBe('one ERR two three');
    expect(await read(action, Promise.resolve({ stdoutBytes: 13, stderrBytes: 4 }))).toBe('one ERR two three');
  });

  test('what never comes is told when the action has ended', { timeout: 15_000 }, async () => {
    const action = randomUUID();
    await print(action, 'stdout', 0, 'one\n');
    await print(action, 'stdout', 8, 'three');
    expect(await read(action, Promise.resolve({ stdoutBytes: null, stderrBytes: null }))).toBe('one\n[... 4 bytes are missing ...]\nthree');
  });

  test('what the stream no longer keeps is told at once', async () => {
    const action = randomUUID();
    await print(action, 'stdout', 0, 'gone');
    const gone = await output.shelf.after(action, BEGINNING, always());
    await (await connection.jetstreamManager()).streams.purge(streams.output.name, { seq: gone!.next.sequence + 1 });
    await print(action, 'stdout', 4, 'kept');
    const fresh = another();
    expect(await read(action, undefined, { from: fresh })).toBe('[... 4 bytes are missing ...]\nkept');
  });
});

describe('many readers', () => {
  test('a thousand followers of one action share one reading of the stream', async () => {
    const action = randomUUID();
    const own = another();
    const { ended, end } = ending();
    const counts = Array.from({ length: 1000 }, async () => {
      let bytes = 0;
      for await (const chunk of own.read(action, always(), { ended })) bytes += chunk.bytes.byteLength;
      return bytes;
    });
    await flood(action, 40);
    end(40 * 64 * 1024);
    expect(new Set(await Promise.all(counts))).toEqual(new Set([40 * 64 * 1024]));
    // One for each portion, and those that waited when the end was told.
    expect(own.shelf.reads).toBeLessThan(60);
  });

  test('one that is slow holds up nobody, and what is kept stays small; it gets every byte', async () => {
    const action = randomUUID();
    const own = another(1024 * 1024);
    const { ended, end } = ending();
    const slow = own.read(action, always(), { ended });
    const pieces: Uint8Array[] = [];
    const first = slow.next();
    await flood(action, 100);
    end(100 * 64 * 1024);
    expect((await bytesOf(action, ended, { from: own })).equals(whole(100))).toBe(true);
    expect(own.shelf.bytes).toBeLessThanOrEqual(1024 * 1024);
    for (let next = await first; !next.done; next = await slow.next()) pieces.push(next.value.bytes);
    expect(Buffer.concat(pieces).equals(whole(100))).toBe(true);
  });
});
