import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getFile, putFile } from '../files/transfer.js';
import { collector } from '../runner/runner.testing.js';
import { createRunner } from '../runner/run.js';
import { connectSsh } from './ssh.js';
import { createPool } from './pool.js';
import { startSshd, type RelayedSshd } from './sshd.testing.js';
import type { Transport } from './transport.js';

let bare: RelayedSshd;
let transport: Transport;
let folder: string;
beforeAll(async () => {
  bare = await startSshd({ sftp: 'none' });
  transport = await connectSsh(bare.spec('bare'));
  folder = `${bare.home}/shell`;
  mkdirSync(folder);
});
afterAll(async () => {
  await transport.close();
  await bare.stop();
});

describe('files of a host without SFTP', () => {
  it('are found out to need commands, also when the program for SFTP is missing', async () => {
    expect([transport.transfer, transport.folder]).toEqual(['shell', bare.spec('x').folder]);
    const broken = await startSshd({ sftp: 'broken' });
    const other = await connectSsh(broken.spec('broken'));
    expect([other.transfer, (await other.files.stat(broken.home)).kind]).toEqual(['shell', 'folder']);
    await other.close();
    await broken.stop();
  });

  it('have any name', async () => {
    const names = ['a b', "it's", '"q"', '$(x)', '`x`', '-n', '*', '[a]', 'line\nbreak', 'ends\n', 'back\\slash', '.dot', '..two', 'käse', ' lead', 'tail '];
    mkdirSync(`${folder}/names`);
    for (const name of names) {
      const file = await transport.files.open(`${folder}/names/${name}`, 'create', 0o640);
      await file.write(0, Buffer.from(name));
      await file.close();
    }
    const listed = await transport.files.list(`${folder}/names`);
    expect(listed.map(({ name }) => name)).toEqual([...names].sort());
    for (const { name, stat } of listed) {
      expect([name, stat]).toEqual([name, { kind: 'file', size: Buffer.byteLength(name), mode: 0o640 }]);
      expect(readFileSync(`${folder}/names/${name}`, 'utf8')).toBe(name);
      expect(await transport.files.realpath(`${folder}/names/${name}`)).toBe(`${folder}/names/${name}`);
    }
    await transport.files.rename(`${folder}/names/-n`, `${folder}/names/line\nbreak`);
    expect(readFileSync(`${folder}/names/line\nbreak`, 'utf8')).toBe('-n');
  });

  it('keep their modes, kinds and links', async () => {
    writeFileSync(`${folder}/special`, '');
    for (const mode of [0o4755, 0o2644, 0o1777, 0o000]) {
      chmodSync(`${folder}/special`, mode);
      expect((await transport.files.stat(`${folder}/special`)).mode).toBe(mode);
    }
    execFileSync('mkfifo', [`${folder}/pipe`]);
    expect((await transport.files.lstat(`${folder}/pipe`)).kind).toBe('other');
    mkdirSync(`${folder}/deep/er`, { recursive: true });
    symlinkSync('deep/er', `${folder}/one`);
    symlinkSync(`${folder}/one/..`, `${folder}/two`);
    symlinkSync('loop', `${folder}/loop`);
    expect(await transport.files.realpath(`${folder}/two`)).toBe(`${folder}/deep`);
    expect(await transport.files.realpath('/')).toBe('/');
    await expect(transport.files.realpath(`${folder}/loop`)).rejects.toMatchObject({ code: 'file-failed' });
    // What a link to a folder stands for is not where a file is put.
    writeFileSync(`${folder}/moved`, 'm');
    await transport.files.rename(`${folder}/moved`, `${folder}/one`);
    expect(readFileSync(`${folder}/one`, 'utf8')).toBe('m');
  });

  it('are moved whole, at any offset, and refused when they are outside', async () => {
    const content = randomBytes(1_500_001);
    await putFile(transport, folder, 'new/large', [content.subarray(0, 77), content.subarray(77)], { mode: 0o600 });
    expect(readFileSync(`${folder}/new/large`).equals(content)).toBe(true);
    expect(statSync(`${folder}/new/large`).mode & 0o777).toBe(0o600);
    const parts: Buffer[] = [];
    for await (const part of (await getFile(transport, folder, 'new/large')).content) parts.push(part);
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    symlinkSync('/etc', `${folder}/out`);
    await expect(getFile(transport, folder, 'out/passwd')).rejects.toMatchObject({ code: 'path-outside' });
    const { files } = transport;
    for (const ask of [() => files.list(`${folder}/new/large`), () => files.unlink(`${folder}/none`), () => files.open(`${folder}/none/x`, 'create')]) await expect(ask()).rejects.toMatchObject({ code: 'not-found' });
  });

  it('are enough for commands to run and their output to be read', async () => {
    const pool = createPool();
    const seen = collector();
    const outcome = await createRunner(pool).run(bare.spec('bare'), { id: randomUUID(), script: 'echo out; head -c 300000 /dev/zero; echo err >&2; exit 3', cwd: '/' }, seen);
    expect([outcome, seen.bytes('stdout').length, seen.text('stderr')]).toEqual([{ kind: 'exited', code: 3 }, 300_004, 'err\n']);
    await pool.closeAll();
  });
});
