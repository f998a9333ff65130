import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../transports/connect.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import type { Transport } from '../transports/transport.js';
import { getFile, inBlocks, putFile } from './transfer.js';

let sshd: RelayedSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

describe.each(['ssh', 'local'] as const)('files over %s', (kind) => {
  let transport: Transport;
  let root: string;
  beforeAll(async () => {
    transport = await connect(sshd.spec('files', { transport: kind }));
    root = `${sshd.home}/root-${kind}`;
    mkdirSync(root);
    mkdirSync(`${sshd.home}/secret-${kind}`);
    writeFileSync(`${sshd.home}/secret-${kind}/key`, 'secret');
    symlinkSync(`../secret-${kind}`, `${root}/out`);
    symlinkSync(`../secret-${kind}/key`, `${root}/key`);
    symlinkSync('inner', `${root}/inside`);
    mkdirSync(`${root}/inner`);
  });
  afterAll(() => transport.close());
  const read = async (relative: string): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for await (const part of (await getFile(transport, root, relative)).content) parts.push(part);
    return Buffer.concat(parts);
  };

  it('puts and gets back any bytes, in new folders, with mode and hash', async () => {
    const content = randomBytes(3_000_001);
    const pieces = [content.subarray(0, 10), content.subarray(10, 200_000), content.subarray(200_000)];
    const result = await putFile(transport, root, 'a/b/file', pieces, { mode: 0o755 });
    expect(result).toEqual({ bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') });
    expect(readFileSync(`${root}/a/b/file`).equals(content)).toBe(true);
    expect(statSync(`${root}/a/b/file`).mode & 0o777).toBe(0o755);
    expect(readdirSync(`${root}/a/b`)).toEqual(['file']);
    expect((await read('a/b/file')).equals(content)).toBe(true);
    expect(await getFile(transport, root, './a//b/file')).toMatchObject({ bytes: content.length, mode: 0o755 });
  });

  it('puts many at once', async () => {
    const contents = Array.from({ length: 12 }, () => randomBytes(700_000));
    await Promise.all(contents.map((content, index) => putFile(transport, root, `many/${index}`, [content])));
    for (const [index, content] of contents.entries()) expect((await read(`many/${index}`)).equals(content)).toBe(true);
  });

  it('replaces a file only when the new one is complete', async () => {
    await putFile(transport, root, 'kept', [Buffer.from('old')]);
    const failing = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('new');
      throw new Error('the source broke');
    };
    await expect(putFile(transport, root, 'kept', failing())).rejects.toThrow('the source broke');
    expect((await read('kept')).toString()).toBe('old');
    expect(readdirSync(root).filter((name) => name.startsWith('.berth-put'))).toEqual([]);
    await putFile(transport, root, 'kept', []);
    expect((await read('kept')).length).toBe(0);
  });

  it.each(['/etc/passwd', '../x', 'a/../../x', '..', 'out/key', 'out/new', 'key', '', 'a\0b'])('refuses to read %j', async (relative) => {
    const error = await getFile(transport, root, relative).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: relative === 'out/new' ? 'not-found' : 'path-outside' });
  });

  it.each(['/tmp/x', '../x', 'a/../../x', '..', 'out/new', 'out/deep/new', '', '.', 'new/'])('refuses to write %j', async (relative) => {
    await expect(putFile(transport, root, relative, [Buffer.from('x')])).rejects.toMatchObject({ code: 'path-outside' });
    expect(readdirSync(`${sshd.home}/secret-${kind}`)).toEqual(['key']);
  });

  it('replaces a link instead of writing through it, and follows links that stay inside', async () => {
    await putFile(transport, root, 'key', [Buffer.from('mine')]);
    expect(readFileSync(`${sshd.home}/secret-${kind}/key`, 'utf8')).toBe('secret');
    await putFile(transport, root, 'inside/file', [Buffer.from('x')]);
    expect(existsSync(`${root}/inner/file`)).toBe(true);
    expect((await read('inside/file')).toString()).toBe('x');
  });

  it('refuses folders, what is missing, and what shrinks meanwhile', async () => {
    await expect(getFile(transport, root, 'inner')).rejects.toMatchObject({ code: 'file-failed' });
    await expect(getFile(transport, root, 'none')).rejects.toMatchObject({ code: 'not-found' });
    await expect(putFile(transport, root, 'inner', [])).rejects.toMatchObject({ code: 'already-exists' });
    writeFileSync(`${root}/shrinks`, Buffer.alloc(1_000_000));
    const { content } = await getFile(transport, root, 'shrinks');
    truncateSync(`${root}/shrinks`, 100);
    await expect(async () => {
      for await (const part of content) expect(part.length).toBeGreaterThan(0);
    }).rejects.toMatchObject({ code: 'file-failed' });
    rmSync(`${root}/shrinks`);
  });
});

describe('blocks', () => {
  it('are all of the bytes, in order, none longer than asked for, and short ones put together', async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(chunks, fc.integer({ min: 1, max: 20 }), fc.nat({ max: 30 }), async (source, least, more) => {
        const blocks: Buffer[] = [];
        for await (const block of inBlocks(source, least, least + more)) blocks.push(block);
        expect(Buffer.concat(blocks).equals(Buffer.concat(source))).toBe(true);
        expect(blocks.slice(0, -1).every(({ length }) => length >= least) && blocks.every(({ length }) => length > 0 && length <= least + more)).toBe(true);
      }),
    );
  });
});
