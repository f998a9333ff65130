import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { HostSpec } from './transport.js';

/** A real OpenSSH server on loopback for specs, with a TCP relay in front whose connections can be cut or silenced. */
export interface TestSshd {
  spec(id: string, changes?: Partial<HostSpec>): HostSpec;
  /** The server itself, past the relay; for measuring. */
  readonly directPort: number;
  /** Temporary folder of this server; `folder` of each spec is inside. */
  readonly home: string;
  /** Ends every open connection at once. */
  cut(): void;
  /** Passes nothing on while true, and keeps connections open: a network that went dark. */
  silence(on: boolean): void;
  /** Refuses connections while true. */
  refuse(on: boolean): Promise<void>;
  /** Makes another host key and starts the server again with it. */
  changeHostKey(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts it on free ports; throws with the line that installs OpenSSH when that is missing. */
export async function startSshd(settings: { maxSessions?: number } = {}): Promise<TestSshd> {
  const program = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/sbin/sshd'].find(existsSync);
  if (!program) throw new Error('No sshd here; install it: apt-get install -y --no-install-recommends openssh-server');
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const home = mkdtempSync(join(tmpdir(), 'berth-sshd-'));
  const keygen = (name: string): void => {
    rmSync(join(home, name), { force: true });
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(home, name)]);
  };
  keygen('host');
  keygen('user');
  const port = await freePort();
  writeFileSync(
    join(home, 'config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${home}/host`,
      `PidFile ${home}/pid`,
      `AuthorizedKeysFile ${home}/user.pub`,
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'UsePAM no',
      'StrictModes no',
      `MaxSessions ${settings.maxSessions ?? 200}`,
      'MaxStartups 200',
      'Subsystem sftp internal-sftp',
      // bash reads ~/.bashrc under sshd unless it believes to be a nested shell; whatever is in there is not what specs measure.
      'SetEnv SHLVL=2',
      '',
    ].join('\n'),
  );

  let stopServer = await launch(program, home, port);
  const relay = await startRelay(port);
  return {
    home,
    directPort: port,
    spec: (id, changes = {}) => ({
      id,
      transport: 'ssh',
      address: '127.0.0.1',
      port: relay.port,
      user: userInfo().username,
      credential: `file:${home}/user`,
      hostKey: readFileSync(join(home, 'host.pub'), 'utf8').trim(),
      folder: join(home, 'folder'),
      ...changes,
    }),
    cut: relay.cut,
    silence: relay.silence,
    refuse: relay.refuse,
    changeHostKey: async () => {
      await stopServer();
      keygen('host');
      stopServer = await launch(program, home, port);
    },
    stop: async () => {
      await relay.stop();
      await stopServer();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function launch(program: string, home: string, port: number): Promise<() => Promise<void>> {
  const child = spawn(program, ['-D', '-e', '-f', join(home, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-2_000)));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`sshd did not start: ${said}`);
  }
  return async () => {
    child.kill();
    await exited;
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => setTimeout(() => resolve(false), 10));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function startRelay(to: number): Promise<{ port: number; cut(): void; silence(on: boolean): void; refuse(on: boolean): Promise<void>; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const [from, into] of [[near, far], [far, near]] as const) {
      from.setNoDelay(true);
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!silent && !into.write(chunk)) {
          from.pause();
          into.once('drain', () => from.resume());
        }
      });
      from.on('error', () => undefined); // a cut reports an error here; its close follows
      from.on('close', () => (sockets.delete(from), into.destroy()));
    }
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> => new Promise((resolve) => (server.listening ? server.close(() => resolve()) : resolve()));
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut,
    silence: (on) => (silent = on),
    refuse: async (on) => {
      if (!on) return listen(port);
      const closed = close();
      cut();
      await closed;
    },
    stop: async () => {
      const closed = close();
      cut();
      await closed;
    },
  };
}
