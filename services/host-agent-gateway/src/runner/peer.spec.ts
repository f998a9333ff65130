import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineSplitter } from '../transports/lines.js';
import type { ShellChannel, Transport } from '../transports/transport.js';
import { openHostShell, type HostShell } from './host-shell.js';

/** A peer that plays what was written down of hosts: it is handed each request and says bytes. */
interface Peer {
  shell: Promise<HostShell>;
  requests: string[];
  say(bytes: string | Buffer): void;
  end(diagnosis: string): void;
}

function peer(platform: 'linux' | 'windows', answer: (words: string[], say: (bytes: string | Buffer) => void) => void): Peer {
  const requests: string[] = [];
  let close = (_: string): void => undefined;
  let feed = (_: Buffer): void => undefined;
  const say = (bytes: string | Buffer): void => feed(Buffer.from(bytes));
  const channel: ShellChannel = {
    write(text) {
      for (const line of text.split('\n').filter((one) => /^berth_[a-z]+ \d/.test(one))) {
        requests.push(line);
        queueMicrotask(() => answer(line.split(' '), say));
      }
    },
    onLine: (listener) => {
      feed = lineSplitter(listener);
    },
    onClose: (listener) => {
      close = listener;
    },
    close: () => undefined,
  };
  const transport = { host: { id: 'peer', platform }, folder: '/C:/h', files: { mkdir: () => Promise.resolve() }, openShell: () => Promise.resolve(channel), onClose: () => undefined } as unknown as Transport;
  return { shell: openHostShell(transport), requests, say, end: (diagnosis) => close(diagnosis) };
}

const loads = (after: (words: string[], say: (bytes: string | Buffer) => void) => void) => (words: string[], say: (bytes: string | Buffer) => void): void =>
  words[0] === 'berth_load' ? say(`r ${words[1]} ok\r\n`) : after(words, say);

describe('the lines of a Windows host', () => {
  it('may end in CR LF, begin with a byte order mark and come among others in another code page', async () => {
    const { shell } = peer('windows', (words, say) => {
      // Code page 850: neither of these is UTF-8.
      say(Buffer.from([0xef, 0xbb, 0xbf]));
      if (words[0] === 'berth_load') return say(`r ${words[1]} ok\r\n`);
      say(Buffer.from([0x42, 0x65, 0x6e, 0x81, 0x74, 0x7a, 0x65, 0x72, 0x0d, 0x0a, 0x84, 0x94, 0x0a]));
      say('#< CLIXML\r\n');
      say(`r ${words[1]} exited - 3 1\r\n`);
    });
    expect(await (await shell).look('one')).toEqual({ state: 'exited', code: 3, outputs: true });
  });

  it('may come in any pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), async (cuts, newline) => {
        const { shell } = peer(
          'windows',
          loads((words, say) => {
            const bytes = Buffer.from([`noise ä€😀`, `r ${words[1]} exited timeout -1073741510 0`, ''].join(newline));
            let from = 0;
            for (const cut of [...cuts].sort((a, b) => a - b)) {
              say(bytes.subarray(from, cut));
              from = Math.max(from, cut);
            }
            say(bytes.subarray(from));
          }),
        );
        expect(await (await shell).look('one')).toEqual({ state: 'exited', code: -1073741510, ended: 'timeout' });
      }),
    );
  });

  it('count only when they are whole, and tell the end of the connection with what was said last', async () => {
    const { shell, say, end } = peer('windows', loads((words) => say(`r ${words[1]} exited - `)));
    const look = (await shell).look('one');
    setTimeout(() => end('Access is denied.'));
    await expect(look).rejects.toMatchObject({ code: 'connection-lost', message: expect.stringContaining('Access is denied.') });
  });

  it('tell ends at any time, for whoever listens', async () => {
    const { shell, say } = peer('windows', loads((words, answer) => answer(`x other - 0 0 0 0\r\nr ${words[1]} new\r\nx one cancelled 137 0 1 0\r\n`)));
    const opened = await shell;
    const told = new Promise((resolve) => opened.onExit('one', resolve));
    expect(await opened.start({ id: 'one', script: 'x', cwd: '/C:/h', env: {} })).toEqual({ state: 'new' });
    expect(await told).toEqual({ state: { state: 'exited', code: 137, ended: 'cancelled' }, stdout: true, stderr: false });
    say('x gone\r\n\r\nnot for us\r\n');
  });

  it('carry requests in base64 alone, with native paths', async () => {
    const { shell, requests } = peer('windows', loads((words, say) => say(`r ${words[1]} new\r\n`)));
    await (await shell).start({ id: 'one', script: 'echo "ä\r\n%PATH%"', cwd: '/C:/Users/x y', env: { A: `'"\n` }, files: { KEY: Buffer.from([0, 255]) }, shell: 'cmd' });
    const words = requests.at(-1)?.split(' ') ?? [];
    expect(words.slice(0, 2)).toEqual(['berth_run', '2']);
    expect(words.slice(2).every((word) => /^=[A-Za-z0-9+/]*=*$/.test(word))).toBe(true);
    const [id, cwd, file, text, line, files, name, content, variable] = words.slice(2).map((word) => Buffer.from(word.slice(1), 'base64').toString());
    expect([id, cwd, file, line, variable]).toEqual(['one', 'C:\\Users\\x y', 'script.cmd', 'cmd.exe /d /v:on /s /c ""!BERTH_SCRIPT!""', `A='"\n`]);
    expect([files, name, content]).toEqual(['1', 'KEY', 'AP8=']);
    expect(text).toBe('@echo off\r\n@chcp 65001 >nul\r\necho "ä\r\n%PATH%"\r\n');
  });

  it('ends when it is no answer at all', async () => {
    const { shell, end } = peer('windows', (_, say) => {
      say("bash: powershell.exe: command not found\r\n");
      end('command not found');
    });
    await expect(shell).rejects.toMatchObject({ code: 'connection-lost', message: expect.stringContaining('command not found') });
  });
});
