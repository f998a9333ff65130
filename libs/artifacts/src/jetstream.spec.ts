import { createHash, randomBytes } from 'node:crypto';
import { connect, StringCodec, type JetStreamManager, type NatsConnection, type ObjectStore } from 'nats';
import { beforeAll, describe, expect, test } from 'vitest';
import { atEndOfFile } from '../../../test/support/cleanup.js';
import { startTestNats, type TestNats } from '../../../test/support/nats.js';
import { eventually } from '../../../test/support/wait.js';
import { ChangedError, FullError } from './errors.js';
import { jetStreamObjects } from './jetstream.js';
import type { Objects } from './objects.js';
import { objectsContract, pieces, whole } from './objects.contract.js';

const KiB = 1024;
const BUCKET = 'spec-artifacts';

describe('objects in JetStream', () => {
  let nats: TestNats;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let theirs: ObjectStore;
  let objects: Objects;
  beforeAll(async () => {
    nats = await startTestNats();
    connection = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
    atEndOfFile(() => connection.close());
    manager = await connection.jetstreamManager();
    theirs = await connection.jetstream().views.os(BUCKET);
    objects = jetStreamObjects(connection, BUCKET, { page: 5, patienceMs: 300 });
  });

  const stream = `OBJ_${BUCKET}`;
  const chunkSubject = async (name: string) => `$O.${BUCKET}.C.${(await theirs.info(name))!.nuid}`;
  const subjects = async (filter: string) => Object.keys((await manager.streams.info(stream, { subjects_filter: filter })).state.subjects ?? {});
  const chunksWithoutName = async () => {
    const used = (await theirs.list()).map(({ nuid }) => `$O.${BUCKET}.C.${nuid}`);
    return (await subjects(`$O.${BUCKET}.C.>`)).filter((subject) => !used.includes(subject)).length;
  };

  objectsContract(() => ({
    objects,
    async corrupt(name) {
      // A message can't be changed, so the chunks are written again, the first one otherwise.
      const subject = await chunkSubject(name);
      const chunks: Uint8Array[] = [];
      for (let at = 1; ; ) {
        const message = await manager.streams.getMessage(stream, { seq: at, next_by_subj: subject } as unknown as { seq: number }).catch(() => undefined);
        if (!message) break;
        chunks.push(message.data);
        at = message.seq + 1;
      }
      await manager.streams.purge(stream, { filter: subject });
      chunks[0] = Buffer.from(chunks[0]!).map((byte, i) => (i === 5 ? byte ^ 1 : byte));
      for (const chunk of chunks) await connection.jetstream().publish(subject, chunk);
    },
    async shorten(name) {
      const subject = await chunkSubject(name);
      const last = await manager.streams.getMessage(stream, { last_by_subj: subject });
      await manager.streams.deleteMessage(stream, last.seq);
    },
    leftovers: chunksWithoutName,
    async away() {
      await nats.kill9();
      return () => nats.restart();
    },
    hold() {
      process.kill(nats.pid, 'SIGSTOP');
      return () => process.kill(nats.pid, 'SIGCONT');
    },
  }), { holds: true });

  test('what the client of NATS put is read, and the other way round', async () => {
    const bytes = randomBytes(300 * KiB);
    await theirs.putBlob({ name: 'old-build/made.bin' }, bytes);
    const opened = (await objects.open('old-build/made.bin'))!;
    expect(opened).toMatchObject({ bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') });
    expect((await whole(opened.read())).equals(bytes)).toBe(true);
    expect((await whole(opened.read({ start: 200 * KiB, end: 201 * KiB }))).equals(bytes.subarray(200 * KiB, 201 * KiB))).toBe(true);
    await objects.put('new-build/1/made.bin', pieces(bytes));
    expect(Buffer.from((await theirs.getBlob('new-build/1/made.bin'))!).equals(bytes)).toBe(true);
    await theirs.putBlob({ name: 'odd', options: { max_chunk_size: 1000 } }, bytes.subarray(0, 5500));
    expect((await whole((await objects.open('odd'))!.read({ start: 2500, end: 4000 }))).equals(bytes.subarray(2500, 4000))).toBe(true);
    await theirs.delete('odd');
    expect(await objects.open('odd')).toBeUndefined();
  });

  test('a bucket that is full: the put fails and leaves nothing, and what is removed makes room', async () => {
    await connection.jetstream().views.os('small', { max_bytes: 600 * KiB });
    const small = jetStreamObjects(connection, 'small');
    const bytes = randomBytes(400 * KiB);
    await small.put('a/1/x', pieces(bytes));
    const used = async () => (await manager.streams.info('OBJ_small')).state.messages;
    const before = await used();
    await expect(small.put('b/1/x', pieces(bytes))).rejects.toBeInstanceOf(FullError);
    await expect(small.put('b/1/x', pieces(randomBytes(5000 * KiB)))).rejects.toThrow('b/1/x could not be stored, for the store of artifacts is full');
    expect(await small.open('b/1/x')).toBeUndefined();
    expect(await used()).toBe(before);
    // So full that nothing more goes in, not even the note that something is gone.
    const names: string[] = [];
    for (let i = 0, full = false; !full; i++) {
      await small.put(`fill/1/${i}`, pieces(randomBytes(10)), {}).then(() => names.push(`fill/1/${i}`), (error: unknown) => ((full = error instanceof FullError) ? undefined : Promise.reject(error as Error)));
      if (i === 0) await manager.streams.update('OBJ_small', { max_bytes: (await manager.streams.info('OBJ_small')).state.bytes + 300 });
    }
    await small.remove('a/1/x');
    await small.put('b/1/x', pieces(bytes.subarray(0, 300 * KiB)));
    expect((await whole((await small.open('b/1/x'))!.read())).equals(bytes.subarray(0, 300 * KiB))).toBe(true);
  });

  test('chunks of a put that the server was away for go before the next put', async () => {
    let sent = 0;
    async function* interrupted() {
      for (; sent < 40; sent++) {
        yield randomBytes(128 * KiB);
        if (sent === 36) await nats.kill9();
      }
    }
    await expect(objects.put('interrupted/1/x', interrupted())).rejects.toThrow('the store of artifacts is not available');
    await nats.restart();
    await eventually(() => objects.put('interrupted/1/y', pieces(randomBytes(10))));
    // Their client's list can come short for a moment after a restart.
    await eventually(async () => expect(await chunksWithoutName()).toBe(0));
    expect(await objects.open('interrupted/1/x')).toBeUndefined();
  });

  test('who reads comes through a restart of the server', async () => {
    const bytes = randomBytes(900 * KiB);
    const patient = jetStreamObjects(connection, BUCKET);
    await eventually(() => patient.put('patient/1/x', pieces(bytes)));
    const taken: Uint8Array[] = [];
    for await (const piece of (await patient.open('patient/1/x'))!.read()) {
      taken.push(piece);
      if (taken.length === 1) {
        await nats.kill9();
        await nats.restart();
      }
    }
    expect(Buffer.concat(taken).equals(bytes)).toBe(true);
  });

  test('bytes that go while they are read: told as that, and not as damage', async () => {
    await objects.put('going/1/x', pieces(randomBytes(900 * KiB)));
    const reading = (await objects.open('going/1/x'))!.read();
    await objects.put('going/1/x', pieces(randomBytes(900 * KiB)));
    await expect(whole(reading)).rejects.toBeInstanceOf(ChangedError);
  });

  test('only names that the server keeps: no message stays of what was removed', async () => {
    await objects.put('gone/1/x', pieces(randomBytes(10)));
    const before = (await subjects(`$O.${BUCKET}.M.>`)).length;
    await objects.remove('gone/1/x');
    expect(await subjects(`$O.${BUCKET}.M.>`)).toHaveLength(before - 1);
    expect(StringCodec().decode((await manager.streams.getMessage(stream, { last_by_subj: `$O.${BUCKET}.M.>` })).data)).not.toContain('gone/1/x');
  });
});
