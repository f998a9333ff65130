import { spawn } from 'node:child_process';
import { chmod, lstat, mkdir, open, readdir, realpath, rename, rmdir, stat, unlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { constants, homedir } from 'node:os';
import { HostError, messageOf, type HostErrorCode } from './errors.js';
import { lastWords, lineSplitter } from './lines.js';
import { expandHome, HOST_SHELL, type Entry, type ExecResult, type FileStat, type HostFile, type HostFiles, type HostSpec, type ShellChannel, type Transport } from './transport.js';

/** Opens the machine we are on, without SSH. Commands get a login-like environment: our own may hold secrets. */
export async function connectLocal(host: HostSpec): Promise<Transport> {
  const listeners = new Set<(error?: HostError) => void>();
  const shells = new Set<ShellChannel>();
  let closed = false;
  const refuseClosed = (): void => {
    if (closed) throw new HostError('connection-lost', `The connection to host ${host.id} is closed.`);
  };

  return {
    host,
    folder: expandHome(host.folder, homedir()),
    transfer: 'direct',
    files: localFiles(host, refuseClosed),
    get closed() {
      return closed;
    },
    openShell: async (command = HOST_SHELL) => {
      refuseClosed();
      const shell = await spawnShell(host, command);
      shells.add(shell);
      shell.onClose(() => shells.delete(shell));
      return shell;
    },
    exec: async (command) => {
      refuseClosed();
      return run(host, command);
    },
    onClose: (listener) => {
      if (closed) listener();
      else listeners.add(listener);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      for (const shell of shells) shell.close();
      for (const listener of listeners) listener();
      listeners.clear();
    },
  };
}

const KEPT = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|SSH_AUTH_SOCK|XDG_RUNTIME_DIR)$/;

function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => KEPT.test(name)));
}

function spawnShell(host: HostSpec, command: string): Promise<ShellChannel> {
  return new Promise((resolve, reject) => {
    // Its own session, so that Ctrl-C on our terminal or the end of our process group does not reach what it supervises.
    const child = spawn('sh', ['-c', command], { detached: true, cwd: homedir(), env: environment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const said = lastWords(2_000);
    child.stderr.on('data', said.add);
    // A shell that ended while we wrote to it also reports its end, and that is what counts.
    child.stdin.on('error', () => undefined);
    child.once('error', (error) => reject(new HostError('host-fault', `No shell could be started on host ${host.id}: ${error.message}.`, { cause: error })));
    child.once('spawn', () =>
      resolve({
        write: (text) => void child.stdin.write(text),
        onLine: (listener) => child.stdout.on('data', lineSplitter(listener)),
        // 'exit', not 'close': a supervisor may hold the pipe open long after the shell is gone.
        onClose: (listener) => child.once('exit', () => listener(said.text())),
        close: () => {
          child.kill('SIGKILL');
          child.stdin.destroy();
          child.stdout.destroy();
          child.stderr.destroy();
        },
      }),
    );
  });
}

function run(host: HostSpec, command: string): Promise<ExecResult> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command], { cwd: homedir(), env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.once('error', (error) => reject(new HostError('host-fault', `A command could not be started on host ${host.id}: ${error.message}.`, { cause: error })));
    child.once('close', (code, signal) =>
      resolve({
        code: code ?? 128 + (signal ? constants.signals[signal] : 0),
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr),
      }),
    );
  });
}

const CODES: Record<string, HostErrorCode> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  EEXIST: 'already-exists',
};

const FLAGS = { read: 'r', create: 'wx', continue: 'r+' } as const;

function localFiles(host: HostSpec, refuseClosed: () => void): HostFiles {
  const call = async <T>(path: string, action: () => Promise<T>): Promise<T> => {
    refuseClosed();
    try {
      return await action();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? CODES[String(error.code)] : undefined;
      throw new HostError(code ?? 'file-failed', `${path} on host ${host.id}: ${messageOf(error)}.`, { cause: error });
    }
  };
  return {
    open: (path, how, mode = 0o600) =>
      call(path, async () => {
        const handle = await open(path, FLAGS[how], mode);
        return {
          read: (offset, length) =>
            call(path, async () => {
              const buffer = Buffer.allocUnsafe(length);
              const { bytesRead } = await handle.read(buffer, 0, length, offset);
              return buffer.subarray(0, bytesRead);
            }),
          write: (offset, data) =>
            call(path, async () => {
              for (let done = 0; done < data.length; ) {
                done += (await handle.write(data, done, data.length - done, offset + done)).bytesWritten;
              }
            }),
          size: () => call(path, async () => (await handle.stat()).size),
          close: () => handle.close(),
        } satisfies HostFile;
      }),
    stat: (path) => call(path, async () => statOf(await stat(path))),
    lstat: (path) => call(path, async () => statOf(await lstat(path))),
    realpath: (path) => call(path, () => realpath(path)),
    readdir: (path) => call(path, async () => (await readdir(path)).sort()),
    list: (path) => call(path, () => listFolder(path)),
    mkdir: (path, mode = 0o700) => call(path, async () => void (await mkdir(path, { mode }))),
    rmdir: (path) => call(path, () => rmdir(path)),
    rename: (from, to) => call(from, () => rename(from, to)),
    unlink: (path) => call(path, () => unlink(path)),
    chmod: (path, mode) => call(path, () => chmod(path, mode)),
  };
}

async function listFolder(path: string): Promise<Entry[]> {
  const names = (await readdir(path)).sort();
  const entries: Entry[] = [];
  for (const name of names) {
    // What goes away while the folder is read is as if it had never been there.
    const stats = await lstat(`${path}/${name}`).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (stats) entries.push({ name, stat: statOf(stats) });
  }
  return entries;
}

function statOf(stats: Stats): FileStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other';
  return { kind, size: stats.size, mode: stats.mode & 0o7777 };
}
