import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { HostFiles, Transport } from '../transports/transport.js';
import { steadyFiles } from './steady.js';
import { getFile, putFile } from './transfer.js';

let sshd: RelayedSshd;
let pool: HostPool;
let root: string;
const MIB = 1024 * 1024;
const content = randomBytes(8 * MIB);
beforeAll(async () => {
  sshd = await startSshd();
  pool = createPool();
  root = `${sshd.home}/steady`;
  mkdirSync(root);
  writeFileSync(`${root}/large`, content);
});
afterAll(async () => {
  await pool.closeAll();
  await sshd.stop();
});

/** Files whose every question to the host is noted. */
function watched(lost: string[] = []) {
  const reads: number[] = [];
  const connect = async (): Promise<Transport> => {
    const transport = await pool.connect(sshd.spec('steady'));
    const open: HostFiles['open'] = async (...args) => {
      const file = await transport.files.open(...args);
      return { ...file, read: (offset, length) => (reads.push(offset), file.read(offset, length)) };
    };
    // The same object for the same connection, as a pool gives it.
    return known.get(transport) ?? known.set(transport, Object.assign(Object.create(transport) as Transport, { files: { ...transport.files, open } })).get(transport) ?? transport;
  };
  const known = new Map<Transport, Transport>();
  return { files: steadyFiles(connect, (error) => lost.push(error.code)), reads };
}

describe('files over connections that are lost', () => {
  it('are read on where they were', async () => {
    const lost: string[] = [];
    const { files, reads } = watched(lost);
    const parts: Buffer[] = [];
    let bytes = 0;
    for await (const part of (await getFile({ files }, root, 'large')).content) {
      const before = bytes;
      parts.push(part);
      bytes += part.length;
      for (const at of [2 * MIB, 5 * MIB]) if (before < at && bytes >= at) sshd.cut();
    }
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(lost).toEqual(['connection-lost', 'connection-lost']);
    // What had been under way is asked for again, and nothing else.
    expect(reads.length - new Set(reads).size).toBeLessThanOrEqual(2 * 12);
  });

  it('are written on where they were, and the source is read once', async () => {
    const lost: string[] = [];
    const { files } = watched(lost);
    // Cut further apart than what is on its way at a time, so that each cut meets another connection.
    let taken = 0;
    const source = async function* (): AsyncGenerator<Buffer> {
      for (let at = 0; at < content.length; at += 100_000) {
        if (taken++ % 30 === 20) sshd.cut();
        yield content.subarray(at, at + 100_000);
      }
    };
    const result = await putFile({ files }, root, 'new/copy', source(), { temporary: 'mine' });
    expect(result).toEqual({ bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    expect(readFileSync(`${root}/new/copy`).equals(content)).toBe(true);
    expect(readdirSync(`${root}/new`)).toEqual(['copy']);
    expect(lost.length).toBe(3);
    expect(taken).toBe(Math.ceil(content.length / 100_000));
  });

  it('replace what an unfinished try left, and take away their own', async () => {
    const { files } = watched();
    writeFileSync(`${root}/.berth-put-mine`, 'half');
    await putFile({ files }, root, 'small', [Buffer.from('whole')], { temporary: 'mine' });
    expect(readFileSync(`${root}/small`, 'utf8')).toBe('whole');
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.alloc(10);
      sshd.cut();
      throw new Error('the source broke');
    };
    await expect(putFile({ files }, root, 'never', failing(), { temporary: 'mine' })).rejects.toThrow('the source broke');
    expect([existsSync(`${root}/.berth-put-mine`), existsSync(`${root}/never`)]).toEqual([false, false]);
  });

  it('have had done once what makes or takes away a name', async () => {
    const transport = await pool.connect(sshd.spec('steady'));
    const names = { ...transport.files };
    let cut = false;
    // Done, and the answer is lost.
    const losing = (name: 'mkdir' | 'rmdir' | 'rename' | 'unlink') => async (...args: [string, string & number]) => {
      await (names[name] as (...a: unknown[]) => Promise<void>)(...args);
      if (cut) return;
      cut = true;
      throw Object.assign(await lostError(), {});
    };
    const lossy = { ...transport, files: { ...names, mkdir: losing('mkdir'), rmdir: losing('rmdir'), rename: losing('rename'), unlink: losing('unlink') } } as Transport;
    const files = steadyFiles(() => Promise.resolve(lossy), () => undefined);
    for (const ask of [() => files.mkdir(`${root}/made`), () => files.rename(`${root}/made`, `${root}/moved`), () => files.rmdir(`${root}/moved`)]) {
      cut = false;
      await ask();
    }
    expect(existsSync(`${root}/moved`)).toBe(false);
    cut = true;
    await expect(files.mkdir(root)).rejects.toMatchObject({ code: 'already-exists' });
    await expect(files.unlink(`${root}/none`)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are given up after ten in a row', async () => {
    const error = await lostError();
    let tries = 0;
    const dead = () => Promise.resolve({ files: { stat: () => (tries++, Promise.reject(error)) } } as unknown as Transport);
    await expect(steadyFiles(dead, () => undefined).stat('/')).rejects.toMatchObject({ code: 'connection-lost' });
    expect(tries).toBe(10);
  });
});

/** What a closed connection says. */
async function lostError(): Promise<Error> {
  const other = createPool();
  const transport = await other.connect(sshd.spec('other'));
  await other.closeAll();
  return transport.files.stat('/').then(() => new Error('it was open'), (error: Error) => error);
}
