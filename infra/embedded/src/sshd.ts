import { spawn } from 'node:child_process';
import { readFileSync, existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { descendants, isAlive, launched, signal, stopAtExit, waitUntil } from './process.js';
import { freePort, isFree, rememberPort, rememberedPort } from './port.js';
import { fingerprintOfLine, newSshKey } from './ssh-keys.js';
import { findSshd, isLocked, prepareForRoot, type SshdProgram } from './sshd-program.js';
import { tail } from './text.js';

export { findSshd };

/** What an SSH server is started with. */
export interface SshdOptions {
  /** Folder of its keys, configuration, log and pid; made if missing, kept by `stop`. */
  readonly dir: string;
  /** 0 or absent: the port of the last start if it is free, else any; a number: that one or an error. */
  readonly port?: number;
  readonly host?: string;
  /** The program, when it was found before; otherwise it is looked for with `dir` as the state folder. */
  readonly program?: SshdProgram;
  /** Variables that every command on this host sees. */
  readonly env?: Readonly<Record<string, string>>;
  /** Channels that one connection may have open at a time (200). */
  readonly maxSessions?: number;
  /** It offers no SFTP; or it does, and there is no program for it. */
  readonly sftp?: 'none' | 'broken';
}

/** An SSH server of our own on this machine, for one user: the one we run as. */
export interface Sshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA...`, to be pinned. */
  readonly hostKeyPublic: string;
  /** `SHA256:...` of that key. */
  readonly hostFingerprint: string;
  /** The key that may log in. */
  readonly privateKeyPath: string;
  readonly logFile: string;
  readonly pid: number;
  /** The processes of its connections, parents first. Commands are not among them. */
  sessions(): number[];
  /**
   * Ends the listener and all connections at once, like a machine that lost its network: no goodbye is sent.
   * Commands that were started detached go on.
   */
  stop(): Promise<void>;
}

/** Starts an SSH server on loopback and waits until it listens. A second start in the same folder has the same keys. */
export async function startSshd(options: SshdOptions): Promise<Sshd> {
  const { dir } = options;
  const host = options.host ?? '127.0.0.1';
  const user = loginUser();
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const program = options.program ?? (await findSshd(dir));
  await prepareForRoot();
  const hostKeyPublic = await keyIn(join(dir, 'host_key'), 'berth host');
  const clientKey = await keyIn(join(dir, 'client_key'), 'berth client');
  await writeFile(join(dir, 'authorized_keys'), `${clientKey}\n`, { mode: 0o600 });

  const portFile = join(dir, 'port');
  for (let attempt = 0; attempt < 5; attempt++) {
    const remembered = attempt === 0 ? await rememberedPort(portFile) : undefined;
    const port = options.port || (remembered !== undefined && (await isFree(host, remembered)) ? remembered : await freePort(host));
    await writeFile(join(dir, 'sshd_config'), configuration(dir, host, port, user, options), { mode: 0o600 });
    const started = await launch(program, dir);
    if (started === 'port taken') {
      if (options.port) throw new Error(`port ${port} is in use, so sshd cannot start: stop what uses it or choose another port`);
      continue;
    }
    await rememberPort(portFile, port);
    return {
      ...started,
      host,
      port,
      user,
      hostKeyPublic,
      hostFingerprint: fingerprintOfLine(hostKeyPublic),
      privateKeyPath: join(dir, 'client_key'),
      logFile: join(dir, 'log'),
    };
  }
  throw new Error('sshd found no free port on this machine');
}

function loginUser(): string {
  try {
    const { username, shell } = userInfo();
    if (shell !== null && /\/(nologin|false)$/.test(shell)) {
      throw new Error(`the user ${username} has no login shell (${shell}), so nothing can run over SSH: run Berth as a user with one`);
    }
    return username;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new Error(`the user with id ${process.getuid?.()} is not in /etc/passwd, which sshd needs: run Berth as a user of this machine`);
  }
}

/** The public half of the key in a file, which is made the first time. */
async function keyIn(file: string, comment: string): Promise<string> {
  if (existsSync(file) && existsSync(`${file}.pub`)) return readFileSync(`${file}.pub`, 'utf8').trim();
  const key = newSshKey(comment);
  await writeFile(file, key.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${key.publicKey}\n`, { mode: 0o600 });
  return key.publicKey;
}

function configuration(dir: string, host: string, port: number, user: string, { env = {}, maxSessions = 200, sftp }: SshdOptions): string {
  const path = (name: string): string => JSON.stringify(join(dir, name));
  return [
    `ListenAddress ${host}:${port}`,
    `HostKey ${path('host_key')}`,
    `PidFile ${path('pid')}`,
    // Percent signs mean something in this one.
    `AuthorizedKeysFile ${path('authorized_keys').replaceAll('%', '%%')}`,
    `AllowUsers ${user}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    // Without PAM it needs no configuration of the system; a locked account may log in by key only with it.
    `UsePAM ${isLocked(user) ? 'yes' : 'no'}`,
    // The folders above may belong to another user, as in a container with a mounted checkout.
    'StrictModes no',
    `MaxSessions ${maxSessions}`,
    'MaxStartups 200:30:400',
    'UseDNS no',
    'PrintMotd no',
    'AcceptEnv LANG LC_*',
    ...(sftp === 'none' ? [] : [`Subsystem sftp ${sftp === 'broken' ? '/none/sftp-server' : 'internal-sftp'}`]),
    // On one line: sshd takes the first SetEnv only.
    ...(Object.keys(env).length > 0 ? [`SetEnv ${Object.entries(env).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(' ')}`] : []),
    '',
  ].join('\n');
}

async function launch(program: SshdProgram, dir: string): Promise<Pick<Sshd, 'pid' | 'sessions' | 'stop'> | 'port taken'> {
  const logFile = join(dir, 'log');
  const pidFile = join(dir, 'pid');
  const since = (await readFile(logFile).catch(() => Buffer.alloc(0))).length;
  await rm(pidFile, { force: true });
  // In a process group of its own, so that Ctrl-C on the terminal reaches us only.
  const child = spawn(program.path, ['-D', '-f', join(dir, 'sshd_config'), '-E', logFile], {
    cwd: '/',
    detached: true,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'], ...(program.libraries === undefined ? {} : { LD_LIBRARY_PATH: program.libraries }) },
  });
  const { pid, exited } = await launched(child, `sshd at ${program.path}`);
  // The name tells them from the commands that run below them.
  const sessions = (): number[] => descendants(pid).filter(({ name }) => name.startsWith('sshd')).map((entry) => entry.pid);
  const killAll = (): void => {
    // Held first: it could take another connection between looking and killing.
    signal(pid, 'SIGSTOP');
    for (const session of sessions()) signal(session, 'SIGKILL');
    signal(pid, 'SIGKILL');
  };
  const keep = stopAtExit(killAll);
  const stop = async (): Promise<void> => {
    // Waiting for its end must keep us alive now.
    child.ref();
    if (isAlive(pid)) {
      const running = sessions();
      killAll();
      await waitUntil(() => !running.some(isAlive), 5000);
    }
    await exited;
    keep();
    await rm(pidFile, { force: true });
  };
  // It writes its number once it listens.
  const decided = await waitUntil(async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) === pid || !isAlive(pid), 15_000);
  if (decided && isAlive(pid)) return { pid, sessions, stop };
  await stop();
  const said = (await readFile(logFile).catch(() => Buffer.alloc(0))).subarray(since).toString();
  if (/address already in use/i.test(said)) return 'port taken';
  throw new Error(`sshd did not start (${tail(said)}): the full text is in ${logFile}`);
}
