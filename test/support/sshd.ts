import { findSshd, isAlive, resolveHome, signal, startSshd, waitUntil, type Sshd, type SshdOptions } from '@berth/embedded/servers';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { atEndOfFile, tempFolder } from './cleanup.js';
import { FILE_MARK } from './leaks.js';

/** A real OpenSSH server of one test file, with ways to fail like a real host. */
export interface TestSshd extends Pick<Sshd, 'host' | 'port' | 'user' | 'privateKeyPath' | 'logFile'> {
  /** Of the key in use now; both change with `changeHostKey`. */
  readonly hostKeyPublic: string;
  readonly hostFingerprint: string;
  /** Text of the private key that may log in. */
  readonly privateKey: string;
  readonly pid: number;
  sessions(): number[];
  /** The host is down: no listener, no connection, no goodbye. Commands started detached go on. */
  stop(): Promise<void>;
  /** Up again on the same port with the same key (stopped first if it runs). */
  restart(): Promise<void>;
  /** Up again on the same port, but as another host. */
  changeHostKey(): Promise<void>;
  /**
   * Nothing answers any more, but no connection ends. `sessions`: the open connections; `host`: new ones get no
   * answer either (they are accepted by the kernel and then wait).
   */
  freeze(what?: 'sessions' | 'host'): void;
  thaw(): void;
  /** Ends every open connection without a goodbye; the listener stays. Resolves when they are gone. */
  cutConnections(): Promise<void>;
}

/** Starts an SSH server in a new temporary folder; it is stopped at the end of the file. */
export async function startTestSshd(options: Pick<SshdOptions, 'maxSessions' | 'sftp' | 'env'> = {}): Promise<TestSshd> {
  const dir = await tempFolder('sshd');
  const program = await findSshd(resolveHome());
  // Commands get a new environment from sshd, so the mark by which leaked processes are found is handed on here.
  const mark = process.env[FILE_MARK];
  // bash reads ~/.bashrc for a command over SSH, but not when it believes to run inside another shell. What a developer
  // keeps in there must not decide how long tests take: 0.4 s a command was seen, against 2 ms.
  const env = { ...options.env, SHLVL: '1', ...(mark === undefined ? {} : { [FILE_MARK]: mark }) };
  const start = (port = 0): Promise<Sshd> => startSshd({ ...options, dir, program, port, env });
  let server = await start();
  const { host, port, user, privateKeyPath, logFile } = server;
  const privateKey = await readFile(privateKeyPath, 'utf8');
  let frozen: number[] = [];
  atEndOfFile(() => server.stop());

  const restart = async (): Promise<void> => {
    await server.stop();
    server = await start(port);
  };
  return {
    host,
    port,
    user,
    privateKeyPath,
    privateKey,
    logFile,
    get hostKeyPublic() {
      return server.hostKeyPublic;
    },
    get hostFingerprint() {
      return server.hostFingerprint;
    },
    get pid() {
      return server.pid;
    },
    sessions: () => server.sessions(),
    stop: () => server.stop(),
    restart,
    changeHostKey: async () => {
      await Promise.all([rm(join(dir, 'host_key'), { force: true }), rm(join(dir, 'host_key.pub'), { force: true })]);
      await restart();
    },
    freeze: (what = 'sessions') => {
      // The listener first: a connection that it takes meanwhile would not be frozen.
      frozen = [...(what === 'host' ? [server.pid] : []), ...server.sessions()];
      for (const pid of frozen) signal(pid, 'SIGSTOP');
    },
    thaw: () => {
      for (const pid of frozen) signal(pid, 'SIGCONT');
      frozen = [];
    },
    cutConnections: async () => {
      const cut = server.sessions();
      for (const pid of cut) signal(pid, 'SIGKILL');
      if (!(await waitUntil(() => !cut.some(isAlive), 5000))) throw new Error('a connection of the test sshd survived SIGKILL');
    },
  };
}

export { newSshKey } from '@berth/embedded/servers';
