import ssh2, { type Client, type ClientChannel, type SFTPWrapper } from 'ssh2';
import { resolveCredential } from './credential.js';
import { HostError, messageOf } from './errors.js';
import { hostKeyAlgorithms, hostKeyChanged, hostKeyLine, parseHostKey } from './host-key.js';
import { lastWords, lineSplitter } from './lines.js';
import { shellFiles } from './shell-files.js';
import { sftpError, sshFiles, type SftpCall } from './ssh-files.js';
import { expandHome, HOST_SHELL, type ExecResult, type HostSpec, type ShellChannel, type Transport } from './transport.js';

/** Milliseconds, except the count. The defaults notice a silent host within 8 s. */
export interface SshTimes {
  connectMs: number;
  keepaliveMs: number;
  keepaliveCount: number;
  /** How long a refused channel is asked for again (a host allows a number of channels per connection, MaxSessions). */
  channelMs: number;
}

const TIMES: SshTimes = { connectMs: 10_000, keepaliveMs: 2_000, keepaliveCount: 3, channelMs: 5_000 };

/**
 * Opens one SSH connection; channels share it.
 * @throws HostError `unreachable`, `auth-failed`, `host-key-changed`, `credential-invalid`, `invalid-value`
 */
export async function connectSsh(host: HostSpec, overrides: Partial<SshTimes> = {}): Promise<Transport> {
  const times = { ...TIMES, ...overrides };
  const pinned = host.hostKey === undefined ? undefined : parseHostKey(host.hostKey, host.id);
  const login = await resolveCredential(host);
  const client = new ssh2.Client();
  let shown: Buffer | undefined;

  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error & { level?: string }): void => {
      client.removeListener('close', cut);
      // ssh2 may report the socket's end after the reason; the first one counts and later ones must not throw.
      client.on('error', () => undefined);
      client.destroy();
      if (pinned && shown && !shown.equals(pinned.blob)) reject(hostKeyChanged(host, pinned.blob, shown));
      else reject(connectError(host, error));
    };
    const cut = (): void => fail(new Error('the connection was closed during the handshake'));
    client
      .once('ready', () => {
        client.removeListener('error', fail).removeListener('close', cut);
        resolve();
      })
      .once('error', fail)
      .once('close', cut)
      .connect({
        host: host.address,
        port: host.port,
        username: host.user,
        ...(login.kind === 'key' ? { privateKey: login.privateKey } : { agent: login.socket }),
        // Asking for "none" first, as ssh2 does by itself, costs a round trip and counts as a failed try on the host.
        authHandler: [login.kind === 'key' ? 'publickey' : 'agent'],
        hostVerifier: (key: Buffer) => {
          shown = Buffer.from(key);
          return !pinned || shown.equals(pinned.blob);
        },
        algorithms: {
          serverHostKey: hostKeyAlgorithms(pinned),
          // AES-GCM goes through OpenSSL and needs no separate MAC: by far the fastest in Node without native add-ons.
          cipher: { prepend: ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com'], append: [], remove: [] },
        },
        readyTimeout: times.connectMs,
        keepaliveInterval: times.keepaliveMs,
        keepaliveCountMax: times.keepaliveCount,
      });
  });
  client.setNoDelay(true);
  return openTransport(host, client, shown, times);
}

function connectError(host: HostSpec, error: Error & { level?: string }): HostError {
  const where = `${host.id} (${host.address}:${host.port})`;
  if (error.level === 'client-authentication') {
    return new HostError(
      'auth-failed',
      `Host ${where} does not let user ${host.user} in with the credential '${host.credential}'; add its public key to authorized_keys there or name another user.`,
      { cause: error },
    );
  }
  if (error.level === 'agent') {
    return new HostError('credential-invalid', `The SSH agent gave no usable key for host ${where}: ${error.message}.`, { cause: error });
  }
  return new HostError(
    'unreachable',
    `Host ${where} cannot be reached: ${error.message}; check that it is up and that an SSH server listens there.`,
    { cause: error },
  );
}

async function openTransport(host: HostSpec, client: Client, shown: Buffer | undefined, times: SshTimes): Promise<Transport> {
  const listeners = new Set<(error?: HostError) => void>();
  const pending = new Set<(error: HostError) => void>();
  let ended: { error?: HostError } | undefined;
  let closing = false;
  let reason = 'the connection was closed by the host';
  let sftp: Promise<SFTPWrapper> | undefined;

  const lost = (): HostError =>
    new HostError('connection-lost', `The connection to host ${host.id} (${host.address}:${host.port}) was lost: ${reason}.`);
  client.on('error', (error) => {
    reason = messageOf(error);
  });
  client.on('close', () => {
    if (ended) return;
    ended = closing ? {} : { error: lost() };
    for (const reject of pending) reject(lost());
    pending.clear();
    for (const listener of listeners) listener(ended.error);
    listeners.clear();
  });

  /** A promise that also rejects when the connection ends: ssh2 drops some callbacks then. */
  const guarded = <T>(start: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended) return reject(lost());
      const forget = (): boolean => pending.delete(reject);
      pending.add(reject);
      start(
        (value) => {
          forget();
          resolve(value);
        },
        (error) => {
          forget();
          reject(error);
        },
      );
    });

  const channel = async <T>(what: string, open: (done: (error: Error | undefined, value: T | undefined) => void) => void): Promise<T> => {
    const until = Date.now() + times.channelMs;
    for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 500)) {
      try {
        return await guarded<T>((resolve, reject) => open((error, value) => (value === undefined ? reject(error) : resolve(value))));
      } catch (error) {
        if (error instanceof HostError || isWithoutSftp(error)) throw error;
        if (Date.now() + waitMs > until) {
          throw new HostError(
            'channel-refused',
            `Host ${host.id} opens no ${what} on this connection: ${messageOf(error)}; see MaxSessions and Subsystem in its sshd_config.`,
            { cause: error },
          );
        }
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  };

  const openSftp = (): Promise<SFTPWrapper> => {
    sftp ??= channel<SFTPWrapper>('SFTP channel', (done) => client.sftp(done)).then(
      (opened) => {
        // The server's sftp process can end on its own; the next request then opens another.
        opened.on('close', () => {
          sftp = undefined;
        });
        return opened;
      },
      (error: unknown) => {
        sftp = undefined;
        throw error;
      },
    );
    return sftp;
  };

  const call: SftpCall = async (path, start) => {
    const opened = await openSftp();
    return guarded((resolve, reject) =>
      start(opened, (error, value) => (error ? reject(sftpError(host, path, error)) : resolve(value as never))),
    );
  };

  // Listening begins inside the callback: a quick command's whole life can arrive in the packet that opens its channel.
  const exec = async (command: string, input?: Buffer): Promise<ExecResult> => {
    const running = await channel<Running>('command channel', (done) =>
      client.exec(command, (error, stream) => done(error, error ? undefined : collect(stream, input))),
    );
    return guarded<ExecResult>((resolve) => void running.ended.then(resolve));
  };

  const transfer = await openSftp().then(
    () => 'sftp' as const,
    (error: unknown) => {
      if (isWithoutSftp(error)) return 'shell' as const;
      client.destroy();
      throw error;
    },
  );
  const files = transfer === 'sftp' ? sshFiles(call) : shellFiles(host, exec);
  const home = await (transfer === 'sftp' ? files.realpath('.') : exec('cd && exec pwd').then(({ stdout }) => stdout.toString().trim())).catch((error: unknown) => {
    client.destroy();
    throw error;
  });

  return {
    host,
    folder: expandHome(host.folder, home),
    ...(shown ? { hostKey: hostKeyLine(shown) } : {}),
    transfer,
    files,
    get closed() {
      return ended !== undefined;
    },
    openShell: (command = HOST_SHELL) =>
      channel<ShellChannel>('shell', (done) => client.exec(command, (error, stream) => done(error, error ? undefined : shellChannel(stream)))),
    exec: (command) => exec(command),
    onClose: (listener) => {
      if (ended) listener(ended.error);
      else listeners.add(listener);
    },
    close: () =>
      new Promise<void>((resolve) => {
        if (ended) return resolve();
        closing = true;
        client.once('close', () => resolve());
        client.end();
        // A host that no longer answers would keep the socket half open for minutes.
        setTimeout(() => client.destroy(), 1_000).unref();
      }),
  };
}

/** What a server without SFTP answers (no such subsystem, or no program behind it), and ssh2 says of it. */
const isWithoutSftp = (error: unknown): boolean => /unable to start subsystem|while establishing SFTP session/i.test(messageOf(error));

function shellChannel(stream: ClientChannel): ShellChannel {
  const said = lastWords(2_000);
  const listeners = new Set<(line: string) => void>();
  // Read from the beginning: ssh2 reports no close before everything was read.
  stream.on('data', lineSplitter((line) => listeners.forEach((listener) => listener(line))));
  stream.stderr.on('data', said.add);
  const ended = new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
    // A supervisor may keep the shell's stdout, and so the channel, open long after the shell itself was killed.
    stream.once('exit', () => setTimeout(resolve, 100));
  });
  return {
    write: (text) => void stream.write(text),
    onLine: (listener) => void listeners.add(listener),
    onClose: (listener) => void ended.then(() => listener(said.text())),
    close: () => stream.close(),
  };
}

const SIGNALS: Record<string, number> = { HUP: 1, INT: 2, QUIT: 3, KILL: 9, SEGV: 11, PIPE: 13, TERM: 15 };

/** In an object, because a promise resolved with a promise would wait for it. */
interface Running {
  ended: Promise<ExecResult>;
}

function collect(stream: ClientChannel, input?: Buffer): Running {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let code = 255;
  stream.on('data', (chunk: Buffer) => stdout.push(chunk));
  stream.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  stream.on('exit', (exit: number | null, signal?: string) => {
    code = exit ?? 128 + (SIGNALS[signal?.replace(/^SIG/, '') ?? ''] ?? 0);
  });
  if (input) {
    // A command that ended before it has read all of it says so by its exit code.
    stream.on('error', () => undefined);
    stream.end(input);
  }
  const ended = new Promise<ExecResult>((resolve) => {
    stream.on('close', () => resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) }));
  });
  return { ended };
}
