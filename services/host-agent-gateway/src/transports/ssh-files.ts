import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2';
import { HostError, type HostErrorCode } from './errors.js';
import type { FileStat, HostFile, HostFiles, HostSpec } from './transport.js';

/** Runs one SFTP request; the transport makes it reject when the connection ends, because ssh2 may never call back then. */
export type SftpCall = <T>(
  path: string,
  start: (sftp: SFTPWrapper, done: (error: Error | null | undefined, value?: T) => void) => void,
) => Promise<T>;

/** The host's files over SFTP. */
export function sshFiles(call: SftpCall): HostFiles {
  return {
    open: async (path, how, mode = 0o600) => {
      const handle = await call<Buffer>(path, (sftp, done) =>
        how === 'create' ? sftp.open(path, 'wx', mode, done) : sftp.open(path, how === 'read' ? 'r' : 'r+', done),
      ).catch(async (error: unknown) => {
        throw how === 'create' ? await betterReason(call, path, error) : error;
      });
      return openFile(call, path, handle);
    },
    stat: async (path) => statOf(await call<Stats>(path, (sftp, done) => sftp.stat(path, done))),
    lstat: async (path) => statOf(await call<Stats>(path, (sftp, done) => sftp.lstat(path, done))),
    realpath: async (path) => {
      const real = await call<string>(path, (sftp, done) => sftp.realpath(path, done));
      // OpenSSH resolves a path whose last part is missing; everybody else's realpath does not.
      await call<Stats>(real, (sftp, done) => sftp.lstat(real, done));
      return real;
    },
    readdir: async (path) => {
      const entries = await call<{ filename: string }[]>(path, (sftp, done) => sftp.readdir(path, done));
      return entries.map((entry) => entry.filename).filter((name) => name !== '.' && name !== '..').sort();
    },
    list: async (path) => {
      // Its attributes are of the thing itself, as lstat would give them: one question for a whole folder.
      const entries = await call<FileEntryWithStats[]>(path, (sftp, done) => sftp.readdir(path, done));
      return entries
        .filter(({ filename }) => filename !== '.' && filename !== '..')
        .map(({ filename, attrs }) => ({ name: filename, stat: statOf(attrs) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    mkdir: (path, mode = 0o700) =>
      call<void>(path, (sftp, done) => sftp.mkdir(path, { mode }, done)).catch(async (error: unknown) => {
        throw await betterReason(call, path, error);
      }),
    rmdir: (path) => call<void>(path, (sftp, done) => sftp.rmdir(path, done)),
    rename: (from, to) =>
      call<void>(from, (sftp, done) => {
        try {
          sftp.ext_openssh_rename(from, to, done);
        } catch {
          // The server has no posix-rename: plain rename refuses an existing target, so that goes first.
          sftp.unlink(to, () => sftp.rename(from, to, done));
        }
      }),
    unlink: (path) => call<void>(path, (sftp, done) => sftp.unlink(path, done)),
    chmod: (path, mode) => call<void>(path, (sftp, done) => sftp.chmod(path, mode, done)),
  };
}

function openFile(call: SftpCall, path: string, handle: Buffer): HostFile {
  return {
    read: (offset, length) => {
      const buffer = Buffer.allocUnsafe(length);
      return call<Buffer>(path, (sftp, done) =>
        sftp.read(handle, buffer, 0, length, offset, (error, bytes) => done(error, buffer.subarray(0, bytes))),
      );
    },
    write: (offset, data) => call<void>(path, (sftp, done) => sftp.write(handle, data, 0, data.length, offset, done)),
    size: async () => (await call<Stats>(path, (sftp, done) => sftp.fstat(handle, done))).size,
    close: () => call<void>(path, (sftp, done) => sftp.close(handle, done)),
  };
}

function statOf(stats: Stats): FileStat {
  const kind = stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : stats.isSymbolicLink() ? 'link' : 'other';
  return { kind, size: stats.size, mode: stats.mode & 0o7777 };
}

const CODES = new Map<number, HostErrorCode>([
  [2, 'not-found'],
  [3, 'permission-denied'],
  [11, 'already-exists'],
]);

/** The typed form of an SFTP status (version 3 numbers). */
export function sftpError(host: HostSpec, path: string, error: Error): HostError {
  const status = 'code' in error && typeof error.code === 'number' ? error.code : undefined;
  const code = (status === undefined ? undefined : CODES.get(status)) ?? 'file-failed';
  return new HostError(code, `${path} on host ${host.id}: ${error.message}.`, { cause: error });
}

/** SFTP 3 has one status, FAILURE, for "exists already" and much else; one more look tells them apart. */
async function betterReason(call: SftpCall, path: string, error: unknown): Promise<unknown> {
  if (!(error instanceof HostError) || error.code !== 'file-failed') return error;
  const there = await call<Stats>(path, (sftp, done) => sftp.lstat(path, done)).then(
    () => true,
    () => false,
  );
  return there ? new HostError('already-exists', error.message, { cause: error }) : error;
}
