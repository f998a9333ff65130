import type { Duplex, Readable, Writable } from 'node:stream';
import type { TerminalSize } from '@berth/contracts';
import { sftpPath } from '../platforms/windows/quote.js';
import type { HostError } from './errors.js';

/** Where a host is and how to get in. */
export interface HostSpec {
  /** Stable name of the machine; used in messages and as the key of its connection. */
  id: string;
  transport: 'ssh' | 'local';
  address: string;
  port: number;
  user: string;
  /** A reference, resolved only here: `file:/path/key`, `env:NAME` (PEM text) or `agent` (SSH_AUTH_SOCK). Ignored by `local`. */
  credential: string;
  /** Pinned OpenSSH public key line, `ssh-ed25519 AAAA...`; absent = enrolment: whatever is shown is accepted and reported. */
  hostKey?: string;
  /** Linux when absent. */
  platform?: 'linux' | 'mac' | 'windows';
  /** Our folder on the host, e.g. `~/.berth-host`; `~` is the user's home there. On Windows also `C:\\berth`. */
  folder: string;
}

/** A shell on the host that stays open, or what speaks in its place. Lines come without their newline. */
export interface ShellChannel {
  write(text: string): void;
  onLine(listener: (line: string) => void): void;
  /** Called once. `diagnosis` is the end of what the shell said on stderr. */
  onClose(listener: (diagnosis: string) => void): void;
  close(): void;
}

/** Output of a short command that is run and awaited on a channel of its own. `code` is 128 + n after signal n. */
export interface ExecResult {
  code: number;
  stdout: Buffer;
  stderr: Buffer;
}

export interface FileStat {
  kind: 'file' | 'folder' | 'link' | 'other';
  /** Bytes. */
  size: number;
  /** Permission bits only, e.g. 0o644. */
  mode: number;
  /** Epoch milliseconds, as exactly as the way to the host allows: over SFTP whole seconds, without it whole minutes. */
  modified: number;
}

/** A program that is talked to while it runs. */
export interface Conversation {
  readonly input: Writable;
  readonly out: Readable;
  /** Nothing comes here when it has a pseudo-terminal. */
  readonly err: Readable;
  resize(size: TerminalSize): void;
  /** How it ended, 128 + n by signal n, when its output was read too; undefined when that can't be told. */
  readonly ended: Promise<number | undefined>;
  /**
   * Ends it as a terminal does that is closed: whatever is in the foreground is told to hang up. Without a terminal its input and
   * output are closed and no more: OpenSSH passes no signal on to what a login as root runs.
   */
  hangUp(): void;
}

/** Text for the user's shell, and the terminal that it gets; without `terminal` its bytes go through untouched. */
export interface ConversationSpec {
  command: string;
  terminal?: TerminalSize & { term: string };
}

/** An open file. Offsets and lengths are bytes; several reads or writes may be under way at once. */
export interface HostFile {
  /** At most `length` bytes; an empty buffer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
  /** Writes all of `data`. */
  write(offset: number, data: Buffer): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** Something in a folder. */
export interface Entry {
  name: string;
  /** Of itself: a link is not followed. */
  stat: FileStat;
}

/** The host's files by absolute path. Every call can reject with HostError `not-found`, `permission-denied`, `already-exists`, `file-failed` or `connection-lost`. */
export interface HostFiles {
  /** `read` an existing file; `create` a new one (`already-exists` otherwise); `continue` writing an existing one. */
  open(path: string, how: 'read' | 'create' | 'continue', mode?: number): Promise<HostFile>;
  /** Follows links. */
  stat(path: string): Promise<FileStat>;
  /** Does not follow the last link. */
  lstat(path: string): Promise<FileStat>;
  /** Absolute, every link resolved. The path has to exist. */
  realpath(path: string): Promise<string>;
  /** Names without `.` and `..`, sorted. */
  readdir(path: string): Promise<string[]>;
  /** What is in a folder, without `.` and `..`; at most about `most` of it, by name. */
  list(path: string, most: number): Promise<Entry[]>;
  /** What a link says. */
  readlink(path: string): Promise<string>;
  mkdir(path: string, mode?: number): Promise<void>;
  rmdir(path: string): Promise<void>;
  /** Replaces the target, atomically where the host can. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
}

/** One open way into one host. Once closed it stays closed; a pool opens another. */
export interface Transport {
  readonly host: HostSpec;
  /** `host.folder`, absolute on the host. It may not exist yet. */
  readonly folder: string;
  /** The key the host showed, as an OpenSSH line; absent for `local`. */
  readonly hostKey?: string;
  readonly files: HostFiles;
  /** How its files are reached: over SFTP, by commands where there is none, or as our own. */
  readonly transfer: 'sftp' | 'shell' | 'direct';
  readonly closed: boolean;
  /** One long-lived shell whose stdin we write and whose stdout lines we read: a POSIX one, or what `command` says. */
  openShell(command?: string): Promise<ShellChannel>;
  /** Runs a command in the user's shell (`sh -c` for local) on a channel of its own, its output held in memory. */
  exec(command: string): Promise<ExecResult>;
  /** Runs a command that is talked to, on a channel of its own. */
  converse(spec: ConversationSpec): Promise<Conversation>;
  /** A TCP connection that the host makes. Rejects with `connect-refused` when nothing listens there or the host allows none. */
  dial(address: string, port: number): Promise<Duplex>;
  /** Calls back once, at once when already closed; `error` is absent when we closed it ourselves. */
  onClose(listener: (error?: HostError) => void): void;
  close(): Promise<void>;
}

/** bash where there is one (job control without a terminal saves two programs for each command), otherwise sh. */
export const HOST_SHELL = "exec sh -c 'command -v bash >/dev/null 2>&1 && exec bash --noprofile --norc; exec sh'";

/** `folder` with a leading `~` replaced by the home folder, as an SFTP server writes it: `C:\\berth` is `/C:/berth` there. */
export function expandHome(given: string, home: string): string {
  const folder = sftpPath(given);
  if (folder === '~') return home;
  if (folder.startsWith('~/')) return `${home.replace(/\/$/, '')}/${folder.slice(2)}`;
  return folder.startsWith('/') ? folder : `${home.replace(/\/$/, '')}/${folder}`;
}
