import { chmodSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { connectLocal } from '../transports/local.js';
import { lineSplitter } from '../transports/lines.js';
import type { ShellChannel, Transport } from '../transports/transport.js';
import { listFolders } from './folders.js';
import { probe } from './probe.js';

const COPY = '00000000-0000-4000-8000-000000000001';
const path = process.env['PATH'];
let home: string;
beforeAll(async () => {
  home = await tempFolder('platforms');
});
afterEach(() => {
  process.env['PATH'] = path;
});

describe('folders on a Mac', () => {
  it('are listed with the stat of BSD', async () => {
    const tools = join(home, 'tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'stat'), `#!/bin/sh\n[ "$1" = -f ] && [ "$2" = '%m %N' ] && [ "$3" = -- ] || { echo "stat: illegal option" >&2; exit 1; }\nshift 3\nexec /usr/bin/stat -c '%Y %n' -- "$@"\n`);
    chmodSync(join(tools, 'stat'), 0o755);
    process.env['PATH'] = `${tools}:${path}`;
    mkdirSync(join(home, 'host', 'copies', COPY), { recursive: true });
    mkdirSync(join(home, 'host', 'copies', 'not-one-of-ours'));
    const hourAgo = Date.now() / 1000 - 3_600;
    utimesSync(join(home, 'host', 'copies', COPY), hourAgo, hourAgo);
    const transport = await connectLocal({ id: 'mac', transport: 'local', address: '', port: 0, user: '', credential: 'agent', platform: 'mac', folder: join(home, 'host') });
    const [found, ...others] = await listFolders(transport);
    expect(others).toEqual([]);
    expect(found?.id).toBe(COPY);
    expect(found?.ageMs).toBeGreaterThanOrEqual(3_600_000);
    expect(found?.ageMs).toBeLessThan(3_700_000);
    await transport.close();
  });
});

/** A Windows host that says these bytes when it is handed a text, and this when its shell ends. */
function windows(bytes: string, diagnosis = ''): { transport: Transport; texts: string[] } {
  const texts: string[] = [];
  const openShell = (): Promise<ShellChannel> => {
    let feed = (_: Buffer): void => undefined;
    let end = (_: string): void => undefined;
    return Promise.resolve({
      write: (line) => {
        texts.push(Buffer.from(line.trim(), 'base64').toString('utf8'));
        feed(Buffer.from(bytes));
        end(diagnosis);
      },
      onLine: (listener) => {
        feed = lineSplitter(listener);
      },
      onClose: (listener) => {
        end = listener;
      },
      close: () => undefined,
    });
  };
  return { transport: { host: { id: 'win1', platform: 'windows' }, folder: '/C:/Users/ci/.berth-host', hostKey: 'ssh-ed25519 AAAA', openShell } as unknown as Transport, texts };
}

describe('looks at a Windows host', () => {
  it('read what it is and has, whatever else it says', async () => {
    const { transport, texts } = windows('Welcome\r\nos=windows\r\narch=x86_64\r\ncpus=4\r\nmemory=16383MiB\r\nkernel=10.0.20348\r\ngit=2.45.1\r\nberth-end 0\r\n');
    expect(await probe(transport, undefined)).toEqual({ hostKey: 'ssh-ed25519 AAAA', facts: { os: 'windows', arch: 'x86_64', cpus: '4', memory: '16383MiB', kernel: '10.0.20348', git: '2.45.1' } });
    expect(texts[0]).toContain(`[IO.Path]::GetPathRoot('C:\\Users\\ci\\.berth-host')`);
  });

  it('list folders by its own clock', async () => {
    const { transport, texts } = windows(`now=1700000100\r\n1700000000 ${COPY}\r\n1700000000 other\r\nberth-end 0\r\n`);
    expect(await listFolders(transport)).toEqual([{ id: COPY, ageMs: 100_000 }]);
    expect(texts[0]).toContain(`'C:\\Users\\ci\\.berth-host\\copies'`);
  });

  it('tell what it said when it failed', async () => {
    await expect(listFolders(windows('berth-end 1\r\n', 'Access is denied.').transport)).rejects.toMatchObject({ code: 'host-fault', message: expect.stringContaining('exit code 1: Access is denied.') });
    await expect(probe(windows('', 'bash: powershell.exe: command not found').transport, undefined)).rejects.toMatchObject({ code: 'host-fault', message: expect.stringContaining('did not answer as a Windows system does (exit code 255: bash: powershell.exe: command not found)') });
  });
});
