import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../../../../test/support/cleanup.js';
import { newSshKey, startTestSshd } from '../../../../test/support/sshd.js';
import type { HostSpec } from './transport.js';

/** A real OpenSSH server on loopback for specs, with a TCP relay in front whose connections can be cut or silenced. */
export interface RelayedSshd {
  spec(id: string, changes?: Partial<HostSpec>): HostSpec;
  /** Temporary folder for the spec; `folder` of each host is inside. */
  readonly home: string;
  /** `SHA256:…` of the key that the server shows now. */
  readonly fingerprint: string;
  /** Ends every open connection at once. */
  cut(): void;
  /** Passes nothing on while true, and keeps connections open: a network that went dark. */
  silence(on: boolean): void;
  /** Refuses connections while true, as a host does on which nothing listens. */
  refuse(on: boolean): Promise<void>;
  /** Makes another host key and starts the server again with it. */
  changeHostKey(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both on free ports; they end with the test file at the latest. */
export async function startSshd(settings: { maxSessions?: number; sftp?: 'none' | 'broken' } = {}): Promise<RelayedSshd> {
  const sshd = await startTestSshd(settings);
  const home = await tempFolder('host');
  // Files that a credential may name by mistake, and the one it should: that of a key which may log in.
  const stranger = newSshKey('stranger');
  const write = (name: string, text: string) => writeFile(join(home, name), text, { mode: 0o600 });
  await Promise.all([write('user', sshd.privateKey), write('user.pub', `${stranger.publicKey}\n`), write('host', stranger.privateKey), write('config', 'Port 22\n')]);
  const relay = await startRelay(sshd.port);
  return {
    home,
    spec: (id, changes = {}) => ({
      id,
      transport: 'ssh',
      address: '127.0.0.1',
      port: relay.port,
      user: sshd.user,
      credential: `file:${sshd.privateKeyPath}`,
      hostKey: sshd.hostKeyPublic,
      folder: join(home, 'folder'),
      ...changes,
    }),
    get fingerprint() {
      return sshd.hostFingerprint;
    },
    cut: relay.cut,
    silence: relay.silence,
    refuse: relay.refuse,
    changeHostKey: () => sshd.changeHostKey(),
    stop: async () => {
      await relay.stop();
      await sshd.stop();
    },
  };
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
