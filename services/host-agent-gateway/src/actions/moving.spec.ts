import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ActionSpec } from '@berth/contracts';
import type { Objects } from '../adapters/objects.js';
import { createPool, type HostPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { ActionContext } from './action.js';
import { download } from './download.js';
import { several } from './moving.js';
import { upload } from './upload.js';

type Upload = Extract<ActionSpec, { kind: 'upload' }>;
type Download = Extract<ActionSpec, { kind: 'download' }>;

let sshd: RelayedSshd;
let pool: HostPool;
let number = 0;
const content = randomBytes(8_000_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const item = { object: 'o', path: 'in/file', bytes: content.length, sha256 };
beforeAll(async () => {
  sshd = await startSshd();
  pool = createPool();
});
afterAll(async () => {
  await pool.closeAll();
  await sshd.stop();
});

/** An action under way, with its store of objects in the hands of the spec. */
function action<S extends ActionSpec>(spec: S, objects: Partial<Objects>, cancel = new AbortController(), detach = new AbortController()) {
  const root = join(sshd.home, `moving-${++number}`);
  mkdirSync(root);
  const links: (string | undefined)[] = [];
  const reached = { stdout: 0, stderr: 0 };
  const context = {
    id: `action-${number}`,
    spec,
    host: sshd.spec('moving'),
    folder: root,
    pool,
    objects,
    mayHaveStarted: false,
    owed: false,
    output: { reached, chunk: (_: string, __: number, bytes: Buffer) => ((reached.stdout += bytes.length), Promise.resolve()), settled: () => Promise.resolve() },
    signals: { cancel: cancel.signal, detach: detach.signal },
    started: () => undefined,
    link: (problem: string | undefined) => void links.push(problem),
  } as unknown as ActionContext<S>;
  return { context, root, cancel, links };
}
/** The content in parts, with something done before each. */
async function* parts(before: (at: number) => unknown) {
  for (let at = 0; at < content.length; at += 100_000) {
    await before(at);
    yield content.subarray(at, at + 100_000);
  }
}
const taking = (before: (at: number) => unknown): Partial<Objects> => ({
  put: async (_, __, source, limits) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const part of source) {
      limits?.signal?.throwIfAborted();
      await before(bytes);
      hash.update(part);
      bytes += part.length;
    }
    return { bytes, sha256: hash.digest('hex') };
  },
});
const uploading: Upload = { kind: 'upload', paths: ['file'], prefix: 'p', whenNone: 'fail', maxBytes: 10_000_000, maxFiles: 10 };
const downloading: Download = { kind: 'download', items: [item] };

describe('moving files', () => {
  it('goes on over the next connection when one is lost', async () => {
    // Further apart than what is on its way at a time, so that each cut meets another connection.
    let cuts = 0;
    const cutTwice = (at: number) => {
      if ((cuts === 0 && at > 2_000_000) || (cuts === 1 && at > 5_000_000)) {
        cuts++;
        sshd.cut();
      }
    };
    const down = action(downloading, { get: () => Promise.resolve(parts(cutTwice)) });
    expect(await download(down.context)).toMatchObject({ kind: 'succeeded' });
    expect(readFileSync(join(down.root, 'in/file')).equals(content)).toBe(true);
    expect(down.links.length).toBeGreaterThanOrEqual(2);
    cuts = 0;
    const up = action(uploading, taking(cutTwice));
    writeFileSync(join(up.root, 'file'), content);
    expect(await upload(up.context)).toMatchObject({ kind: 'succeeded', result: { artifacts: [{ name: 'file', sha256 }] } });
    expect(up.links.length).toBeGreaterThanOrEqual(2);
  });

  it('does without SFTP', async () => {
    const bare = await startSshd({ sftp: 'none' });
    const down = action(downloading, { get: () => Promise.resolve(parts(() => undefined)) });
    const host = bare.spec('bare');
    expect(await download({ ...down.context, host })).toMatchObject({ kind: 'succeeded' });
    expect(readFileSync(join(down.root, 'in/file')).equals(content)).toBe(true);
    const up = action({ ...uploading, paths: ['in/**'] }, taking(() => undefined));
    expect(await upload({ ...up.context, host, folder: down.root })).toMatchObject({ kind: 'succeeded', result: { artifacts: [{ name: 'file', sha256 }] } });
    await pool.release(host);
    await bare.stop();
  });

  it('leaves nothing half done when it is cancelled', async () => {
    const stop = [new AbortController(), new AbortController()] as const;
    const down = action(downloading, { get: () => Promise.resolve(parts((at) => at > 1_000_000 && stop[0].abort())) }, stop[0]);
    expect(await download(down.context)).toMatchObject({ kind: 'cancelled' });
    expect(readdirSync(join(down.root, 'in'))).toEqual([]);
    const up = action(uploading, taking((at) => at > 1_000_000 && stop[1].abort()), stop[1]);
    writeFileSync(join(up.root, 'file'), content);
    expect(await upload(up.context)).toMatchObject({ kind: 'cancelled' });
    const before = action(downloading, {});
    before.cancel.abort();
    expect(await download(before.context)).toMatchObject({ kind: 'cancelled' });
  });

  it('ends what is under way when one of several fails', async () => {
    const lasting = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        yield content.subarray(0, 100_000);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const get: Objects['get'] = (_, name) => Promise.resolve(name === 'gone' ? undefined : lasting());
    const items = [{ ...item, bytes: Number.MAX_SAFE_INTEGER }, { ...item, object: 'gone', path: 'in/other' }];
    const down = action<Download>({ kind: 'download', items }, { get });
    expect(await download(down.context)).toMatchObject({ kind: 'failed', code: 'not-found' });
    expect(readdirSync(join(down.root, 'in'))).toEqual([]);
  });

  it('is cancelled also while its host is away', async () => {
    const away = action(downloading, {});
    const nowhere = { ...away.context.host, port: 1 };
    expect(await download({ ...away.context, host: nowhere, owed: true, link: () => away.cancel.abort() })).toMatchObject({ kind: 'cancelled' });
  });

  it('is left to the next process, which replaces what this one left', async () => {
    const stop = new AbortController();
    const first = action(downloading, { get: () => Promise.resolve(parts((at) => at > 1_000_000 && stop.abort())) }, undefined, stop);
    expect(await download(first.context)).toBeUndefined();
    expect(readdirSync(join(first.root, 'in'))).toHaveLength(1);
    const again = { ...first.context, signals: action(downloading, {}).context.signals, objects: { get: () => Promise.resolve(parts(() => undefined)) } as unknown as Objects };
    expect(await download(again)).toMatchObject({ kind: 'succeeded' });
    expect(readdirSync(join(first.root, 'in'))).toEqual(['file']);
  });

  it.runIf(existsSync('/dev/full'))('fails when the disk is full, and takes away what it began', async () => {
    const full = action(downloading, { get: () => Promise.resolve(parts(() => undefined)) });
    const open = async () => ({ ...(await (await pool.connect(full.context.host)).files.open('/dev/full', 'continue')) });
    const real = await pool.connect(full.context.host);
    const onFull = { ...pool, connect: () => Promise.resolve({ ...real, files: { ...real.files, open } }) };
    expect(await download({ ...full.context, pool: onFull })).toMatchObject({ kind: 'failed', code: 'file-failed' });
    expect(readdirSync(join(full.root, 'in'))).toEqual([]);
  });
});

describe('several at a time', () => {
  it('are four, in order of what was asked, and none is begun after a failure', async () => {
    let [now, most, failures] = [0, 0, 0];
    const failed = () => failures++;
    const work = async (value: number) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return value * 2;
    };
    expect(await several([1, 2, 3, 4, 5, 6, 7], work, failed)).toEqual([2, 4, 6, 8, 10, 12, 14]);
    expect([most, failures]).toEqual([4, 0]);
    const begun: number[] = [];
    const failing = (value: number) => (begun.push(value), value === 2 || value === 3 ? Promise.reject(new Error(`of ${value}`)) : work(value));
    await expect(several([1, 2, 3, 4, 5, 6, 7, 8], failing, failed)).rejects.toThrow('of 2');
    expect([begun.length, now, failures]).toEqual([4, 0, 1]);
  });
});
