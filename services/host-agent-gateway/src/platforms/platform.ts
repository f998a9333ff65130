import type { CommandShell } from '@berth/contracts';
import type { CheckoutRequest } from '../git/checkout.js';
import type { KeepRequest, WorkingCopyRequest } from '../git/working-copy.js';
import type { ExecResult, HostSpec, Transport } from '../transports/transport.js';
import { posix } from './posix.js';
import { windows } from './windows.js';

/** What is to be run; `cwd` is absolute on the host, as its SFTP server writes paths. */
export interface Command {
  id: string;
  script: string;
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** The platform's own when absent: sh, and powershell on Windows. */
  shell?: CommandShell;
  /** Variables that hold the path of a file in the action's folder, readable by its owner alone, and what is in it. */
  files?: Readonly<Record<string, Buffer>>;
}

/**
 * What differs from one operating system to the next on a host. Everything else (the words of the runner, its answers, the folder
 * of an action, when a command is started, looked at and ended) is the same for all.
 */
export interface Platform {
  /** Command line that opens the runner's shell, whatever the login shell of the user is. */
  readonly shell: string;
  /** What is written to it first, and makes it the runner; `folder` is the host's folder. */
  program(folder: string): string;
  /** One request, as a line without its end. */
  line(name: string, request: string, args: readonly string[]): string;
  /** A path as programs on the host know it, from one as its SFTP server writes it. */
  native(path: string): string;
  /** A path inside a folder, or a pattern of several, as somebody wrote it: with `/` alone between its names. */
  inside(path: string): string;
  /**
   * The words of a `berth_run` request; `host` names the host in what is told.
   * @throws HostError `shell` for one that is none here; `invalid-value` for what can never be right: a NUL, the name of a variable
   */
  start(command: Command, host: string): string[];
  /** The sentence for a shell that the host could have and has not. */
  noShell(host: string, shell: CommandShell | undefined): string;
  /** What is known of a command that ended with this code, and what to do. */
  meaning(code: number): string | undefined;
  /** Runs a short text in the platform's own shell and waits for it; `$1` of a POSIX one is the host's folder. */
  run(transport: Transport, text: string): Promise<ExecResult>;
  /** Text that says what the host is and has, as `name=value` lines. */
  facts(folder: string): string;
  /** Text that lists the folders of working copies, `now=<seconds>` and then `<seconds> <name>`. */
  folders(folder: string): string;
  /** Text of a command that makes a working copy. */
  prepare(folder: string, request: WorkingCopyRequest): string;
  /** Text of a command that puts a repository into a folder below `root`, the absolute folder of a lease. */
  checkout(root: string, request: CheckoutRequest): string;
  /** Text of a command that turns a working copy into a kept clone; absent where none are kept. */
  keep?(folder: string, request: KeepRequest): string;
  /** Text of a command that removes a working copy; `inside`: after whoever still works in it was ended, where the platform can tell. */
  remove(folder: string, copyId: string, inside?: boolean): string;
  /** Text of a command whose two streams become one, where the platform can do that. */
  check(command: string): string;
  /** Text of a command that tries another until it ends well, printing `mark` as a line before each try. */
  untilReady(command: string, mark: string): string;
}

const PLATFORMS = { linux: posix, mac: posix, windows } as const satisfies Record<NonNullable<HostSpec['platform']>, Platform>;

/** The platform of a host; Linux where nobody said. */
export const platformOf = (host: Pick<HostSpec, 'platform'>): Platform => PLATFORMS[host.platform ?? 'linux'];
