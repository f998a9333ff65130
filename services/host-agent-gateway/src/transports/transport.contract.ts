import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRange } from './read-range.js';
import type { HostSpec, ShellChannel, Transport } from './transport.js';

/** What every transport has to do, run against each of them. `host` gives a host whose files this machine sees too. */
export function transportContract(name: string, connect: (host: HostSpec) => Promise<Transport>, host: () => HostSpec): void {
  describe(`transport ${name}`, () => {
    let transport: Transport;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'berth-contract-'));
      transport = await connect(host());
    });
    afterAll(async () => {
      await transport.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('gives the exit code and both streams of a command', async () => {
      const result = await transport.exec('printf out; printf err >&2; exit 7');
      expect([result.code, result.stdout.toString(), result.stderr.toString()]).toEqual([7, 'out', 'err']);
    });

    it('tells a command that a signal ended', async () => {
      expect((await transport.exec('sh -c "kill -9 \\$\\$"')).code).toBe(137);
    });

    it('keeps a shell whose state lasts from line to line', async () => {
      const shell = await transport.openShell();
      const lines = collectLines(shell);
      shell.write('value=käse\n');
      shell.write('echo "$value $value"; echo end\n');
      expect(await lines(2)).toEqual(['käse käse', 'end']);
      shell.close();
    });

    it('tells when a shell ends, with what it said last', async () => {
      const shell = await transport.openShell();
      const ended = new Promise<string>((resolve) => shell.onClose(resolve));
      shell.write('echo broken >&2; sleep 0.1; exit 1\n');
      expect(await ended).toContain('broken');
    });

    it('writes, reads at offsets, and reports size and mode', async () => {
      const path = `${folder}/file`;
      const file = await transport.files.open(path, 'create', 0o640);
      await Promise.all([file.write(6, Buffer.from('world')), file.write(0, Buffer.from('hello '))]);
      await file.close();
      const read = await transport.files.open(path, 'read');
      expect((await read.read(6, 100)).toString()).toBe('world');
      expect((await read.read(0, 5)).toString()).toBe('hello');
      expect((await read.read(11, 5)).length).toBe(0);
      expect(await read.size()).toBe(11);
      await read.close();
      expect(await transport.files.stat(path)).toEqual({ kind: 'file', size: 11, mode: 0o640 });
    });

    it('reads a range larger than any packet in order', async () => {
      const path = `${folder}/large`;
      const content = Buffer.from(Uint8Array.from({ length: 1_000_003 }, (_, index) => (index * 7 + (index >> 8)) & 255));
      const file = await transport.files.open(path, 'create');
      for (let at = 0; at < content.length; at += 50_000) await file.write(at, content.subarray(at, at + 50_000));
      await file.close();
      const read = await transport.files.open(path, 'read');
      const parts: Buffer[] = [];
      for await (const part of readRange(read, 3, content.length + 500)) parts.push(part);
      await read.close();
      expect(Buffer.concat(parts).equals(content.subarray(3))).toBe(true);
    });

    it('makes, lists, renames over and removes', async () => {
      const { files } = transport;
      await files.mkdir(`${folder}/sub`);
      for (const name of ['b', 'a']) await (await files.open(`${folder}/sub/${name}`, 'create')).close();
      expect(await files.readdir(`${folder}/sub`)).toEqual(['a', 'b']);
      await files.rename(`${folder}/sub/a`, `${folder}/sub/b`);
      await files.chmod(`${folder}/sub/b`, 0o755);
      expect(await files.readdir(`${folder}/sub`)).toEqual(['b']);
      expect((await files.stat(`${folder}/sub/b`)).mode).toBe(0o755);
      await files.unlink(`${folder}/sub/b`);
      await files.rmdir(`${folder}/sub`);
      await expect(files.stat(`${folder}/sub`)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('tells what is in a folder, and goes on writing a file', async () => {
      const { files } = transport;
      await files.mkdir(`${folder}/listed`, 0o750);
      await files.mkdir(`${folder}/listed/sub`, 0o750);
      await symlink('sub', `${folder}/listed/link`);
      const file = await files.open(`${folder}/listed/file`, 'create', 0o600);
      await file.write(0, Buffer.from('one'));
      await file.close();
      const again = await files.open(`${folder}/listed/file`, 'continue');
      await again.write(3, Buffer.from(' two'));
      await again.close();
      const entries = await files.list(`${folder}/listed`);
      expect(entries.map(({ name, stat }) => [name, stat.kind])).toEqual([['file', 'file'], ['link', 'link'], ['sub', 'folder']]);
      expect(entries[0]?.stat).toEqual({ kind: 'file', size: 7, mode: 0o600 });
      expect(entries[2]?.stat.mode).toBe(0o750);
      await expect(files.list(`${folder}/none`)).rejects.toMatchObject({ code: 'not-found' });
      await expect(files.open(`${folder}/none`, 'continue')).rejects.toMatchObject({ code: 'not-found' });
    });

    it('sees links as links and resolves them', async () => {
      const { files } = transport;
      await files.mkdir(`${folder}/real`);
      await symlink('real', `${folder}/link`);
      expect((await files.lstat(`${folder}/link`)).kind).toBe('link');
      expect((await files.stat(`${folder}/link`)).kind).toBe('folder');
      expect(await files.realpath(`${folder}/link`)).toBe(await files.realpath(`${folder}/real`));
      await expect(files.realpath(`${folder}/none`)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('refuses with a typed reason', async () => {
      const { files } = transport;
      await expect(files.open(`${folder}/none`, 'read')).rejects.toMatchObject({ code: 'not-found' });
      await expect(files.mkdir(folder)).rejects.toMatchObject({ code: 'already-exists' });
      await (await files.open(`${folder}/once`, 'create')).close();
      await expect(files.open(`${folder}/once`, 'create')).rejects.toMatchObject({ code: 'already-exists' });
      await expect(files.unlink(`${folder}/none`)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('runs many commands at once', async () => {
      const results = await Promise.all(Array.from({ length: 12 }, (_, index) => transport.exec(`echo ${index}`)));
      expect(results.map((result) => result.stdout.toString().trim())).toEqual(results.map((_, index) => String(index)));
    });

    it('is closed for good, and says so once', async () => {
      const other = await connect(host());
      const told: unknown[] = [];
      other.onClose((error) => told.push(error));
      await other.close();
      await other.close();
      expect(other.closed).toBe(true);
      expect(told).toEqual([undefined]);
      await expect(other.openShell()).rejects.toMatchObject({ code: 'connection-lost' });
      await expect(other.files.stat('/')).rejects.toMatchObject({ code: 'connection-lost' });
    });
  });
}

function collectLines(shell: ShellChannel): (count: number) => Promise<string[]> {
  const lines: string[] = [];
  let wake = (): void => undefined;
  shell.onLine((line) => {
    lines.push(line);
    wake();
  });
  return async (count) => {
    while (lines.length < count) await new Promise<void>((resolve) => (wake = resolve));
    return lines;
  };
}
