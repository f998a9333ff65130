import { descendants, isAlive, newSshKey, signal, startSshd, waitUntil, type Sshd, type SshdProgram, type SshKeyPair } from '@berth/embedded/servers';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { FILE_MARK } from '../leaks.js';

/** Variable that every command on an instance sees; by it they are found when the instance ends. */
export const INSTANCE_MARK = 'BERTH_EC2_INSTANCE';

/** What an instance runs on: an SSH server on an address of its own, and everything that was started through it. */
export interface Machine {
  readonly hostKey: SshKeyPair;
  /** $HOME of its commands, which is gone with the machine's disk. */
  readonly home: string;
  /** Of sshd; undefined when it does not run. */
  readonly pid: number | undefined;
  /** sshd answers when this resolves. `silent`: connections are taken and never answered. Nothing happens after `off`. */
  start(how: 'sshd' | 'silent'): Promise<void>;
  /** The power fails: nothing of it runs any more when this resolves, not even what was started detached. */
  off(): Promise<void>;
  /** Removes its disk, after `off`. */
  wipe(): Promise<void>;
}

/** Where and as what a machine runs. */
export interface MachineOptions {
  readonly instanceId: string;
  readonly dir: string;
  readonly address: string;
  readonly port: number;
  readonly program: SshdProgram;
  /** The key that may log in. */
  readonly login: SshKeyPair;
}

export function newMachine(options: MachineOptions): Machine {
  const { dir, instanceId, address, port } = options;
  const home = join(dir, 'home');
  const hostKey = newSshKey('berth host');
  let starting: Promise<void> = Promise.resolve();
  let ending: Promise<void> | undefined;
  let server: Sshd | undefined;
  let listener: Server | undefined;
  const sockets = new Set<Socket>();

  const startServer = async (): Promise<void> => {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await writeKey(join(dir, 'host_key'), hostKey);
    await writeKey(join(dir, 'client_key'), options.login);
    const mark = process.env[FILE_MARK];
    // Without SHLVL, bash reads ~/.bashrc for each command; see startTestSshd.
    const env = { SHLVL: '1', [INSTANCE_MARK]: instanceId, ...(mark === undefined ? {} : { [FILE_MARK]: mark }), HOME: home };
    server = await startSshd({ dir, host: address, port, program: options.program, env });
  };
  const listenOnly = async (): Promise<void> => {
    const silent = createServer((socket) => {
      sockets.add(socket);
      // What the other side does with its end is no concern of a host that answers nothing.
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
      socket.resume();
    });
    await new Promise<void>((resolve, reject) => silent.once('error', reject).listen({ host: address, port, exclusive: true }, resolve));
    listener = silent;
  };
  const end = async (): Promise<void> => {
    // Whoever started it has been told if that failed; here only its end counts.
    await starting.catch(() => undefined);
    const killed = new Set(server === undefined ? [] : descendants(server.pid).map(({ pid }) => pid));
    await server?.stop();
    for (const pid of killed) signal(pid, 'SIGKILL');
    const gone = await waitUntil(() => {
      const left = marked(instanceId);
      for (const pid of left) {
        signal(pid, 'SIGKILL');
        killed.add(pid);
      }
      // Who is about to be gone has no environment any more, but still its files and connections.
      return left.length === 0 && ![...killed].some(isAlive);
    }, 5000);
    if (!gone) throw new Error(`processes of ${instanceId} survived SIGKILL: ${[...killed].filter(isAlive).join(', ')}`);
    for (const socket of sockets) socket.destroy();
    if (listener !== undefined) await new Promise((resolve) => listener?.close(resolve));
    server = undefined;
  };
  return {
    hostKey,
    home,
    get pid() {
      return server?.pid;
    },
    start: (how) => {
      if (ending === undefined) starting = how === 'sshd' ? startServer() : listenOnly();
      return starting;
    },
    off: () => (ending ??= end()),
    wipe: () => rm(dir, { recursive: true, force: true }),
  };
}

async function writeKey(file: string, key: SshKeyPair): Promise<void> {
  await writeFile(file, key.privateKey, { mode: 0o600 });
  await writeFile(`${file}.pub`, `${key.publicKey}\n`, { mode: 0o600 });
}

/** The processes that carry the mark of an instance, whoever their parent is now. */
function marked(instanceId: string): number[] {
  const wanted = `${INSTANCE_MARK}=${instanceId}`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && environment(pid).includes(wanted));
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // It ended just now, or is somebody else's.
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return '';
    throw error;
  }
}
