import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../transports/connect.js';
import { createPool } from '../transports/pool.js';
import { startSshd, type RelayedSshd } from '../transports/sshd.testing.js';
import { HOST_SHELL, type Transport } from '../transports/transport.js';
import { openHostShell, type Exit, type HostShell } from './host-shell.js';
import { shQuote } from './quote.js';
import { collector, found, marked, pidsOf, until } from './runner.testing.js';
import { createRunner } from './run.js';

/** Shells that can be sh, by program; those that this machine has. */
const SHELLS = ['dash', 'bash', 'busybox', 'mksh', 'ksh'].filter(found);
/** Login shells that only hand on a line. */
const LOGINS = ['sh', 'dash', 'bash', 'mksh', 'ksh', 'zsh', 'yash', 'fish'].filter(found);

/** Arbitrary text, rich in what shells treat as special, on one or several lines. */
const text = fc
  .string({ unit: fc.oneof(fc.constantFrom(...`'"\\$\`%!~*?#&;|<>()[]{} \t\n\r-=\x01\x7f`, '$(id)', '%PATH%', '`id`', '\n-n', 'ä', '😀'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })), maxLength: 40 })
  .filter((value) => !value.includes('\0'));

let sshd: RelayedSshd;
beforeAll(async () => {
  sshd = await startSshd();
});
afterAll(() => sshd.stop());

/** A folder with this shell as its sh. */
function box(name: string): string {
  const folder = join(sshd.home, `sh-is-${name}`);
  mkdirSync(folder);
  symlinkSync(found(name)!, join(folder, 'sh'));
  // Seen by whoever runs it as a program.
  writeFileSync(join(folder, 'printf'), `#!/bin/sh\necho "$*" >>${shQuote(join(folder, 'printed'))}\nexec /usr/bin/printf "$@"\n`, { mode: 0o755 });
  return folder;
}
const started = async (shell: HostShell, script: string, env: Record<string, string>, more: { shell?: 'sh' | 'bash' | 'powershell' } = {}): Promise<[string, Exit]> => {
  const id = randomUUID();
  const exit = new Promise<Exit>((resolve) => shell.onExit(id, resolve));
  expect(await shell.start({ id, script, cwd: '/', env, ...more })).toEqual({ state: 'new' });
  return [id, await exit];
};

describe.each(SHELLS)('where sh is %s', (name) => {
  let transport: Transport;
  let shell: HostShell;
  const file = (id: string, stream: 'out' | 'err'): string => readFileSync(`${transport.folder}/actions/${id}/${stream}`, 'utf8');
  beforeAll(async () => {
    transport = await connect(sshd.spec(name, { folder: `${sshd.home}/it's ${name}` }));
    const path = box(name);
    shell = await openHostShell(transport, { command: `exec ${shQuote(`${path}/sh`)}`, preamble: `PATH=${shQuote(path)}:$PATH; export PATH` });
  });
  afterAll(() => transport.close());

  it('any value comes out as it went in, through the environment, the script and a folder', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom('sh' as const, 'bash' as const), async (value, reads) => {
        const [id, { state }] = await started(shell, `printf %s "$VALUE"; printf %s ${shQuote(value)} >&2`, { VALUE: value }, { shell: reads });
        expect(state).toEqual({ state: 'exited', code: 0 });
        expect([file(id, 'out'), file(id, 'err')]).toEqual([value, value]);
      }),
      { numRuns: 12 },
    );
    await expect(shell.start({ id: randomUUID(), script: 'true', cwd: '/', env: { VALUE: 'a\0b' } })).rejects.toMatchObject({ code: 'invalid-value' });
  });

  it('commands start, fail, are ended with their tree, and are forgotten', async () => {
    const [first, exit] = await started(shell, 'echo a\nfalse\necho b', {});
    expect([exit.state, file(first, 'out')]).toEqual([{ state: 'exited', code: 1 }, 'a\n']);
    const id = randomUUID();
    await shell.start({ id, script: `sh -c 'sleep 300 & sleep 300'; sleep 300`, cwd: '/', env: {} });
    await pidsOf(transport.host, id);
    expect(await shell.kill(id, 'cancelled', 200)).toMatchObject({ state: 'exited', ended: 'cancelled' });
    expect(marked(id)).toEqual([]);
    await shell.forget([first, id]);
    expect(await shell.look(id)).toEqual({ state: 'unknown' });
  });

  it('files for variables hold any bytes, and outputs are told of', async () => {
    const value = Buffer.from([...Array.from({ length: 256 }, (_, byte) => byte), 0, 10, ...Buffer.from('hunter22')]);
    const id = randomUUID();
    const exit = new Promise<Exit>((resolve) => shell.onExit(id, resolve));
    await shell.start({ id, script: 'cat "$KEY"; echo "A=$TEXT" >"$BERTH_OUTPUT"', cwd: '/', env: { TEXT: 'b' }, files: { KEY: value, EMPTY: Buffer.alloc(0) } });
    expect((await exit).state).toEqual({ state: 'exited', code: 0, outputs: true });
    expect(readFileSync(`${transport.folder}/actions/${id}/out`)).toEqual(value);
    expect(readFileSync(`${transport.folder}/actions/${id}/output`, 'utf8')).toBe('A=b\n');
    const printed = join(sshd.home, `sh-is-${name}`, 'printed');
    expect(existsSync(printed) ? readFileSync(printed, 'utf8') : '').not.toContain('hunter22');
  });

  it('a script may ask for bash, whose pipes fail where any of their programs does', async () => {
    const [id, { state }] = await started(shell, 'echo "${BASH_VERSION:+bash}"; false | true; echo on', {}, { shell: 'bash' });
    expect([state, file(id, 'out')]).toEqual([{ state: 'exited', code: 1 }, 'bash\n']);
  });
});

describe.each(LOGINS)('where the login shell is %s', (name) => {
  it('the runner starts all the same', async () => {
    const transport = await connect(sshd.spec(`login-${name}`, { folder: `${sshd.home}/login ${name}` }));
    const shell = await openHostShell(transport, { command: `exec ${name} -c ${shQuote(HOST_SHELL)}` });
    const [, { state }] = await started(shell, 'exit 3', {});
    expect(state).toEqual({ state: 'exited', code: 3 });
    await transport.close();
  });
});

describe('PowerShell on a host with sh', () => {
  it('is given the script by its name, where the PATH of the command leads to it', async () => {
    const pool = createPool();
    const tools = join(sshd.home, 'pwsh-tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'pwsh'), '#!/bin/sh\nprintf "%s\\n" "$1" "$2" "$3" "$4" "${BERTH_SCRIPT##*/}"; cat "$BERTH_SCRIPT"\n');
    chmodSync(join(tools, 'pwsh'), 0o755);
    const seen = collector();
    const outcome = await createRunner(pool).run(sshd.spec('shells'), { id: randomUUID(), script: "Write-Output 'ä'", cwd: '/', shell: 'powershell', env: { PATH: `${tools}:/usr/bin:/bin` } }, seen);
    expect(outcome).toEqual({ kind: 'exited', code: 0 });
    expect(seen.text('stdout')).toBe("-NoLogo\n-NoProfile\n-NonInteractive\n-Command\nscript.ps1\nWrite-Output 'ä'\n");
    await pool.closeAll();
  });
});

/** What macOS has otherwise: no /proc, no setsid, no GNU options; its ps shows environments with -E, its stat has -f. */
describe('as on a Mac', () => {
  it('marks are found by ps, and trees end', async () => {
    const tools = join(sshd.home, 'mac');
    mkdirSync(tools);
    const tool = (name: string, script: string): void => {
      writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(tools, name), 0o755);
    };
    const ps = execFileSync('which', ['ps'], { encoding: 'utf8' }).trim();
    // The environment comes after the command, without a blank at the end.
    tool('ps', `case " $* " in *" -E "*) exec perl -e '
      sub of { open my $file, "<", $_[0] or return ""; local $/; my $text = <$file> // ""; $text =~ tr/\\0/ /; $text }
      for my $at (glob "/proc/[0-9]*") { my $line = substr($at, 6) . " " . of("$at/cmdline") . " " . of("$at/environ"); $line =~ s/\\n/ /g; $line =~ s/ *$//; print "$line\\n" }
    ';; *) exec ${ps} "$@";; esac`);
    for (const missing of ['setsid', 'timeout']) tool(missing, 'exit 127');
    tool('env', 'for word do case $word in --*) echo "env: illegal option" >&2; exit 1;; esac; done; exec /usr/bin/env "$@"');
    for (const command of ['exec bash --noprofile --norc', 'exec sh']) {
      const transport = await connect(sshd.spec('mac', { platform: 'mac', folder: `${sshd.home}/mac host` }));
      const shell = await openHostShell(transport, { command, preamble: `PATH=${shQuote(tools)}:$PATH; export PATH; BERTH_NO_PROC=1` });
      const id = randomUUID();
      const lease = randomUUID();
      // One goes its own way: found by its mark alone.
      await shell.start({ id, script: `perl -e 'use POSIX; fork and exit; setsid(); exec "sleep", "300"'; sleep 300`, cwd: '/', env: { BERTH_LEASE: lease } });
      await until('the tree', () => marked(id).length >= 3);
      expect(await shell.kill(id, 'cancelled', 300)).toMatchObject({ state: 'exited', ended: 'cancelled' });
      expect(marked(id)).toEqual([]);
      const left = randomUUID();
      const over = new Promise((resolve) => shell.onExit(left, resolve));
      await shell.start({ id: left, script: 'sleep 300 >/dev/null 2>&1 &', cwd: '/', env: { BERTH_LEASE: lease } });
      await over;
      expect(marked(left)).toHaveLength(1);
      await shell.reap(`BERTH_LEASE=${lease}`, 300);
      expect(marked(left)).toEqual([]);
      await shell.forget([id, left]);
      await transport.close();
    }
  }, 60_000);
});
